package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"posagent/device/devicetest"
	"posagent/device/pinpad"
	"posagent/device/reader"
	"posagent/device/serial"
	"posagent/link/modem"
	"posagent/printer"
	"posagent/printer/receipt"
	"posagent/txnstore/txn"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	cardsFile = "../../testdata/cards/cards.toml"
	patience  = 4 * time.Minute // only a hang reaches it
)

// counter is a running devicesim.
type counter struct {
	t    *testing.T
	dir  string
	stop func()
	done chan error
}

// setUp starts devicesim with flags in which DIR is the test's directory; control is at DIR/control. When the test ends
// it must have ended cleanly, and nothing may be left of its lines.
func setUp(t *testing.T, flags string) *counter {
	t.Helper()
	dir := shortDir(t)
	o, err := parse(strings.ReplaceAll(flags, "DIR", dir) + " -control unix:" + dir + "/control")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	c := &counter{t: t, dir: dir, stop: stop, done: make(chan error, 1)}
	said, out := io.Pipe()
	go func() {
		err := run(ctx, o, out, io.Discard)
		out.CloseWithError(io.EOF)
		c.done <- err
	}()
	word, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		require.FailNow(t, "not ready", <-c.done)
	}
	require.Equal(t, "ready\n", word)
	t.Cleanup(func() {
		stop()
		assert.NoError(t, c.ended())
		for _, name := range []string{"reader", "printer", "modem", "pinpad", "control"} {
			_, err := os.Lstat(filepath.Join(dir, name))
			assert.ErrorIs(t, err, os.ErrNotExist, "%s is left behind", name)
		}
	})
	return c
}

// shortDir is a directory whose sockets fit in a socket address.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "counter")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (c *counter) ended() error {
	select {
	case err := <-c.done:
		c.done <- err
		return err
	case <-time.After(patience):
		c.t.Fatal("devicesim does not end")
		return nil
	}
}

// tell gives one command and returns the answer.
func (c *counter) tell(command string) string {
	c.t.Helper()
	conn, err := net.Dial("unix", filepath.Join(c.dir, "control"))
	require.NoError(c.t, err)
	defer conn.Close()
	require.NoError(c.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, command+"\n")
	require.NoError(c.t, err)
	answer, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(c.t, err)
	return strings.TrimSuffix(answer, "\n")
}

// file waits until a file is there, and reads it. Slips are drawn after the printer has answered.
func (c *counter) file(name string) string {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(c.dir, name)); err == nil {
			return string(text)
		}
	}
	require.FailNow(c.t, "no such file", name)
	return ""
}

// terminal opens a line as the terminal would.
func (c *counter) terminal(name string, baud int) *serial.Port {
	c.t.Helper()
	port, err := serial.Open(filepath.Join(c.dir, name), serial.Options{Baud: baud})
	require.NoError(c.t, err)
	c.t.Cleanup(func() { port.Close() })
	return port
}

var yuan = txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}

func TestACardIsPresentedThroughTheControlSocket(t *testing.T) {
	c := setUp(t, "-reader pty:DIR/reader -cards "+cardsFile)
	for range 2 { // the terminal restarts; the reader does not notice
		port := c.terminal("reader", 115200)
		drive, err := reader.New(port, &reader.Opts{Answer: patience})
		require.NoError(t, err)
		require.Contains(t, c.tell("reader present visa-4242"), "ok ")
		card, err := drive.Activate(t.Context(), reader.Request{Amount: 1250, Currency: yuan, Timeout: patience, Country: "0156"})
		require.NoError(t, err)
		require.Equal(t, "4242", card.Card.PAN.Last4())
		require.Equal(t, txn.Contactless, card.Card.Entry)
		require.NoError(t, port.Close())
	}
	require.Contains(t, c.tell("reader present nobody"), "error ")
}

// Initial key and serial number of ANSI X9.24-1:2009, annex A.4.
func TestAPINPadOfDUKPT(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("6AC292FAA1315B4D858AB3A3D7D5933A\n"), 0o600))
	c := setUp(t, "-pinpad pty:DIR/pinpad -pinpad-key "+key+" -pinpad-dukpt FFFF9876543210E00000 -cards "+cardsFile)
	pad, err := pinpad.New(c.terminal("pinpad", 9600), &pinpad.Opts{Answer: patience / 10})
	require.NoError(t, err)
	pan, err := txn.ParsePAN("6224242900000113")
	require.NoError(t, err)
	for _, serial := range []string{"FFFF9876543210E00001", "FFFF9876543210E00002"} {
		b, err := pad.EnterPIN(t.Context(), pinpad.Request{PAN: pan, Prompt: "ENTER PIN", Wait: patience})
		require.NoError(t, err)
		require.Equal(t, serial, fmt.Sprintf("%X", b.KSN))
	}
}

// The keys, the card and the block are a published sample.
func TestACardholderAtThePINPad(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("CA5D92598DCA48CE8A4C76361A9269E9\n"), 0o600))
	c := setUp(t, "-pinpad pty:DIR/pinpad -pinpad-key "+key+" -cards "+cardsFile)
	pad, err := pinpad.New(c.terminal("pinpad", 9600), &pinpad.Opts{Answer: patience / 20})
	require.NoError(t, err)
	pan, err := txn.ParsePAN("6224242900000113")
	require.NoError(t, err)
	session, err := hex.DecodeString("6701EAD6A9AD51E51AA406E2C27FCFA9")
	require.NoError(t, err)
	enter := func() (string, error) {
		b, err := pad.EnterPIN(t.Context(), pinpad.Request{PAN: pan, Prompt: "ENTER PIN", SessionKey: session, Wait: patience})
		if b.Empty {
			return "none", err
		}
		return fmt.Sprintf("%X", b.Cipher[:]), err
	}
	given, err := enter()
	require.NoError(t, err)
	require.Equal(t, "23B72AC5781BA141", given)
	require.Contains(t, c.tell("pinpad pin wrong"), "ok ")
	wrong, err := enter()
	require.NoError(t, err)
	require.NotEqual(t, given, wrong)
	require.Contains(t, c.tell("pinpad pin none"), "ok ")
	none, err := enter()
	require.NoError(t, err)
	require.Equal(t, "none", none)
	require.Contains(t, c.tell("pinpad pin cancelled"), "ok ")
	_, err = enter()
	require.ErrorIs(t, err, pinpad.ErrNoPIN)
	require.Contains(t, c.tell("pinpad pin 1234"), "error ")
	require.Contains(t, c.tell("pinpad screen"), "ENTER PIN")
}

func TestASlipComesOutAsText(t *testing.T) {
	c := setUp(t, "-printer pty:DIR/printer -paper DIR/paper -columns 32")
	drive, err := printer.New(c.terminal("printer", 19200), &printer.Opts{CutAfter: true, Answer: patience, Print: patience})
	require.NoError(t, err)
	slip := receipt.Slip{Columns: 32, Lines: []receipt.Line{{Op: receipt.Text, Text: "APPROVED 12.50"}, {Op: receipt.Cut}}}
	proof, err := drive.Print(t.Context(), slip)
	require.NoError(t, err)
	require.Equal(t, printer.Proven, proof)
	require.Contains(t, c.file("paper/001.txt"), "APPROVED 12.50")
	require.FileExists(t, filepath.Join(c.dir, "paper/001.png"))
	require.Contains(t, c.file("paper/paper.txt"), "APPROVED 12.50")

	require.Contains(t, c.tell("printer paper out"), "ok")
	_, err = drive.Print(t.Context(), slip)
	require.ErrorIs(t, err, printer.ErrPaperOut)
}

func TestTheModemCallsWhomThePhoneBookNames(t *testing.T) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer host.Close()
	go func() {
		for {
			conn, err := host.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(conn, conn)
			conn.Close()
		}
	}()
	c := setUp(t, "-modem pty:DIR/modem -modem-guard 20ms -phone 95516="+host.Addr().String())
	drive, err := modem.New(c.terminal("modem", 9600), &modem.Opts{Number: "95516", Guard: 200 * time.Millisecond, Command: 20 * time.Second})
	require.NoError(t, err)
	call, err := drive.Dial(t.Context())
	require.NoError(t, err)
	_, err = call.Write([]byte("hello host"))
	require.NoError(t, err)
	echo := make([]byte, 10)
	_, err = io.ReadFull(call, echo)
	require.NoError(t, err)
	require.Equal(t, "hello host", string(echo))
	require.NoError(t, call.Close())

	require.Contains(t, c.tell("modem busy"), "ok ")
	_, err = drive.Dial(t.Context())
	require.ErrorIs(t, err, modem.ErrBusy)
}

// Two connections to a socket line: the second is served when the first has gone.
func TestASocketLineServesOneConnectionAfterAnother(t *testing.T) {
	c := setUp(t, "-modem unix:DIR/modem")
	for range 3 {
		conn, err := net.Dial("unix", filepath.Join(c.dir, "modem"))
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(conn, "ATE0\r")
		require.NoError(t, err)
		answer, err := bufio.NewReader(io.LimitReader(conn, 64)).ReadString('K')
		require.NoError(t, err)
		require.Contains(t, answer, "OK")
		require.NoError(t, conn.Close())
	}
}

func TestALineIsAsSlowAsItsSpeed(t *testing.T) {
	c := setUp(t, "-modem unix:DIR/modem -baud-modem 1200")
	conn, err := net.Dial("unix", filepath.Join(c.dir, "modem"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	began := time.Now()
	_, err = io.WriteString(conn, "ATE0\r")
	require.NoError(t, err)
	_, err = bufio.NewReader(conn).ReadString('K')
	require.NoError(t, err)
	// The fifth byte goes in, and "\r\nOK" comes out behind it: nine bytes of 8.3 ms that cannot overlap.
	require.Greater(t, time.Since(began), 70*time.Millisecond)
}

// A line to a real port, played by a second pty: it is opened, served, and left as it was found.
func TestASerialLineIsOpenedAndClosed(t *testing.T) {
	far, err := devicetest.OpenPty()
	require.NoError(t, err)
	defer far.Close()
	c := setUp(t, "-modem serial:"+far.Name()+" -baud-modem 9600")
	require.NoError(t, far.SetDeadline(time.Now().Add(patience)))
	_, err = far.Write([]byte("ATE0\r"))
	require.NoError(t, err)
	_, err = bufio.NewReader(far).ReadString('K')
	require.NoError(t, err)
	_, err = serial.Open(far.Name(), serial.Options{Baud: 9600})
	require.ErrorIs(t, err, serial.ErrBusy)
	c.stop()
	require.NoError(t, c.ended())
	port, err := serial.Open(far.Name(), serial.Options{Baud: 9600})
	require.NoError(t, err)
	require.NoError(t, port.Close())
}

// The terminal does not read, the modem's answers pile up in the line, and devicesim still ends when told to.
func TestATerminalThatDoesNotReadHoldsNothingUp(t *testing.T) {
	c := setUp(t, "-modem pty:DIR/modem -baud-modem 4000000")
	port := c.terminal("modem", 115200)
	require.NoError(t, port.SetDeadline(time.Now().Add(patience)))
	_, err := io.WriteString(port, strings.Repeat("AT\r", 10000))
	require.NoError(t, err)
	require.Equal(t, "ok ending", c.tell("quit"))
	require.NoError(t, c.ended())
	_, err = io.Copy(io.Discard, port)
	require.ErrorIs(t, err, serial.ErrHangup)
}

func TestQuitAndNonsenseOnTheControlSocket(t *testing.T) {
	c := setUp(t, "-modem pty:DIR/modem")
	require.Contains(t, c.tell("help"), "ok ")
	require.Contains(t, c.tell("fly away"), `error "fly" is not a command`)
	require.Contains(t, c.tell(""), "error ")
	require.Contains(t, c.tell("reader present visa-4242"), "error there is no reader here: start devicesim with -reader")
	require.Contains(t, c.tell("modem fly"), "error ")
	require.Contains(t, c.tell(strings.Repeat("x", 5000)), "error line longer than")
	require.Equal(t, "ok ending", c.tell("quit"))
	require.NoError(t, c.ended())
}
