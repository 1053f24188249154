package linktest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"posagent/link/iso8583"
)

// schemes is what the desk has for chip cards: keys and applications, each as the TLV objects in which it is served. They are
// made from their names alone, so that two runs of a story serve the same.
type schemes struct {
	keys, apps []schemeRow
}

type schemeRow struct {
	listed []byte // what a page of the list says of it
	asked  []byte // how a terminal asks for it
	whole  []byte // all of it
}

// schemePage is how many entries a page of a list carries here.
const schemePage = 3

func tlv(tag uint16, value []byte) []byte {
	out := []byte{byte(tag >> 8), byte(tag)}
	if len(value) > 0x7F {
		out = append(out, 0x81)
	}
	return append(append(out, byte(len(value))), value...)
}

// keyRow makes a key of a provider, an index and a last day. Its modulus is no product of primes: nobody here proves a card by it.
func keyRow(rid []byte, index byte, expires string) schemeRow {
	day, _ := hex.DecodeString(expires)
	modulus := []byte{0xC1}
	for n := byte(0); len(modulus) < 96+int(index%4)*32; n++ {
		sum := sha256.Sum256(append(append(append([]byte("key"), rid...), index, n), day...))
		modulus = append(modulus, sum[:]...)
	}
	modulus = modulus[:96+int(index%4)*32]
	exponent := []byte{3}
	if index%2 == 1 {
		exponent = []byte{1, 0, 1}
	}
	hash := sha1.Sum(bytes.Join([][]byte{rid, {index}, modulus, exponent}, nil))
	asked := append(tlv(0x9F06, rid), tlv(0x9F22, []byte{index})...)
	listed := append(bytes.Clone(asked), tlv(0xDF05, day)...)
	whole := append([]byte("1"), listed...)
	for _, part := range [][]byte{tlv(0xDF06, []byte{1}), tlv(0xDF07, []byte{1}), tlv(0xDF02, modulus), tlv(0xDF04, exponent), tlv(0xDF03, hash[:])} {
		whole = append(whole, part...)
	}
	return schemeRow{listed, asked, whole}
}

func appRow(aid, floor []byte) schemeRow {
	asked := tlv(0x9F06, aid)
	whole := append([]byte("1"), asked...)
	for _, part := range [][]byte{tlv(0xDF01, []byte{0}), tlv(0x9F08, []byte{0, 0x20}), tlv(0xDF11, []byte{0xD8, 0x40, 0, 0xA8, 0}), tlv(0xDF12, []byte{0xD8, 0x40, 4, 0xF8, 0}),
		tlv(0xDF13, []byte{0, 0x10, 0, 0, 0}), tlv(0x9F1B, floor), tlv(0xDF15, make([]byte, 4)), tlv(0xDF16, []byte{0}), tlv(0xDF17, []byte{0}), tlv(0xDF14, []byte{0x9F, 0x37, 4}),
		tlv(0xDF18, []byte{1}), tlv(0x9F7B, make([]byte, 6)), tlv(0xDF19, make([]byte, 6)), tlv(0xDF20, []byte{0, 0, 0, 1, 0, 0}), tlv(0xDF21, []byte{0, 0, 0, 0x10, 0, 0})} {
		whole = append(whole, part...)
	}
	return schemeRow{asked, asked, whole}
}

// page is a page of a list behind so many entries.
func page(rows []schemeRow, at int) []byte {
	if len(rows) == 0 {
		return []byte("0")
	}
	end := min(at+schemePage, len(rows))
	flag := "2"
	if end == len(rows) {
		flag = "1"
	}
	out := []byte(flag)
	for _, r := range rows[at:end] {
		out = append(out, r.listed...)
	}
	return out
}

// serve answers the questions for lists and entries, field 62 only; false is no question that makes sense.
func (s *schemes) serve(what Aim, m *iso8583.Message, fault Fault) ([]byte, bool) {
	rows, list := s.keys, what == AtKeyList
	if what == AtAppList || what == AtApp {
		rows, list = s.apps, what == AtAppList
	}
	asked := m.Bytes(62)
	if list {
		at, err := strconv.Atoi(string(asked[min(1, len(asked)):]))
		if err != nil || len(asked) != 3 || asked[0] != '1' || at < 0 || at > len(rows) {
			return nil, false
		}
		return spoilPart(page(rows, at), page(rows, max(0, at-schemePage)), page(rows, min(at+schemePage, len(rows))), fault), true
	}
	for i, r := range rows {
		if bytes.Equal(r.asked, asked) {
			return spoilPart(r.whole, rows[max(0, i-1)].whole, rows[min(i+1, len(rows)-1)].whole, fault), true
		}
	}
	return []byte("0"), true
}

// setKeys and setApps read RID:INDEX[:YYYYMMDD] and AID[=FLOOR], all in hexadecimal.
func (s *schemes) setKeys(words []string) (string, error) {
	var rows []schemeRow
	for _, word := range words {
		parts := strings.Split(word, ":")
		if len(parts) == 2 {
			parts = append(parts, "20351231")
		}
		rid, err := hex.DecodeString(parts[0])
		if err != nil || len(rid) != 5 || len(parts) != 3 || len(parts[2]) != 8 || strings.Trim(parts[2], "0123456789") != "" {
			return "", fmt.Errorf("%q: want RID:INDEX or RID:INDEX:YYYYMMDD", word)
		}
		index, err := strconv.ParseUint(parts[1], 16, 8)
		if err != nil {
			return "", fmt.Errorf("%q: its index is no byte in hexadecimal", word)
		}
		rows = append(rows, keyRow(rid, byte(index), parts[2]))
	}
	s.keys = rows
	return fmt.Sprintf("%d keys", len(rows)), nil
}

func (s *schemes) setApps(words []string) (string, error) {
	var rows []schemeRow
	for _, word := range words {
		id, limit, given := strings.Cut(word, "=")
		aid, err := hex.DecodeString(id)
		floor, floorErr := hex.DecodeString(limit)
		if !given {
			floor = make([]byte, 4)
		}
		if err != nil || floorErr != nil || len(aid) < 5 || len(aid) > 16 || len(floor) != 4 {
			return "", fmt.Errorf("%q: want AID or AID=FLOOR, the limit as eight hexadecimal digits", word)
		}
		rows = append(rows, appRow(aid, floor))
	}
	s.apps = rows
	return fmt.Sprintf("%d applications", len(rows)), nil
}
