package main

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// A kind of damage is a numbered list of images of one base. Each is told by calls: what they write is the damage.
type damageKind struct {
	name  string
	file  string  // the only one that is hurt; empty where several are
	share float64 // weight in the draw
	count int
	ops   func(n int, dice *rand.Rand) []op
}

const (
	kindPage    = "page"
	kindSwap    = "swap"
	kindCopy    = "copy"
	kindBit     = "bit"
	kindByte    = "byte"
	kindRun     = "run"
	kindCut     = "cut"
	kindNumber  = "number"
	kindWhole   = "whole"
	kindSeveral = "several"
	kindAcross  = "across"
	kindBoth    = "both"
	kindFlush   = "lost flush"
	kindWrite   = "lost write"
	kindOlder   = "older file"

	manyOfKind = 1 << 20 // of a kind without end
)

var kindWords = map[string]string{
	kindPage:    "one page zeros, ones, noise, or half of it",
	kindSwap:    "two pages swapped",
	kindCopy:    "one page in another's place",
	kindBit:     "one bit flipped",
	kindByte:    "one byte changed",
	kindRun:     "a run of bytes zeros or noise",
	kindCut:     "cut or longer",
	kindNumber:  "a number of the structure changed",
	kindWhole:   "missing, empty, zeros or noise",
	kindSeveral: "two to five of these, in any file",
	kindAcross:  "a page of one file in another",
	kindBoth:    "a page of hot.db and one of shadow",
	kindFlush:   "a flush that did not happen",
	kindWrite:   "a write that did not happen",
	kindOlder:   "one file of an earlier moment",
}

var damageFiles = []string{hotFile, shadowFile, archiveFile}

// damageKinds lists all kinds for a base, in a fixed order.
func damageKinds(base *damageBase) (list []damageKind) {
	for _, name := range damageFiles {
		b := base.Files[name]
		pages, used := len(b)/blockBytes, usedPages(b)
		add := func(kind string, share float64, count int, ops func(n int, dice *rand.Rand) []op) {
			list = append(list, damageKind{kind, name, share, count, ops})
		}
		put := func(at int, data []byte) op {
			return op{Kind: opWrite, Name: name, Offset: int64(at), Data: data}
		}
		page := func(n int) []byte { return b[n*blockBytes : (n+1)*blockBytes] }
		add(kindPage, 8, pages*pageFills, func(n int, dice *rand.Rand) []op {
			return []op{put(n/pageFills*blockBytes, filled(page(n/pageFills), n%pageFills, dice))}
		})
		add(kindSwap, 4, len(used)*pages, func(n int, dice *rand.Rand) []op {
			a, c := used[n/pages], n%pages
			return []op{put(a*blockBytes, page(c)), put(c*blockBytes, page(a))}
		})
		add(kindCopy, 3, 2*len(used)*pages, func(n int, dice *rand.Rand) []op {
			from, to := used[n/2/pages], n/2%pages
			data := slices.Clone(page(from))
			if n%2 == 1 { // as bbolt would have numbered it
				binary.NativeEndian.PutUint64(data, uint64(to))
			}
			return []op{put(to*blockBytes, data)}
		})
		spots := usedBytes(b)
		add(kindBit, 8, len(spots)*8, func(n int, dice *rand.Rand) []op {
			at := spots[n/8]
			return []op{put(at, []byte{b[at] ^ 1<<(n%8)})}
		})
		add(kindByte, 8, len(spots), func(n int, dice *rand.Rand) []op {
			at := spots[n]
			return []op{put(at, []byte{b[at] ^ byte(1+dice.IntN(255))})}
		})
		add(kindRun, 3, manyOfKind, func(n int, dice *rand.Rand) []op {
			at := spots[dice.IntN(len(spots))]
			size := min(2+dice.IntN(1<<(2+dice.IntN(14))), len(b)-at)
			data := make([]byte, size)
			if dice.IntN(2) == 0 {
				data = noise(size, dice)
			}
			return []op{put(at, data)}
		})
		edges := cutEdges(b, used)
		add(kindCut, 3, len(edges), func(n int, dice *rand.Rand) []op {
			if edges[n] <= len(b) {
				return []op{{Kind: opTruncate, Name: name, Offset: int64(edges[n])}}
			}
			return []op{put(len(b), noise(edges[n]-len(b), dice))}
		})
		add(kindWhole, 1, wholeFills, func(n int, dice *rand.Rand) []op {
			switch n {
			case 0:
				return []op{{Kind: opRemove, Name: name}}
			case 1:
				return []op{{Kind: opTruncate, Name: name}}
			}
			return []op{put(0, filled(b, n-2, dice))}
		})
		if name != shadowFile {
			fields := structure(b, used)
			add(kindNumber, 4, len(fields)*oddNumbers, func(n int, dice *rand.Rand) []op {
				return fields[n/oddNumbers].with(name, b, n%oddNumbers, dice)
			})
		}
	}
	return append(list, mixedKinds(base, list)...)
}

// mixedKinds hurt more than one file.
func mixedKinds(base *damageBase, single []damageKind) []damageKind {
	hot, shadow := base.Files[hotFile], base.Files[shadowFile]
	pages := func(b []byte) int { return len(b) / blockBytes }
	return []damageKind{
		{kindSeveral, "", 8, manyOfKind, func(n int, dice *rand.Rand) (all []op) {
			for range 2 + dice.IntN(4) {
				k := single[dice.IntN(len(single))]
				for _, o := range k.ops(dice.IntN(k.count), dice) {
					o.Data = slices.Clone(o.Data)
					all = append(all, o)
				}
			}
			return all
		}},
		{kindAcross, "", 3, manyOfKind, func(n int, dice *rand.Rand) []op {
			from, to := damageFiles[dice.IntN(3)], damageFiles[dice.IntN(3)]
			b := base.Files[from]
			used := usedPages(b)
			at := used[dice.IntN(len(used))] * blockBytes
			return []op{{Kind: opWrite, Name: to, Offset: int64(dice.IntN(pages(base.Files[to])) * blockBytes), Data: b[at : at+blockBytes]}}
		}},
		{kindBoth, "", 2, pages(hot) * pages(shadow) * 2, func(n int, dice *rand.Rand) []op {
			p, q := n/2/pages(shadow)*blockBytes, n/2%pages(shadow)*blockBytes
			return []op{{Kind: opWrite, Name: hotFile, Offset: int64(p), Data: filled(hot[p:p+blockBytes], n%2*2, dice)},
				{Kind: opWrite, Name: shadowFile, Offset: int64(q), Data: filled(shadow[q:q+blockBytes], n%2*2, dice)}}
		}},
	}
}

const (
	pageFills  = 7
	wholeFills = 5
)

// filled is what stands in the place of b: zeros, ones, noise, noise behind an intact header, one half or the other zeros,
// or bytes of which some are wrong.
func filled(b []byte, how int, dice *rand.Rand) []byte {
	after := slices.Clone(b)
	switch how {
	case 0:
		clear(after)
	case 1:
		for i := range after {
			after[i] = 0xFF
		}
	case 2:
		after = noise(len(b), dice)
	case 3:
		copy(after[16:], noise(len(b)-16, dice))
	case 4:
		clear(after[:len(after)/2])
	case 5:
		clear(after[len(after)/2:])
	default:
		for range 1 + dice.IntN(64) {
			after[dice.IntN(len(after))] ^= byte(1 + dice.IntN(255))
		}
	}
	return after
}

func noise(n int, dice *rand.Rand) []byte {
	b := make([]byte, (n+7)/8*8)
	for at := 0; at < n; at += 8 {
		binary.NativeEndian.PutUint64(b[at:], dice.Uint64())
	}
	return b[:n]
}

func blank(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

func usedPages(b []byte) (list []int) {
	for n := range len(b) / blockBytes {
		if !blank(b[n*blockBytes : (n+1)*blockBytes]) {
			list = append(list, n)
		}
	}
	return list
}

// usedBytes are those that mean something, and a few beside them: runs of zeros are left out.
func usedBytes(b []byte) (list []int) {
	const unit = 16
	for at := 0; at < len(b); at += unit {
		if !blank(b[at:min(at+unit, len(b))]) {
			for i := at; i < min(at+unit, len(b)); i++ {
				list = append(list, i)
			}
		}
	}
	return list
}

// cutEdges are lengths that a file may be cut to or grow to: each sector, and about the beginning of each page in use.
func cutEdges(b []byte, used []int) (list []int) {
	for n := 0; n < len(b); n += sectorBytes {
		list = append(list, n)
	}
	for _, p := range used {
		for _, near := range []int{-1, 1, 8, 15, 16, 17, 63, 80} {
			list = append(list, max(1, p*blockBytes+near))
		}
	}
	list = append(list, len(b)-1, len(b)+1, len(b)+sectorBytes, len(b)+blockBytes, 2*len(b))
	slices.Sort(list)
	return slices.Compact(list)
}

// number is an integer of a database's structure: of a root, of a page's header, of an element.
type number struct{ at, size int }

// structure finds the numbers of a bbolt file (go.etcd.io/bbolt, internal/common: Page, Meta, branch and leaf elements).
func structure(b []byte, used []int) (list []number) {
	for _, p := range used {
		at := p * blockBytes
		list = append(list, number{at, 8}, number{at + 8, 2}, number{at + 10, 2}, number{at + 12, 4})
		flags, count := binary.NativeEndian.Uint16(b[at+8:]), int(binary.NativeEndian.Uint16(b[at+10:]))
		switch {
		case p < 2:
			for _, f := range []number{{16, 4}, {20, 4}, {24, 4}, {28, 4}, {32, 8}, {40, 8}, {48, 8}, {56, 8}, {64, 8}} {
				list = append(list, number{at + f.at, f.size})
			}
		case flags == 1 || flags == 2:
			for i := range min(count, 64) {
				e := at + 16 + 16*i
				list = append(list, number{e, 4}, number{e + 4, 4}, number{e + 8, 4}, number{e + 12, 4})
				if flags == 2 && binary.NativeEndian.Uint32(b[e:]) == 1 { // a bucket: its root and sequence, and its inline page
					v := e + int(binary.NativeEndian.Uint32(b[e+4:])) + int(binary.NativeEndian.Uint32(b[e+8:]))
					for _, f := range []number{{0, 8}, {8, 8}, {24, 2}, {26, 2}, {28, 4}, {32, 4}, {36, 4}, {40, 4}, {44, 4}} {
						if v+f.at+f.size <= len(b) {
							list = append(list, number{v + f.at, f.size})
						}
					}
				}
			}
		case flags == 16:
			for i := range min(count, 16) {
				list = append(list, number{at + 16 + 8*i, 8})
			}
		}
	}
	return list
}

const oddNumbers = 12

// with gives the number another value, and a root its checksum: bbolt itself would find nothing wrong with it.
func (f number) with(name string, b []byte, how int, dice *rand.Rand) []op {
	var whole [8]byte
	copy(whole[:], b[f.at:f.at+f.size])
	v := binary.LittleEndian.Uint64(whole[:])
	switch odd := []uint64{0, 1, 2, 3, v + 1, v - 1, v * 2, 0xFFFF, 1<<32 - 1, 1<<63 + 5}; {
	case how < len(odd):
		v = odd[how]
	case how == len(odd):
		v = uint64(dice.IntN(len(b)/blockBytes + 2))
	default:
		v = dice.Uint64()
	}
	binary.LittleEndian.PutUint64(whole[:], v)
	page := f.at / blockBytes * blockBytes
	after := slices.Clone(b[page : page+blockBytes])
	copy(after[f.at-page:], whole[:f.size])
	if f.at < 2*blockBytes && f.at-page >= 16 {
		sum := fnv.New64a()
		_, _ = sum.Write(after[16:72])
		binary.NativeEndian.PutUint64(after[72:], sum.Sum64())
	}
	return []op{{Kind: opWrite, Name: name, Offset: int64(page), Data: after}}
}
