package txnstore

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// worn is a store in which everything occurs: archived sales, one in each step of its life, a closed slot not yet used
// again, suspense, owed paper, and pages that were written and given up many times.
func worn(t testing.TB, sales int) string {
	dir := quickDir(t)
	s, _ := mustOpen(t, dir)
	for n := range sales {
		sell(t, s, refNumber(n))
		require.NoError(t, s.Tidy())
	}
	require.NoError(t, s.archiveFinished())
	doubt := mustBegin(t, s, "doubt")
	mustAdvance(t, s, doubt.ID, txn.Reversing, nil)
	mustAdvance(t, s, doubt.ID, txn.Suspense, nil)
	require.NoError(t, s.archiveFinished())
	mustBegin(t, s, "sent")
	undo := mustBegin(t, s, "undone")
	mustAdvance(t, s, undo.ID, txn.Reversing, nil)
	paper := mustBegin(t, s, "paper")
	mustAdvance(t, s, paper.ID, txn.Approved, approve)
	require.NoError(t, s.Close())
	return dir
}

// everything reads all transactions, newest version each.
func everything(t testing.TB, s *Store) map[txn.ID]txn.Txn {
	all := map[txn.ID]txn.Txn{}
	require.NoError(t, s.Since(1, func(x txn.Txn) error { all[x.ID] = x; return nil }))
	return all
}

// damages of one page.
func damages(r *rand.Rand) map[string]func(b []byte, page int) {
	at := func(b []byte, page int) []byte { return b[page*pageSize : (page+1)*pageSize] }
	return map[string]func([]byte, int){
		"zeros": func(b []byte, page int) { clear(at(b, page)) },
		"random": func(b []byte, page int) {
			for i := range at(b, page) {
				at(b, page)[i] = byte(r.Uint32())
			}
		},
		"swapped": func(b []byte, page int) {
			other := (page + 1 + r.IntN(len(b)/pageSize-1)) % (len(b) / pageSize)
			kept := bytes.Clone(at(b, page))
			copy(at(b, page), at(b, other))
			copy(at(b, other), kept)
		},
		"half": func(b []byte, page int) { clear(at(b, page)[pageSize/2:]) },
		"bit":  func(b []byte, page int) { at(b, page)[r.IntN(pageSize)] ^= 1 << r.IntN(8) },
	}
}

// Any single page of hot.db may go: shadow and archive.db have everything, to the byte.
func TestNoPageOfHotMatters(t *testing.T) {
	t.Parallel()
	dir := worn(t, 9)
	whole, _ := mustOpen(t, dir)
	want := everything(t, whole)
	owed, err := whole.Owed()
	require.NoError(t, err)
	next := whole.count
	require.NoError(t, whole.Close())
	r := rand.New(rand.NewPCG(1, 2))
	rounds := map[string]int{"zeros": 1, "random": 1, "swapped": 3, "half": 1, "bit": 12}
	all := damages(r)
	for _, how := range slices.Sorted(maps.Keys(all)) {
		damage := all[how]
		for page := range hotSize / pageSize {
			for range rounds[how] {
				label := fmt.Sprintf("page %d, %s", page, how)
				hurt := quickDir(t)
				photograph(t, dir, hurt)
				patch(t, filepath.Join(hurt, hotName), func(b []byte) []byte { damage(b, page); return b })
				s, report := mustOpen(t, hurt)
				require.Equal(t, want, everything(t, s), label)
				got, err := s.Owed()
				require.NoError(t, err)
				require.Equal(t, owed, got, label)
				if how != "bit" { // one bit may spoil a slot whose transaction is archived: kept for repair, and said
					require.Zero(t, report.Bad, label)
				}
				require.GreaterOrEqual(t, s.count.NextID, next.NextID, label)
				require.GreaterOrEqual(t, s.count.Serial, next.Serial, label)
				require.NoError(t, s.Close())
				require.NoError(t, os.RemoveAll(hurt))
			}
		}
	}
}

// Any single page of archive.db may go: what stood on it is either found elsewhere or named as lost.
func TestNoPageOfTheArchiveIsLostInSilence(t *testing.T) {
	t.Parallel()
	dir := worn(t, 60)
	whole, _ := mustOpen(t, dir)
	want := everything(t, whole)
	used := int64(0)
	b := boltFile{mustFile(t, filepath.Join(dir, archiveName)), archiveStep}
	meta, _, ok := b.current()
	require.True(t, ok)
	used = int64(meta.pages)
	require.NoError(t, whole.Close())
	r := rand.New(rand.NewPCG(3, 4))
	all := damages(r)
	for _, how := range slices.Sorted(maps.Keys(all)) {
		damage := all[how]
		for page := range int(used) {
			label := fmt.Sprintf("page %d, %s", page, how)
			hurt := quickDir(t)
			photograph(t, dir, hurt)
			patch(t, filepath.Join(hurt, archiveName), func(b []byte) []byte { damage(b, page); return b })
			health, err := Check(hurt, testOptions())
			require.NoError(t, err)
			if health[0].Verdict == Damaged {
				require.NoError(t, Suspect(hurt))
			}
			s, report := mustOpen(t, hurt)
			got := map[txn.ID]txn.Txn{}
			walked := s.Since(1, func(x txn.Txn) error { got[x.ID] = x; return nil })
			said := strings.Join(report.Findings, "\n")
			for id, x := range want {
				now, ok := got[id]
				switch {
				case !ok && walked != nil:
					require.ErrorIs(t, walked, ErrBadRecord, label)
					require.NotEqual(t, Healthy, health[0].Verdict, label)
				case !ok:
					require.True(t, namesLost(said, id), "%s: transaction %d is gone and nobody says so\n%s", label, id, said)
				default:
					require.Equal(t, x.Reference, now.Reference, label)
					require.Equal(t, x.State, now.State, label)
				}
			}
			mustBegin(t, s, "goes-on")
			require.NoError(t, s.Close())
			require.NoError(t, os.RemoveAll(hurt))
		}
	}
}

// namesLost looks whether a report names a transaction, alone or in a range, as one that cannot be read.
func namesLost(report string, id txn.ID) bool {
	for _, line := range strings.Split(report, "\n") {
		var from, to txn.ID
		if n, _ := fmt.Sscanf(line, "nothing can be read of transactions %d to %d:", &from, &to); n == 2 && from <= id && id <= to {
			return true
		}
		if n, _ := fmt.Sscanf(line, "nothing can be read of transaction %d:", &from); n == 1 && from == id {
			return true
		}
	}
	return false
}

func mustFile(t testing.TB, path string) *os.File {
	f, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

const (
	campaignDir  = "TXNSTORE_CAMPAIGN"
	campaignFrom = "TXNSTORE_CAMPAIGN_FROM"
	campaignMany = 2000
)

// However the files are damaged, the process lives and ends its work: it opens the store or says why not. The damages
// run in a child, because what they would do wrong is to end the process.
func TestNoDamageEndsTheProcess(t *testing.T) {
	t.Parallel()
	dir := worn(t, 60)
	many := campaignMany
	if raceDetector || os.Getenv("EMULATOR") != "" {
		many /= 15
	}
	argv := []string{os.Args[0], "-test.run=^TestCampaign$", "-test.count=1"}
	if emulator := os.Getenv("EMULATOR"); emulator != "" {
		argv = append([]string{emulator}, argv...)
	}
	child := exec.Command(argv[0], argv[1:]...)
	child.Env = append(os.Environ(), campaignDir+"="+dir, campaignFrom+"="+strconv.Itoa(many))
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), fmt.Sprintf("%d damages", many))
}

// TestCampaign is the child of TestNoDamageEndsTheProcess; by itself it has nothing to do.
func TestCampaign(t *testing.T) {
	dir := os.Getenv(campaignDir)
	if dir == "" {
		return
	}
	many, err := strconv.Atoi(os.Getenv(campaignFrom))
	require.NoError(t, err)
	files := contents(t, dir)
	opened, refused := 0, 0
	hurt := quickDir(t)
	for seed := range many {
		for name, b := range files {
			require.NoError(t, os.WriteFile(filepath.Join(hurt, name), b, 0o600))
		}
		hurtFiles(t, hurt, files, rand.New(rand.NewPCG(uint64(seed), 7)))
		done := make(chan error, 1)
		go func() { done <- live(hurt) }()
		select {
		case err := <-done:
			if err == nil {
				opened++
			} else {
				refused++
				require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrBadRecord), "seed %d: %v", seed, err)
			}
		case <-time.After(10 * time.Minute):
			t.Fatalf("seed %d: no end", seed)
		}
		entries, err := os.ReadDir(hurt)
		require.NoError(t, err)
		for _, e := range entries {
			require.NoError(t, os.Remove(filepath.Join(hurt, e.Name())))
		}
	}
	fmt.Printf("%d damages: opened %d, refused %d\n", many, opened, refused)
}

// hurtFiles damages one to three places of the used parts of the files, in one of many ways.
func hurtFiles(t testing.TB, dir string, files map[string][]byte, r *rand.Rand) {
	for range 1 + r.IntN(3) {
		name := fileNames()[r.IntN(3)]
		path := filepath.Join(dir, name)
		b := bytes.Clone(files[name])
		pages := min(len(b)/pageSize, 64)
		page := r.IntN(pages)
		switch how := r.IntN(8); how {
		case 0:
			b = b[:r.IntN(len(b))]
		case 1: // a number in a header or an element
			b[page*pageSize+r.IntN(64)] = byte(r.Uint32())
		case 2:
			other := r.IntN(pages) // one page written in the place of another, its number set right: a lost flush
			copy(b[page*pageSize+8:(page+1)*pageSize], b[other*pageSize+8:(other+1)*pageSize])
		default:
			ways := damages(r)
			ways[[]string{"zeros", "random", "swapped", "half", "bit"}[how-3]](b, page)
		}
		require.NoError(t, os.WriteFile(path, b, 0o600))
	}
}

// live opens a store and uses it like a day's work.
func live(dir string) error {
	v, err := View(dir, testOptions())
	if err == nil {
		_ = v.Since(1, func(txn.Txn) error { return nil })
		err = v.Close()
	}
	if err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	s, _, err := Open(dir, testOptions())
	if err != nil {
		return err
	}
	defer s.Close()
	walked := s.Since(1, func(txn.Txn) error { return nil })
	if walked != nil && !errors.Is(walked, ErrBadRecord) && !errors.Is(walked, ErrDamaged) {
		return walked
	}
	for n := range 6 {
		x, err := s.Begin(draft(fmt.Sprintf("day-%d", n)))
		if err != nil {
			return err
		}
		if _, err = s.Advance(x.ID, txn.Approved, approve); err != nil {
			return err
		}
	}
	return s.Tidy()
}
