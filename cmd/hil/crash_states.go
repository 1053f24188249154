package main

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// What a power cut leaves of a lane. For each sync, the calls before it that no earlier sync covers are in flight. Of
// what is in flight any part may be on the disk, in any order:
//
//   - all subsets of the changed sectors, and of lost and kept truncates, where these units are few (everyUnit);
//   - where they are many: prefixes, suffixes, one lost, one kept, all subsets of whole calls if these are few, and
//     random subsets; never more than someOf of each sort;
//   - each 4 KiB block in flight shorn: it reads back as zeros, as ones or as noise, beside nothing or all of the rest;
//   - names in their order, as a journal keeps it: a rename is not on the disk without the creation before it.
const (
	everyUnit = 11
	someOf    = 48
	manyCalls = 6
)

const (
	sortWhole   = "boundaries"
	sortSectors = "sectors"
	sortShorn   = "shorn"
)

// cut is what is on the disk of a lane: these calls, some of them in parts.
type cut struct {
	sort string
	ops  []op
}

// unit is the smallest part of a call that is lost or kept.
type unit struct {
	call int // index into the lane
	op   op
}

// lane follows one lane from sync to sync.
type lane struct {
	base    *image
	ops     []op
	at      *image // base with everything that is done
	done    []bool
	pending []int
	dice    *rand.Rand
	out     []cut
}

// cutsOf enumerates a lane that starts from base: first nothing of it, last all of it. Numbers are stable for a seed.
func cutsOf(base *image, ops []op, dice *rand.Rand) []cut {
	l := &lane{base: base, ops: ops, at: base.copied(), done: make([]bool, len(ops)), dice: dice}
	l.out = append(l.out, cut{sort: sortWhole})
	for i, o := range ops {
		switch {
		case o.Kind == opSync:
			l.epoch(o.covers)
			l.done[i] = true
		case o.Durable:
			l.pending = append(l.pending, i)
			l.epoch(func(p op) bool { return p.Durable })
		default:
			l.pending = append(l.pending, i)
		}
	}
	if len(l.pending) > 0 {
		l.epoch(func(op) bool { return true })
	}
	return append(l.out, cut{sortWhole, ops})
}

// covers tells whether a sync puts an earlier call on the disk: that of a file its bytes and, as ext4 does, its creation;
// that of the directory every name.
func (o op) covers(p op) bool {
	if p.names() {
		return o.Name == "" || p.Kind == opCreate && p.Name == o.Name
	}
	return p.Name == o.Name
}

// epoch emits what may be on the disk just before a sync, which then covers some of what is in flight.
func (l *lane) epoch(covers func(op) bool) {
	l.emit()
	var still []int
	for _, i := range l.pending {
		if covers(l.ops[i]) {
			l.done[i] = true
		} else {
			still = append(still, i)
		}
	}
	l.pending = still
	l.at = l.base.copied()
	l.at.applyAll(l.chosen(nil, 0, sortWhole).ops)
}

func (l *lane) emit() {
	units := l.units()
	names := 0
	for _, i := range l.pending {
		if l.ops[i].names() {
			names++
		}
	}
	for kept := range names + 1 {
		switch {
		case len(units) <= everyUnit && names == 0 || len(units) <= 2:
			for mask := range 1 << len(units) {
				l.keep(units, kept, func(i int) bool { return mask>>i&1 == 1 })
			}
		default:
			l.some(units, kept)
		}
	}
	l.shorn(units, names)
}

func (l *lane) keep(units []unit, names int, in func(int) bool) {
	var list []unit
	for i, u := range units {
		if in(i) {
			list = append(list, u)
		}
	}
	l.out = append(l.out, l.chosen(list, names, sortSectors))
}

// some is the rule for many units.
func (l *lane) some(units []unit, names int) {
	n := len(units)
	for _, i := range spread(n+1, someOf) {
		l.keep(units, names, func(j int) bool { return j < i })
		l.keep(units, names, func(j int) bool { return j >= i })
	}
	for _, i := range spread(n, someOf) {
		l.keep(units, names, func(j int) bool { return j == i })
		l.keep(units, names, func(j int) bool { return j != i })
	}
	var calls []int
	for _, u := range units {
		if !slices.Contains(calls, u.call) {
			calls = append(calls, u.call)
		}
	}
	if len(calls) <= manyCalls {
		for mask := range 1 << len(calls) {
			l.keep(units, names, func(j int) bool { return mask>>slices.Index(calls, units[j].call)&1 == 1 })
		}
	}
	for range someOf {
		odds := l.dice.Float64()
		l.keep(units, names, func(int) bool { return l.dice.Float64() < odds })
	}
}

// spread picks at most limit of 0 to n-1, evenly, the first and the last among them.
func spread(n, limit int) (list []int) {
	for i := range min(n, limit) {
		if n <= limit {
			list = append(list, i)
		} else {
			list = append(list, i*(n-1)/(limit-1))
		}
	}
	return list
}

func (l *lane) shorn(units []unit, names int) {
	type place struct {
		name  string
		block int64
	}
	var places []place
	for _, u := range units {
		if p := (place{u.op.Name, u.op.Offset / blockBytes}); u.op.Kind == opWrite && !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	for _, i := range spread(len(places), someOf) {
		p := places[i]
		length := int64(blockBytes)
		if size := int64(len(l.at.files[p.name])); size < (p.block+1)*blockBytes {
			length = max(size-p.block*blockBytes, 0)
			for _, u := range units {
				if u.op.Name == p.name && u.op.Offset/blockBytes == p.block {
					length = max(length, u.op.Offset+int64(len(u.op.Data))-p.block*blockBytes)
				}
			}
		}
		noise := make([]byte, length)
		for i := range noise {
			noise[i] = byte(l.dice.Uint32())
		}
		for _, fill := range [][]byte{make([]byte, length), bytes.Repeat([]byte{0xFF}, int(length)), noise} {
			torn := op{Kind: opWrite, Name: p.name, Offset: p.block * blockBytes, Data: fill}
			for _, rest := range [][]unit{nil, units} {
				c := l.chosen(rest, names, sortShorn)
				c.ops = append(c.ops, torn)
				l.out = append(l.out, c)
			}
		}
	}
}

// units are the changed sectors and the truncates in flight.
func (l *lane) units() (list []unit) {
	for _, i := range l.pending {
		o := l.ops[i]
		switch o.Kind {
		case opTruncate:
			list = append(list, unit{i, o})
		case opWrite:
			was := l.at.files[o.Name]
			for from := int64(0); from < int64(len(o.Data)); {
				to := min(int64(len(o.Data)), (o.Offset+from)/sectorBytes*sectorBytes+sectorBytes-o.Offset)
				part := o.Data[from:to]
				if at := o.Offset + from; at+int64(len(part)) > int64(len(was)) || !bytes.Equal(was[at:at+int64(len(part))], part) {
					list = append(list, unit{i, op{Kind: opWrite, Name: o.Name, Offset: at, Data: part}})
				}
				from = to
			}
		}
	}
	return list
}

// chosen puts what is done, the first names in flight and the kept units into the order in which they were asked for.
func (l *lane) chosen(kept []unit, names int, sort string) cut {
	c := cut{sort: sort}
	for i, o := range l.ops {
		switch {
		case l.done[i]:
			c.ops = append(c.ops, o)
		case o.names() && slices.Contains(l.pending, i) && names > 0:
			c.ops, names = append(c.ops, o), names-1
		}
		for len(kept) > 0 && kept[0].call == i {
			c.ops, kept = append(c.ops, kept[0].op), kept[1:]
		}
	}
	return c
}

// crashes are the crash states of one step: every cut of each lane with every cut of the others.
type crashes struct {
	lanes [][]cut
	count int
}

func crashesOf(base *image, s step, seed uint64) crashes {
	c := crashes{count: 1}
	for i, ops := range s.lanes {
		cuts := cutsOf(base, ops, rand.New(rand.NewPCG(seed, uint64(i))))
		c.lanes, c.count = append(c.lanes, cuts), c.count*len(cuts)
	}
	return c
}

// state is the number-th of them.
func (c crashes) state(number int) (sort string, ops []op) {
	sort = sortWhole
	for _, cuts := range c.lanes {
		one := cuts[number%len(cuts)]
		number /= len(cuts)
		ops = append(ops, one.ops...)
		if one.sort == sortShorn || sort == sortWhole {
			sort = one.sort
		}
	}
	return sort, ops
}

// drawn decides, from seed and number alone, whether a state is in a sample of the share. Nothing of a step, which is all
// of the step before it with its promise made, always is.
func drawn(number int, share float64, seed uint64) bool {
	if number == 0 || share >= 1 {
		return true
	}
	x := (seed ^ uint64(number)*0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9
	hi, _ := bits.Mul64(x^x>>31, 1<<32)
	return float64(hi) < share*(1<<32)
}
