package devicetest

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader/neo2"
)

var simulatedCards = map[string]TestCard{
	"swipe": {PAN: "4242424242424242", Expiry: "3002", Service: "201", Entry: "swiped", Label: "VISA"},
	"tap":   {PAN: "6224242900000113", Expiry: "2802", Service: "220", Entry: "contactless", Label: "UnionPay Credit", AID: "A000000333010102"},
}

// host is a terminal that sends raw frames and listens to everything.
type host struct {
	t       *testing.T
	sim     *Reader
	line    net.Conn
	decoder neo2.Decoder
	stop    context.CancelFunc
	served  chan error
}

func withReader(t *testing.T, story func(t *testing.T, h *host)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		ctx, stop := context.WithCancel(t.Context())
		h := &host{t: t, sim: NewReader(ReaderOpts{Cards: simulatedCards}), line: near, stop: stop, served: make(chan error, 1)}
		h.decoder.Accept = neo2.HighFirst
		go func() { h.served <- h.sim.Serve(ctx, far) }()
		synctest.Wait() // it listens
		story(t, h)
		stop()
		assert.NoError(t, <-h.served)
		near.Close()
		far.Close()
	})
}

func (h *host) send(text string) {
	h.t.Helper()
	body, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(h.t, err)
	h.write(neo2.Frame{Command: body[0], Sub: body[1], Data: body[2:]}.Append(nil, neo2.LowFirst))
}

func (h *host) write(wire []byte) {
	h.t.Helper()
	_, err := h.line.Write(wire)
	require.NoError(h.t, err)
}

// hear returns the next frame, or fails after a minute of silence.
func (h *host) hear() neo2.Item {
	h.t.Helper()
	require.NoError(h.t, h.line.SetReadDeadline(time.Now().Add(time.Minute)))
	for buffer := make([]byte, 64); ; {
		if item, ok := h.decoder.Next(); ok {
			return item
		}
		n, err := h.line.Read(buffer)
		h.decoder.Write(buffer[:n])
		require.NoError(h.t, err)
	}
}

func (h *host) hears(command, sub byte) neo2.Item {
	h.t.Helper()
	item := h.hear()
	assert.Equal(h.t, neo2.Whole, item.Fault)
	assert.Equal(h.t, [2]byte{command, sub}, [2]byte{item.Command, item.Sub})
	return item
}

// quiet asserts that nothing at all comes for a while.
func (h *host) quiet(d time.Duration) {
	h.t.Helper()
	require.NoError(h.t, h.line.SetReadDeadline(time.Now().Add(d)))
	n, err := h.line.Read(make([]byte, 64))
	assert.Zero(h.t, n)
	assert.Error(h.t, err)
}

func (h *host) do(command string) {
	h.t.Helper()
	_, err := h.sim.Command(command)
	require.NoError(h.t, err)
}

const activate = "02 01 05 9f0206000000001234 9c0100 5f2a020156 5f360102" // 5 s, 12.34 CNY

func TestTheSimulatedReaderIsStrict(t *testing.T) {
	withReader(t, func(t *testing.T, h *host) {
		for text, status := range map[string]byte{
			"18 01": neo2.OK, "29 00": neo2.OK, "05 01": neo2.OK,
			"18 02": neo2.UnknownSub, "02 41": neo2.UnknownSub, "77 01": neo2.UnknownCommand, "18 01 00": neo2.BadParameter,
			"02 01": neo2.BadParameter, "02 01 00 9f0206000000001234": neo2.BadParameter, "02 01 1e": neo2.BadParameter,
			"02 01 1e 9f0206": neo2.Malformed,
		} {
			h.send(text)
			item := h.hear()
			assert.Equal(t, status, item.Sub, text)
		}
		h.write(neo2.Frame{Command: neo2.Ping, Sub: neo2.PingSub}.Append(nil, neo2.HighFirst)) // the reader's order, not ours
		h.hears(neo2.Ping, neo2.BadChecksum)
		h.send("29 00")
		assert.Contains(t, string(h.hears(neo2.Version, neo2.OK).Data), "NEO 2")
	})
}

func TestTheSimulatedReaderEndsATransactionByItself(t *testing.T) {
	withReader(t, func(t *testing.T, h *host) {
		h.send(activate)
		h.hears(neo2.Screen, neo2.ScreenSub)
		began := time.Now()
		h.hears(neo2.Activate, neo2.TimedOut)
		assert.Equal(t, 5*time.Second, time.Since(began))

		h.send(activate)
		h.hears(neo2.Screen, neo2.ScreenSub)
		h.send("18 01") // taken for a cancel
		h.hears(neo2.Ping, neo2.OK)
		h.do("present swipe")
		h.quiet(20 * time.Second)
	})
}

func TestTheSimulatedReaderReadsCards(t *testing.T) {
	withReader(t, func(t *testing.T, h *host) {
		var counters, cryptograms []string
		for range 3 {
			h.send(activate)
			h.hears(neo2.Screen, neo2.ScreenSub)
			h.do("present tap")
			assert.Equal(t, []byte{neo2.CardFound}, h.hears(neo2.Activate, neo2.UserInterface).Data)
			assert.Equal(t, []byte{neo2.ShowProcessing}, h.hears(neo2.Screen, neo2.ScreenSub).Data)
			data := h.hears(neo2.Activate, neo2.OnlineRequested).Data
			values := make(map[uint32]string)
			require.NoError(t, neo2.Walk(data[4:], func(tag uint32, value []byte) { values[tag] = hex.EncodeToString(value) }))
			assert.Equal(t, "000000001234", values[neo2.TagAmount])
			assert.Equal(t, "280229", values[neo2.TagExpiry], "the last day of a leap year's February")
			counters = append(counters, values[neo2.TagATC])
			cryptograms = append(cryptograms, values[neo2.TagCryptogram])
		}
		assert.Equal(t, []string{"0001", "0002", "0003"}, counters)
		assert.NotEqual(t, cryptograms[0], cryptograms[1])

		h.do("present swipe")
		h.send(activate)
		h.hears(neo2.Screen, neo2.ScreenSub)
		h.hears(neo2.Screen, neo2.ScreenSub)
		data := string(h.hears(neo2.Activate, neo2.OK).Data)
		assert.Contains(t, data, ";4242424242424242=3002201")
		assert.Contains(t, data, "%B4242424242424242^")
	})
}

func TestAnswersAreTheSameEachTime(t *testing.T) {
	asked, status := parseActivation([]byte{5, 0x9f, 0x02, 6, 0, 0, 0, 0, 0x12, 0x34, 0x9c, 1, 0, 0x5f, 0x2a, 2, 1, 0x56})
	require.Equal(t, neo2.OK, status)
	day := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for name, card := range simulatedCards {
		card.Name = name
		status, data := answerOf(card, asked, 7, 9, day)
		again, same := answerOf(card, asked, 7, 9, day)
		assert.Equal(t, status, again)
		assert.Equal(t, data, same)
	}
	longest := TestCard{PAN: "6200000000000000003", Expiry: "3001", Service: "220", Entry: "swiped"}
	assert.LessOrEqual(t, len(track2Of(longest, '=')), maxTrack2)
	assert.Len(t, track2Of(simulatedCards["swipe"], '='), maxTrack2)
}

func TestFaultsOfTheSimulatedReader(t *testing.T) {
	withReader(t, func(t *testing.T, h *host) {
		h.do("garbage")
		h.send("18 01")
		assert.Equal(t, neo2.WrongCRC, h.hear().Fault)
		h.send("18 01")
		h.hears(neo2.Ping, neo2.OK)

		h.do("silent on")
		h.send("18 01")
		h.quiet(time.Minute)
		h.do("silent off")

		h.do("nonsense on")
		for range 3 {
			h.send("18 01")
			item := h.hear()
			assert.Equal(t, neo2.Whole, item.Fault)
			assert.False(t, item.Command == neo2.Ping && item.Sub == neo2.OK)
		}
		h.do("nonsense off")

		h.send(activate)
		h.hears(neo2.Screen, neo2.ScreenSub)
		h.do("restart")
		h.hears(neo2.Boot, neo2.BootSub)
		h.quiet(time.Minute)

		h.send(activate)
		h.hears(neo2.Screen, neo2.ScreenSub)
		h.do("tamper on")
		h.hears(neo2.Activate, neo2.Tampered)
		h.send("18 01")
		h.hears(neo2.Ping, neo2.Tampered)
	})
}

func TestCommandsThatMakeNoSenseAreRefused(t *testing.T) {
	sim := NewReader(ReaderOpts{Cards: simulatedCards})
	for _, line := range []string{"", "present", "present nobody", "present swipe twice", "silent", "silent maybe", "garbage now", "explode"} {
		_, err := sim.Command(line)
		assert.Error(t, err, line)
	}
	_, err := sim.Command("present nobody")
	assert.ErrorContains(t, err, "swipe, tap")
	said, err := sim.Command("present tap")
	require.NoError(t, err)
	assert.Contains(t, said, "waits")
	said, err = sim.Command("remove")
	require.NoError(t, err)
	assert.Equal(t, "tap taken away", said)
	_, err = sim.Command("remove")
	assert.NoError(t, err)
}

func TestATerminalThatDoesNotListenHoldsNothingUp(t *testing.T) {
	withReader(t, func(t *testing.T, h *host) {
		var together sync.WaitGroup
		for range 4 {
			together.Go(func() {
				for range 100 {
					_, err := h.sim.Command("restart")
					assert.NoError(t, err)
				}
			})
		}
		together.Wait()
		assert.Error(t, h.sim.Serve(t.Context(), h.line), "one line at a time")
		h.stop() // with a writer that nobody reads from
	})
}

func TestALineMayBeUnpluggedAndPluggedInAgain(t *testing.T) {
	withReader(t, func(t *testing.T, h *host) {
		h.line.Close()
		require.NoError(t, <-h.served)
		near, far := net.Pipe()
		defer near.Close()
		go func() { h.served <- h.sim.Serve(t.Context(), far) }()
		h.line = near
		h.send("18 01")
		h.hears(neo2.Ping, neo2.OK)
		far.Close()
		_, err := near.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
	})
}

// The card in the slot is a machine of its own: it is read once, remembers its verdicts, and its commands are strict.
func TestTheSlotsCommands(t *testing.T) {
	r := NewReader(ReaderOpts{Cards: map[string]TestCard{
		"chip":   {PAN: "4242424242424242", Expiry: "3012", Service: "201", Entry: "contactless", Label: "VISA", AID: "A0000000031010"},
		"stripe": {PAN: "6200000000000005", Expiry: "3012", Service: "120", Entry: "swiped", Label: "UnionPay"},
	}})
	for command, said := range map[string]string{"insert chip": "waits in the slot", "swipe chip": "waits", "refuse": "decline",
		"at start fail": "fail at start", "at complete late": "late at complete", "at none": "nothing"} {
		got, err := r.Command(command)
		require.NoError(t, err, command)
		assert.Contains(t, got, said, command)
	}
	for _, command := range []string{"insert stripe", "insert nobody", "insert", "at", "at lunch restart", "at start lunch", "refuse twice"} {
		_, err := r.Command(command)
		assert.Error(t, err, command)
	}
	got, err := r.Command("remove")
	require.NoError(t, err)
	assert.Equal(t, "chip taken away", got, "the one on the reader goes first")
	got, err = r.Command("remove")
	require.NoError(t, err)
	assert.Equal(t, "chip taken out", got)
	assert.Empty(t, r.Verdicts())
}
