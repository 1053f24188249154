package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// inserted makes a request with a chip in the slot, and takes it out at the end.
func (w *world) inserted(card string, q Request) ([]words.Stage, Event) {
	w.t.Helper()
	w.do(w.reader.Command("insert " + card))
	stages, e := w.ask(q)
	w.do(w.reader.Command("remove"))
	return stages, e
}

// kept is the chip data on record.
func (w *world) kept(id uint64) map[uint32][]byte {
	w.t.Helper()
	x, err := w.store.Get(txn.ID(id))
	require.NoError(w.t, err)
	found := map[uint32][]byte{}
	require.NoError(w.t, neo2.Walk(x.Card.Chip.BytesInTheClear(), func(tag uint32, value []byte) { found[tag] = value }))
	return found
}

func TestAChipHasTheLastWord(t *testing.T) {
	inWorld(t, func(w *world) {
		stages, e := w.inserted("unionpay-0113", Request{Op: "sale", Reference: "a", Amount: "12.50"})
		approved(t, e)
		assert.Subset(t, stages, []words.Stage{words.Confirming, words.Held})
		assert.Equal(t, txn.Inserted, e.Txn.Entry)
		kept := w.kept(e.Txn.ID)
		assert.Equal(t, []byte{neo2.CryptogramTC}, kept[neo2.TagCryptogramInfo], "the certificate is on record")
		assert.Len(t, kept[neo2.TagCryptogram], 8)

		w.do(w.reader.Command("refuse"))
		stages, e = w.inserted("unionpay-0113", Request{Op: "sale", Reference: "b", Amount: "13.50"})
		assert.Equal(t, words.OutcomeReversed, e.Outcome, e.Error)
		assert.Contains(t, stages, words.CardRefused)
		assert.NotContains(t, stages, words.Held)
		assert.Equal(t, words.CardNotDone, *e.Advice, "the acquirer's word is not what became of it")
		assert.Equal(t, txn.OtherCause, e.Txn.Reason)
		kept = w.kept(e.Txn.ID)
		for _, tag := range []uint32{neo2.TagTVR, neo2.TagSerial, neo2.TagIssuerData, neo2.TagATC} {
			assert.Contains(t, kept, tag, "the reversal says what the card said")
		}
		assert.NotContains(t, kept, uint32(neo2.TagCryptogram))
		seen := w.acquirer.Seen()
		last := seen[len(seen)-1]
		assert.Equal(t, "0400", last.MTI)
		assert.Equal(t, "06", last.Reason)
		assert.Contains(t, last.Fields, 55, "it travels")

		_, e = w.inserted("poor-0002", Request{Op: "sale", Reference: "c", Amount: "13.50"})
		assert.Equal(t, words.OutcomeDeclined, e.Outcome)
		verdicts := w.reader.Verdicts()
		require.Len(t, verdicts, 3)
		assert.True(t, verdicts[0].Agreed)
		assert.False(t, verdicts[1].Agreed || verdicts[2].Agreed, "a declined card is told, too")
	})
}

// What undoes a sale takes the card's data and does not ask it to confirm.
func TestAVoidDoesNotWaitForTheCard(t *testing.T) {
	inWorld(t, func(w *world) {
		_, sale := w.inserted("visa-4242", Request{Op: "sale", Reference: "a", Amount: "12.50"})
		approved(t, sale)
		stages, e := w.inserted("visa-4242", Request{Op: "void", Reference: "b", Original: sale.Txn.STAN, Supervisor: "00"})
		approved(t, e)
		assert.NotContains(t, stages, words.Confirming)
		assert.Len(t, w.reader.Verdicts(), 1)
		_, e = w.inserted("visa-4242", Request{Op: "balance"})
		assert.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
		_, e = w.inserted("visa-4242", Request{Op: "preauth", Reference: "c", Amount: "20.00"})
		approved(t, e)
		assert.Len(t, w.reader.Verdicts(), 2, "what holds money is confirmed")
	})
}

func TestAChipThatCannotBeReadIsSwipedWhereThatIsAllowed(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		inWorld(t, func(w *world) {
			w.options.Fallback = allowed
			w.cutPower()
			w.boot()
			w.do(w.reader.Command("at start fail"))
			w.do(w.reader.Command("insert visa-4242"))
			time.AfterFunc(3*time.Second, func() {
				_, _ = w.reader.Command("remove")
				_, _ = w.reader.Command("swipe visa-4242")
			})
			_, e := w.ask(Request{Op: "sale", Reference: "a", Amount: "12.50"})
			if !allowed {
				assert.Equal(t, words.OutcomeRefused, e.Outcome)
				w.do(w.reader.Command("remove"))
				time.Sleep(5 * time.Second)
				return
			}
			approved(t, e)
			assert.Equal(t, txn.Fallback, e.Txn.Entry)
			assert.Equal(t, 1, w.acquirer.Counts()["0200"])
		})
	}
}

func TestAChipThatIsSwipedIsAskedFor(t *testing.T) {
	inWorld(t, func(w *world) {
		c := w.till()
		defer c.conn.Close()
		c.send(Request{Op: "sale", Reference: "a", Amount: "12.50"})
		for c.next().Stage != words.Present {
		}
		w.do(w.reader.Command("swipe visa-4242"))
		for e := c.next(); *e.Text != words.InsertChip; e = c.next() {
			require.False(t, e.Ends(), e.Error)
		}
		w.do(w.reader.Command("insert visa-4242"))
		for e := c.next(); ; e = c.next() {
			if e.Ends() {
				approved(t, e)
				return
			}
		}
	})
}

func TestTheReadersDailyStartFallsOnNoSale(t *testing.T) {
	inWorld(t, func(w *world) {
		at := time.Now().UTC().Add(10 * time.Minute).Truncate(time.Minute).Sub(time.Now().UTC().Truncate(24 * time.Hour))
		w.options.SelfCheck = &at
		w.cutPower()
		w.boot()
		w.after(2 * time.Minute) // quiet: the reader is asked, and told
		approved(t, w.sell("visa-4242", "1.00"))
		w.after(7 * time.Minute)
		e := w.sell("", "2.00")
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "daily self-check")
		w.after(2 * time.Minute)
		approved(t, w.sell("visa-4242", "3.00"))
	})
}
