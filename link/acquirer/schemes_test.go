package acquirer

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func tlv(tag uint32, value ...byte) []byte {
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
			out = append(out, tlv(tag, value...)...)
		}
	}
	return out
}

// readEntry reads the answer to the question for one entry.
func readEntry(which Schemes, name []byte, field62 []byte) (txn.SchemeRow, error) {
	e := schemeEntry{row: txn.SchemeRow{Name: name}}
	err := e.read(which, field62)
	return e.row, err
}

var keyName = append(rid[:5:5], 0x0B)

func parseKey(field62 []byte) (txn.SchemeRow, error) { return readEntry(SchemeKeys, keyName, field62) }

// Test key 92 of A000000003, as the scheme has published it.
func TestAPublishedKeyAgreesWithItsHash(t *testing.T) {
	modulus, err := hex.DecodeString("996AF56F569187D09293C14810450ED8EE3357397B18A2458EFAA92DA3B6DF6514EC060195318FD43BE9B8F0CC669E3F844057CBDDF8BDA191BB64473BC8DC9A730DB8F6B4EDE3924186FFD9B8C7735789C23A36BA0B8AF65372EB57EA5D89E7D14E9C7B6B557460F10885DA16AC923F15AF3758F0F03EBD3C5C2C949CBA306DB44E6A2C076C5F67E281D7EF56785DC4D75945E491F01918800A9E2DC66F60080566CE0DAF8D17EAD46AD8E30A247C9F")
	require.NoError(t, err)
	hash, err := hex.DecodeString("429C954A3859CEF91295F663C963E582ED6EB253")
	require.NoError(t, err)
	visa := []byte{0xA0, 0, 0, 0, 3}
	row, err := readEntry(SchemeKeys, append(visa[:5:5], 0x92), joined([]byte("1"), tlv(tagAID, visa...), tlv(tagKeyIndex, 0x92), tlv(tagHashKind, 1), tlv(tagKeyKind, 1),
		tlv(tagModulus, modulus...), tlv(tagExponent, 3), tlv(tagHash, hash...)))
	require.NoError(t, err)
	assert.Equal(t, joined(hash, []byte{0, 0, 0, 3}, modulus), row.Says)
}

func TestAKeyIsReadAndProven(t *testing.T) {
	k, err := parseKey(keyAnswer(nil))
	require.NoError(t, err)
	assert.Equal(t, "A0000003330B", k.String())
	assert.Len(t, k.Says, 20+4+128)
	again, err := parseKey(keyAnswer(func(p map[uint32][]byte) { p[tagExpiry], p[tagExponent] = []byte("20301231"), []byte{0, 0, 0, 3} }))
	require.NoError(t, err, "four bytes of an exponent")
	assert.Equal(t, k, again)

	for name, change := range map[string]func(map[uint32][]byte){
		"a wrong hash":            func(p map[uint32][]byte) { p[tagHash][3] ^= 1 },
		"no hash":                 func(p map[uint32][]byte) { delete(p, tagHash) },
		"another modulus":         func(p map[uint32][]byte) { p[tagModulus][100] ^= 1 },
		"another index":           func(p map[uint32][]byte) { p[tagKeyIndex] = []byte{0x0C} },
		"no index":                func(p map[uint32][]byte) { delete(p, tagKeyIndex) },
		"an index of two bytes":   func(p map[uint32][]byte) { p[tagKeyIndex] = []byte{0, 0x0B} },
		"a provider of six bytes": func(p map[uint32][]byte) { p[tagAID] = append(rid[:5:5], 1) },
		"exponent 5":              func(p map[uint32][]byte) { p[tagExponent] = []byte{5} },
		"a modulus of 249 bytes":  func(p map[uint32][]byte) { p[tagModulus] = make([]byte, 249) },
		"no modulus":              func(p map[uint32][]byte) { delete(p, tagModulus) },
		"another algorithm":       func(p map[uint32][]byte) { p[tagKeyKind] = []byte{4} },
	} {
		k, err := parseKey(keyAnswer(change))
		assert.ErrorIs(t, err, ErrDownload, name)
		assert.Empty(t, k.Says, name)
	}
	for name, field62 := range map[string][]byte{
		"nothing":        nil,
		"not there":      []byte("0"),
		"a byte short":   keyAnswer(nil)[:len(keyAnswer(nil))-1],
		"a byte more":    append(keyAnswer(nil), 0x9F),
		"twice the same": append(keyAnswer(nil), tlv(tagKeyIndex, 0x0B)...),
	} {
		_, err := parseKey(field62)
		assert.ErrorIs(t, err, ErrDownload, name)
	}
}

func TestAKeyThatItselfSaysThatItHasExpiredIsOver(t *testing.T) {
	e := schemeEntry{row: txn.SchemeRow{Name: keyName}}
	require.NoError(t, e.read(SchemeKeys, keyAnswer(func(p map[uint32][]byte) { p[tagExpiry] = []byte("20251231") })))
	assert.True(t, e.over("20260101"))
	assert.False(t, e.over("20251231"), "its last day")
	require.Error(t, e.read(SchemeKeys, keyAnswer(func(p map[uint32][]byte) { p[tagExpiry] = []byte("never") })))
}

func TestAnApplicationIsRead(t *testing.T) {
	aid := []byte{0xA0, 0, 0, 3, 0x33, 1, 1}
	good := joined([]byte("1"), tlv(tagAID, aid...), tlv(tagExact, 1), tlv(0x9F08, 0, 0x20), tlv(0xDF11, 1, 2, 3, 4, 5), tlv(0x9F1B, 0, 0, 0x27, 0x10),
		tlv(0xDF17, 0x50), tlv(0xDF14, 0x9F, 0x37, 4), tlv(0xDF21, 0, 0, 0, 0x10, 0, 0))
	a, err := readEntry(SchemeApplications, aid, good)
	require.NoError(t, err)
	says := map[byte][]byte{}
	a.Each(func(what byte, value []byte) { says[what] = value })
	assert.Equal(t, map[byte][]byte{txn.SaysVersion: {0, 0x20}, txn.SaysPartial: {0}, txn.SaysDefault: {1, 2, 3, 4, 5}, txn.SaysFloor: {0, 0, 0x27, 0x10},
		txn.SaysTarget: {0x50}, txn.SaysDDOL: {0x9F, 0x37, 4}}, says)
	for name, wrong := range map[string][]byte{
		"another":           joined([]byte("1"), tlv(tagAID, aid[:6]...)),
		"no name":           joined([]byte("1"), tlv(tagExact, 0)),
		"half exact":        append(bytes.Clone(good[:11]), tlv(tagExact, 2)...),
		"a code of 4 bytes": append(bytes.Clone(good[:11]), tlv(0xDF12, 1, 2, 3, 4)...),
		"an empty limit":    append(bytes.Clone(good[:11]), tlv(0x9F1B)...),
		"a length cut":      append(bytes.Clone(good), 0xDF, 0x22, 0x81),
		"a long length":     append(bytes.Clone(good), 0xDF, 0x22, 0x82, 0, 1, 0),
		"an endless tag":    append(bytes.Clone(good), 0xDF, 0xFF, 0xFF, 0xFF, 1, 0),
		"a byte short":      good[:len(good)-1],
	} {
		_, err := readEntry(SchemeApplications, aid, wrong)
		assert.ErrorIs(t, err, ErrDownload, name)
	}
}

// listed is a page of keys of these indexes.
func listed(flag string, indexes ...byte) []byte {
	out := []byte(flag)
	for _, i := range indexes {
		out = append(out, joined(tlv(tagAID, rid...), tlv(tagKeyIndex, i), tlv(tagExpiry, 0x20, 0x30, 0x12, 0x31))...)
	}
	return out
}

func TestAListOfKeysIsWholeOrNothing(t *testing.T) {
	l := schemeList{}
	require.NoError(t, l.take(listed("2", 1, 2, 3)))
	require.False(t, l.whole)
	require.NoError(t, l.take(listed("1", 4)))
	require.True(t, l.whole)
	require.Len(t, l.entries, 4)
	assert.Equal(t, joined(tlv(tagAID, rid...), tlv(tagKeyIndex, 4)), l.entries[3].asked)
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
		"no index":               {joined([]byte("1"), tlv(tagAID, rid...))},
		"an index alone":         {joined([]byte("1"), tlv(tagKeyIndex, 1))},
		"no provider but an AID": {joined([]byte("1"), tlv(tagAID, append(rid[:5:5], 1)...), tlv(tagKeyIndex, 1))},
		"a hundred":              {listed("1", many...)},
	} {
		l := schemeList{}
		var err error
		for _, page := range pages {
			if err = l.take(page); err != nil {
				break
			}
		}
		assert.ErrorIs(t, err, ErrDownload, name)
	}
	apps := schemeList{which: SchemeApplications}
	require.NoError(t, apps.take(joined([]byte("1"), tlv(tagAID, rid...), tlv(tagAID, append(rid[:5:5], 1)...))))
	assert.Len(t, apps.entries, 2)
}

func FuzzSchemeEntry(f *testing.F) {
	f.Add(keyAnswer(nil))
	f.Add([]byte("0"))
	f.Add(joined([]byte("1"), tlv(tagAID, 0xA0, 0, 0, 3, 0x33, 1, 1), tlv(0xDF17, 0x50), tlv(0xDF21, 1)))
	f.Fuzz(func(t *testing.T, field62 []byte) {
		k, err := parseKey(field62)
		if hash := sha1.Sum(joined(k.Name, k.Says[min(txn.KeyModulus, len(k.Says)):], bytes.TrimLeft(k.Says[min(txn.KeyExponent, len(k.Says)):min(txn.KeyModulus, len(k.Says))], "\x00"))); err == nil && !bytes.HasPrefix(k.Says, hash[:]) {
			t.Fatal("a key is believed that does not hold")
		}
		a, err := readEntry(SchemeApplications, []byte{0xA0, 0, 0, 3, 0x33, 1, 1}, field62)
		size := 0
		a.Each(func(what byte, value []byte) { size += 2 + len(value) })
		if err == nil && size != len(a.Says) {
			t.Fatal("an application is believed that cannot be read")
		}
	})
}

func FuzzSchemeList(f *testing.F) {
	f.Add(listed("2", 1, 2), listed("1", 3), false)
	f.Add(joined([]byte("1"), tlv(tagAID, rid...)), []byte("0"), true)
	f.Fuzz(func(t *testing.T, one, two []byte, apps bool) {
		l := schemeList{}
		if apps {
			l.which = SchemeApplications
		}
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
			if n := len(e.row.Name); n < txn.LeastAID || n > txn.MostAID || seen[e.row.String()] {
				t.Fatal("an entry is believed that does not hold")
			}
			seen[e.row.String()] = true
		}
		if len(l.entries) == 0 || len(l.entries) > mostSchemes {
			t.Fatal("a list of none, or of too many")
		}
	})
}
