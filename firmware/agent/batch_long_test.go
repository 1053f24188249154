package agent

import (
	"errors"
	"fmt"
	"sync/atomic"
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
	dead   atomic.Bool
}

// tellings are the records and certificates that the acquirer has acknowledged.
func tellings(c txn.Closing) int { return c.Told + c.Certified }

var errDead = errors.New("the power has failed")

func (s *dyingStore) Closing(batch uint32) (txn.Closing, bool, error) {
	if s.dead.Load() {
		return txn.Closing{}, false, errDead
	}
	return s.Store.Closing(batch)
}

func (s *dyingStore) SaveClosing(c txn.Closing) (txn.Closing, error) {
	if s.dead.Load() {
		return txn.Closing{}, errDead
	}
	if tellings(c) < s.told {
		return s.Store.SaveClosing(c)
	}
	s.dead.Store(true)
	if s.before {
		old, _, err := s.Store.Closing(c.Batch)
		if err != nil {
			return old, err
		}
		s.die(tellings(c) - tellings(old))
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

// certifying is a store to which every chip has given a certificate, as the kernel of a contact reader does.
type certifying struct{ Store }

// A certificate: 9F26 9F27 9F37 9A 82 9F33 9F34, of which 9F27 says TC.
var tc = []byte("\x9F\x26\x08\x01\x02\x03\x04\x05\x06\x07\x08\x9F\x27\x01\x40\x9F\x37\x04\x11\x22\x33\x44\x9A\x03\x26\x11\x23\x82\x02\x18\x00" +
	"\x9F\x33\x03\xE0\xE9\xC8\x9F\x34\x03\x1F\x03\x02")

func (s certifying) Begin(d txn.Draft) (txn.Txn, error) {
	if d.Card.Entry == txn.Contactless {
		d.Card.Certificate = txn.NewChip(tc)
	}
	return s.Store.Begin(d)
}

// What chips have certified goes up after the records, each once, wherever the power goes.
func TestCertificatesOfChipsAreToldOnce(t *testing.T) {
	for name, unbalanced := range map[string]bool{"balanced": false, "not balanced": true} {
		t.Run(name, func(t *testing.T) {
			for cut := -1; cut < 12; cut++ {
				inWorld(t, func(w *world) {
					w.cutPower()
					w.books = func(s Store) Store { return certifying{s} }
					w.boot()
					for n := range 5 {
						approved(t, w.sellAs(fmt.Sprint("chip-", n), "unionpay-0113", "2.00", true))
					}
					approved(t, w.sellAs("stripe", "unionpay-0005", "3.00", true))
					w.fault("decline 51")
					w.sellAs("declined", "visa-4242", "4.00", true)
					records := 0
					if unbalanced {
						w.unproven("visa-4242", "33.30")
						records = 6
					}
					copies := 0
					if cut >= 0 {
						w.cutPower()
						copies = w.cutWhenTold(records+1+cut/3, cut%2 == 1)
						w.boot()
						w.after(5 * time.Minute)
					} else {
						_, e := w.ask(Request{Op: "batch close"})
						require.Equal(t, txn.Closed, e.Batch.Step, e.Error)
						assert.Equal(t, 5, e.Batch.Certified)
					}
					there := w.closing(1)
					require.True(t, there.Ended)
					assert.Equal(t, !unbalanced, there.Equal)
					require.Len(t, there.Certificates, 5)
					for _, d := range there.Certificates {
						assert.Equal(t, "match", d.Verdict)
					}
					assert.Len(t, there.Details, records)
					assert.Equal(t, copies, there.Copies)
					c, _, err := w.store.Closing(1)
					require.NoError(t, err)
					assert.Equal(t, 5, c.Certified)
					assert.Equal(t, records, c.Told)
				})
			}
		})
	}
}
