package iso8583

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const messagesDir = "../../testdata/messages"

// sample is a message as a terminal or an acquirer builds it. Fields 52, 55, 59 and 62 are written in hex.
type sample struct {
	file   string
	mti    string
	fields map[int]string
}

func (s sample) value(field int) []byte {
	if field == 52 || field == 55 || field == 59 || field == 62 {
		value, err := hex.DecodeString(strings.ReplaceAll(s.fields[field], " ", ""))
		if err != nil {
			panic(err)
		}
		return value
	}
	return []byte(s.fields[field])
}

func (s sample) build(m *Message) {
	m.Reset()
	m.SetMTI(s.mti)
	for field := range s.fields {
		m.SetBytes(field, s.value(field))
	}
}

const (
	tid = "10000001"
	mid = "898000000000001"

	requestTags = "9F2608 95BBE372271DDA7C 9F2701 80 9F1013 07010103A00000010A010000000000ED538FE4" +
		"9F3704 7F9F349E 9F3602 0157 9505 0000000000 9A03 190830 9C01 00 9F0206 000000001250 5F2A02 0156" +
		"8202 7C00 9F1A02 0156 9F0306 000000000000 9F3303 E0E1C8"
	reversalTags = "9505 0000000000 9F1E08 3130303030303031 9F1013 07010103A00000010A010000000000ED538FE4 9F3602 0157"
	workingKeys  = "6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA"
)

// samples are one message of each shape: they carry every field of the table but 36, 44, 54 and 58.
var samples = []sample{
	{"signin-0800.hex", "0800", map[int]string{
		11: "000023", 41: tid, 42: mid, 60: "00000024003",
		62: hex.EncodeToString([]byte("Sequence No1200010SN000001")), 63: "01 "}},
	{"signin-0810.hex", "0810", map[int]string{
		11: "000023", 12: "093435", 13: "1121", 32: "01020000", 37: "112109343500", 39: "00", 41: tid, 42: mid,
		60: "00000024003", 62: workingKeys}},
	{"echo-0820.hex", "0820", map[int]string{41: tid, 42: mid, 60: "00000024301"}},
	{"echo-0830.hex", "0830", map[int]string{
		12: "093436", 13: "1121", 39: "00", 41: tid, 42: mid, 60: "00000024301"}},
	{"sale-swiped-0200.hex", "0200", map[int]string{
		3: "000000", 4: "000000001250", 11: "000024", 22: "021", 25: "00", 26: "12",
		35: "6200000000000005=30122010000000000", 41: tid, 42: mid, 49: "156", 52: "23B72AC5781BA141",
		53: "2600000000000000", 60: "22000024000500", 64: "8F651B26"}},
	{"sale-swiped-0210.hex", "0210", map[int]string{
		2: "6200000000000005", 3: "000000", 4: "000000001250", 11: "000024", 12: "093501", 13: "1121", 14: "3012",
		15: "1122", 25: "00", 32: "01020000", 37: "112109350101", 38: "123456", 39: "00", 41: tid, 42: mid,
		44: "01020000   01030000", 49: "156", 60: "22000024000500",
		63: "CUP\xd5\xd0\xc9\xcc\xd2\xf8\xd0\xd0            ", 64: "BEC4568E"}},
	{"sale-contactless-0200.hex", "0200", map[int]string{
		2: "6224242900000113", 3: "000000", 4: "000000001250", 11: "000025", 14: "2806", 22: "072", 23: "001",
		25: "00", 35: "6224242900000113=28062013949031013", 41: tid, 42: mid, 49: "156", 55: requestTags,
		59: "3031303034", 60: "22000024000600", 64: "8F651B26"}},
	{"sale-contactless-0210.hex", "0210", map[int]string{
		2: "6224242900000113", 3: "000000", 4: "000000001250", 11: "000025", 12: "093601", 13: "1121", 15: "1122",
		23: "001", 25: "00", 32: "01020000", 37: "112109360102", 38: "123457", 39: "00", 41: tid, 42: mid,
		49: "156", 55: "910A 1122334455667788 3030", 60: "22000024000600", 63: "CUP", 64: "E267B6E2"}},
	{"sale-declined-0210.hex", "0210", map[int]string{
		3: "000000", 4: "000000001250", 11: "000026", 12: "093602", 13: "1121", 25: "00", 37: "112109360203",
		39: "51", 41: tid, 42: mid, 49: "156", 60: "22000024000600"}},
	{"reversal-0400.hex", "0400", map[int]string{
		2: "6224242900000113", 3: "000000", 4: "000000001250", 11: "000025", 14: "2806", 22: "072", 23: "001",
		25: "00", 39: "98", 41: tid, 42: mid, 49: "156", 55: reversalTags, 60: "22000024000600",
		61: "000024000025", 64: "8F651B26"}},
	{"reversal-0410.hex", "0410", map[int]string{
		2: "6224242900000113", 3: "000000", 4: "000000001250", 11: "000025", 12: "093702", 13: "1121", 15: "1122",
		25: "00", 32: "01020000", 37: "112109370203", 39: "00", 41: tid, 42: mid, 49: "156", 60: "22000024000600",
		64: "BEC4568E"}},
	{"void-0200.hex", "0200", map[int]string{
		3: "200000", 4: "000000001250", 11: "000028", 22: "022", 25: "00", 35: "6200000000000005=30122010000000000",
		37: "112109350101", 38: "123456", 41: tid, 42: mid, 49: "156", 60: "23000024000600", 61: "000024000024", 64: "8F651B26"}},
	{"void-reversal-0400.hex", "0400", map[int]string{
		2: "6200000000000005", 3: "200000", 4: "000000001250", 11: "000028", 14: "3012", 22: "022", 25: "00", 38: "123456",
		39: "98", 41: tid, 42: mid, 49: "156", 60: "23000024000600", 61: "000024000028", 64: "8F651B26"}},
	{"refund-0220.hex", "0220", map[int]string{
		2: "6200000000000005", 3: "200000", 4: "000000000250", 11: "000029", 14: "3012", 22: "022", 25: "00",
		37: "112109350101", 41: tid, 42: mid, 49: "156", 60: "25000024000600", 61: "0000000000001121", 63: "CUP", 64: "8F651B26"}},
	{"refund-0230.hex", "0230", map[int]string{
		3: "200000", 4: "000000000250", 11: "000029", 12: "093801", 13: "1121", 25: "00", 37: "112109380103", 39: "94",
		41: tid, 42: mid, 49: "156", 60: "25000024000600", 63: "CUP", 64: "BEC4568E"}},
	{"upload-0320.hex", "0320", map[int]string{
		11: "000031", 41: tid, 42: mid, 48: "02" +
			"00" + "000024" + "00006200000000000005" + "000000001250" +
			"01" + "000025" + "00004242424242424242" + "000000008800", 60: "00000024201"}},
	{"batch-end-0320.hex", "0320", map[int]string{11: "000032", 41: tid, 42: mid, 48: "0002", 60: "00000024202"}},
	{"settle-0500.hex", "0500", map[int]string{
		11: "000030", 41: tid, 42: mid,
		48: strings.Repeat("0000000025000020000000000000000", 2), 49: "156", 60: "00000024201", 63: "01 "}},
	{"encrypted-track-0200.hex", "0200", map[int]string{
		3: "000000", 4: "000000001250", 11: "000027", 22: "022", 25: "00", 35: "6224242900000113F9BFB=E34594544813",
		41: tid, 42: mid, 49: "156", 53: "0010000000000000", 60: "22000024000500", 64: "8F651B26"}},
}

// golden reads hex with '#' comments.
func golden(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(messagesDir, file))
	require.NoError(t, err)
	var digits []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("#")) {
			digits = append(digits, bytes.TrimSpace(line)...)
		}
	}
	wire, err := hex.DecodeString(string(digits))
	require.NoError(t, err)
	return wire
}
