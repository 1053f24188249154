package devicetest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/capture"
	"posagent/device/devicetest"
	"posagent/device/line"
	"posagent/device/reader"
	"posagent/device/reader/msr"
	"posagent/device/reader/pn532"
	"posagent/device/scanner"
	"posagent/txnstore/txn"
)

var record = flag.Bool("record", false, "record testdata/captures anew from the simulators")

const (
	captures = "../../testdata/captures"
	payCode  = "134567890123456789" // nobody's
)

// session is one conversation of a driver, from New to its result.
type session struct {
	name     string
	note     string
	device   string
	commands []string // what people do, 2 s after the beginning
	want     string   // the result in words
	drive    func(ctx context.Context, port line.Port) (string, error)
	simulate func(cards map[string]devicetest.TestCard) simulator
}

type simulator interface {
	Serve(ctx context.Context, rw io.ReadWriter) error
	Command(string) (string, error)
}

var asked = reader.Request{Amount: 1234, Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2},
	Timeout: 10 * time.Second, Country: "0156"}

// activates is what every card reader offers.
type activates interface {
	Activate(context.Context, reader.Request) (txn.Presented, error)
}

func card(ctx context.Context, r activates, err error) (string, error) {
	if err != nil {
		return "", err
	}
	p, err := r.Activate(ctx, asked)
	return fmt.Sprintf("%s %s %s", p.Card.Entry, p.Card.PAN.Masked(), p.Card.Expiry), err
}

func byNEO2(ctx context.Context, port line.Port) (string, error) {
	r, err := reader.New(port, nil)
	return card(ctx, r, err)
}

// signalsByNEO2 shows and sounds an outcome that nobody knows, and one of nothing charged, and then reads a card.
func signalsByNEO2(ctx context.Context, port line.Port) (string, error) {
	r, err := reader.New(port, &reader.Opts{Lights: true})
	if err != nil {
		return "", err
	}
	for _, s := range []reader.Signal{{Red: true, Blink: true, Lasting: time.Second, Beeps: 4}, {Long: 800 * time.Millisecond}} {
		if err := r.Signal(ctx, s); err != nil {
			return "", err
		}
	}
	return card(ctx, r, nil)
}

// chipByNEO2 reads a chip, brings it the acquirer's approval, and lets it go.
func chipByNEO2(ctx context.Context, port line.Port) (string, error) {
	r, err := reader.New(port, nil)
	read, err := card(ctx, r, err)
	if err != nil {
		return "", err
	}
	done, err := r.Complete(ctx, txn.Answer{Code: "00", Approved: true, AuthCode: "A1B2C3"})
	return fmt.Sprintf("%s agreed %t", read, done.Agreed), errors.Join(err, r.Release(ctx))
}

func byMSR(o msr.Opts) func(context.Context, line.Port) (string, error) {
	return func(ctx context.Context, port line.Port) (string, error) {
		r, err := msr.New(port, &o)
		return card(ctx, r, err)
	}
}

func byPN532(ctx context.Context, port line.Port) (string, error) {
	r, err := pn532.New(port, &pn532.Opts{Development: true})
	return card(ctx, r, err)
}

func byScanner(kind scanner.Kind) func(context.Context, line.Port) (string, error) {
	return func(ctx context.Context, port line.Port) (string, error) {
		routes, err := scanner.NewRoutes([]scanner.Route{{Name: "wechat", Min: 18, Max: 18, First: "10", Last: "15"}})
		if err != nil {
			return "", err
		}
		s, err := scanner.New(port, &scanner.Opts{Kind: kind, Routes: routes, Key: []byte("0123456789abcdef"), Wait: 10 * time.Second})
		if err != nil {
			return "", err
		}
		code, err := s.Scan(ctx)
		return code.Route() + " " + code.Masked(), err
	}
}

func neo2(cards map[string]devicetest.TestCard) simulator {
	return devicetest.NewReader(devicetest.ReaderOpts{Cards: cards})
}

func stripe(o devicetest.StripeOpts) func(map[string]devicetest.TestCard) simulator {
	return func(cards map[string]devicetest.TestCard) simulator { o.Cards = cards; return devicetest.NewStripe(o) }
}

func board(cards map[string]devicetest.TestCard) simulator { return devicetest.NewBoard(cards) }

func window(o devicetest.ScannerOpts) func(map[string]devicetest.TestCard) simulator {
	return func(map[string]devicetest.TestCard) simulator { return devicetest.NewScanner(o) }
}

var sessions = []session{
	{name: "neo2-swiped", note: "a stripe, simulated", device: "neo2", commands: []string{"present unionpay-0005"},
		want: "swiped 620000******0005 3012", drive: byNEO2, simulate: neo2},
	{name: "neo2-contactless", note: "a chip over the air, simulated", device: "neo2", commands: []string{"present unionpay-0113"},
		want: "contactless 622424******0113 3011", drive: byNEO2, simulate: neo2},
	{name: "neo2-timeout", note: "nobody came, simulated", device: "neo2",
		want: reader.ErrTimeout.Error(), drive: byNEO2, simulate: neo2},
	{name: "neo2-damaged", note: "the card's answer has a wrong checksum, simulated", device: "neo2",
		commands: []string{"garbage", "present visa-4242"}, want: "present the card again", drive: byNEO2, simulate: neo2},

	{name: "neo2-signal", note: "lamp and buzzer before a card, simulated", device: "neo2", commands: []string{"present unionpay-0005"},
		want: "swiped 620000******0005 3012", drive: signalsByNEO2, simulate: neo2},

	{name: "neo2-chip", note: "a chip in three steps, simulated", device: "neo2", commands: []string{"insert visa-4242"},
		want: "inserted 424242******4242 3012 agreed true", drive: chipByNEO2, simulate: neo2},

	{name: "msr-lines", note: "three tracks in three lines, simulated", device: "msr", commands: []string{"swipe unionpay-0005"},
		want: "swiped 620000******0005 3012", drive: byMSR(msr.Opts{}), simulate: stripe(devicetest.StripeOpts{})},
	{name: "msr-joined-lrc", note: "three tracks in one line with check characters, simulated", device: "msr",
		commands: []string{"noise", "swipe visa-4242"}, want: "swiped 424242******4242 3012", drive: byMSR(msr.Opts{SendsLRC: true}),
		simulate: stripe(devicetest.StripeOpts{SendsLRC: true, Joined: true})},
	{name: "msr-partial", note: "a swipe that stops in the middle, simulated", device: "msr",
		commands: []string{"swipe visa-4242 partial"}, want: "stops in the middle", drive: byMSR(msr.Opts{}),
		simulate: stripe(devicetest.StripeOpts{})},
	{name: "msr-no-track-2", note: "a swipe without track 2, simulated", device: "msr", commands: []string{"swipe visa-4242 no-track-2"},
		want: "track 2 is missing", drive: byMSR(msr.Opts{}), simulate: stripe(devicetest.StripeOpts{})},

	{name: "pn532-format-2", note: "options of format 2 and an extended frame, simulated", device: "pn532",
		commands: []string{"present unionpay-0113"}, want: "tapped 622424******0113 3011", drive: byPN532, simulate: board},
	{name: "pn532-format-1", note: "options of format 1, simulated", device: "pn532", commands: []string{"present visa-1111"},
		want: "tapped 411111******1111 3006", drive: byPN532, simulate: board},
	{name: "pn532-damaged", note: "answers that are asked for again, simulated", device: "pn532",
		commands: []string{"garbage 2", "present visa-4242"}, want: "tapped 424242******4242 3012", drive: byPN532, simulate: board},
	{name: "pn532-taken-away", note: "the card leaves the field, simulated", device: "pn532",
		commands: []string{"yank 2", "present visa-4242"}, want: reader.ErrCardUnread.Error(), drive: byPN532, simulate: board},
	{name: "pn532-timeout", note: "a search that is ended, simulated", device: "pn532",
		want: reader.ErrTimeout.Error(), drive: byPN532, simulate: board},

	{name: "scanner-plain", note: "a code as a line, simulated", device: "scanner", commands: []string{"show " + payCode},
		want: "wechat 13************6789", drive: byScanner(scanner.Plain), simulate: window(devicetest.ScannerOpts{})},
	{name: "scanner-gm72", note: "start, acknowledgement, code, stop, simulated", device: "scanner", commands: []string{"show " + payCode},
		want: "wechat 13************6789", drive: byScanner(scanner.GM72), simulate: window(devicetest.ScannerOpts{Host: true})},
	{name: "scanner-no-code", note: "the number of a tin, simulated", device: "scanner", commands: []string{"show 69012345678"},
		want: scanner.ErrNotPayCode.Error(), drive: byScanner(scanner.GM72), simulate: window(devicetest.ScannerOpts{Host: true})},
}

// converse lets a driver have its conversation on one end of a wire while far has the other, and returns the result. What
// far returns must be nil.
func converse(t *testing.T, s session, wrap func(net.Conn) line.Port, far func(ctx context.Context, wire net.Conn) error) (result string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, distant := net.Pipe()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- far(ctx, distant) }()
		got, err := s.drive(t.Context(), wrap(near))
		if err != nil {
			got = err.Error()
		}
		result = got
		time.Sleep(time.Second) // virtual: for what the device still says
		stop()
		assert.NoError(t, <-ended)
		near.Close()
		distant.Close()
	})
	return result
}

// Each recording is played to the real driver, byte for byte and in its own time.
func TestRecordingsArePlayedBack(t *testing.T) {
	if *record {
		recordAll(t)
	}
	files, err := filepath.Glob(captures + "/*.txt")
	require.NoError(t, err)
	require.Len(t, files, len(sessions), "each recording has a session here")
	for _, s := range sessions {
		t.Run(s.name, func(t *testing.T) {
			c := load(t, s.name)
			require.Equal(t, s.device, c.Device)
			got := converse(t, s, func(near net.Conn) line.Port { return near }, func(ctx context.Context, wire net.Conn) error {
				return devicetest.Play(ctx, c, wire)
			})
			assert.Contains(t, got, s.want)
		})
	}
}

// A terminal that says something else than in the recording is noticed.
func TestAPlayerIsStrict(t *testing.T) {
	c := load(t, "neo2-swiped")
	s := sessions[0]
	s.drive = func(ctx context.Context, port line.Port) (string, error) {
		_, err := port.Write([]byte("ViVOtech3"))
		return "", err
	}
	var err error
	converse(t, s, func(near net.Conn) line.Port { return near }, func(ctx context.Context, wire net.Conn) error {
		err = devicetest.Play(ctx, c, wire)
		return nil
	})
	require.ErrorContains(t, err, "event 1")
	require.ErrorContains(t, err, "from its byte 9 on")
}

// What the repository holds has been judged, and would not be kept if a single number were not a test number.
func TestRecordingsHoldTestNumbersOnly(t *testing.T) {
	for _, s := range sessions {
		c := load(t, s.name)
		require.NoError(t, c.Judge(testNumbers(t)), s.name)
		if strings.Contains(s.want, "**") {
			require.ErrorIs(t, c.Judge(nil), capture.ErrCardData, "%s: the judge is blind", s.name)
		}
	}
}

func load(t *testing.T, name string) capture.Capture {
	t.Helper()
	file, err := os.Open(filepath.Join(captures, name+".txt"))
	require.NoError(t, err)
	defer file.Close()
	c, err := capture.Read(file)
	require.NoError(t, err)
	return c
}

func testCards(t *testing.T) map[string]devicetest.TestCard {
	t.Helper()
	cards, err := devicetest.LoadCards("../../testdata/cards/cards.toml")
	require.NoError(t, err)
	return cards
}

// testNumbers are the cards of the simulated world, and a code of nobody.
func testNumbers(t *testing.T) []string {
	t.Helper()
	numbers := []string{payCode}
	for _, c := range testCards(t) {
		numbers = append(numbers, c.PAN)
	}
	return numbers
}

func recordAll(t *testing.T) {
	require.NoError(t, os.MkdirAll(captures, 0o755))
	for _, s := range sessions {
		var recorder *capture.Recorder
		wrap := func(near net.Conn) line.Port {
			var err error
			recorder, err = capture.NewRecorder(near, capture.Opts{Development: true, Device: s.device, Note: s.note, Known: testNumbers(t)})
			require.NoError(t, err)
			return recorder
		}
		sim := s.simulate(testCards(t))
		converse(t, s, wrap, func(ctx context.Context, wire net.Conn) error {
			time.AfterFunc(2*time.Second, func() {
				for _, command := range s.commands {
					_, err := sim.Command(command)
					assert.NoError(t, err)
				}
			})
			return sim.Serve(ctx, wire)
		})
		file, err := os.Create(filepath.Join(captures, s.name+".txt"))
		require.NoError(t, err)
		require.NoError(t, recorder.Save(file), s.name)
		require.NoError(t, file.Close())
	}
}
