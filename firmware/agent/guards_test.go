package agent

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func (w *world) alarms() map[string]Alarm {
	all := map[string]Alarm{}
	for _, a := range w.agent.Status().Alarms {
		all[a.Kind] = a
	}
	return all
}

// 跳码: the answer names another merchant. It is no answer, its evidence is in the journal, and people hear of it.
func TestAnAnswerOfAnotherMerchantIsAnAlarmWithItsEvidence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alarms")
	inWorld(t, func(w *world) {
		w.cutPower()
		w.options.AlarmFile = file
		w.boot()
		w.fault("wrongmerchant")
		e := w.sell("visa-4242", "12.50")
		require.Equal(t, words.OutcomeReversed, e.Outcome)
		assert.Equal(t, txn.OtherCause, e.Txn.Reason)
		journal := ""
		for _, line := range e.Txn.Journal {
			journal += line.Event + "\n"
		}
		assert.Contains(t, journal, "the answer names merchant 898110054110002")
		assert.Equal(t, 1, w.alarms()[OtherMerchant].Count)
		assert.Contains(t, w.alarms()[OtherMerchant].What, "898110054110002")
		w.fault("wrongterminal")
		w.sell("visa-4242", "13.50")
		w.after(2 * time.Minute)
		assert.Equal(t, 1, w.alarms()[OtherTerminal].Count)
		w.cutPower()
		w.boot()
		assert.Equal(t, 1, w.alarms()[OtherMerchant].Count, "counted over restarts")
	})
}

func TestARepeatedChargeAndAnOverdrawnLimitAreCounted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.cutPower()
		w.options.MaxCharge = 5000
		w.boot()
		approved(t, w.sell("visa-4242", "12.50"))
		again := w.sell("visa-4242", "12.50")
		assert.Equal(t, words.OutcomeRefused, again.Outcome)
		assert.Equal(t, txn.Approved, again.Txn.State, "the earlier one as it stands now")
		approved(t, w.undo("v", "till-1", "visa-4242"))
		approved(t, w.sell("visa-4242", "12.50"))
		assert.Equal(t, words.OutcomeRefused, w.sell("visa-4242", "50.01").Outcome)
		assert.Equal(t, 1, w.alarms()[Repeated].Count)
		assert.Equal(t, 1, w.alarms()[OverLimit].Count)
	})
}

func TestABlockedCardIsRefusedAndTheListIsReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blocked")
	inWorld(t, func(w *world) {
		w.cutPower()
		w.options.Blocklist = file
		w.boot()
		e := w.sell("visa-4242", "12.50")
		assert.Contains(t, e.Error, "nothing is charged", "a list that is named and not there")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		approved(t, w.sell("visa-4242", "12.50"))
		pan, err := txn.ParsePAN("4242424242424242")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, []byte(w.store.Fingerprint(pan)+"\n"), 0o600))
		e = w.sell("visa-4242", "8.00")
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "blocked")
		approved(t, w.sell("unionpay-0005", "8.00"))
		assert.Equal(t, 1, w.alarms()[BlockedCard].Count)
		require.NoError(t, os.WriteFile(file, []byte("4242424242424242\n"), 0o600))
		assert.Contains(t, w.sell("unionpay-0005", "9.00").Error, "not a fingerprint")
	})
}

func TestTheGuardsThatKnowTheCardSayWhyAndWhatToDo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.cutPower()
		w.options.MaxCardCount = 1
		w.options.Bins = []terminal.BinRange{{From: "62", To: "62", Rule: terminal.BinRefuse}, {From: "55", To: "55", Rule: terminal.BinOnline}}
		w.boot()
		approved(t, w.sell("visa-4242", "12.50"))
		w.cutPower()
		w.boot()
		sent := w.acquirer.Counts()["0200"]
		for _, c := range []struct {
			card, op string
			text     words.Pair
		}{{"visa-4242", "sale", words.CardLimit}, {"unionpay-0005", "sale", words.CardNotTaken}, {"mastercard-4444", "offline-sale", words.CardOnline}} {
			w.do(w.reader.Command("present " + c.card))
			_, e := w.ask(Request{Op: c.op, Reference: c.card, Amount: "8.00", AuthCode: "123456"})
			assert.Equal(t, words.OutcomeRefused, e.Outcome)
			require.NotNil(t, e.Text)
			assert.Equal(t, c.text, *e.Text, e.Error)
		}
		assert.Equal(t, sent, w.acquirer.Counts()["0200"], "nothing was sent")
		assert.Equal(t, 1, w.alarms()[OverLimit].Count)
		assert.Equal(t, 2, w.alarms()[RefusedBin].Count)
		approved(t, w.sell("mastercard-4444", "8.00"))
	})
}

func FuzzReadBlocked(f *testing.F) {
	for _, s := range []string{"", "0123456789ab\n", "0123456789ab", "4242424242424242\n", "\n\n", "0123456789aB\n"} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "blocked")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		list, err := readBlocked(path, int64(len(text)))
		for line := range list {
			if err != nil || len(line) != 12 {
				t.Fatalf("%q gave %q, %v", text, line, err)
			}
		}
	})
}
