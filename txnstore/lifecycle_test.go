package txnstore

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// unpack lays out a store that an earlier release left (testdata/stores/README.md).
func unpack(t *testing.T, name string) (dir string, o *Options) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", "stores", name))
	require.NoError(t, err)
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	require.NoError(t, err)
	dir = quickDir(t)
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(files)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), content, 0o600))
	}
	return dir, &Options{Terminal: "30010001", Merchant: "898110054110001", Key: bytes.Repeat([]byte{0x5a}, keySize), Now: testOptions().Now}
}

// ofV1 is what v1.tar.gz holds.
var ofV1 = []Total{
	{Batch: 1, Currency: "156", Approved: Sum{8, 8036}, Open: Sum{1, 1011}, Void: Sum{2, 2019}},
	{Batch: 2, Currency: "156", Approved: Sum{5, 5070}, Open: Sum{1, 1018}, Void: Sum{1, 1017}},
}

func TestAStoreOfSchemaOneIsReadAndBroughtForward(t *testing.T) {
	dir, o := unpack(t, "v1.tar.gz")
	v, err := View(dir, o)
	require.NoError(t, err)
	count, err := v.Recount()
	require.NoError(t, err)
	assert.Equal(t, ofV1, count.Counted)
	assert.True(t, count.Agrees(), "a reader changes nothing and still has totals")
	require.NoError(t, v.Close())

	s, report, err := Open(dir, o)
	require.NoError(t, err)
	assert.Contains(t, report.Findings, "the store was brought from schema 1 to 6")
	assert.Equal(t, 2, report.Owed)
	assert.Zero(t, report.Bad)
	for n := 1; n <= 18; n++ {
		x, found, err := s.ByReference(fmt.Sprintf("till-7-%04d", n))
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, txn.Amount(1000+n), x.Amount)
	}
	count, err = s.Recount()
	require.NoError(t, err)
	assert.Equal(t, Recount{ofV1, ofV1, 18, 0}, count)
	require.NoError(t, s.Close())
	_, report, err = Open(dir, o)
	require.NoError(t, err)
	assert.Empty(t, report.Findings, "once")
}

// ofV2 is what v2.tar.gz holds.
var ofV2 = []Total{
	{Batch: 1, Currency: "156", Approved: Sum{6, 6021}, Open: Sum{1, 1009}, Void: Sum{2, 2015}},
	{Batch: 2, Currency: "156", Approved: Sum{4, 4046}, Open: Sum{1, 1015}, Void: Sum{1, 1014}},
}

func TestAStoreOfSchemaTwoIsReadAndBroughtForward(t *testing.T) {
	dir, o := unpack(t, "v2.tar.gz")
	v, err := View(dir, o)
	require.NoError(t, err)
	count, err := v.Recount()
	require.NoError(t, err)
	assert.Equal(t, Recount{ofV2, ofV2, 15, 0}, count)
	require.NoError(t, v.Close())

	s, report, err := Open(dir, o)
	require.NoError(t, err)
	assert.Contains(t, report.Findings, "the store was brought from schema 2 to 6")
	assert.Equal(t, 2, report.Owed)
	for n := 1; n <= 15; n++ {
		x, found, err := s.ByReference(fmt.Sprintf("till-7-%04d", n))
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, txn.Sale, x.Kind)
		assert.Equal(t, txn.Original{}, x.Original)
	}
	sale, found, err := s.ByVoucher(2, 10)
	require.NoError(t, err)
	require.True(t, found)
	d := draft("a void of an old sale")
	d.Kind, d.Original, d.Approver, d.Amount = txn.Void, sale.Of(), "00", sale.Amount
	void, err := s.Begin(d)
	require.NoError(t, err)
	mustAdvance(t, s, void.ID, txn.Approved, approve)
	count, err = s.Recount()
	require.NoError(t, err)
	want := append([]Total{}, ofV2...)
	want = append(want, Total{Batch: 2, Currency: "156", Credit: true, Approved: Sum{1, sale.Amount}})
	assert.Equal(t, Recount{want, want, 16, 0}, count)
	require.NoError(t, s.Close())
	_, report, err = Open(dir, o)
	require.NoError(t, err)
	assert.Empty(t, report.Findings, "once")
}

// ofV3 is what v3.tar.gz holds.
var ofV3 = []Total{
	{Batch: 1, Currency: "156", Approved: Sum{5, 5015}, Open: Sum{1, 1008}},
	{Batch: 1, Currency: "156", Credit: true, Approved: Sum{2, 1501}},
	{Batch: 2, Currency: "156", Approved: Sum{1, 1009}, Void: Sum{1, 1010}},
	{Batch: 2, Currency: "156", Credit: true, Open: Sum{2, 1020}},
}

func TestAStoreOfSchemaThreeIsReadAndBroughtForward(t *testing.T) {
	dir, o := unpack(t, "v3.tar.gz")
	v, err := View(dir, o)
	require.NoError(t, err)
	count, err := v.Recount()
	require.NoError(t, err)
	assert.Equal(t, Recount{ofV3, ofV3, 12, 0}, count)
	require.NoError(t, v.Close())

	s, report, err := Open(dir, o)
	require.NoError(t, err)
	assert.Contains(t, report.Findings, "the store was brought from schema 3 to 6")
	assert.Equal(t, 3, report.Owed, "suspense, a refund to be told and a void to be reversed")
	for n := 1; n <= 12; n++ {
		_, found, err := s.ByReference(fmt.Sprintf("till-7-%04d", n))
		require.NoError(t, err)
		require.True(t, found)
	}
	closing, found, err := s.Closing(1)
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, txn.Closed, closing.Step)
	assert.Equal(t, txn.Amount(5015), closing.Own.All().Debit.Amount)

	d := draft("a hold in an old store")
	d.Kind, d.Amount = txn.PreAuth, 50000
	hold, err := s.Begin(d)
	require.NoError(t, err)
	hold = mustAdvance(t, s, hold.ID, txn.Approved, func(x *txn.Txn) { approve(x); x.Answer.HostDate = "0304" })
	d = draft("a notice in an old store")
	d.Kind, d.Amount, d.Original = txn.CompletionNotice, 57500, hold.Of()
	notice, err := s.Begin(d)
	require.NoError(t, err)
	assert.Equal(t, txn.Advising, notice.State)
	assert.Equal(t, txn.SlipOwed, notice.Slips.Customer, "its slip waits for nobody")
	count, err = s.Recount()
	require.NoError(t, err)
	want := append([]Total{}, ofV3...)
	want[2].Open = Sum{1, 57500}
	assert.Equal(t, Recount{want, want, 14, 0}, count, "what is held for later is on no side")
	require.NoError(t, s.Close())
	_, report, err = Open(dir, o)
	require.NoError(t, err)
	assert.NotContains(t, report.Findings, "the store was brought from schema 3 to 6", "once")
}

// ofV4 is what v4.tar.gz holds.
var ofV4 = []Total{
	{Batch: 1, Currency: "156", Approved: Sum{4, 51006}},
	{Batch: 2, Currency: "156", Approved: Sum{2, 2014}, Open: Sum{3, 4021}, Void: Sum{1, 1007}},
}

func TestAStoreOfSchemaFourIsReadAndBroughtForward(t *testing.T) {
	dir, o := unpack(t, "v4.tar.gz")
	v, err := View(dir, o)
	require.NoError(t, err)
	count, err := v.Recount()
	require.NoError(t, err)
	assert.Equal(t, Recount{ofV4, ofV4, 11, 0}, count)
	require.NoError(t, v.Close())

	s, report, err := Open(dir, o)
	require.NoError(t, err)
	assert.Contains(t, report.Findings, "the store was brought from schema 4 to 6")
	assert.Equal(t, 3, report.Owed, "an offline sale to be told, and two sales to be reversed")
	for n := 1; n <= 11; n++ {
		x, found, err := s.ByReference(fmt.Sprintf("till-7-%04d", n))
		require.NoError(t, err)
		require.True(t, found)
		assert.True(t, x.Code.IsZero())
	}
	first, err := s.Begin(paidBy("a code in an old store", 1))
	require.NoError(t, err)
	refused(t, s, 1, first)
	require.NoError(t, s.Close())
	s, report, err = Open(dir, o)
	require.NoError(t, err)
	assert.NotContains(t, report.Findings, "the store was brought from schema 4 to 6", "once")
	refused(t, s, 1, first)
	require.NoError(t, s.Close())
}

// Power lost between the two files of a migration.
func TestAMigrationCutInTheMiddleIsEnded(t *testing.T) {
	dir, o := unpack(t, "v1.tar.gz")
	before, err := os.ReadFile(filepath.Join(dir, shadowName))
	require.NoError(t, err)
	c, err := o.check()
	require.NoError(t, err)
	a, err := openArchive(filepath.Join(dir, archiveName), false, false)
	require.NoError(t, err)
	id, _, _, _, err := a.meta()
	require.NoError(t, err)
	require.Equal(t, uint64(1), id.schema)
	require.NoError(t, a.migrate(1, identity{id.terminal, id.keyCheck, schema}))
	require.NoError(t, a.close())
	require.NotNil(t, c)

	s, _, err := Open(dir, o)
	require.NoError(t, err)
	count, err := s.Recount()
	require.NoError(t, err)
	assert.Equal(t, ofV1, count.Kept)
	require.NoError(t, s.Close())
	after, err := os.ReadFile(filepath.Join(dir, shadowName))
	require.NoError(t, err)
	assert.NotEqual(t, before[identityBlock*pageSize:], after[identityBlock*pageSize:])
}

func TestANewerSchemaIsRefusedAndLeftAlone(t *testing.T) {
	for _, file := range []string{archiveName, shadowName} {
		dir := quickDir(t)
		s, _ := mustOpen(t, dir)
		id := identity{"T1234567", s.codec.seals.keyCheck(), schema + 1}
		if file == archiveName {
			require.NoError(t, s.writeArchive(nil, &id))
		} else {
			require.NoError(t, s.files.shadow.put(identityBlock, newCounters(id.terminal), id.frame()))
		}
		require.NoError(t, s.Close())
		before, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		_, _, err = Open(dir, testOptions())
		require.ErrorIs(t, err, ErrNewer, file)
		assert.ErrorContains(t, err, "start the newer program again; nothing was changed")
		_, err = View(dir, testOptions())
		require.ErrorIs(t, err, ErrNewer, file)
		after, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		assert.Equal(t, before, after)
	}
}

// A long random life, with archiving, marks, batch changes, pruning and power cuts: the totals are the recount at every
// step.
func TestTotalsAlwaysEqualARecount(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 14))
	o := testOptions()
	o.Keep = Keep{Batches: 2}
	s, _, err := Open(quickDir(t), o)
	require.NoError(t, err)
	open := map[txn.ID]txn.State{}
	next := map[txn.State][]txn.State{
		txn.Pending:   {txn.Approved, txn.Declined, txn.Abandoned, txn.Reversing, txn.Approved},
		txn.Reversing: {txn.Reversed, txn.Suspense}, txn.Suspense: {txn.Reversed, txn.Resolved},
	}
	for step := range 1500 {
		switch n := random.IntN(20); {
		case n < 8 && len(open) < hotSlots-1:
			d := draft(fmt.Sprint("sale-", step))
			d.Amount = txn.Amount(1 + random.IntN(100_000))
			if n == 0 {
				d.Currency = txn.Currency{Number: "840", Letters: "USD", Exponent: 2}
			}
			r, err := s.Begin(d)
			require.NoError(t, err)
			open[r.ID] = txn.Pending
		case n < 16:
			for id, state := range open {
				to := next[state][random.IntN(len(next[state]))]
				mustAdvance(t, s, id, to, nil)
				if delete(open, id); len(next[to]) > 0 {
					open[id] = to
				}
				break
			}
		case n < 18:
			require.NoError(t, s.Tidy())
		case n < 19:
			require.NoError(t, s.AdoptBatch(s.Batch()+1))
		default:
			dir := quickDir(t)
			photograph(t, s.dir, dir)
			require.NoError(t, s.Close())
			s, _, err = Open(dir, o)
			require.NoError(t, err)
		}
		count, err := s.Recount()
		require.NoError(t, err)
		require.True(t, count.Agrees(), "step %d: %+v", step, count)
	}
	count, err := s.Recount()
	require.NoError(t, err)
	t.Logf("%d records left, %d totals, batch %d", count.Records, len(count.Kept), s.Batch())
	own, err := s.Totals(s.Batch())
	require.NoError(t, err)
	for _, total := range own {
		assert.Contains(t, count.Counted, total)
	}
	require.NoError(t, s.Close())
}

func TestARecountFindsWhatDoesNotAddUp(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for n := range 8 {
		sell(t, s, refNumber(n))
		require.NoError(t, s.Tidy())
	}
	alterArchive(t, s, func(tx *bolt.Tx) error {
		return tx.Bucket(totalBucket).Put(Total{Batch: 1, Currency: "156"}.key(), Total{Approved: Sum{4, 4999}}.frame())
	})
	count, err := s.Recount()
	require.NoError(t, err)
	assert.False(t, count.Agrees())
	assert.Equal(t, []Total{{Batch: 1, Currency: "156", Approved: Sum{8, 10_000}}}, count.Counted)

	alterArchive(t, s, func(tx *bolt.Tx) error {
		return tx.Bucket(txnBucket).Put(idKey(2), []byte("damaged"))
	})
	count, err = s.Recount()
	require.NoError(t, err)
	assert.Equal(t, 1, count.Bad)
	assert.False(t, count.Agrees())
}

func TestPruningKeepsWhatIsOwedAndYoung(t *testing.T) {
	dir := quickDir(t)
	o := testOptions()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return at }
	o.Keep = Keep{Batches: 2, Age: 24 * time.Hour}
	s, _, err := Open(dir, o)
	require.NoError(t, err)
	suspense := mustBegin(t, s, "suspense")
	mustAdvance(t, s, suspense.ID, txn.Reversing, nil)
	mustAdvance(t, s, suspense.ID, txn.Suspense, nil)
	paper := mustBegin(t, s, "paper")
	mustAdvance(t, s, paper.ID, txn.Approved, approve)
	for n := range 200 {
		sell(t, s, refNumber(n))
	}
	require.NoError(t, s.AdoptBatch(2))
	sell(t, s, "batch-2")
	require.NoError(t, s.AdoptBatch(3))
	records := func() int {
		count, err := s.Recount()
		require.NoError(t, err)
		require.True(t, count.Agrees())
		return count.Records
	}
	for n := range 8 { // so that no slot holds a sale of batch 1
		sell(t, s, fmt.Sprint("batch-3-", n))
	}
	all := records()
	require.NoError(t, s.Tidy())
	assert.Equal(t, all, records(), "everything is younger than a day")

	at = at.Add(25 * time.Hour)
	left := all
	for range 10 {
		require.NoError(t, s.Tidy())
		now := records()
		assert.LessOrEqual(t, left-now, pruneAtMost, "a little at a time")
		left = now
	}
	_, found, err := s.ByReference(refNumber(0))
	require.NoError(t, err)
	assert.False(t, found)
	for _, ref := range []string{"suspense", "paper", "batch-2", "batch-3-0"} {
		_, found, err := s.ByReference(ref)
		require.NoError(t, err)
		assert.True(t, found, ref)
	}
	assert.LessOrEqual(t, left, 11+2*hotSlots, "what is owed, the newest two batches, and what still stands in a slot")

	// What was pruned stays away, and what had stood in a slot does not come back as owed.
	require.NoError(t, s.Close())
	s, report, err := Open(dir, o)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Owed)
	assert.Equal(t, left, records())
	mustAdvance(t, s, suspense.ID, txn.Resolved, nil)
	_, err = s.Update(paper.ID, printed)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, s.Tidy())
	}
	_, found, err = s.ByReference("suspense")
	require.NoError(t, err)
	assert.False(t, found, "closed now, and old")
	require.NoError(t, s.Close())
}
