package agent

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/gpio"
	"posagent/printer"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// withLines gives the world's terminal its lines, and starts it again on them.
func (w *world) withLines() {
	w.t.Helper()
	if w.chip == nil {
		w.chip = devicetest.NewChip("READY", "FAULT", "BUZZER", "TAMPER", "POWER", "PAPER", "CARD")
		w.chip.Drive("TAMPER", true)
		marks, err := OpenMarks(w.dir + ".marks")
		require.NoError(w.t, err)
		w.marks = marks
	}
	lines, err := gpio.Open(w.chip, map[string]gpio.Place{"ready": {Name: "READY"}, "fault": {Name: "FAULT"}, "buzzer": {Name: "BUZZER"}, "card": {Name: "CARD"},
		"tamper": {Name: "TAMPER", ActiveLow: true}, "power_fail": {Name: "POWER"}, "paper_out": {Name: "PAPER"}})
	require.NoError(w.t, err)
	w.lines = lines
	w.cutPower()
	w.boot()
}

func (w *world) refusedWith(text words.Pair) {
	w.t.Helper()
	sent := w.acquirer.Ledger()
	e := w.sell("visa-4242", "7.77")
	require.Equal(w.t, words.OutcomeRefused, e.Outcome, e.Error)
	require.Equal(w.t, text, *e.Text)
	require.NotEmpty(w.t, w.agent.Status().Held)
	require.Equal(w.t, sent, w.acquirer.Ledger(), "nothing reached the acquirer")
}

func TestAnOpenedCaseEndsTradeForGood(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withLines()
		assert.True(t, w.chip.Level("READY"))
		sold := w.sellAs("first", "visa-4242", "12.50", false)
		require.Equal(t, words.OutcomeApproved, sold.Outcome)

		w.chip.Drive("TAMPER", false)
		w.chip.Drive("TAMPER", true) // and closed at once, by somebody who knows
		synctest.Wait()
		assert.Equal(t, 1, w.wiped, "the kept keys are gone")
		assert.False(t, w.agent.Status().SignedIn)
		assert.False(t, w.chip.Level("READY"))
		assert.True(t, w.chip.Level("FAULT"))
		w.refusedWith(words.CaseOpened)
		again := w.sellAs("first", "visa-4242", "12.50", false)
		assert.Equal(t, words.OutcomeApproved, again.Outcome, "what was sold before is told as it is")
		assert.Equal(t, sold.Txn.ID, again.Txn.ID)
		_, e := w.ask(Request{Op: "batch close"})
		assert.Equal(t, "error", e.Event)

		w.withLines() // a restart with the case closed changes nothing, and new keys alone do not either
		w.refusedWith(words.CaseOpened)

		require.NoError(t, w.marks.ClearTampered())
		w.withLines()
		w.sellAs("after", "visa-4242", "8.88", false)
		assert.Empty(t, w.agent.Status().Held)
	})
}

func TestWhatIsOwedStaysVisibleInAnOpenedCase(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withLines()
		w.fault("silent")
		w.fault("lost for reversal times 2") // the second try may be on its way when the case is opened
		e := w.sell("visa-4242", "33.30")
		require.Equal(t, words.OutcomeUnknown, e.Outcome)
		w.chip.Drive("TAMPER", false)
		synctest.Wait()
		owed := w.agent.Status().Owed
		require.Equal(t, 1, owed)
		tries := w.show(e.Txn.Reference).Txn.Tries
		w.after(10 * time.Minute)
		assert.Equal(t, 1, w.agent.Status().Owed)
		assert.Equal(t, tries, w.show(e.Txn.Reference).Txn.Tries, "no try is spent without keys")
		w.chip.Drive("TAMPER", true)
		require.NoError(t, w.marks.ClearTampered())
		w.withLines()
		w.after(5 * time.Minute)
		assert.Zero(t, w.agent.Status().Owed, "settled once a technician has put things right")
	})
}

func TestAFailingPowerStopsWhatWasNotSent(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withLines()
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "12.50").Outcome)
		w.chip.Drive("POWER", true)
		synctest.Wait()
		w.refusedWith(words.PowerFails)
		m, found, err := w.marks.Power()
		require.NoError(t, err)
		require.True(t, found)
		assert.Empty(t, m.Stage, "nothing was in the middle")
		w.chip.Drive("POWER", false)
		synctest.Wait()
		w.refusedWith(words.PowerFails)
		w.after(5 * time.Second)
		require.Equal(t, words.OutcomeApproved, w.sell("unionpay-0005", "88.00").Outcome, "steady again")
		_, found, err = w.marks.Power()
		require.NoError(t, err)
		assert.False(t, found)
	})
}

// The edge comes while the card is awaited: what is recorded after it does not leave. And while the answer is awaited: the
// mark names the sale and its phase, durable before anything else is done, and the next start notes it in the journal.
func TestAFailingPowerIsMarkedWithWhatItInterrupted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withLines()
		require.Equal(t, words.OutcomeApproved, w.sell("unionpay-0005", "88.00").Outcome)
		c := w.till()
		c.send(Request{Op: "sale", Reference: "late", Amount: "12.50"})
		for c.next().Stage != words.Present {
		}
		w.chip.Drive("POWER", true)
		synctest.Wait()
		w.do(w.reader.Command("present visa-4242"))
		e := c.next()
		for ; !e.Ends(); e = c.next() {
		}
		assert.Equal(t, words.OutcomeNotDone, e.Outcome, "recorded and not sent")
		_ = c.conn.Close()
		w.chip.Drive("POWER", false)
		w.after(5 * time.Second)

		w.fault("silent")
		c = w.till()
		c.send(Request{Op: "sale", Reference: "middle", Amount: "45.60"})
		for c.next().Stage != words.Present {
		}
		w.do(w.reader.Command("present visa-4242"))
		for e = c.next(); e.Stage != words.Waiting; e = c.next() {
		}
		w.chip.Drive("POWER", true)
		synctest.Wait()
		m, found, err := w.marks.Power()
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, words.Waiting, m.Stage)
		assert.Equal(t, txn.ID(e.Txn.ID), m.ID)
		_ = c.conn.Close()

		w.withLines() // the power is gone, and comes back
		shown := w.show("middle")
		journal := ""
		for _, line := range shown.Txn.Journal {
			journal += line.Event + "\n"
		}
		assert.Contains(t, journal, "power failed while waiting")
		w.chip.Drive("POWER", false)
		w.after(2 * time.Minute)
		assert.Equal(t, words.OutcomeReversed, w.show("middle").Outcome)
		_, found, err = w.marks.Power()
		require.NoError(t, err)
		assert.False(t, found)
	})
}

func TestAPrintersSwitches(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withLines()
		w.chip.Drive("PAPER", true)
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeApproved, e.Outcome)
		require.NotNil(t, e.Printer)
		assert.Equal(t, words.PrinterPaperOut, e.Printer.State)
		assert.Empty(t, w.printer.Paper(), "nothing was sent to it")
		w.chip.Drive("PAPER", false)
		w.after(time.Minute)
		assert.Len(t, w.printer.Slips(), 2)
		assert.NotContains(t, w.printer.Paper(), "重打印")
	})
}

// Of a printer that answers nothing the switch alone tells that the paper ended in the middle of a slip: it is printed again, marked.
func TestASwitchTellsOfAMutePrintersPaper(t *testing.T) {
	inWorld(t, func(w *world) {
		w.options.Print.Proof = printer.Mute
		w.do(w.printer.Command("mute on"))
		w.withLines()
		require.Equal(t, words.OutcomeApproved, w.sellAs("whole", "visa-4242", "12.50", false).Outcome)
		w.after(time.Minute)
		assert.Len(t, w.printer.Slips(), 2)
		assert.NotContains(t, w.printer.Paper(), "重打印")
		assert.Nil(t, w.agent.Status().Printer, "nothing is known of it")

		w.do(w.printer.Command("paper out after 8"))
		time.AfterFunc(2*time.Second, func() { w.chip.Drive("PAPER", true) })
		e := w.sellAs("torn", "visa-4242", "13.50", false)
		require.Equal(t, words.OutcomeApproved, e.Outcome)
		w.after(time.Minute)
		assert.Equal(t, words.PrinterPaperOut, w.agent.Status().Printer.State)
		assert.Equal(t, 1, w.agent.Status().PaperOwed)

		w.do(w.printer.Command("paper ok"))
		w.chip.Drive("PAPER", false)
		w.after(time.Minute)
		assert.Contains(t, w.printer.Paper(), "重打印")
		assert.Zero(t, w.agent.Status().PaperOwed)
		assert.Nil(t, w.agent.Status().Printer)
	})
}

func TestMarksSurviveAndTornOnesCountAsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "marks")
	k, err := OpenMarks(path)
	require.NoError(t, err)
	opened, err := k.Tampered()
	require.NoError(t, err)
	require.False(t, opened)
	require.NoError(t, k.SetTampered(time.Unix(1_800_000_000, 0), 7))
	require.NoError(t, k.SetPower(Mark{Boot: 7, Stage: words.Sending, ID: 3}))
	require.NoError(t, k.Close())

	k, err = OpenMarks(path)
	require.NoError(t, err)
	opened, err = k.Tampered()
	require.NoError(t, err)
	require.True(t, opened)
	m, found, err := k.Power()
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, Mark{Boot: 7, Stage: words.Sending, ID: 3}, m)
	require.NoError(t, k.Close())

	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	raw[tamperAt+20] ^= 1
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	k, err = OpenMarks(path)
	require.NoError(t, err)
	_, err = k.Tampered()
	require.ErrorIs(t, err, errTornMark)
	require.NoError(t, k.Close())

	require.NoError(t, os.WriteFile(path, raw[:100], 0o600))
	_, err = OpenMarks(path)
	require.ErrorContains(t, err, "put it aside")
	var none *Marks
	require.NoError(t, none.SetPower(Mark{}))
	require.NoError(t, none.Close())
}

func FuzzMark(f *testing.F) {
	k, err := OpenMarks(filepath.Join(f.TempDir(), "marks"))
	require.NoError(f, err)
	require.NoError(f, k.SetPower(Mark{Boot: 7, Stage: words.Waiting, ID: 3}))
	raw := make([]byte, markBlock)
	_, err = k.file.ReadAt(raw, 0)
	require.NoError(f, err)
	f.Add(bytes.TrimRight(raw, "\x00"))
	f.Add([]byte{0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		block := make([]byte, markBlock)
		copy(block, b)
		m, found, err := readMark(block)
		require.False(t, found && err != nil)
		if !found {
			require.Equal(t, Mark{}.Stage, m.Stage)
		}
	})
}

// The supply warns when the terminal starts, and recovers before its line is watched: trade goes on, and not before it is calm.
func TestASupplyThatFailsAtTheStart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withLines()
		w.chip.Drive("POWER", true)
		w.withLines()
		w.refusedWith(words.PowerFails)
		w.chip.Drive("POWER", false)
		w.after(5 * time.Second)
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "12.50").Outcome)

		a := w.agent
		a.guard.powerFails(true)
		ctx, cancel := context.WithCancel(w.ctx)
		done := make(chan error)
		go func() { done <- a.watchPower(ctx) }()
		synctest.Wait()
		require.ErrorIs(t, a.guard.held(), ErrPowerFails)
		w.after(powerCalm)
		require.NoError(t, a.guard.held(), "what nobody told was looked for")
		cancel()
		require.NoError(t, <-done)
	})
}
