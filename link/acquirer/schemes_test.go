package acquirer

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func object(tag uint32, value ...byte) []byte {
	var out []byte
	for shift := 16; shift >= 0; shift -= 8 {
		if shift == 0 || tag>>shift != 0 {
			out = append(out, byte(tag>>shift))
		}
	}
	if len(value) > 0x7F {
		out = append(out, 0x81)
	}
	return append(append(out, byte(len(value))), value...)
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

var rid = []byte{0xA0, 0, 0, 3, 0x33}

// keyAnswer is the acquirer's answer to the question for one key, and change what is wrong with it.
func keyAnswer(change func(parts map[uint32][]byte)) []byte {
	modulus := bytes.Repeat([]byte{0xC3}, 128)
	hash := sha1.Sum(joined(rid, []byte{0x0B}, modulus, []byte{3}))
	parts := map[uint32][]byte{tagAID: rid, tagKeyIndex: {0x0B}, tagExpiry: {0x20, 0x30, 0x12, 0x31}, tagHashKind: {1}, tagKeyKind: {1},
		tagModulus: modulus, tagExponent: {3}, tagHash: hash[:]}
	if change != nil {
		change(parts)
	}
	out := []byte("1")
	for _, tag := range []uint32{tagAID, tagKeyIndex, tagExpiry, tagHashKind, tagKeyKind, tagModulus, tagExponent, tagHash, 0xDF99} {
		if value, there := parts[tag]; there {
			out = append(out, object(tag, value...)...)
		}
	}
	return out
}

func TestAKeyIsReadAndProven(t *testing.T) {
	k, err := parseKey(keyAnswer(nil))
	require.NoError(t, err)
	assert.Equal(t, "A000000333 0B", k.Name())
	assert.Equal(t, "20301231", k.Expires)
	k, err = parseKey(keyAnswer(func(p map[uint32][]byte) { p[tagExpiry], p[tagExponent] = []byte("20301231"), []byte{0, 0, 0, 3} }))
	require.NoError(t, err, "eight bytes of a date, four of an exponent")
	assert.Equal(t, "20301231", k.Expires)

	for name, change := range map[string]func(map[uint32][]byte){
		"a wrong hash":            func(p map[uint32][]byte) { p[tagHash][3] ^= 1 },
		"no hash":                 func(p map[uint32][]byte) { delete(p, tagHash) },
		"another modulus":         func(p map[uint32][]byte) { p[tagModulus][100] ^= 1 },
		"another index":           func(p map[uint32][]byte) { p[tagKeyIndex] = []byte{0x0C} },
		"no index":                func(p map[uint32][]byte) { delete(p, tagKeyIndex) },
		"an index of two bytes":   func(p map[uint32][]byte) { p[tagKeyIndex] = []byte{0, 0x0B} },
		"a provider of six bytes": func(p map[uint32][]byte) { p[tagAID] = append(rid[:5:5], 1) },
		"exponent 5":              func(p map[uint32][]byte) { p[tagExponent] = []byte{5} },
		"no date":                 func(p map[uint32][]byte) { p[tagExpiry] = []byte("never") },
		"another algorithm":       func(p map[uint32][]byte) { p[tagKeyKind] = []byte{4} },
	} {
		k, err := parseKey(keyAnswer(change))
		assert.ErrorIs(t, err, ErrDownload, name)
		assert.Zero(t, k, name)
	}
	for name, field62 := range map[string][]byte{
		"nothing":        nil,
		"not there":      []byte("0"),
		"a byte short":   keyAnswer(nil)[:len(keyAnswer(nil))-1],
		"a byte more":    append(keyAnswer(nil), 0x9F),
		"twice the same": append(keyAnswer(nil), object(tagKeyIndex, 0x0B)...),
	} {
		_, err := parseKey(field62)
		assert.ErrorIs(t, err, ErrDownload, name)
	}
}

func TestAnApplicationIsRead(t *testing.T) {
	aid := []byte{0xA0, 0, 0, 3, 0x33, 1, 1}
	good := joined([]byte("1"), object(tagAID, aid...), object(tagExact, 1), object(tagVersionOld, 0, 0x20), object(tagDefault, 1, 2, 3, 4, 5), object(tagFloor, 0, 0, 0x27, 0x10),
		object(tagTarget, 0x50), object(tagMaxTarget, 0x99), object(tagDDOL, 0x9F, 0x37, 4), object(0xDF21, 0, 0, 0, 0x10, 0, 0))
	a, err := parseApplication(good)
	require.NoError(t, err)
	assert.Equal(t, "A0000003330101", a.Name())
	assert.True(t, a.Exact)
	assert.Equal(t, txn.Hex{0, 0x20}, a.Version)
	assert.Equal(t, txn.Hex{0, 0, 0x27, 0x10}, a.Floor)
	assert.Equal(t, []txn.TLV{{Tag: 0xDF21, Value: txn.Hex{0, 0, 0, 0x10, 0, 0}}}, a.Kept)
	for name, wrong := range map[string][]byte{
		"too short a name":    joined([]byte("1"), object(tagAID, aid[:4]...)),
		"no name":             joined([]byte("1"), object(tagExact, 0)),
		"half exact":          append(bytes.Clone(good[:11]), object(tagExact, 2)...),
		"a code of 4 bytes":   append(bytes.Clone(good[:11]), object(tagOnline, 1, 2, 3, 4)...),
		"percent of no digit": append(bytes.Clone(good[:11]), object(tagTarget, 0x5A)...),
		"a length cut":        append(bytes.Clone(good), 0xDF, 0x22, 0x81),
		"an endless tag":      append(bytes.Clone(good), 0xDF, 0xFF, 0xFF, 0xFF, 1, 0),
		"a byte short":        good[:len(good)-1],
	} {
		_, err := parseApplication(wrong)
		assert.ErrorIs(t, err, ErrDownload, name)
	}
}

// listed is a page of keys of these indexes.
func listed(flag string, indexes ...byte) []byte {
	out := []byte(flag)
	for _, i := range indexes {
		out = append(out, joined(object(tagAID, rid...), object(tagKeyIndex, i), object(tagExpiry, 0x20, 0x30, 0x12, 0x31))...)
	}
	return out
}

func TestAListOfKeysIsWholeOrNothing(t *testing.T) {
	l := schemeList{keys: true}
	require.NoError(t, l.take(listed("2", 1, 2, 3)))
	require.False(t, l.whole)
	require.NoError(t, l.take(listed("1", 4)))
	require.True(t, l.whole)
	require.Len(t, l.entries, 4)
	assert.Equal(t, joined(object(tagAID, rid...), object(tagKeyIndex, 4)), l.entries[3].question())
	assert.Equal(t, "20301231", l.entries[3].expires)

	many := make([]byte, 100)
	for i := range many {
		many[i] = byte(i)
	}
	first := listed("2", 1, 2)
	for name, pages := range map[string][][]byte{
		"none":                   {[]byte("0")},
		"nothing":                {nil},
		"no flag":                {listed("9", 1)},
		"the same page twice":    {first, first},
		"none after more":        {first, []byte("0")},
		"an empty page":          {first, []byte("2")},
		"an empty last page":     {first, []byte("1")},
		"cut short":              {first[:len(first)-1]},
		"no index":               {joined([]byte("1"), object(tagAID, rid...))},
		"an index alone":         {joined([]byte("1"), object(tagKeyIndex, 1))},
		"no provider but an AID": {joined([]byte("1"), object(tagAID, append(rid[:5:5], 1)...), object(tagKeyIndex, 1))},
		"a hundred":              {listed("1", many...)},
	} {
		l := schemeList{keys: true}
		var err error
		for _, page := range pages {
			if err = l.take(page); err != nil {
				break
			}
		}
		assert.ErrorIs(t, err, ErrDownload, name)
	}
	apps := schemeList{}
	require.NoError(t, apps.take(joined([]byte("1"), object(tagAID, rid...), object(tagAID, append(rid[:5:5], 1)...))))
	assert.Len(t, apps.entries, 2)
}

func FuzzSchemeEntry(f *testing.F) {
	f.Add(keyAnswer(nil))
	f.Add([]byte("0"))
	f.Add(joined([]byte("1"), object(tagAID, 0xA0, 0, 0, 3, 0x33, 1, 1), object(tagTarget, 0x50), object(0xDF21, 1)))
	f.Fuzz(func(t *testing.T, field62 []byte) {
		if k, err := parseKey(field62); err == nil && k.Check() != nil {
			t.Fatal("a key is believed that does not hold")
		}
		if a, err := parseApplication(field62); err == nil && a.Check() != nil {
			t.Fatal("an application is believed that does not hold")
		}
	})
}

func FuzzSchemeList(f *testing.F) {
	f.Add(listed("2", 1, 2), listed("1", 3), true)
	f.Add(joined([]byte("1"), object(tagAID, rid...)), []byte("0"), false)
	f.Fuzz(func(t *testing.T, one, two []byte, keys bool) {
		l := schemeList{keys: keys}
		for _, page := range [][]byte{one, two} {
			if l.whole || l.take(page) != nil {
				break
			}
		}
		if !l.whole {
			return
		}
		seen := map[string]bool{}
		for _, e := range l.entries {
			if e.check() != nil || seen[e.name()] {
				t.Fatal("an entry is believed that does not hold")
			}
			seen[e.name()] = true
		}
		if len(l.entries) == 0 || len(l.entries) > mostSchemeEntries || strings.Contains(fmt.Sprint(l.entries), "%!") {
			t.Fatal("a list of none, or of too many")
		}
	})
}
