package main

import (
	"fmt"
	"os"
	"path/filepath"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// damageBase is a sound store before it is damaged, and everything that was ever promised of it.
type damageBase struct {
	Name     string
	Files    map[string][]byte
	Promises []promise
	Pruned   map[txn.ID]bool
	Totals   []txnstore.Total
}

// trader makes a store for a base, and takes down what the store promises.
type trader struct {
	damageBase
	dir string
	o   *txnstore.Options
	s   *txnstore.Store
	n   int
	err error // the first; everything after it is left out
}

func (t *trader) try(err error) {
	if t.err == nil && err != nil {
		t.err = fmt.Errorf("make the store %q, after %d promises: %w", t.Name, len(t.Promises), err)
	}
}

func (t *trader) open() {
	s, report, err := txnstore.Open(t.dir, t.o)
	t.s = s
	t.try(err)
	t.Promises = append(t.Promises, promise{Boot: report.Boot})
}

func (t *trader) close() {
	if t.err == nil {
		t.try(t.s.Close())
	}
}

func (t *trader) keep(x txn.Txn, err error) txn.ID {
	t.try(err)
	if err == nil {
		t.Promises = append(t.Promises, promise{Txn: sightingOf(x)})
	}
	return x.ID
}

func (t *trader) begin() txn.ID {
	if t.err != nil {
		return 0
	}
	d, err := crashDraft(fmt.Sprintf("till-3-%06d", t.n))
	t.try(err)
	t.n++
	return t.keep(t.s.Begin(d))
}

func (t *trader) step(id txn.ID, states ...txn.State) {
	for _, next := range states {
		if t.err != nil {
			return
		}
		var change func(*txn.Txn)
		switch next {
		case txn.Approved, txn.Authorized:
			change = approvedOnline
		case txn.Declined:
			change = func(x *txn.Txn) { x.Answer = txn.Answer{Code: "51", Text: "余额不足"} }
		case txn.Reversing:
			change = func(x *txn.Txn) { x.Reason = txn.NoAnswer }
		}
		t.keep(t.s.Advance(id, next, change))
	}
}

// sell takes sales from beginning to paper; every seventh is declined and every eleventh reversed.
func (t *trader) sell(sales int) {
	for range sales {
		id := t.begin()
		switch {
		case t.err != nil:
			return
		case t.n%7 == 0:
			t.step(id, txn.Declined)
		case t.n%11 == 0:
			t.step(id, txn.Reversing, txn.Reversed)
		default:
			t.step(id, txn.Approved)
			if t.err == nil {
				t.keep(t.s.Mark(id, bothPrinted))
			}
		}
		t.tidy()
	}
}

func (t *trader) tidy() {
	if t.err == nil {
		t.try(t.s.Tidy())
	}
}

func (t *trader) batch(n uint32) {
	if t.err == nil {
		t.try(t.s.AdoptBatch(n))
		t.Promises = append(t.Promises, promise{Batch: n})
	}
}

func (t *trader) stan(batch uint32) {
	if t.err == nil {
		n, err := t.s.NextSTAN()
		t.try(err)
		t.Promises = append(t.Promises, promise{STAN: n, Batch: batch})
	}
}

func (t *trader) attempt(id txn.ID) {
	if t.err == nil {
		t.keep(t.s.Update(id, func(x *txn.Txn) { x.Tries.Made++; x.Tries.Last = t.o.Now() }))
	}
}

// inFlight fills the slots with transactions in the middle of their exchange.
func (t *trader) inFlight(n int) {
	ways := [][]txn.State{nil, {txn.Reversing}, {txn.Authorized}, {txn.Reversing}, nil}
	for i := range n {
		id := t.begin()
		t.step(id, ways[i%len(ways)]...)
		if i == 3 {
			t.attempt(id)
		}
	}
}

const manySales = 1200 // pages enough for a tree of three levels

// damageStories make the bases. Each begins with an open store and ends with one whose files are then photographed.
func damageStories() []story {
	return []story{
		{"fresh", 0, func(t *trader) {}},
		{"first sale", 0, func(t *trader) { t.begin() }},
		{"five in flight", 0, func(t *trader) { t.sell(40); t.inFlight(5) }},
		{"a day", 0, func(t *trader) {
			t.sell(33)
			t.step(t.begin(), txn.Reversing, txn.Suspense)
			t.step(t.begin(), txn.Declined)
			t.batch(2)
			t.sell(9)
			t.step(t.begin(), txn.Approved) // its paper is owed
			t.tidy()
			t.close()
			t.open()
			t.stan(2)
			t.inFlight(2)
			t.step(t.begin(), txn.Approved)
		}},
		{"pruned", 1, func(t *trader) {
			for n := range uint32(4) {
				t.sell(14)
				t.batch(n + 2)
			}
			for range 8 {
				t.sell(1)
			}
			t.inFlight(3)
		}},
		{"batch closed", 0, func(t *trader) {
			t.sell(21)
			t.batch(2)
			t.stan(2)
			t.stan(2)
			t.close()
			t.open()
		}},
		{"many records", 0, func(t *trader) {
			t.step(t.begin(), txn.Reversing, txn.Suspense)
			t.step(t.begin(), txn.Approved)
			t.sell(manySales)
			t.inFlight(3)
		}},
	}
}

type story struct {
	name string
	keep uint32 // batches
	tell func(*trader)
}

// make tells the story in a directory.
func (s story) make(dir string) (damageBase, error) {
	t := &trader{damageBase: damageBase{Name: s.name, Files: map[string][]byte{}, Pruned: map[txn.ID]bool{}}, dir: dir, o: crashOptions()}
	t.o.Keep = txnstore.Keep{Batches: s.keep}
	t.open()
	s.tell(t)
	t.tidy()
	if t.err != nil {
		return t.damageBase, t.err
	}
	there := map[txn.ID]bool{}
	t.try(t.s.Since(1, func(x txn.Txn) error { there[x.ID] = true; return nil }))
	for _, p := range t.Promises {
		if p.Txn != nil && !there[p.Txn.ID] {
			t.Pruned[p.Txn.ID] = true
		}
	}
	count, err := t.s.Recount()
	if t.try(err); err == nil && !count.Agrees() {
		t.try(fmt.Errorf("the totals do not agree with the records: %+v", count))
	}
	t.Totals = count.Kept
	for _, name := range []string{hotFile, archiveFile, shadowFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		t.try(err)
		t.Files[name] = b
	}
	t.close()
	return t.damageBase, t.err
}

func (b *damageBase) image() *image {
	return &image{b.Files, map[string]bool{}}
}

// truth is the model of everything promised. What was pruned may be absent, and may come back.
func (b *damageBase) truth() *model {
	m := modelOf(b.Promises, len(b.Promises))
	for id := range b.Pruned {
		delete(m.floor, id)
	}
	return m
}
