package txnstore

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func asking(batch uint32) txn.Closing {
	return txn.Closing{Batch: batch, Step: txn.Asking, Operator: "01", Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2},
		Began: time.Date(2026, 3, 4, 22, 0, 0, 0, time.UTC), Own: txn.Totals{Domestic: txn.Sums{Debit: txn.Sum{Count: 3, Amount: 3750}}}}
}

// closeStep saves the next step of a closing.
func closeStep(t require.TestingT, s *Store, c txn.Closing, to txn.Step, change func(*txn.Closing)) txn.Closing {
	c.Step = to
	if change != nil {
		change(&c)
	}
	c, err := s.SaveClosing(c)
	require.NoError(t, err)
	return c
}

// closeBatch takes the shortest way from the first step to the last.
func closeBatch(t require.TestingT, s *Store, batch uint32, report txn.Slip) txn.Closing {
	c := closeStep(t, s, asking(batch), txn.Asking, nil)
	c = closeStep(t, s, c, txn.Ending, nil)
	return closeStep(t, s, c, txn.Closed, func(c *txn.Closing) { c.Report = report })
}

// A printer that is out for days leaves the reports of several batches due, whatever becomes of the open one meanwhile.
func TestEveryReportThatIsDueIsListed(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	reports := func(s *Store) (batches []uint32) {
		due, err := s.OwedReports()
		require.NoError(t, err)
		for _, c := range due {
			batches = append(batches, c.Batch)
		}
		return batches
	}
	assert.Empty(t, reports(s))
	closeBatch(t, s, 1, txn.SlipPrinted)
	assert.Empty(t, reports(s))
	second := closeBatch(t, s, 2, txn.SlipOwed)
	require.NoError(t, s.AdoptBatch(7))
	closeBatch(t, s, 7, txn.SlipOwed)
	refused := closeStep(t, s, closeStep(t, s, asking(8), txn.Asking, nil), txn.Refused, nil)
	assert.Equal(t, []uint32{2, 7}, reports(s))
	again, _ := after(t, s)
	assert.Equal(t, []uint32{2, 7}, reports(again))
	c, found, err := again.Closing(2)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, second, c)
	_, found, err = again.Closing(5)
	require.NoError(t, err)
	assert.False(t, found)
	newest, _, err := again.Closing(0)
	require.NoError(t, err)
	assert.Equal(t, refused, newest)
	closeStep(t, again, second, txn.Closed, func(c *txn.Closing) { c.Report = txn.SlipPrinted })
	assert.Equal(t, []uint32{7}, reports(again))
}

// After a power cut at any step the closing stands where it was acknowledged, and the batch is the next one exactly when
// it is closed.
func TestAClosingSurvivesAPowerCutAtEveryStep(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for n := range 3 {
		sell(t, s, refNumber(n))
	}
	var c txn.Closing
	for _, next := range []struct {
		step   txn.Step
		change func(*txn.Closing)
	}{
		{txn.Asking, func(c *txn.Closing) { *c = asking(1) }},
		{txn.Details, func(c *txn.Closing) {
			c.Domestic, c.Foreign, c.Host = txn.Unbalanced, txn.Balanced, txn.Totals{Foreign: txn.Sums{Credit: txn.Sum{Count: 1, Amount: 5}}}
			c.Explains, c.Doubts = []txn.ID{2}, []txn.ID{1, 3}
		}},
		{txn.Details, func(c *txn.Closing) { c.Cursor, c.Told, c.Unread = 2, 2, 1 }},
		{txn.Advices, func(c *txn.Closing) { c.Cursor, c.Unaccepted, c.Code = 0, 1, "30" }},
		{txn.Ending, func(c *txn.Closing) { c.Tries = 1 }},
		{txn.Closed, func(c *txn.Closing) { c.Ended, c.Report = c.Began.Add(time.Minute), txn.SlipOwed }},
		{txn.Closed, func(c *txn.Closing) { c.Report = txn.SlipPrinted }},
	} {
		c = closeStep(t, s, c, next.step, next.change)
		again, _ := after(t, s)
		stored, found, err := again.Closing(0)
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, c, stored)
		want := uint32(1)
		if c.Step == txn.Closed {
			want = 2
		}
		assert.Equal(t, want, again.Batch(), c.Step)
	}
	assert.Equal(t, uint32(7), c.Gen)
	assert.Equal(t, "T1234567", c.Terminal)
	x := mustBegin(t, s, "next")
	assert.Equal(t, uint32(2), x.Batch)
	assert.Equal(t, uint32(4), x.STAN, "STANs go on")
}

func TestAClosingTakesOnlyTheDrawnSteps(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	sell(t, s, "a")
	_, found, err := s.Closing(0)
	require.NoError(t, err)
	assert.False(t, found)
	for name, wrong := range map[string]func(*txn.Closing){
		"of a batch that is not open": func(c *txn.Closing) { c.Batch = 2 },
		"beginning in the middle":     func(c *txn.Closing) { c.Step = txn.Ending },
	} {
		c := asking(1)
		wrong(&c)
		_, err := s.SaveClosing(c)
		require.ErrorIs(t, err, ErrStep, name)
	}
	c := closeStep(t, s, asking(1), txn.Asking, nil)
	_, err = s.SaveClosing(asking(1))
	require.ErrorIs(t, err, ErrStep, "a version that is not the newest")
	c = closeStep(t, s, c, txn.Refused, func(c *txn.Closing) { c.Code = "58" })
	require.Equal(t, uint32(1), s.Batch())
	again := asking(1)
	again.Gen = c.Gen
	c = closeStep(t, s, again, txn.Asking, nil)
	assert.Empty(t, c.Code, "asked once more, from the beginning")
	require.NoError(t, s.AdoptBatch(2))
	_, err = s.SaveClosing(asking(2))
	require.ErrorIs(t, err, ErrStep, "one after the other")
	for _, from := range []txn.Step{"", txn.Asking, txn.Details, txn.Advices, txn.Ending, txn.Closed, txn.Refused, "of a later version"} {
		if from.Over() {
			assert.False(t, from.CanBecome(txn.Asking), from)
			assert.True(t, from.CanBecome(from))
		}
		assert.False(t, from.CanBecome("of a later version"), from)
	}
}

func TestOnlyTheNewestClosingsAreKept(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	owed := txn.SlipOwed
	for batch := uint32(1); batch <= keptClosings+5; batch++ {
		c := closeStep(t, s, asking(batch), txn.Asking, nil)
		c = closeStep(t, s, c, txn.Ending, nil)
		closeStep(t, s, c, txn.Closed, func(c *txn.Closing) { c.Report = owed })
		owed = txn.SlipPrinted
	}
	_, found, err := s.Closing(1)
	require.NoError(t, err)
	assert.True(t, found, "its report is due")
	_, found, err = s.Closing(2)
	require.NoError(t, err)
	assert.False(t, found)
	newest, found, err := s.Closing(0)
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, uint32(keptClosings+5), newest.Batch)
	dir := quickDir(t)
	photograph(t, s.dir, dir)
	health, err := Check(dir, testOptions())
	require.NoError(t, err)
	for _, h := range health {
		assert.Equal(t, Healthy, h.Verdict, "%s %v", h.File, h.Findings)
	}
}

// A salvage that builds archive.db anew takes a closing from whatever page still has it.
func TestASalvageKeepsTheClosing(t *testing.T) {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	for n := range 9 {
		sell(t, s, refNumber(n))
	}
	require.NoError(t, s.Tidy())
	c := closeStep(t, s, asking(1), txn.Asking, nil)
	c = closeStep(t, s, c, txn.Details, func(c *txn.Closing) { c.Domestic, c.Foreign = txn.Unbalanced, txn.Balanced })
	c = closeStep(t, s, c, txn.Details, func(c *txn.Closing) { c.Cursor, c.Told = 8, 8 })
	require.NoError(t, s.Close())
	path := filepath.Join(dir, archiveName)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(raw[:2*pageSize]) // both roots
	require.NoError(t, os.WriteFile(path, raw, 0o600))

	s, report := mustOpen(t, dir)
	defer s.Close()
	assert.Contains(t, fmt.Sprint(report.Findings), "the closing of batch 1 was in the middle of it (details); it goes on from there")
	kept, found, err := s.Closing(0)
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, c, kept)
}

func TestVouchersAndBatchesAreFoundFromTheEnd(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	for batch := uint32(1); batch <= 3; batch++ {
		require.NoError(t, s.AdoptBatch(batch))
		for n := range 70 {
			sell(t, s, fmt.Sprintf("%d-%d", batch, n))
		}
	}
	for _, at := range [][2]uint32{{1, 1}, {1, 70}, {2, 71}, {3, 141}, {3, 210}} {
		x, found, err := s.ByVoucher(at[0], at[1])
		require.NoError(t, err)
		require.True(t, found, at)
		assert.Equal(t, at, [2]uint32{x.Batch, x.STAN})
	}
	for _, at := range [][2]uint32{{1, 71}, {3, 70}, {4, 1}, {3, 211}} {
		_, found, err := s.ByVoucher(at[0], at[1])
		require.NoError(t, err)
		assert.False(t, found, at)
	}
	for batch := uint32(1); batch <= 4; batch++ {
		var seen []txn.ID
		unread, err := s.InBatch(batch, func(x txn.Txn) error {
			seen = append(seen, x.ID)
			_, err := s.Get(x.ID)
			return err
		})
		require.NoError(t, err)
		assert.Zero(t, unread)
		n, err := s.Begun(batch)
		require.NoError(t, err)
		assert.Len(t, seen, n)
		if batch < 4 {
			require.Len(t, seen, 70)
			assert.Equal(t, txn.ID(70*batch), seen[69])
		}
	}
	_, err := s.InBatch(2, func(txn.Txn) error { return os.ErrInvalid })
	require.ErrorIs(t, err, os.ErrInvalid)
}

func FuzzClosing(f *testing.F) {
	c := asking(7)
	c.Terminal, c.Explains, c.Doubts, c.Cursor = "T1234567", []txn.ID{1, 2}, []txn.ID{3}, 1<<40
	frame, _, err := putClosing(c)
	require.NoError(f, err)
	payload, err := openFrame(closingFrame, frame)
	require.NoError(f, err)
	f.Add(payload)
	f.Add([]byte{})
	f.Add([]byte{1, 1, 1, 3, 6, 'a'})
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := openClosing(putFrame(closingFrame, payload))
		if err != nil {
			return
		}
		frame, stored, err := putClosing(c)
		require.NoError(t, err)
		require.Equal(t, c, stored)
		again, err := openClosing(frame)
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
