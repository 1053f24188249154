package agent

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// A batch of five hundred records is closed, and the power goes at every tenth of them: by turns when a block was acknowledged
// and recorded, and when the acquirer has taken it and nobody here knows. Each record is told, none is left out, and only a
// block of which nobody knew is told once more.
func TestALongClosingIsCutAtEveryTenthRecord(t *testing.T) {
	inWorld(t, func(w *world) {
		w.longBatch(500)
		w.unproven("visa-4242", "33.30") // so the totals differ, and every record is told
		w.cutPower()
		cuts, copies := 0, 0
		for told := 10; told < 500; told += 10 {
			copies += w.cutWhenTold(told, cuts%2 == 1)
			cuts++
		}
		assert.Equal(t, 49, cuts)
		w.boot()
		w.after(10 * time.Minute)
		w.closedOnce(500)
		there := w.closing(1)
		seen := map[uint32]int{}
		for _, d := range there.Details {
			seen[d.STAN]++
			assert.Equal(t, "match", d.Verdict, d.STAN)
		}
		assert.Len(t, seen, 500, "each record once")
		assert.Equal(t, copies, there.Copies, "and again only what nobody here knew to be told")
		t.Logf("%d cuts, %d copies", cuts, copies)
	})
}

// longBatch makes so many records that count in a settlement: sales, and here and there a void and a refund.
func (w *world) longBatch(records int) {
	w.t.Helper()
	for n := 0; n < records; n++ {
		e := w.sellAs(fmt.Sprint("long-", n), "unionpay-0113", "2.00", true)
		approved(w.t, e)
		switch {
		case n%50 == 20 && n+1 < records:
			n++
			approved(w.t, w.undo(fmt.Sprint("void-", n), e.Txn.STAN, "unionpay-0113"))
		case n%50 == 40 && n+1 < records:
			n++
			approved(w.t, w.refund(fmt.Sprint("refund-", n), "1.00", e.Txn.STAN, "unionpay-0113"))
		}
	}
}

// dyingStore loses its power at the step of a closing that tells so many records: once that step is on the disk, or just before.
type dyingStore struct {
	Store
	told   int
	before bool
	die    func(unrecorded int)
	dead   bool // owned by the goroutine with the engine's turn
}

var errDead = errors.New("the power has failed")

func (s *dyingStore) SaveClosing(c txn.Closing) (txn.Closing, error) {
	if s.dead {
		return txn.Closing{}, errDead
	}
	if c.Told < s.told {
		return s.Store.SaveClosing(c)
	}
	s.dead = true
	if s.before {
		old, _, err := s.Store.Closing(c.Batch)
		if err != nil {
			return old, err
		}
		s.die(c.Told - old.Told)
		return txn.Closing{}, errDead
	}
	if _, err := s.Store.SaveClosing(c); err != nil {
		return c, err
	}
	s.die(0)
	return txn.Closing{}, errDead
}

// cutWhenTold gives the power back, lets the closing go on until so many records are told, and cuts the power there. It returns how many records
// the acquirer then has acknowledged of which the disk knows nothing.
func (w *world) cutWhenTold(told int, before bool) (unrecorded int) {
	w.t.Helper()
	reached, dir := make(chan int, 1), w.nextDir()
	w.books = func(s Store) Store {
		return &dyingStore{Store: s, told: told, before: before, die: func(n int) {
			w.copyStore(dir)
			reached <- n
		}}
	}
	w.boot()
	if c, _, err := w.store.Closing(1); err == nil && c.Batch == 0 {
		_, e := w.ask(Request{Op: "batch close"})
		require.NotEqual(w.t, txn.Closed, e.Batch.Step)
	}
	unrecorded = <-reached
	w.cutPower()
	w.dir = dir
	w.books = nil
	return unrecorded
}
