package txnstore

import (
	"cmp"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"posagent/txnstore/txn"
)

// world is a store under random use, and a model of what it has acknowledged.
//
// Fault model. The power may go between any two calls, which leaves the three files as they are; or in such a way that the
// last call's writes are missing from hot.db, or from shadow, or are torn in shadow. What a call returned without an error
// must then still be there; a mark may be missing unless it was synced before the last call.
type world struct {
	t    *rapid.T
	root string
	dir  string
	n    int
	s    *Store

	versions map[txn.ID]map[uint32]txn.Txn // every version that a reader may see
	safe     map[txn.ID]uint32             // the version that must have survived
	wasSafe  map[txn.ID]uint32             // the same before the last call
	touched  txn.ID                        // what the last call committed itself
	old      map[string][]byte             // hot.db and shadow before the last call
	refs     map[string]txn.ID
	codes    map[byte]txn.ID    // payment codes by number; 0 is a card
	stans    map[[2]uint32]bool // batch and STAN
	boot     uint32
	batch    uint32
	cuts     int
}

func (w *world) open() Report {
	s, report, err := Open(w.dir, testOptions())
	require.NoError(w.t, err)
	w.s = s
	require.Greater(w.t, report.Boot, w.boot, "a boot is counted")
	w.boot = report.Boot
	require.Zero(w.t, report.Bad)
	return report
}

// call runs one operation and remembers what its loss may undo.
func (w *world) call(deed func() txn.ID) {
	w.old = map[string][]byte{}
	for _, name := range []string{hotName, shadowName} {
		b, err := os.ReadFile(filepath.Join(w.dir, name))
		require.NoError(w.t, err)
		w.old[name] = b
	}
	w.wasSafe = maps.Clone(w.safe)
	w.touched = deed()
	for id, versions := range w.versions {
		if !w.waiting(id) {
			w.safe[id] = slices.Max(slices.Collect(maps.Keys(versions)))
		}
	}
}

// waiting reports whether the store says that a mark has not ridden yet. Cutting the power tells whether it says the truth.
func (w *world) waiting(id txn.ID) bool {
	_, marked := w.s.marks[id]
	return marked || slices.ContainsFunc(w.s.slots[:], func(s slot) bool { return s.kind == slotLive && s.ID == id && s.dirty })
}

func (w *world) saw(r txn.Txn) {
	if w.versions[r.ID] == nil {
		w.versions[r.ID] = map[uint32]txn.Txn{}
	}
	require.NotContains(w.t, w.versions[r.ID], r.Gen, "a version is written once")
	w.versions[r.ID][r.Gen] = r
}

func (w *world) newest(id txn.ID) txn.Txn {
	return w.versions[id][slices.Max(slices.Collect(maps.Keys(w.versions[id])))]
}

func (w *world) usedSTAN(batch, stan uint32) {
	require.False(w.t, w.stans[[2]uint32{batch, stan}], "STAN %d of batch %d was used before", stan, batch)
	w.stans[[2]uint32{batch, stan}] = true
}

func (w *world) pick() (txn.ID, bool) {
	if len(w.versions) == 0 {
		return 0, false
	}
	known := slices.Sorted(maps.Keys(w.versions))
	return known[len(known)-1-rapid.IntRange(0, min(len(known), 8)-1).Draw(w.t, "age")], true
}

func (w *world) begin() {
	ref := refNumber(rapid.IntRange(0, 60).Draw(w.t, "reference"))
	code := byte(rapid.IntRange(0, 30).Draw(w.t, "payment code"))
	d := draft(ref)
	if code > 0 {
		d = paidBy(ref, code)
	}
	w.call(func() txn.ID {
		r, err := w.s.Begin(d)
		if first, used := w.refs[ref]; used {
			require.ErrorIs(w.t, err, ErrReference)
			require.Equal(w.t, first, r.ID)
			return 0
		}
		if first, used := w.codes[code]; used {
			require.ErrorIs(w.t, err, txn.ErrCodeUsed)
			require.Equal(w.t, first, r.ID)
			return 0
		}
		if err != nil {
			require.ErrorIs(w.t, err, ErrFull)
			return 0
		}
		require.NotContains(w.t, w.versions, r.ID, "a number is used once")
		w.usedSTAN(r.Batch, r.STAN)
		w.refs[ref] = r.ID
		if code > 0 {
			w.codes[code] = r.ID
		}
		w.saw(r)
		return r.ID
	})
}

func (w *world) advance() {
	id, ok := w.pick()
	if !ok {
		return
	}
	was := w.newest(id)
	var steps []txn.State
	for _, next := range txn.States() {
		if was.State.CanBecome(next) {
			steps = append(steps, next)
		}
	}
	if len(steps) == 0 {
		return
	}
	next := rapid.SampledFrom(steps).Draw(w.t, "next")
	w.call(func() txn.ID {
		r, err := w.s.Advance(id, next, approve)
		require.NoError(w.t, err)
		w.saw(r)
		return id
	})
}

func (w *world) change(how func(txn.ID, func(*txn.Txn)) (txn.Txn, error), synced bool) {
	id, ok := w.pick()
	if !ok {
		return
	}
	w.call(func() txn.ID {
		r, err := how(id, func(x *txn.Txn) { x.Tries.Made++; printed(x) })
		require.NoError(w.t, err)
		w.saw(r)
		if synced {
			return id
		}
		return 0
	})
}

func (w *world) numbers() {
	w.call(func() txn.ID {
		stan, err := w.s.NextSTAN()
		require.NoError(w.t, err)
		w.usedSTAN(w.s.Batch(), stan)
		return 0
	})
}

func (w *world) adopt() {
	w.call(func() txn.ID {
		w.batch += uint32(rapid.IntRange(0, 2).Draw(w.t, "batches"))
		require.NoError(w.t, w.s.AdoptBatch(w.batch))
		return 0
	})
}

func (w *world) tidy() { w.call(func() txn.ID { require.NoError(w.t, w.s.Tidy()); return 0 }) }

func (w *world) restart() {
	w.call(func() txn.ID {
		require.NoError(w.t, w.s.Close())
		require.Empty(w.t, w.open().Findings)
		return 0
	})
	w.verify(false)
}

// cut takes the power away and comes back with what is on the disk.
func (w *world) cut() {
	how := rapid.SampledFrom([]string{"clean", "hot lost", "shadow lost", "shadow torn"}).Draw(w.t, "cut")
	if w.old == nil {
		how = "clean"
	}
	w.n++
	w.cuts++
	next := filepath.Join(w.root, refNumber(w.n))
	photograph(w.t, w.dir, next)
	switch how {
	case "hot lost":
		require.NoError(w.t, os.WriteFile(filepath.Join(next, hotName), w.old[hotName], 0o600))
	case "shadow lost":
		require.NoError(w.t, os.WriteFile(filepath.Join(next, shadowName), w.old[shadowName], 0o600))
	case "shadow torn":
		keep := rapid.Uint64().Draw(w.t, "sectors")
		patch(w.t, filepath.Join(next, shadowName), func(b []byte) []byte {
			for sector := 0; sector < len(b)/512; sector++ {
				if keep>>(sector%64)&1 == 0 {
					copy(b[sector*512:(sector+1)*512], w.old[shadowName][sector*512:])
				}
			}
			return b
		})
	}
	require.NoError(w.t, w.s.Close())
	require.NoError(w.t, os.RemoveAll(w.dir))
	w.dir = next
	if how == "hot lost" {
		touched := w.touched
		if gen, ok := w.safe[touched]; ok {
			w.wasSafe[touched] = gen // shadow has what the call itself committed, not what rode along
		}
		w.safe = w.wasSafe
	}
	w.open()
	w.old = nil
	w.verify(true)
}

// verify compares everything that can be read with the model, and adopts what a cut has decided.
func (w *world) verify(afterCut bool) {
	seen := map[txn.ID]txn.Txn{}
	last := txn.ID(0)
	require.NoError(w.t, w.s.Since(1, func(r txn.Txn) error {
		require.Greater(w.t, r.ID, last)
		last = r.ID
		seen[r.ID] = r
		return nil
	}))
	for id, versions := range w.versions {
		r, ok := seen[id]
		require.True(w.t, ok, "transaction %d is lost", id)
		want, known := versions[r.Gen]
		require.True(w.t, known, "transaction %d has a version nobody wrote", id)
		require.Equal(w.t, want, r)
		require.GreaterOrEqual(w.t, r.Gen, w.safe[id], "transaction %d was acknowledged in version %d", id, w.safe[id])
		if afterCut {
			maps.DeleteFunc(versions, func(gen uint32, _ txn.Txn) bool { return gen > r.Gen })
			w.safe[id] = r.Gen
		}
	}
	require.Len(w.t, seen, len(w.versions), "a transaction nobody began")
	w.verifyLists(seen)
	for ref, id := range w.refs {
		r, ok, err := w.s.ByReference(ref)
		require.NoError(w.t, err)
		require.True(w.t, ok)
		require.Equal(w.t, seen[id], r)
	}
	for code, id := range w.codes {
		first, err := w.s.Begin(paidBy("another", code))
		require.ErrorIs(w.t, err, txn.ErrCodeUsed)
		require.Equal(w.t, id, first.ID)
	}
	require.GreaterOrEqual(w.t, w.s.Batch(), w.batch)
}

func (w *world) verifyLists(seen map[txn.ID]txn.Txn) {
	all := slices.SortedFunc(maps.Values(seen), func(a, b txn.Txn) int { return cmp.Compare(a.ID, b.ID) })
	pick := func(keep func(txn.Txn) bool) (out []txn.ID) {
		for _, r := range all {
			if keep(r) {
				out = append(out, r.ID)
			}
		}
		return out
	}
	owed, err := w.s.Owed()
	require.NoError(w.t, err)
	require.Equal(w.t, pick(func(r txn.Txn) bool { return r.State.Owes() != txn.Nothing }), ids(owed))
	paper, err := w.s.OwedPaper()
	require.NoError(w.t, err)
	require.Equal(w.t, pick(txn.Txn.OwesPaper), ids(paper))
	list, err := w.s.List(1000)
	require.NoError(w.t, err)
	slices.Reverse(list)
	require.Equal(w.t, append([]txn.Txn{}, all...), append([]txn.Txn{}, list...))
}

func TestNothingAcknowledgedIsLostInRandomWorlds(t *testing.T) {
	t.Parallel()
	if worlds := flag.Lookup("rapid.checks"); worlds.Value.String() == worlds.DefValue {
		require.NoError(t, worlds.Value.Set("50")) // a thousand and more when asked: -rapid.checks=3000
	}
	root := quickDir(t)
	n, cuts := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		w := &world{t: t, root: filepath.Join(root, refNumber(n)), batch: 1,
			versions: map[txn.ID]map[uint32]txn.Txn{}, safe: map[txn.ID]uint32{}, refs: map[string]txn.ID{}, codes: map[byte]txn.ID{}, stans: map[[2]uint32]bool{}}
		w.dir = filepath.Join(w.root, "first")
		w.open()
		defer func() {
			_ = w.s.Close()
			_ = os.RemoveAll(w.root)
			cuts += w.cuts
		}()
		do := func(deed func()) func(*rapid.T) {
			return func(t *rapid.T) { w.t = t; deed() }
		}
		t.Repeat(map[string]func(*rapid.T){
			"begin":       do(w.begin),
			"begin again": do(w.begin),
			"advance":     do(w.advance),
			"advance too": do(w.advance),
			"update":      do(func() { w.change(w.s.Update, true) }),
			"mark":        do(func() { w.change(w.s.Mark, false) }),
			"mark again":  do(func() { w.change(w.s.Mark, false) }),
			"stan":        do(w.numbers),
			"batch":       do(w.adopt),
			"tidy":        do(w.tidy),
			"restart":     do(w.restart),
			"cut":         do(w.cut),
		})
		w.verify(false)
	})
	t.Logf("%d worlds, %d power cuts", n, cuts)
}
