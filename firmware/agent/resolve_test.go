package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// suspend leaves a sale of which nobody can prove what became of it.
func (w *world) suspend() Event {
	w.t.Helper()
	w.fault("silent")
	w.fault("lost for reversal times 3")
	w.sellAs("doubt", "visa-4242", "12.50", false)
	w.after(10 * time.Minute)
	e := w.show("doubt")
	require.Equal(w.t, txn.Suspense, e.Txn.State)
	return e
}

func TestPeopleCloseASuspendedSaleOverTheSocket(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.suspend()
		yes := true
		q := Request{Op: "resolve", ID: e.Txn.ID, Amount: "12.50", Charged: &yes, Evidence: "acquirer's list of 11/22", Supervisor: "00"}
		_, refused := w.ask(q)
		assert.Equal(t, "error", refused.Event)
		assert.Contains(t, refused.Error, "two different people")
		q.With = "07"
		_, closed := w.ask(q)
		require.Equal(t, words.OutcomeResolved, closed.Outcome, closed.Error)
		assert.Equal(t, &Resolution{true, "acquirer's list of 11/22", "00", "07"}, closed.Txn.Resolved)
		assert.Zero(t, w.agent.Status().Suspense)
		w.cutPower()
		w.boot()
		assert.Equal(t, "acquirer's list of 11/22", w.show("doubt").Txn.Resolved.Evidence)
		_, list := w.ask(Request{Op: "list"})
		require.Len(t, list.Txns, 1)
		assert.Equal(t, txn.Resolved, list.Txns[0].State, "it is never deleted")
	})
}

func TestASuspendedSaleIsTriedAgainTheNextDay(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.suspend()
		w.after(25 * time.Hour)
		e = w.show("doubt")
		assert.Equal(t, txn.Suspense, e.Txn.State, "25 on another day proves nothing")
		assert.Equal(t, "25", w.lastReversal())
		assert.Equal(t, 4, e.Txn.Tries)
		w.after(25 * time.Hour)
		assert.Equal(t, 5, w.show("doubt").Txn.Tries, "once a day")
	})
}

// lastReversal is what the acquirer answered to the newest reversal.
func (w *world) lastReversal() string {
	seen := w.acquirer.Seen()
	for i := len(seen) - 1; i >= 0; i-- {
		if seen[i].MTI == "0400" {
			return seen[i].Code
		}
	}
	return ""
}
