package txnstore

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func TestASaleSurvivesAPowerCutAfterEveryStep(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	same := func(want txn.Txn) {
		t.Helper()
		next, report := after(t, s)
		got, err := next.Get(want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.Empty(t, report.Findings)
		byRef, ok, err := next.ByReference(want.Reference)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, want, byRef)
		assert.Equal(t, want.State.Owes() != txn.Nothing, report.Owed == 1)
		assert.Equal(t, s.Boot()+1, next.Boot())
	}
	r := mustBegin(t, s, "till-1")
	assert.Equal(t, txn.ID(1), r.ID)
	assert.Equal(t, uint32(1), r.STAN)
	assert.Equal(t, txn.Pending, r.State)
	assert.Equal(t, "104110048160001", r.Merchant)
	assert.Equal(t, draft("till-1").Card, r.Card)
	same(r)
	r = mustAdvance(t, s, r.ID, txn.Authorized, approve)
	same(r)
	r, err := s.Update(r.ID, func(x *txn.Txn) { x.Tries.Made++ })
	require.NoError(t, err)
	same(r)
	r = mustAdvance(t, s, r.ID, txn.Approved, nil)
	assert.Equal(t, uint32(4), r.Gen)
	same(r)
	require.NoError(t, s.archiveFinished())
	same(r)
	r, err = s.Update(r.ID, printed)
	require.NoError(t, err)
	same(r)
	events := []string{}
	for _, line := range r.Journal {
		events = append(events, line.Event)
	}
	assert.Equal(t, []string{"pending", "pending → authorized", "authorized → approved"}, events)
}

func TestOnlyTheStepsOfThePictureAreTaken(t *testing.T) {
	t.Parallel()
	pathTo := map[txn.State][]txn.State{
		txn.Pending: nil, txn.Abandoned: {txn.Abandoned}, txn.Declined: {txn.Declined}, txn.Authorized: {txn.Authorized},
		txn.Approved: {txn.Approved}, txn.Reversing: {txn.Reversing}, txn.Reversed: {txn.Reversing, txn.Reversed},
		txn.Suspense: {txn.Reversing, txn.Suspense}, txn.Resolved: {txn.Reversing, txn.Suspense, txn.Resolved},
	}
	for from, path := range pathTo {
		for _, to := range txn.States() {
			for _, archived := range []bool{false, true} {
				s := openQuiet(t, quickDir(t))
				r := mustBegin(t, s, "ref")
				for _, step := range path {
					r = mustAdvance(t, s, r.ID, step, nil)
				}
				if archived {
					require.NoError(t, s.archiveFinished())
				}
				got, err := s.Advance(r.ID, to, nil)
				if from.CanBecome(to) {
					require.NoError(t, err)
					assert.Equal(t, to, got.State)
				} else {
					require.ErrorIs(t, err, ErrStep, "%s to %s", from, to)
					kept, err := s.Get(r.ID)
					require.NoError(t, err)
					assert.Equal(t, r, kept)
				}
				require.NoError(t, s.Close())
			}
		}
	}
}

func TestAReferenceIsUsedOnce(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	first := sell(t, s, "till-1")
	again, err := s.Begin(draft("till-1"))
	require.ErrorIs(t, err, ErrReference)
	assert.Equal(t, first, again)
	require.NoError(t, s.archiveFinished())
	again, err = s.Begin(draft("till-1"))
	require.ErrorIs(t, err, ErrReference)
	assert.Equal(t, first, again)
	assert.Equal(t, txn.ID(2), mustBegin(t, s, "till-2").ID, "a refused draft uses no number")
	_, ok, err := s.ByReference("till-3")
	require.NoError(t, err)
	assert.False(t, ok)
	_, ok, err = s.ByReference(strings.Repeat("x", 70000))
	require.NoError(t, err)
	assert.False(t, ok)
}

func TestAChangeMayNotTouchWhatIdentifiesATransaction(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	r := mustBegin(t, s, "till-1")
	other, err := txn.ParsePAN("4242424242424242")
	require.NoError(t, err)
	for name, change := range map[string]func(*txn.Txn){
		"id": func(x *txn.Txn) { x.ID++ }, "gen": func(x *txn.Txn) { x.Gen++ }, "boot": func(x *txn.Txn) { x.Boot++ },
		"terminal": func(x *txn.Txn) { x.Terminal = "X" }, "kind": func(x *txn.Txn) { x.Kind = "refund" },
		"state": func(x *txn.Txn) { x.State = txn.Approved }, "reference": func(x *txn.Txn) { x.Reference = "y" },
		"batch": func(x *txn.Txn) { x.Batch++ }, "stan": func(x *txn.Txn) { x.STAN++ }, "amount": func(x *txn.Txn) { x.Amount++ },
		"currency": func(x *txn.Txn) { x.Currency.Number = "840" }, "card": func(x *txn.Txn) { x.Card.PAN = other },
		"expiry": func(x *txn.Txn) { x.Card.Expiry = "3101" }, "end boot": func(x *txn.Txn) { x.EndBoot++ },
		"began": func(x *txn.Txn) { x.Began = x.Began.Add(time.Hour) }, "ended": func(x *txn.Txn) { x.Ended = x.Began },
	} {
		_, err := s.Update(r.ID, change)
		assert.ErrorIs(t, err, ErrIdentity, name)
		_, err = s.Mark(r.ID, change)
		assert.ErrorIs(t, err, ErrIdentity, name)
		_, err = s.Advance(r.ID, txn.Declined, change)
		assert.ErrorIs(t, err, ErrIdentity, name)
	}
	kept, err := s.Get(r.ID)
	require.NoError(t, err)
	assert.Equal(t, r, kept)
	_, err = s.Update(99, nil)
	assert.ErrorIs(t, err, ErrNotFound)
}

func TestWhatTheStoreReturnsIsACopy(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	r := mustBegin(t, s, "till-1")
	r.Journal[0].Event = "scribbled"
	list, err := s.List(1)
	require.NoError(t, err)
	list[0].Journal[0].Event = "scribbled"
	_, err = s.Mark(r.ID, func(x *txn.Txn) { x.Journal[0].Event = "changed" })
	require.NoError(t, err)
	got, err := s.Get(r.ID)
	require.NoError(t, err)
	assert.Equal(t, "changed", got.Journal[0].Event)
}

func TestADraftThatCannotBeStoredIsRefused(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for name, spoil := range map[string]func(*txn.Draft){
		"no amount":        func(d *txn.Draft) { d.Amount = 0 },
		"no card":          func(d *txn.Draft) { d.Card.PAN = txn.PAN{} },
		"long operator":    func(d *txn.Draft) { d.Operator = strings.Repeat("9", maxOperator+1) },
		"long expiry":      func(d *txn.Draft) { d.Card.Expiry = "30123" },
		"long application": func(d *txn.Draft) { d.Card.AID = strings.Repeat("A", 33) },
		"track in chip":    func(d *txn.Draft) { d.Card.Chip = txn.NewChip([]byte{0x57, 2, 0x62, 0x24}) },
		"number in chip":   func(d *txn.Draft) { d.Card.Chip = txn.NewChip([]byte{0x77, 4, 0x5A, 2, 0x62, 0x24}) },
		"torn chip":        func(d *txn.Draft) { d.Card.Chip = txn.NewChip([]byte{0x9F, 0x10, 9, 1}) },
		"long chip":        func(d *txn.Draft) { d.Card.Chip = txn.NewChip(make([]byte, maxChip+1)) },
	} {
		d := draft("till-1")
		spoil(&d)
		_, err := s.Begin(d)
		assert.ErrorIs(t, err, ErrRecord, name)
	}
	r := mustBegin(t, s, "till-1")
	assert.Equal(t, txn.ID(1), r.ID)
	assert.Equal(t, uint32(1), r.STAN)
}

func TestFiveOpenTransactionsAreTheLimit(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for n := range hotSlots {
		mustBegin(t, s, refNumber(n))
	}
	_, err := s.Begin(draft("one-more"))
	require.ErrorIs(t, err, ErrFull)
	next, report := after(t, s)
	assert.Equal(t, hotSlots, report.Owed)
	_, err = next.Begin(draft("one-more"))
	require.ErrorIs(t, err, ErrFull)
	mustAdvance(t, next, 3, txn.Declined, nil)
	assert.Equal(t, txn.ID(6), mustBegin(t, next, "one-more").ID)
	owed, err := next.Owed()
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{1, 2, 4, 5, 6}, ids(owed))
}

func TestSuspenseLeavesItsSlotAndStaysOwed(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for n := range 8 {
		r := mustBegin(t, s, refNumber(n))
		mustAdvance(t, s, r.ID, txn.Reversing, func(x *txn.Txn) { x.Reason = txn.NoAnswer })
		mustAdvance(t, s, r.ID, txn.Suspense, nil)
		require.NoError(t, s.Tidy())
	}
	next, report := after(t, s)
	assert.Equal(t, 8, report.Owed)
	mustAdvance(t, next, 2, txn.Resolved, nil)
	mustAdvance(t, next, 5, txn.Reversed, nil)
	owed, err := next.Owed()
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{1, 3, 4, 6, 7, 8}, ids(owed))
	listed, err := next.files.archive.index(owedBucket)
	require.NoError(t, err)
	assert.Equal(t, ids(owed), listed, "what is closed is no longer read for it")
	_, report = after(t, next)
	assert.Equal(t, 6, report.Owed)
}

func TestAMarkRidesWithTheNextCommit(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	r := mustBegin(t, s, "till-1")
	mustAdvance(t, s, r.ID, txn.Approved, approve)
	paper := func(s *Store) []txn.ID {
		list, err := s.OwedPaper()
		require.NoError(t, err)
		return ids(list)
	}
	assert.Equal(t, []txn.ID{1}, paper(s))
	_, err := s.Mark(r.ID, printed)
	require.NoError(t, err)
	assert.Empty(t, paper(s), "known here at once")
	cut, _ := after(t, s)
	assert.Equal(t, []txn.ID{1}, paper(cut), "and lost with the power")
	mustBegin(t, s, "till-2")
	cut, report := after(t, s)
	assert.Empty(t, paper(cut), "but not once something else was committed")
	assert.Empty(t, report.Findings, "a mark that shadow has not seen is no disagreement")
}

func TestAMarkInTheArchiveRidesWithTidy(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	r := mustBegin(t, s, "till-1")
	mustAdvance(t, s, r.ID, txn.Approved, approve)
	require.NoError(t, s.archiveFinished())
	marked, err := s.Mark(r.ID, printed)
	require.NoError(t, err)
	list, err := s.OwedPaper()
	require.NoError(t, err)
	assert.Empty(t, list)
	listed, err := s.List(5)
	require.NoError(t, err)
	assert.Equal(t, []txn.Txn{marked}, listed)
	require.NoError(t, s.Tidy())
	cut, _ := after(t, s)
	list, err = cut.OwedPaper()
	require.NoError(t, err)
	assert.Empty(t, list)
	_, err = cut.Mark(r.ID, func(x *txn.Txn) { x.SetSlip(txn.CustomerCopy, txn.SlipOwed) })
	require.NoError(t, err)
	list, err = cut.OwedPaper()
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{1}, ids(list), "a slip asked for again")
}

func TestManyMarksDoNotPileUp(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for n := range maxMarks + 8 {
		r := mustBegin(t, s, refNumber(n))
		mustAdvance(t, s, r.ID, txn.Approved, approve)
	}
	require.NoError(t, s.archiveFinished())
	for n := range maxMarks + 8 {
		_, err := s.Mark(txn.ID(n+1), printed)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(s.marks), maxMarks)
	}
	list, err := s.OwedPaper()
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestNumbersNeverRunBackwards(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	assert.Equal(t, uint32(1), mustBegin(t, s, "a").STAN)
	stan, err := s.NextSTAN()
	require.NoError(t, err)
	assert.Equal(t, uint32(2), stan)
	s, _ = after(t, s)
	assert.Equal(t, uint32(3), mustBegin(t, s, "b").STAN)
	require.NoError(t, s.AdoptBatch(7))
	require.NoError(t, s.AdoptBatch(7))
	assert.ErrorIs(t, s.AdoptBatch(6), ErrBatch)
	assert.ErrorIs(t, s.AdoptBatch(0), ErrBatch)
	assert.ErrorIs(t, s.AdoptBatch(1_000_000), ErrBatch)
	s, _ = after(t, s)
	assert.Equal(t, uint32(7), s.Batch())
	r := mustBegin(t, s, "c")
	assert.Equal(t, uint32(4), r.STAN, "a new batch goes on counting")
	assert.Equal(t, uint32(7), r.Batch)
	s.count.Serial = maxSTAN - 1
	assert.Equal(t, uint32(maxSTAN), mustBegin(t, s, "d").STAN)
	s, _ = after(t, s)
	assert.Equal(t, uint32(1), mustBegin(t, s, "e").STAN)
	s, _ = after(t, s)
	stan, err = s.NextSTAN()
	require.NoError(t, err)
	assert.Equal(t, uint32(2), stan)
}

func TestListsAreInOrderAcrossSlotsAndArchive(t *testing.T) {
	t.Parallel()
	s := openQuiet(t, quickDir(t))
	old := mustBegin(t, s, "stays-open")
	for n := range 3 * pageOf {
		sell(t, s, refNumber(n))
		require.NoError(t, s.Tidy())
	}
	var want []txn.ID
	for n := range 3*pageOf + 1 {
		want = append(want, txn.ID(n+1))
	}
	var got []txn.ID
	require.NoError(t, s.Since(1, func(r txn.Txn) error {
		again, err := s.Get(r.ID)
		require.NoError(t, err, "a visitor may use the store")
		assert.Equal(t, again, r)
		got = append(got, r.ID)
		return nil
	}))
	assert.Equal(t, want, got)
	list, err := s.List(7)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{193, 192, 191, 190, 189, 188, 187}, ids(list))
	list, err = s.List(10_000)
	require.NoError(t, err)
	assert.Len(t, list, len(want))
	assert.Equal(t, old.ID, list[len(list)-1].ID)
	got = nil
	require.NoError(t, s.Since(190, func(r txn.Txn) error { got = append(got, r.ID); return nil }))
	assert.Equal(t, []txn.ID{190, 191, 192, 193}, got)
	enough := errors.New("enough")
	assert.ErrorIs(t, s.Since(1, func(txn.Txn) error { return enough }), enough)
}

func TestManyGoroutinesUseOneStore(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for n := range 10 {
				r, err := s.Begin(draft(refNumber(100*g + n)))
				if assert.NoError(t, err) {
					_, err = s.Advance(r.ID, txn.Approved, approve)
					assert.NoError(t, err)
					_, err = s.Mark(r.ID, printed)
					assert.NoError(t, err)
				}
				_, err = s.Owed()
				assert.NoError(t, err)
				assert.NoError(t, s.Tidy())
			}
		})
	}
	all.Wait()
	require.NoError(t, s.Close())
	assert.ErrorIs(t, s.Close(), ErrClosed)
	_, err := s.Get(1)
	assert.ErrorIs(t, err, ErrClosed)
	next := openQuiet(t, dir)
	list, err := next.List(100)
	require.NoError(t, err)
	assert.Len(t, list, 40)
	paper, err := next.OwedPaper()
	require.NoError(t, err)
	assert.Empty(t, paper, "Close commits what waited to ride")
}

func TestADirectoryIsMadeWhenThereIsNone(t *testing.T) {
	dir := filepath.Join(quickDir(t), "var", "store")
	s, report := mustOpen(t, dir)
	assert.True(t, report.New)
	assert.Equal(t, uint32(1), report.Boot)
	require.NoError(t, s.Close())
	s, report = mustOpen(t, dir)
	assert.False(t, report.New)
	assert.Empty(t, report.Findings)
	require.NoError(t, s.Close())
}
