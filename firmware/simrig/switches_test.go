package simrig

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/firmware/scenario"
)

// edge is what was seen around a warning.
type edge struct {
	world      *World
	sent       int // bytes to the acquirer before it, on whichever line
	marked     bool
	mark       agent.Mark
	unreadable error
}

func (w *World) bytesToAcquirer() int {
	return w.sensor.steps()[scenario.Event{Kind: scenario.ByteTo, What: "line"}]
}

// warn is the warning. It may run in the middle of what the terminal does, and looks again when the mark is due.
func (e *edge) warn() {
	e.sent = e.world.bytesToAcquirer()
	e.world.drive(failsLine, true)
	time.AfterFunc(withinMark, func() { e.mark, e.marked, e.unreadable = e.world.living().marks.Power() })
}

// From the supply's warning on not a byte of another message leaves towards the acquirer, on either line, and what it interrupted
// is marked within milliseconds: at each moment of a sale, and of the reversal that it would need.
func TestNothingLeavesOnceTheSupplyWarns(t *testing.T) {
	cards := testCards(t)
	for _, line := range []string{"up", "down"} {
		moments := []scenario.Event{
			{Kind: scenario.CardRead, Nth: 1}, {Kind: scenario.Before, What: "pending", Nth: 1}, {Kind: scenario.After, What: "pending", Nth: 1},
			{Kind: scenario.Send, What: "0200", Nth: 1}, {Kind: scenario.Recv, What: "0210", Nth: 1}, {Kind: scenario.Before, What: "reversing", Nth: 1},
			{Kind: scenario.After, What: "reversing", Nth: 1}, {Kind: scenario.After, What: "try", Nth: 1}, {Kind: scenario.Send, What: "0400", Nth: 1},
			{Kind: scenario.After, What: "approved", Nth: 1}, {Kind: scenario.Printing, N: 3}, {Kind: scenario.Send, What: "0800", Nth: 1},
			{Kind: scenario.ByteTo, What: "printer", N: 100},
		}
		if line == "down" { // in the middle of dialling
			moments = append(moments, scenario.Event{Kind: scenario.ByteTo, What: "modem", N: 20})
		}
		for _, at := range moments {
			t.Run(fmt.Sprintf("line %s, %s", line, at), func(t *testing.T) {
				o := Options{Seed: 1, Dir: fastDir(t), Cards: cards, Lines: true}
				require.NoError(t, inWorld(t, o, func(w *World) error { return warnedAt(t, w, line, at) }))
			})
		}
	}
}

func warnedAt(t *testing.T, w *World, line string, at scenario.Event) error {
	e := &edge{world: w}
	warned := make(chan struct{})
	w.On(at, func() { e.warn(); close(warned) })
	require.NoError(t, w.Hand("line", line))
	switch at.What {
	case "reversing", "try", "0400":
		require.NoError(t, w.Hand("acquirer", "fault silent"))
	}
	require.NoError(t, w.Hand("reader", "present visa-4242"))
	till, err := w.Till()
	require.NoError(t, err)
	_, err = till.Write([]byte(`{"op":"sale","reference":"warned","amount":"12.50"}` + "\n"))
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, till) }()
	<-warned
	time.Sleep(withinMark + 1)
	synctest.Wait()
	require.NoError(t, e.unreadable)
	assert.True(t, e.marked, "within %s", withinMark)
	time.Sleep(5 * time.Minute)
	assert.Equal(t, e.sent, w.bytesToAcquirer(), "bytes left after the warning")
	require.NoError(t, till.Close())
	return scenario.RunLoose(story(t, "wait 1m"), w) // puts the world right, and judges
}

// An opened case destroys the kept keys once, and a restart finds the mark although somebody has loaded keys again.
func TestAnOpenedCaseWipesTheKeysAndOutlivesARestart(t *testing.T) {
	o := Options{Seed: 1, Dir: fastDir(t), Cards: testCards(t), Lines: true}
	require.NoError(t, inWorld(t, o, func(w *World) error {
		require.NoError(t, w.Hand("case", "open"))
		time.Sleep(time.Millisecond)
		w.CutPower()
		require.NoError(t, w.Hand("case", "closed"))
		require.NoError(t, w.RestorePower())
		assert.Equal(t, 1, w.switches.wiped)
		opened, err := w.living().marks.Tampered()
		require.NoError(t, err)
		assert.True(t, opened)
		assert.True(t, w.switches.chip.Level("FAULT"))
		assert.False(t, w.switches.chip.Level("READY"))
		require.NoError(t, w.Hand("case", "open")) // a technician looks
		return scenario.RunLoose(story(t, "present visa-4242", "sale 12.50"), w)
	}))
}

// What belongs to a PIN is known to whoever searches, as soon as it is made.
func TestPINBlocksAndKeysAreSearchedFor(t *testing.T) {
	o := Options{Seed: 1, Dir: fastDir(t), Cards: testCards(t), PINPad: true}
	said := map[string]int{}
	err := inWorld(t, o, func(w *World) error {
		tell := scenario.RunLoose(story(t, "present unionpay-0005", "sale 88.00"), w)
		require.NoError(t, tell)
		w.mu.Lock()
		before := w.secrets.known
		w.mu.Unlock()
		require.NotEqual(t, o.Cards.Secrets, before)
		w.learn("planted", []byte("a secret block"))
		w.log.text = append(w.log.text, "a secret block"...)
		found, err := w.Leaks()
		require.NoError(t, err)
		for _, f := range found {
			said[f]++
		}
		return nil
	})
	require.NoError(t, err)
	require.Len(t, said, 1)
	for what := range said {
		assert.Contains(t, what, "planted stands in the log")
	}
}

// A story's lamps: what the shop sees of a sale that ends well, of one that nobody knows the end of, and of an opened case.
func TestLampsTellTheStory(t *testing.T) {
	o := Options{Seed: 1, Dir: fastDir(t), Cards: testCards(t), Lines: true}
	require.NoError(t, inWorld(t, o, func(w *World) error {
		chip := w.switches.chip
		tones := func() (n int) {
			for _, d := range chip.Driven("BUZZER") {
				if d.Level {
					n++
				}
			}
			return n
		}
		carded := false
		w.On(scenario.Event{Kind: scenario.CardRead, Nth: 1}, func() { carded = chip.Level("CARD") })
		require.NoError(t, scenario.Run(story(t, "present visa-4242", "sale 12.50", "expect till approved", "wait 10s"), w))
		assert.True(t, carded, "the lamp shows where the card belongs")
		assert.Equal(t, 1, tones())
		require.NoError(t, scenario.Run(story(t, "acquirer fault silent", "acquirer fault silent for reversal times 3", "present visa-4242",
			"sale 13.50 as doubtful", "expect till unknown", "wait 10s"), w))
		assert.Equal(t, 1+4, tones())
		said, err := w.card.Command("signals")
		require.NoError(t, err)
		assert.Equal(t, "lamp green, beep 1, lamp off, lamp red blinking, beep 4, lamp off", said, "the reader's own")
		assert.Equal(t, []bool{true, false, false}, []bool{chip.Level("READY"), chip.Level("FAULT"), chip.Level("CARD")})
		require.NoError(t, w.Hand("case", "open"))
		time.Sleep(time.Second)
		assert.Equal(t, []bool{false, true}, []bool{chip.Level("READY"), chip.Level("FAULT")})
		return scenario.RunLoose(story(t, "wait 1m"), w)
	}))
}
