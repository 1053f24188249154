package txnstore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// bare is the unit of these measurements: one write of 4 KiB into a file that has its blocks, and one fdatasync. It is
// timed between the operations that are compared with it, because a disk has moods.
type bare struct {
	f     *os.File
	block []byte
	n     int64
	took  []time.Duration
}

func newBare(b *testing.B, dir string) *bare {
	f, err := os.Create(filepath.Join(dir, "bare"))
	require.NoError(b, err)
	require.NoError(b, writeZeros(f, 0, shadowSize))
	require.NoError(b, f.Sync())
	b.Cleanup(func() { _ = f.Close() })
	return &bare{f: f, block: make([]byte, pageSize)}
}

func (x *bare) write(b *testing.B) {
	x.n++
	x.block[0] = byte(x.n)
	start := time.Now()
	_, err := x.f.WriteAt(x.block, x.n%shadowBlocks*pageSize)
	if err == nil {
		err = syscall.Fdatasync(int(x.f.Fd()))
	}
	x.took = append(x.took, time.Since(start))
	require.NoError(b, err)
}

func median(d []time.Duration) float64 {
	d = slices.Clone(d)
	slices.Sort(d)
	return float64(d[len(d)/2])
}

// stocked makes a store with so many finished transactions.
func stocked(b *testing.B, records int) string {
	dir := b.TempDir()
	s, _ := mustOpen(b, dir)
	s.files.archive.db.NoSync = true
	for n := 1; n <= records; {
		var entries []entry
		for range 500 {
			r := usual(b)
			r.ID, r.Reference, r.Slips.Customer = txn.ID(n), refNumber(n), txn.SlipPrinted
			frame, stored, err := s.codec.encode(copied(r))
			require.NoError(b, err)
			entries = append(entries, entry{stored, frame})
			n++
		}
		s.count.NextID = uint64(n)
		require.NoError(b, s.commitArchive(entries, archiveKeep))
	}
	require.NoError(b, s.files.archive.db.Sync())
	require.NoError(b, s.Close())
	return dir
}

// written is how many bytes a database has given to pwrite: its new pages, and a meta page for every commit.
func written(db *bolt.DB, commits int64) int64 {
	stats := db.Stats()
	return stats.TxStats.GetPageAlloc() + commits*pageSize
}

// BenchmarkSale is an approved sale, beginning to paper, as long as the customer waits; the bytes include what Tidy does
// afterwards. A busy till gets to Tidy after every fourth sale, so that the printed mark rides with the next sale; a quiet
// one after every sale, so that the mark takes a commit of its own.
func BenchmarkSale(b *testing.B) {
	for _, till := range []struct {
		name    string
		records int
		every   int
	}{{"busy/500", 500, 4}, {"busy/50000", 50_000, 4}, {"quiet/500", 500, 1}, {"quiet/50000", 50_000, 1}} {
		b.Run(till.name, func(b *testing.B) {
			records := till.records
			dir := stocked(b, records)
			s, _ := mustOpen(b, dir)
			defer s.Close()
			unit := newBare(b, dir)
			var took, firsts, seconds, tidies []time.Duration
			hot, archived, commits := written(s.files.hot.db, 0), written(s.files.archive.db, 0), s.count.Commit
			onPath := uint64(0)
			for n := 0; b.Loop(); n++ {
				unit.write(b)
				was := s.count.Commit
				start := time.Now()
				r := mustBegin(b, s, "bench"+refNumber(n))
				begun := time.Now()
				mustAdvance(b, s, r.ID, txn.Approved, approve)
				ended := time.Now()
				_, err := s.Mark(r.ID, printed)
				require.NoError(b, err)
				onPath += s.count.Commit - was
				took, firsts, seconds = append(took, ended.Sub(start)), append(firsts, begun.Sub(start)), append(seconds, ended.Sub(begun))
				unit.write(b)
				if n%till.every != till.every-1 {
					continue
				}
				start = time.Now()
				require.NoError(b, s.Tidy())
				tidies = append(tidies, time.Since(start))
			}
			one := median(unit.took)
			sales := float64(len(took))
			hotCommits := int64(s.count.Commit - commits)
			bytes := written(s.files.hot.db, hotCommits) - hot + hotCommits*pageSize
			// The archive has a meta page for every fourth sale.
			bytes += written(s.files.archive.db, int64(len(took)/archiveBatch)) - archived
			b.ReportMetric(median(took)/one, "x-bare")
			b.ReportMetric(median(firsts)/one, "first-x-bare")
			b.ReportMetric(median(seconds)/one, "second-x-bare")
			if len(tidies) > 0 {
				b.ReportMetric(median(tidies)/one, "tidy-x-bare")
			}
			b.ReportMetric(float64(onPath)/sales, "commits/sale")
			b.ReportMetric(float64(bytes)/sales/1024, "KiB/sale")
			b.ReportMetric(one, "ns/bare")
		})
	}
}

// BenchmarkOpen is a boot: it must not depend on how much was ever sold.
func BenchmarkOpen(b *testing.B) {
	for _, records := range []int{500, 50_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			dir := stocked(b, records)
			unit := newBare(b, dir)
			var took []time.Duration
			for b.Loop() {
				unit.write(b)
				start := time.Now()
				s, _ := mustOpen(b, dir)
				took = append(took, time.Since(start))
				require.NoError(b, s.Close())
			}
			b.ReportMetric(median(took)/median(unit.took), "x-bare")
			b.ReportMetric(median(took)/1e6, "ms/open")
		})
	}
}

// BenchmarkVerify is the verifier alone: what every start pays, and what a whole check pays.
func BenchmarkVerify(b *testing.B) {
	for _, records := range []int{500, 50_000} {
		dir := stocked(b, records)
		for _, whole := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/whole=%v", records, whole), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					health, err := verifyAll(dir, whole, nil)
					require.NoError(b, err)
					require.Equal(b, Healthy, health[0].Verdict)
				}
			})
		}
	}
}

// BenchmarkOwed reads what is owed among so many finished transactions.
func BenchmarkOwed(b *testing.B) {
	for _, records := range []int{500, 50_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			s, _ := mustOpen(b, stocked(b, records))
			defer s.Close()
			mustBegin(b, s, "open")
			for b.Loop() {
				owed, err := s.Owed()
				require.NoError(b, err)
				require.Len(b, owed, 1)
			}
		})
	}
}

// BenchmarkRecord is the codec alone: what a commit costs the processor, sealing and reading back included.
func BenchmarkRecord(b *testing.B) {
	c, r := testCodec(b, "T1234567"), usual(b)
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := c.encode(copied(r))
		require.NoError(b, err)
	}
}
