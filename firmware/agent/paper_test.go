package agent

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn/words"
)

// Each fault of the printer has a name and a next step, beside the sale whose slip is still due and in the status; mended,
// the whole slip comes out, marked where a piece of it may be on paper.
func TestWhatIsTheMatterWithThePrinterIsSaid(t *testing.T) {
	for fault, c := range map[string]struct {
		mend  string
		state words.PrinterState
	}{
		"paper out": {"paper ok", words.PrinterPaperOut}, "paper out after 5": {"paper ok", words.PrinterPaperOut},
		"cover open": {"cover closed", words.PrinterCover}, "jam": {"jam clear", words.PrinterCutter},
		"hot on": {"hot off", words.PrinterHot}, "broken on": {"broken off", words.PrinterBroken}, "silent on": {"silent off", words.PrinterSilent},
		"held on": {"held off", words.PrinterOffline},
	} {
		t.Run(fault, func(t *testing.T) {
			inWorld(t, func(w *world) {
				assert.Nil(t, w.agent.Status().Printer, "nothing was printed yet")
				_, err := w.printer.Command(fault)
				require.NoError(t, err)
				e := w.sell("visa-4242", "12.50")
				require.Equal(t, words.OutcomeApproved, e.Outcome, "paper is no part of the outcome")
				require.NotNil(t, e.Printer)
				assert.Equal(t, c.state, e.Printer.State)
				what, do := words.OfPrinter(c.state)
				assert.Equal(t, what, e.Printer.Text)
				require.NotNil(t, e.Printer.Do)
				assert.Equal(t, do, *e.Printer.Do)
				assert.Equal(t, c.state, w.agent.Status().Printer.State)

				_, err = w.printer.Command(c.mend)
				require.NoError(t, err)
				w.after(2 * time.Minute)
				assert.Zero(t, w.agent.Status().PaperOwed)
				assert.Equal(t, words.PrinterReady, w.agent.Status().Printer.State)
				slips := w.printer.Slips()
				require.NotEmpty(t, slips)
				if fault == "paper out after 5" {
					require.Len(t, slips, 3, "the printer's backlog, and both copies")
					assert.Contains(t, slips[1], "重打印")
				}
			})
		})
	}
}

// A printer whose cable is pulled is told like one that does not answer: once, with what to do, and not at every attempt.
func TestAPrinterThatIsUnpluggedIsSaidOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.printerGone.Store(true)
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeApproved, e.Outcome)
		require.NotNil(t, e.Printer)
		assert.Equal(t, words.PrinterSilent, e.Printer.State)
		assert.Contains(t, e.Printer.Do.EN, "its cable")
		w.after(10 * time.Minute)
		assert.Equal(t, 1, w.agent.Status().PaperOwed)
		assert.Equal(t, words.PrinterSilent, w.agent.Status().Printer.State)
		said := strings.Count(w.log.String(), `"still owed"`)
		assert.Equal(t, 1, said, "a hundred attempts, one line:\n%s", w.log)
		w.after(time.Hour)
		assert.Equal(t, said+1, strings.Count(w.log.String(), `"still owed"`), "and one an hour")

		w.printerGone.Store(false)
		w.after(time.Minute)
		assert.Zero(t, w.agent.Status().PaperOwed)
		assert.Equal(t, words.PrinterReady, w.agent.Status().Printer.State)
		assert.Len(t, w.printer.Slips(), 2)
		assert.Contains(t, w.log.String(), "no longer owed")
	})
}

func TestPaperNearItsEndIsSaidAndSells(t *testing.T) {
	inWorld(t, func(w *world) {
		_, err := w.printer.Command("paper near")
		require.NoError(t, err)
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeApproved, e.Outcome)
		assert.Nil(t, e.Printer, "its slips are printed")
		assert.Equal(t, words.PrinterNearEnd, w.agent.Status().Printer.State)
		assert.Len(t, w.printer.Slips(), 2)
	})
}

func TestASlipIsShownAsItWouldBePrintedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		sold := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeApproved, sold.Outcome)
		for copy, mark := range map[string]string{"": "持卡人存根", "customer": "持卡人存根", "merchant": "商户存根"} {
			_, e := w.ask(Request{Op: "slip", ID: sold.Txn.ID, Copy: copy})
			require.NotNil(t, e.Slip, e.Error)
			assert.Contains(t, e.Slip.Text(), mark)
			assert.Contains(t, e.Slip.Text(), "重打印")
			assert.Contains(t, e.Slip.Text(), "424242******4242")
		}
		_, e := w.ask(Request{Op: "slip", ID: 999})
		assert.Equal(t, "error", e.Event)
		_, e = w.ask(Request{Op: "slip", ID: sold.Txn.ID, Copy: "carbon"})
		assert.Contains(t, e.Error, "carbon")
		assert.Len(t, w.printer.Slips(), 2, "nothing was printed for it")
	})
}

// A trouble whose words change at each try does not push everything else out of the log.
func TestATroubleOfManyWordsDoesNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		log, trouble := slog.New(slog.NewTextHandler(&said, nil)), lasting{}
		for try := range 2 * 720 { // two hours
			trouble.tell(log, "owed", fmt.Errorf("%d bytes came that are not ESC/POS", try))
			time.Sleep(5 * time.Second)
		}
		assert.Equal(t, 2*changesMost, strings.Count(said.String(), "still owed"))
		trouble.tell(log, "owed", nil)
		assert.Contains(t, said.String(), "no longer owed")
		assert.Contains(t, said.String(), "tries=1440")
	})
}
