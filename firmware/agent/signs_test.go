package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/txnstore/txn/words"
)

// drawn draws what a line did since a moment, as on a chart: a dot for a short time on, a dash for a long one.
func drawn(line []devicetest.Driven) string {
	var out strings.Builder
	for i := 1; i < len(line); i++ {
		if !line[i-1].Level || line[i].Level {
			continue
		}
		if on := line[i].At.Sub(line[i-1].At); on == longTone {
			out.WriteByte('-')
		} else if on == shortTone {
			out.WriteByte('.')
		} else {
			out.WriteString(on.String())
		}
	}
	return out.String()
}

func TestAShopHearsHowItEnded(t *testing.T) {
	for outcome, c := range map[words.Outcome]struct {
		prepare             []string
		buzzer, lamp, fault string
	}{
		words.OutcomeApproved: {nil, ".", "lamp green, beep 1, lamp off", ""},
		words.OutcomeDeclined: {[]string{"decline 51"}, "-", "lamp red, beep 800ms, lamp off", "-"},
		words.OutcomeUnknown:  {[]string{"silent", "lost for reversal times 3"}, "....", "lamp red blinking, beep 4, lamp off", "...."},
	} {
		t.Run(string(outcome), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.options.Lights, w.options.Beeps = true, true
				w.withLines()
				for _, fault := range c.prepare {
					w.fault(fault)
				}
				buzzer, fault := len(w.chip.Driven("BUZZER")), len(w.chip.Driven("FAULT"))
				require.Equal(t, outcome, w.sell("visa-4242", "12.50").Outcome)
				w.after(5 * time.Second)
				assert.Equal(t, c.buzzer, drawn(w.chip.Driven("BUZZER")[buzzer:]))
				assert.Equal(t, c.fault, drawn(w.chip.Driven("FAULT")[fault:]))
				assert.Equal(t, c.lamp, readerSaid(w))
				assert.Equal(t, []bool{true, false, false, false},
					[]bool{w.chip.Level("READY"), w.chip.Level("FAULT"), w.chip.Level("CARD"), w.chip.Level("BUZZER")}, "at rest")
				w.after(5 * time.Minute)
			})
		})
	}
}

func readerSaid(w *world) string {
	w.t.Helper()
	said, err := w.reader.Command("signals")
	require.NoError(w.t, err)
	return said
}

// The approval is heard before the slips are printed, and the lamp shows where a card belongs.
func TestTheCounterSeesWhereTheCardBelongs(t *testing.T) {
	inWorld(t, func(w *world) {
		w.options.Beeps = true
		w.withLines()
		till := w.till()
		defer till.conn.Close()
		till.send(Request{Op: "sale", Reference: "seen", Amount: "12.50"})
		for till.next().Stage != words.Present {
		}
		synctest.Wait()
		assert.True(t, w.chip.Level("CARD"))
		_, other := w.ask(Request{Op: "sale", Reference: "other till", Amount: "1.00"})
		assert.Equal(t, words.OutcomeRefused, other.Outcome)
		w.after(time.Second)
		assert.True(t, w.chip.Level("CARD"), "the first till's card is still awaited")
		tones := len(w.chip.Driven("BUZZER"))
		w.do(w.reader.Command("swipe unionpay-0113")) // a chip card, swiped: it must be inserted
		e := till.next()
		for e.Prompt != words.PromptInsert {
			require.False(t, e.Ends(), e.Error)
			e = till.next()
		}
		assert.Equal(t, words.InsertChip, *e.Text)
		w.after(time.Second)
		assert.Equal(t, "..", drawn(w.chip.Driven("BUZZER")[tones:]))
		assert.True(t, w.chip.Level("CARD"))
		w.fault("late 1500ms for sale")
		w.do(w.reader.Command("insert unionpay-0113"))
		for e.Stage != words.Printing {
			require.False(t, e.Ends(), e.Error)
			e = till.next()
			if e.Stage == words.Waiting {
				synctest.Wait()
				assert.True(t, w.chip.Level("CARD"), "the chip must stay in")
			}
		}
		for e = till.next(); !e.Ends(); e = till.next() {
		}
		approved(t, e)
		w.after(5 * time.Second)
		assert.Equal(t, "...", drawn(w.chip.Driven("BUZZER")[tones:]))
		assert.Equal(t, "beep 1", readerSaid(w), "the other till's refusal found the reader in use")
		assert.False(t, w.chip.Level("CARD"))
	})
}

// A buzzer and a lamp that do not work, and a reader that does not answer a signal, are lines in the log.
func TestWhatDoesNotShineOrSoundIsALineInTheLog(t *testing.T) {
	inWorld(t, func(w *world) {
		w.options.Lights, w.options.Beeps = true, true
		w.withLines()
		for _, name := range []string{"READY", "FAULT", "CARD", "BUZZER"} {
			w.chip.Break(name)
		}
		began := time.Now()
		till := w.till()
		defer till.conn.Close()
		till.send(Request{Op: "sale", Reference: "dark", Amount: "12.50"})
		w.do(w.reader.Command("present visa-4242"))
		e := till.next()
		for ; !e.Ends(); e = till.next() {
			if e.Stage == words.Waiting {
				w.do(w.reader.Command("silent on"))
			}
		}
		approved(t, e)
		took := time.Since(began)
		w.after(5 * time.Second)
		assert.Contains(t, w.log.String(), "a lamp or the buzzer does not work")
		assert.Contains(t, w.log.String(), "the card reader does not show the outcome")
		w.do(w.reader.Command("silent off"))
		began = time.Now()
		approved(t, w.sell("visa-4242", "13.50"))
		assert.Less(t, time.Since(began), took+time.Second, "no sale waits for it")
	})
}
