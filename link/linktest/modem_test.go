package linktest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// modemDesk is a person at a terminal with a modem, and somebody at the far telephone.
type modemDesk struct {
	t     *testing.T
	modem *Modem
	line  net.Conn
	dtr   atomic.Bool
	said  chan byte
	calls chan net.Conn
}

type modemSocket struct {
	net.Conn
	dtr *atomic.Bool
}

func (s modemSocket) DTR() bool { return s.dtr.Load() }

func atModem(t *testing.T, story func(*modemDesk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		d := &modemDesk{t: t, line: near, said: make(chan byte, 1<<20), calls: make(chan net.Conn, 4)}
		d.dtr.Store(true)
		d.modem = NewModem(ModemOpts{
			PhoneBook: map[string]string{"95516": "acquirer", "110": "nobody"},
			Dial: func(_ context.Context, address string) (net.Conn, error) {
				if address == "nobody" {
					return nil, errors.New("connection refused")
				}
				a, b := net.Pipe()
				d.calls <- a
				return b, nil
			},
		})
		ctx, off := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- d.modem.Serve(ctx, modemSocket{far, &d.dtr}) }()
		go func() {
			b := make([]byte, 1)
			for {
				if _, err := near.Read(b); err != nil {
					return
				}
				d.said <- b[0]
			}
		}()
		story(d)
		off()
		require.NoError(t, <-served)
		require.NoError(t, near.Close())
	})
}

func (d *modemDesk) key(s string) {
	d.t.Helper()
	_, err := d.line.Write([]byte(s))
	require.NoError(d.t, err)
}

// hears takes what the modem says within a second.
func (d *modemDesk) hears() string {
	time.Sleep(time.Second)
	var all strings.Builder
	for {
		select {
		case b := <-d.said:
			all.WriteByte(b)
		default:
			return all.String()
		}
	}
}

func (d *modemDesk) requireSays(typed, want string) {
	d.t.Helper()
	d.key(typed)
	require.Equal(d.t, want, d.hears(), "%q", typed)
}

func (d *modemDesk) tell(command string) string {
	d.t.Helper()
	answer, err := d.modem.Command(command)
	require.NoError(d.t, err)
	return answer
}

func (d *modemDesk) call() net.Conn {
	d.t.Helper()
	d.requireSays("ATE0\r", "ATE0\r\r\nOK\r\n")
	d.requireSays("ATDT95516\r", "\r\nCONNECT 9600\r\n")
	return <-d.calls
}

func TestModemCommandState(t *testing.T) {
	atModem(t, func(d *modemDesk) {
		for _, c := range [][2]string{
			{"AT\r", "AT\r\r\nOK\r\n"},
			{"ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"AT\r", "\r\nOK\r\n"},
			{"at\r", "\r\nOK\r\n"},
			{"At\r", ""}, // neither "AT" nor "at" (5.2.1)
			{"hello\r", ""},
			{"xxAT\r", "\r\nOK\r\n"},
			{"AAT\r", "\r\nOK\r\n"},
			{"AT E0 V1 &C1 &D2 X4\r", "\r\nOK\r\n"},
			{"ATB9\r", "\r\nERROR\r\n"},
			{"ATE2\r", "\r\nERROR\r\n"},
			{"ATX5V0\r", "\r\nERROR\r\n"}, // the rest is not executed
			{"ATX\bX4\r", "\r\nOK\r\n"},
			{"AT" + strings.Repeat("M", 40) + "\r", "\r\nOK\r\n"},
			{"AT" + strings.Repeat("M", 41) + "\r", "\r\nERROR\r\n"},
			{"ATS12?\r", "\r\n050\r\n\r\nOK\r\n"},
			{"ATS12=25S12?\r", "\r\n025\r\n\r\nOK\r\n"},
			{"A/", "\r\n025\r\n\r\nOK\r\n"},
			{"ATS12=256\r", "\r\nERROR\r\n"},
			{"ATS6=11\r", "\r\nERROR\r\n"},
			{"ATS7=0\r", "\r\nERROR\r\n"},
			{"ATS99?\r", "\r\nERROR\r\n"},
			{"ATS0\r", "\r\nERROR\r\n"},
			{"ATS0=\r", "\r\nERROR\r\n"},
			{"ATS=1\r", "\r\nERROR\r\n"},
			{"ATI\r", "\r\nSIMULATED MODEM 9600\r\n\r\nOK\r\n"},
			{"ATH\r", "\r\nOK\r\n"},
			{"ATH1\r", "\r\nERROR\r\n"},
			{"ATO\r", "\r\nNO CARRIER\r\n"},
			{"ATO1\r", "\r\nERROR\r\n"},
			{"ATA\r", "\r\nNO CARRIER\r\n"},
			{"ATL2M1TP\r", "\r\nOK\r\n"},
			{"AT+MS=V22\r", "\r\nERROR\r\n"},
			{"AT&\r", "\r\nERROR\r\n"},
			{"ATV0\r", "0\r"},
			{"ATS12?\r", "025\r\n0\r"},
			{"ATB9\r", "4\r"},
			{"ATQ1\r", ""},
			{"ATB9\r", ""},
			{"ATS12?\r", "025\r\n"},
			{"ATZ0B9\r", "\r\nOK\r\n"}, // what follows Z is ignored (6.1.1)
			{"ATS12?\r", "ATS12?\r\r\n050\r\n\r\nOK\r\n"},
			{"ATE0S0=1&FS0?\r", "ATE0S0=1&FS0?\r\r\n000\r\n\r\nOK\r\n"},
			{"ATS3=30\r", "ATS3=30\r\x1e\nOK\x1e\n"},
			{"AT\x1e", "AT\x1e\x1e\nOK\x1e\n"},
		} {
			d.requireSays(c[0], c[1])
		}
	})
}

func TestModemCalls(t *testing.T) {
	atModem(t, func(d *modemDesk) {
		d.requireSays("ATE0\r", "ATE0\r\r\nOK\r\n")
		d.requireSays("ATDT110\r", "\r\nNO CARRIER\r\n")
		d.requireSays("ATDT4711\r", "\r\nNO CARRIER\r\n")
		d.requireSays("ATD95516;\r", "\r\nOK\r\n")
		for _, c := range [][3]string{
			{"busy", "X4", "BUSY"}, {"busy", "X2", "NO CARRIER"}, {"nodialtone", "X4", "NO DIALTONE"},
			{"nodialtone", "X3", "NO CARRIER"}, {"noanswer", "X0", "NO ANSWER"},
		} {
			d.tell(c[0])
			d.requireSays("AT"+c[1]+"DT95516\r", "\r\n"+c[2]+"\r\n")
		}
		d.tell("ok")
		d.requireSays("ATX0DT95516\r", "\r\nCONNECT\r\n")
		require.NoError(t, (<-d.calls).Close())
		require.Equal(t, "\r\nNO CARRIER\r\n", d.hears())
		d.requireSays("ATX4DP 0W,(955)-16\r", "") // the comma is a pause of two seconds
		require.Equal(t, "", d.hears())
		require.Equal(t, "\r\nNO CARRIER\r\n", d.hears())

		d.key("ATDT95516\r")
		time.Sleep(124 * time.Millisecond)
		d.key("\n") // too early to stop it (5.6.1)
		require.Equal(t, "\r\nCONNECT 9600\r\n", d.hears())
		acquirer := <-d.calls
		d.requireSays("", "")
		require.Equal(t, "line cut", d.tell("drop"))
		_, err := acquirer.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		d.requireSays("anybody there?", "")
		require.Equal(t, "data", d.tell("state"))
		d.tell("nocarrier")
		require.Equal(t, "\r\nNO CARRIER\r\n", d.hears())

		d.key("ATDT95516\r")
		time.Sleep(126 * time.Millisecond)
		d.requireSays("x", "\r\nNO CARRIER\r\n")
		require.Empty(t, d.calls)
	})
}

func TestModemEscape(t *testing.T) {
	type stroke struct {
		after time.Duration
		keys  string
	}
	second, soon := time.Second, 100*time.Millisecond
	for name, c := range map[string]struct {
		strokes []stroke
		want    string
	}{
		"guard, +++, guard":         {[]stroke{{second, "+++"}, {second, ""}}, "online command"},
		"slow, but within guard":    {[]stroke{{second, "+"}, {second - 1, "+"}, {second - 1, "+"}, {second, ""}}, "online command"},
		"no silence before":         {[]stroke{{second, "a"}, {second - 1, "+++"}, {2 * second, ""}}, "data"},
		"payload in front":          {[]stroke{{second, "a+++"}, {2 * second, ""}}, "data"},
		"no silence after":          {[]stroke{{second, "+++"}, {second - 1, "a"}, {2 * second, ""}}, "data"},
		"payload behind":            {[]stroke{{second, "+++a"}, {2 * second, ""}}, "data"},
		"two":                       {[]stroke{{second, "++"}, {2 * second, ""}}, "data"},
		"four":                      {[]stroke{{second, "++++"}, {2 * second, ""}}, "data"},
		"a gap within":              {[]stroke{{second, "++"}, {second, "+"}, {2 * second, ""}}, "data"},
		"a gap, and three after it": {[]stroke{{second, "++"}, {second, "+"}, {soon, "++"}, {second, ""}}, "online command"},
		"not yet":                   {[]stroke{{second, "+++"}, {second - 1, ""}}, "data"},
	} {
		t.Run(name, func(t *testing.T) {
			atModem(t, func(d *modemDesk) {
				acquirer := d.call()
				go func() { _, _ = io.Copy(io.Discard, acquirer) }()
				for _, s := range c.strokes {
					time.Sleep(s.after)
					if s.keys != "" {
						d.key(s.keys)
					}
				}
				synctest.Wait()
				assert.Equal(t, c.want, d.tell("state"))
			})
		})
	}
}

func TestModemOnlineCommandState(t *testing.T) {
	atModem(t, func(d *modemDesk) {
		acquirer := d.call()
		got := make(chan string, 1)
		go func() {
			all, _ := io.ReadAll(acquirer)
			got <- string(all)
		}()
		d.key("question")
		require.Empty(t, d.hears())
		d.key("+++")
		time.Sleep(time.Second / 2)
		require.Equal(t, "\r\nOK\r\n", d.hears())
		go func() { _, _ = acquirer.Write([]byte("answer")) }()
		d.requireSays("ATS7?\r", "\r\n050\r\n\r\nOK\r\n")
		d.requireSays("ATDT110\r", "\r\nERROR\r\n")
		d.requireSays("ATO\r", "\r\nCONNECT 9600\r\nanswer")
		d.key("+++")
		time.Sleep(time.Second / 2)
		require.Equal(t, "\r\nOK\r\n", d.hears())
		d.requireSays("ATH\r", "\r\nOK\r\n")
		require.Equal(t, "command", d.tell("state"))
		assert.Equal(t, "question++++++", <-got)
	})
}

func TestModemWatchesDTR(t *testing.T) {
	for _, c := range []struct {
		setting, says, state string
		off                  time.Duration
	}{
		{"&D0", "", "data", time.Second},
		{"&D1", "\r\nOK\r\n", "online command", time.Second},
		{"&D2", "\r\nNO CARRIER\r\n", "command", time.Second},
		{"&D2", "", "data", 30 * time.Millisecond}, // shorter than S25
	} {
		t.Run(c.setting+" for "+c.off.String(), func(t *testing.T) {
			atModem(t, func(d *modemDesk) {
				d.requireSays("ATE0"+c.setting+"DT95516\r", "ATE0"+c.setting+"DT95516\r\r\nCONNECT 9600\r\n")
				d.dtr.Store(false)
				time.Sleep(c.off)
				d.dtr.Store(true)
				assert.Equal(t, c.says, d.hears())
				assert.Equal(t, c.state, d.tell("state"))
			})
		})
	}
}

func TestModemDialStoppedByDTR(t *testing.T) {
	atModem(t, func(d *modemDesk) {
		d.key("ATE0DT,,,,95516\r")
		time.Sleep(time.Second)
		d.dtr.Store(false)
		require.Equal(t, "ATE0DT,,,,95516\r\r\nOK\r\n", d.hears())
		require.Equal(t, "command", d.tell("state"))
	})
}

func TestModemMoods(t *testing.T) {
	atModem(t, func(d *modemDesk) {
		d.tell("garbage")
		d.requireSays("AT\r", "AT\r\x00\xff~#\x80K\r\nOK\r\n")
		d.requireSays("AT\r", "AT\r\r\nOK\r\n")
		d.tell("echo off")
		d.requireSays("AT\r", "\r\nOK\r\n")
		d.requireSays("ATZ\r", "\r\nOK\r\n")
		d.requireSays("AT\r", "\r\nOK\r\n")
		d.tell("nonsense on")
		d.requireSays("AT\r", "\xf8\x00\x86\x7e\xfe\xe0\x80")
		d.tell("nonsense off")
		d.tell("silent on")
		d.requireSays("AT\r", "")
		d.tell("silent off")
		d.requireSays("AT\r", "\r\nOK\r\n")
		_, err := d.modem.Command("explode")
		require.ErrorContains(t, err, "nonsense on|off")
		_, err = d.modem.Command("nocarrier")
		require.Error(t, err)
		_, err = d.modem.Command("drop")
		require.Error(t, err)
	})
}

func TestModemHoldsPayloadBackInOnlineCommandState(t *testing.T) {
	atModem(t, func(d *modemDesk) {
		acquirer := d.call()
		time.Sleep(time.Second)
		d.key("+++")
		time.Sleep(time.Second / 2)
		require.Equal(t, "\r\nOK\r\n", d.hears())
		sent := make(chan int, 1)
		go func() {
			total := 0
			for {
				n, err := acquirer.Write(make([]byte, 512))
				total += n
				if err != nil {
					sent <- total
					return
				}
			}
		}()
		require.Empty(t, d.hears())
		require.NoError(t, acquirer.Close())
		assert.LessOrEqual(t, <-sent, bufferFull)
		d.key("ATO\r")
		require.Contains(t, d.hears(), "\r\nNO CARRIER\r\n")
		require.Equal(t, "command", d.tell("state"))
	})
}

func TestModemIsOnOneLineAtATime(t *testing.T) {
	atModem(t, func(d *modemDesk) {
		synctest.Wait()
		a, b := net.Pipe()
		defer func() { _ = a.Close() }()
		require.Error(t, d.modem.Serve(d.t.Context(), b))
	})
}

func TestModemMayBeSwitchedOffAndOnDuringACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acquirer := make(chan net.Conn, 2)
		m := NewModem(ModemOpts{PhoneBook: map[string]string{"1": "x"}, Dial: func(context.Context, string) (net.Conn, error) {
			a, b := net.Pipe()
			acquirer <- a
			return b, nil
		}})
		near, far := net.Pipe()
		for range 2 {
			ctx, off := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- m.Serve(ctx, far) }()
			_, err := near.Write([]byte("ATQ1E0DT1\r"))
			require.NoError(t, err)
			require.NoError(t, near.SetReadDeadline(time.Now().Add(time.Second)))
			_, err = io.ReadAll(near) // the echo
			require.Error(t, err)
			remote := <-acquirer
			off()
			require.NoError(t, <-served)
			_, err = remote.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
		}
		require.NoError(t, near.Close())
		require.NoError(t, m.Serve(t.Context(), far), "a line that has ended is no error")
	})
}

func FuzzModem(f *testing.F) {
	for _, seed := range []string{"ATE0V1&C1&D2\r", "A/", "ATS12=25S12?\r", "ATDT95516\rx", "AT&\rATS\rATS1\r", "ATZ\rATDT,,W;\r+++"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, keys []byte) {
		m := NewModem(ModemOpts{})
		ctx, off := context.WithCancel(t.Context())
		defer off()
		require.NoError(t, m.powerOn(ctx))
		m.fromTerminal(keys, time.Now())
		m.powerOff()
		m.running.Wait()
		require.LessOrEqual(t, len(m.typed.body), bodyMax)
		require.LessOrEqual(t, len(m.out), outputMax)
	})
}
