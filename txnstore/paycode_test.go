package txnstore

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// paidBy is a draft of a sale by the n-th payment code.
func paidBy(reference string, n byte) txn.Draft {
	d := draft(reference)
	d.Card, d.Code = txn.Card{Entry: txn.Scanned}, txn.NewCode("wechat", "13************6789", txn.Fingerprint{1, 2, n})
	return d
}

// refused holds a code against the books under another reference.
func refused(t *testing.T, s *Store, n byte, by txn.Txn) {
	t.Helper()
	first, err := s.Begin(paidBy(fmt.Sprintf("again with code %d, %p", n, s), n))
	require.ErrorIs(t, err, txn.ErrCodeUsed)
	assert.Equal(t, by.ID, first.ID)
	assert.Equal(t, by.Reference, first.Reference)
	assert.Equal(t, by.State, first.State)
}

// Whatever became of the sale that a code was submitted under: no other order gets the code. In slots, in the archive, after a
// restart, and in files that were built anew.
func TestAPaymentCodeIsBegunUnderOneOrder(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	ends := map[txn.State]func(id txn.ID) txn.Txn{
		txn.Pending:   func(id txn.ID) txn.Txn { x, err := s.Get(id); require.NoError(t, err); return x },
		txn.Approved:  func(id txn.ID) txn.Txn { return mustAdvance(t, s, id, txn.Approved, approve) },
		txn.Declined:  func(id txn.ID) txn.Txn { return mustAdvance(t, s, id, txn.Declined, nil) },
		txn.Abandoned: func(id txn.ID) txn.Txn { return mustAdvance(t, s, id, txn.Abandoned, nil) },
		txn.Reversing: func(id txn.ID) txn.Txn { return mustAdvance(t, s, id, txn.Reversing, nil) },
		txn.Reversed: func(id txn.ID) txn.Txn {
			mustAdvance(t, s, id, txn.Reversing, nil)
			return mustAdvance(t, s, id, txn.Reversed, nil)
		},
		txn.Suspense: func(id txn.ID) txn.Txn {
			mustAdvance(t, s, id, txn.Reversing, nil)
			return mustAdvance(t, s, id, txn.Suspense, nil)
		},
	}
	began, n := map[byte]txn.Txn{}, byte(0)
	for _, state := range []txn.State{txn.Approved, txn.Declined, txn.Abandoned, txn.Reversed, txn.Suspense, txn.Reversing, txn.Pending} {
		n++
		x, err := s.Begin(paidBy(string(state), n))
		require.NoError(t, err)
		refused(t, s, n, x)
		again, err := s.Begin(paidBy(string(state), n)) // the reference is asked first: the same order is the same order
		require.ErrorIs(t, err, ErrReference)
		assert.Equal(t, x.ID, again.ID)
		began[n] = ends[state](x.ID)
		refused(t, s, n, began[n])
	}
	void := draft("a void")
	void.Kind, void.Original, void.Approver = txn.Void, began[1].Of(), "00"
	void.Card, void.Code = txn.Card{Entry: txn.Scanned}, began[1].Code.Undone()
	x, err := s.Begin(void)
	require.NoError(t, err, "what undoes a sale submits no code")
	mustAdvance(t, s, x.ID, txn.Approved, approve)
	everywhere := func() {
		t.Helper()
		for n, first := range began {
			refused(t, s, n, first)
			x, err := s.Get(first.ID)
			require.NoError(t, err)
			assert.True(t, x.Code.Equal(first.Code))
			assert.True(t, x.Card.PAN.IsZero())
		}
	}
	everywhere()
	for n := range 12 { // which moves what is finished into the archive
		mustAdvance(t, s, mustBegin(t, s, fmt.Sprintf("card %d", n)).ID, txn.Declined, nil)
		require.NoError(t, s.MakeRoom())
	}
	everywhere()
	restart := func(names ...string) {
		t.Helper()
		require.NoError(t, s.Close())
		wreck(t, dir, names...)
		s, _ = mustOpen(t, dir)
		everywhere()
		count, err := s.Recount()
		require.NoError(t, err)
		assert.True(t, count.Agrees())
	}
	restart()
	restart(shadowName)
	restart(hotName)
	restart(archiveName)
	require.NoError(t, s.Close())
	health, err := Check(dir, testOptions())
	require.NoError(t, err)
	for _, h := range health {
		assert.Equal(t, Healthy, h.Verdict, "%v", h.Findings)
	}
}

// As long as the record is kept, and no longer.
func TestAPrunedPaymentCodeIsForgotten(t *testing.T) {
	dir := quickDir(t)
	o := testOptions()
	o.Keep = Keep{Batches: 1}
	s, _, err := Open(dir, o)
	require.NoError(t, err)
	defer s.Close()
	x, err := s.Begin(paidBy("old", 1))
	require.NoError(t, err)
	mustAdvance(t, s, x.ID, txn.Declined, nil)
	require.NoError(t, s.AdoptBatch(3))
	for n := range 80 { // until no block of shadow and no slot shows it
		mustAdvance(t, s, mustBegin(t, s, fmt.Sprintf("card %d", n)).ID, txn.Declined, nil)
		require.NoError(t, s.Tidy())
	}
	_, err = s.Get(x.ID)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.Begin(paidBy("new", 1))
	require.NoError(t, err)
}

// The index is held against the records, and a code whose record was lost stays refused.
func TestAPaymentCodeWithoutItsIndexIsMissed(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	x, err := s.Begin(paidBy("first", 1))
	require.NoError(t, err)
	x = mustAdvance(t, s, x.ID, txn.Declined, nil)
	for n := range 5 {
		mustAdvance(t, s, mustBegin(t, s, fmt.Sprintf("card %d", n)).ID, txn.Declined, nil)
		require.NoError(t, s.MakeRoom())
	}
	require.NoError(t, s.Close())
	tamper := func(change func(refs *bolt.Bucket) error) {
		db, err := bolt.Open(filepath.Join(dir, archiveName), 0o600, &bolt.Options{Timeout: time.Second, PageSize: pageSize})
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bolt.Tx) error { return change(tx.Bucket(refBucket)) }))
		require.NoError(t, db.Close())
	}
	tamper(func(refs *bolt.Bucket) error { return refs.Delete(codeKey(x.Code.Print())) })
	health, err := Check(dir, testOptions())
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(health), "payment code")
	s, report := mustOpen(t, dir)
	require.NotEmpty(t, report.Findings)
	refused(t, s, 1, x)
	require.NoError(t, s.Close())
}

// A code whose record is lost with its page stays refused: the order that had it may have been charged.
func TestAPaymentCodeOutlivesItsRecord(t *testing.T) {
	dir := worn(t, 5)
	s, _ := mustOpen(t, dir)
	x, err := s.Begin(paidBy("first", 1))
	require.NoError(t, err)
	mustAdvance(t, s, x.ID, txn.Declined, nil)
	for n := range 60 {
		sell(t, s, fmt.Sprintf("later-%d", n))
		require.NoError(t, s.MakeRoom())
	}
	require.NoError(t, s.Close())
	path := filepath.Join(dir, archiveName)
	page := pageHolding(t, path, x.ID)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(make([]byte, pageSize), int64(page)*pageSize)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, Suspect(dir))
	s, report := mustOpen(t, dir)
	says(t, report, "nothing can be read of transaction")
	_, err = s.Begin(paidBy("second", 1))
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, s.Close())
}

func TestDraftsWithPaymentCodes(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for name, spoil := range map[string]func(*txn.Draft){
		"a card too":             func(d *txn.Draft) { d.Card = draft("").Card },
		"nothing of either":      func(d *txn.Draft) { d.Code = txn.Code{} },
		"no fingerprint":         func(d *txn.Draft) { d.Code = d.Code.Undone() },
		"a hold":                 func(d *txn.Draft) { d.Kind = txn.PreAuth },
		"a platform without end": func(d *txn.Draft) { d.Code = txn.NewCode(fmt.Sprintf("%040d", 1), "", txn.Fingerprint{9}) },
	} {
		d := paidBy(name, 9)
		spoil(&d)
		_, err := s.Begin(d)
		require.ErrorIs(t, err, ErrRecord, name)
	}
	fullest := paidBy(fmt.Sprintf("%040d", 1), 9)
	fullest.Code = txn.NewCode(fmt.Sprintf("%032d", 1), fmt.Sprintf("%032d", 1), txn.Fingerprint{9})
	x, err := s.Begin(fullest)
	require.NoError(t, err)
	x = mustAdvance(t, s, x.ID, txn.Reversing, approve)
	assert.Equal(t, fullest.Code.Platform(), x.Code.Platform())
}
