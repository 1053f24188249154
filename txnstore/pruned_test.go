package txnstore

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// A page of records is lost after old batches were pruned. The salvage reads given-up pages too, and must neither bring
// back what was removed on purpose nor call it lost; and what it makes has totals that agree.
func TestASalvageLeavesOutWhatWasPruned(t *testing.T) {
	dir := quickDir(t)
	o := testOptions()
	o.Keep = Keep{Batches: 1}
	s, _, err := Open(dir, o)
	require.NoError(t, err)
	for n := range 40 {
		sell(t, s, fmt.Sprint("old-", n))
	}
	require.NoError(t, s.AdoptBatch(2))
	owed := mustBegin(t, s, "owed")
	mustAdvance(t, s, owed.ID, txn.Reversing, nil)
	mustAdvance(t, s, owed.ID, txn.Suspense, nil)
	for n := range 40 {
		sell(t, s, fmt.Sprint("new-", n))
	}
	require.NoError(t, s.Tidy())
	_, found, err := s.ByReference("old-0")
	require.NoError(t, err)
	require.False(t, found, "pruned")
	require.NoError(t, s.Close())

	archive := filepath.Join(dir, archiveName)
	patch(t, archive, func(b []byte) []byte {
		file := boltFile{bytes.NewReader(b), int64(len(b))}
		meta, _, ok := file.current()
		require.True(t, ok)
		page := uint64(0)
		w := walk{file: file, meta: meta, visit: func(x visited) {
			if bytes.Equal(x.bucket, txnBucket) && bytes.Contains(x.value, []byte("new-20")) {
				page = x.page
			}
		}}
		w.run()
		require.Positive(t, page)
		copy(b[page*pageSize:], make([]byte, pageSize))
		return b
	})
	require.NoError(t, Suspect(dir))
	s, report, err := Open(dir, o)
	require.NoError(t, err)
	defer s.Close()
	said := strings.Join(report.Findings, "\n")
	assert.Contains(t, said, "built anew")
	assert.NotContains(t, said, "transactions 1 to", "what was pruned is not lost")
	for n := range 30 {
		_, found, err := s.ByReference(fmt.Sprint("old-", n))
		require.NoError(t, err)
		assert.False(t, found, n)
	}
	list, err := s.Owed()
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{owed.ID}, ids(list))
	count, err := s.Recount()
	require.NoError(t, err)
	assert.True(t, count.Agrees(), "%+v", count)
}
