package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// The store is the real one. Host, reader and printer are the small honest machines below; the whole agent against
// simulated lines is tested in package agent.

// counter is a terminal with somebody standing at it.
type counter struct {
	t *testing.T
	*Terminal
	store *brittle
	host  *host
	paper []string
	sold  int

	jammed error // what is wrong with the printer
}

func newCounter(t *testing.T, o Options) *counter {
	real, _, err := txnstore.Open(t.TempDir(), &txnstore.Options{Terminal: "30010001", Key: bytes.Repeat([]byte{7}, 32)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, real.Close()) })
	c := &counter{t: t, store: &brittle{Store: real}, host: &host{}}
	o.Currency, err = txn.CurrencyOf("CNY")
	require.NoError(t, err)
	c.Terminal = New(c.store, c.host, reader{}, c, o)
	return c
}

func (c *counter) sell(amount txn.Amount) (txn.Txn, error) {
	c.sold++
	return c.Sale(c.t.Context(), Order{Amount: amount, Reference: fmt.Sprint("sale ", c.sold)})
}

// Print is the counter's printer: it checks that what goes on paper is already in the store.
func (c *counter) Print(_ context.Context, x txn.Txn, copy txn.Copy, reprint bool) (bool, error) {
	stored, err := c.store.Get(x.ID)
	require.NoError(c.t, err)
	require.Equal(c.t, x.State, stored.State, "paper before the outcome commit")
	c.paper = append(c.paper, fmt.Sprintf("%s %s %06d %t", x.State, copy, x.STAN, reprint))
	return true, nil
}

// Report checks that the batch is closed before its report is on paper.
func (c *counter) Report(_ context.Context, x txn.Closing, doubts []txn.Txn, reprint bool) (bool, error) {
	stored, _, err := c.store.Closing(x.Batch)
	require.NoError(c.t, err)
	require.Equal(c.t, txn.Closed, stored.Step)
	require.Greater(c.t, c.store.Batch(), x.Batch)
	c.paper = append(c.paper, fmt.Sprintf("report %06d %s %d doubts %t", x.Batch, x.Domestic, len(doubts), reprint))
	return true, nil
}

type reader struct{}

func (reader) Present(context.Context, txn.Amount, txn.Currency) (txn.Presented, error) {
	pan, err := txn.ParsePAN("6224242900000113")
	return txn.Presented{Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Swiped}}, err
}

func (reader) Complete(context.Context, txn.Answer) (txn.Confirmation, error) {
	panic("no card is in the slot")
}

func (reader) Release(context.Context) error { return nil }

// host answers what it is told to and looks at the record behind the terminal's back.
type host struct {
	signIn   func() error // nil is well
	approve  func(txn.Txn) (txn.Answer, error)
	reverse  func(txn.Txn) (txn.Answer, error)
	advise   func(txn.Txn) (txn.Answer, error)
	settle   func(txn.Closing) (txn.Totals, txn.Verdict, txn.Verdict, error)
	upload   func([]txn.Txn) error
	end      func(txn.Closing) error
	details  []txn.ID
	requests int
	told     int
	asked    int
	ended    int
	enquire  func() (txn.Enquiry, error)
	enquired int
}

func (*host) SignedIn() bool { return true }
func (h *host) SignIn(context.Context) error {
	if h.signIn == nil {
		return nil
	}
	return h.signIn()
}
func (*host) Hangup() error { return nil }

func (h *host) Request(_ context.Context, x txn.Txn, _ txn.Presented) (txn.Answer, txn.Evidence, error) {
	h.requests++
	if h.approve == nil {
		return txn.Answer{Code: "00", Approved: true, HostDate: "1121"}, txn.Evidence{Written: 200, Total: 200}, nil
	}
	a, err := h.approve(x)
	return a, txn.Evidence{Written: 200, Total: 200}, err
}

func (h *host) Advise(_ context.Context, x txn.Txn) (txn.Answer, txn.Evidence, error) {
	h.told++
	if h.advise == nil {
		return txn.Answer{Code: "00", Approved: true, HostDate: "1121"}, txn.Evidence{Written: 200, Total: 200}, nil
	}
	a, err := h.advise(x)
	return a, txn.Evidence{Written: 200, Total: 200}, err
}

// errCode is a refusal as the acquirer's room gives it.
type errCode string

func (e errCode) Error() string        { return "refused with " + string(e) }
func (e errCode) ResponseCode() string { return string(e) }

func (h *host) Settle(_ context.Context, c txn.Closing) (txn.Totals, txn.Verdict, txn.Verdict, error) {
	h.asked++
	if h.settle == nil {
		return c.Own, txn.Balanced, txn.Balanced, nil
	}
	return h.settle(c)
}

func (h *host) Enquire(_ context.Context, c txn.Currency, p txn.Presented) (txn.Enquiry, error) {
	h.enquired++
	if h.enquire == nil {
		return txn.Enquiry{Card: p.Card, Answer: txn.Answer{Code: "00", Approved: true}, Balances: []txn.Balance{{Account: "00", Type: "02", Currency: c, Amount: 498750}}}, nil
	}
	return h.enquire()
}

func (h *host) Upload(_ context.Context, _ txn.Closing, block []txn.Txn) error {
	if h.upload != nil {
		if err := h.upload(block); err != nil {
			return err
		}
	}
	for _, x := range block {
		h.details = append(h.details, x.ID)
	}
	return nil
}

func (h *host) EndBatch(_ context.Context, c txn.Closing) error {
	h.ended++
	if h.end == nil {
		return nil
	}
	return h.end(c)
}

func (h *host) Reverse(_ context.Context, x txn.Txn) (txn.Answer, txn.Evidence, error) {
	if h.reverse == nil {
		return txn.Answer{Code: "00", Approved: true}, txn.Evidence{}, nil
	}
	a, err := h.reverse(x)
	return a, txn.Evidence{}, err
}

// brittle is the store with a disk that can fail: the next step to a state it is told of is refused, and not made.
type brittle struct {
	*txnstore.Store
	breaks txn.State
	blind  bool // nothing can be read
	unable error
}

func (b *brittle) Able() error {
	if b.unable != nil {
		return b.unable
	}
	return b.Store.Able()
}

func (b *brittle) ByReference(reference string) (txn.Txn, bool, error) {
	if b.blind {
		return txn.Txn{}, false, errDisk
	}
	return b.Store.ByReference(reference)
}

var errDisk = errors.New("input/output error")

func (b *brittle) Begin(d txn.Draft) (txn.Txn, error) {
	if b.breaks == txn.Pending {
		b.breaks = ""
		return txn.Txn{}, errDisk
	}
	return b.Store.Begin(d)
}

func (b *brittle) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	if b.breaks == next {
		b.breaks = ""
		x, _ := b.Get(id)
		return x, errDisk
	}
	return b.Store.Advance(id, next, change)
}

func TestNothingIsSentBeforeItIsDurable(t *testing.T) {
	c := newCounter(t, Options{})
	c.host.approve = func(x txn.Txn) (txn.Answer, error) {
		stored, err := c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Pending, stored.State)
		assert.Equal(t, x.STAN, stored.STAN)
		return txn.Answer{Code: "00", Approved: true}, nil
	}
	x, err := c.sell(1250)
	require.NoError(t, err)
	assert.Equal(t, txn.Approved, x.State)
	assert.Len(t, c.paper, 2)
}

// A decline that cannot be recorded leaves a record that owes a reversal: it was begun, and that is what is said.
func TestADeclineThatCannotBeRecordedIsNotARefusal(t *testing.T) {
	c := newCounter(t, Options{})
	c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "51"}, nil }
	c.store.breaks = txn.Declined
	x, err := c.sell(1250)
	require.ErrorIs(t, err, errDisk)
	assert.Equal(t, txn.Pending, x.State)
	require.NoError(t, c.Recover(t.Context()))
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Reversed, x.State)
}

// A store that could not record a sale refuses it before a card is asked for.
func TestNoCardIsAskedForWhenNothingCanBeRecorded(t *testing.T) {
	c := newCounter(t, Options{})
	c.store.unable = fmt.Errorf("full: %w", errDisk)
	var stages []words.Stage
	_, err := c.Sale(t.Context(), Order{Amount: 100, Reference: "r", Progress: func(e Event) { stages = append(stages, e.Stage) }})
	require.ErrorIs(t, err, errDisk)
	assert.Empty(t, stages)
	assert.Zero(t, c.host.requests)
}

func TestNothingIsSentWhenItCannotBeRecorded(t *testing.T) {
	c := newCounter(t, Options{})
	c.store.breaks = txn.Pending
	_, err := c.sell(1250)
	require.ErrorIs(t, err, errDisk)
	assert.Zero(t, c.host.requests)
}

func TestAnApprovalThatCannotBeRecordedIsUndoneAndNeverShown(t *testing.T) {
	c := newCounter(t, Options{})
	c.store.breaks = txn.Approved
	var shown []words.Stage
	x, err := c.Sale(t.Context(), Order{Amount: 1250, Reference: "a", Progress: func(e Event) { shown = append(shown, e.Stage) }})
	require.NoError(t, err)
	assert.Equal(t, txn.Reversing, x.State)
	assert.Equal(t, txn.NotDone, x.Reason)
	assert.NotContains(t, shown, words.Held)
	assert.Empty(t, c.paper)
	require.NoError(t, c.Recover(t.Context()))
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Reversed, x.State)
	assert.Equal(t, []string{"reversed merchant 000001 false"}, c.paper)
}

func TestAStoreThatCannotBeReadNeverSaysNothingWasCharged(t *testing.T) {
	c := newCounter(t, Options{})
	c.store.blind = true
	_, err := c.sell(1250)
	var unreadable *UnreadableError
	require.ErrorAs(t, err, &unreadable)
	assert.Zero(t, c.host.requests)
}

// Whatever step of the outcome the disk refuses, the record stays open and the next round reverses it.
func TestAnOutcomeThatCannotBeRecordedIsReversedInTheEnd(t *testing.T) {
	for state, answer := range map[txn.State]func(txn.Txn) (txn.Answer, error){
		txn.Declined:  func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "51"}, nil },
		txn.Reversing: func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errors.New("silence") },
		txn.Abandoned: func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, txn.ErrNotSent },
	} {
		c := newCounter(t, Options{})
		c.host.approve = answer
		c.store.breaks = state
		x, err := c.sell(1250)
		require.ErrorIs(t, err, errDisk, state)
		assert.Equal(t, words.OutcomeUnknown, words.OutcomeOf(x.State), state)
		require.NoError(t, c.Recover(t.Context()), state)
		x, err = c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, txn.Reversed, x.State, state)
	}
}

func TestEveryTryIsCountedBeforeItIsMade(t *testing.T) {
	c := newCounter(t, Options{ReversalTries: 3})
	c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errors.New("silence") }
	tries := 0
	c.host.reverse = func(x txn.Txn) (txn.Answer, error) {
		tries++
		stored, err := c.store.Get(x.ID)
		require.NoError(t, err)
		assert.Equal(t, tries, stored.Tries.Made)
		return txn.Answer{}, errors.New("silence")
	}
	x, err := c.sell(1250)
	require.NoError(t, err)
	assert.Equal(t, txn.Reversing, x.State)
	var owed *OwedError
	require.ErrorAs(t, c.Recover(t.Context()), &owed)
	require.NoError(t, c.Recover(t.Context()), "after the third try people must look, and the shop goes on")
	x, err = c.store.Get(x.ID)
	require.NoError(t, err)
	assert.Equal(t, txn.Suspense, x.State)
	assert.Equal(t, 3, tries)
}

func TestOriginalNotFoundProvesNothingOnAnotherDay(t *testing.T) {
	for _, sameDay := range []bool{true, false} {
		c := newCounter(t, Options{})
		c.host.approve = func(x txn.Txn) (txn.Answer, error) {
			return txn.Answer{}, errors.New("silence")
		}
		c.host.reverse = func(x txn.Txn) (txn.Answer, error) {
			if sameDay {
				return txn.Answer{Code: "25", Approved: true, HostDate: x.Began.Local().Format("0102")}, nil
			}
			return txn.Answer{Code: "25", Approved: true, HostDate: x.Began.Local().AddDate(0, 0, 1).Format("0102")}, nil
		}
		x, err := c.sell(1250)
		require.NoError(t, err)
		want := txn.Reversed
		if !sameDay {
			want = txn.Suspense
		}
		assert.Equal(t, want, x.State)
	}
}

func TestTooMuchSuspenseStopsTheShop(t *testing.T) {
	c := newCounter(t, Options{ReversalTries: 1, MaxSuspense: 2, Lookalike: time.Nanosecond})
	c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errors.New("silence") }
	c.host.reverse = func(txn.Txn) (txn.Answer, error) { return txn.Answer{}, errors.New("silence") }
	for range 2 {
		x, err := c.sell(1250)
		require.NoError(t, err)
		require.Equal(t, txn.Suspense, x.State)
	}
	_, err := c.sell(1250)
	require.ErrorIs(t, err, ErrSuspense)
}

func TestACancelBetweenCardAndRecordSendsNothing(t *testing.T) {
	c := newCounter(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Sale(ctx, Order{Amount: 1250, Reference: "a", Progress: func(e Event) {
		if e.Stage == words.CardRead {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, c.host.requests)
	owed, err := c.store.Owed()
	require.NoError(t, err)
	assert.Empty(t, owed)
}

func TestACancelAfterTheRecordChangesNothing(t *testing.T) {
	c := newCounter(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	x, err := c.Sale(ctx, Order{Amount: 1250, Reference: "a", Progress: func(e Event) {
		if e.Stage == words.Recorded {
			cancel()
		}
	}})
	require.NoError(t, err)
	assert.Equal(t, txn.Approved, x.State)
}

// Balance is the counter's printer, which may be out of paper.
func (c *counter) Balance(_ context.Context, e txn.Enquiry) error {
	if c.jammed != nil {
		return c.jammed
	}
	c.paper = append(c.paper, fmt.Sprintf("balance %d", e.Balances[0].Amount))
	return nil
}
