//go:build !arm

package iso8583_test

import (
	"encoding/hex"
	"strings"
	"testing"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

// The profile's table is that of the description of the fields, which the tests of this package state as Go.
func TestTheBuiltInTableIsTheDescribedOne(t *testing.T) {
	want, got := iso8583.UnionPay(), profile.UnionPay().Dialect
	for number := range want.Fields {
		assert.Equal(t, want.Fields[number], got.Fields[number], "field %d", number)
	}
}

// readableSpec is ISO 8583:1987 in characters in moov's terms, written from the standard and not from the profile. Texts that
// are private have no limit below what their length can say.
func readableSpec() *moov.MessageSpec {
	str := func(length int, pref prefix.Prefixer) field.Field {
		return field.NewString(&field.Spec{Length: length, Enc: encoding.ASCII, Pref: pref})
	}
	hexed := func(length int, pref prefix.Prefixer) field.Field {
		return field.NewBinary(&field.Spec{Length: length, Enc: encoding.BytesToASCIIHex, Pref: pref})
	}
	fixed, ll, lll := prefix.ASCII.Fixed, prefix.ASCII.LL, prefix.ASCII.LLL
	return &moov.MessageSpec{Fields: map[int]field.Field{
		0: str(4, fixed),
		1: field.NewBitmap(&field.Spec{Length: 8, Enc: encoding.BytesToASCIIHex, Pref: prefix.Hex.Fixed}),
		2: str(19, ll), 3: str(6, fixed), 4: str(12, fixed), 7: str(10, fixed), 11: str(6, fixed), 12: str(6, fixed), 13: str(4, fixed),
		14: str(4, fixed), 15: str(4, fixed), 22: str(3, fixed), 23: str(3, fixed), 24: str(3, fixed), 25: str(2, fixed), 32: str(11, ll),
		35: str(37, ll), 37: str(12, fixed), 38: str(6, fixed), 39: str(2, fixed), 41: str(8, fixed), 42: str(15, fixed), 49: str(3, fixed),
		50: str(3, fixed), 52: hexed(8, fixed), 54: str(120, lll), 55: hexed(255, lll), 56: str(999, lll), 57: str(999, lll), 60: str(999, lll),
		62: hexed(512, lll), 64: hexed(8, fixed), 66: str(1, fixed), 70: str(3, fixed), 74: str(10, fixed), 75: str(10, fixed),
		76: str(10, fixed), 77: str(10, fixed), 86: str(16, fixed), 87: str(16, fixed), 88: str(16, fixed), 89: str(16, fixed),
		90: str(42, fixed), 97: str(17, fixed), 102: str(28, ll), 120: str(999, lll), 128: hexed(8, fixed),
	}}
}

type readable struct {
	name, mti string
	fields    map[int]string
}

// readables are one message of each kind under the generic profile, with its answer where that has fields of its own.
func readables() []readable {
	with := func(base map[int]string, more map[int]string) map[int]string {
		all := map[int]string{}
		for _, m := range []map[int]string{base, more} {
			for f, v := range m {
				if all[f] = v; v == "" {
					delete(all, f)
				}
			}
		}
		return all
	}
	const mac = "\x01\x23\x45\x67\x89\xAB\xCD\xEF"
	who := map[int]string{7: "1121093458", 11: "000007", 41: "10000001", 42: "898310148160001"}
	trade := with(who, map[int]string{4: "000000001250", 12: "093458", 13: "1121", 22: "022", 25: "00", 35: "6200000000000005=30122010000000000", 49: "156",
		60: "000001", 64: mac})
	keyed := map[int]string{2: "6200000000000005", 14: "3012", 35: ""}
	named := map[int]string{90: "020000000711210934580000000000000000000000", 64: "", 128: mac}
	hold := map[int]string{25: "06"}
	return []readable{
		{"sign-in", "0800", with(who, map[int]string{60: "000001", 70: "001"})},
		{"sign-in answered", "0810", with(who, map[int]string{12: "093501", 13: "1121", 39: "00", 60: "000001", 62: strings.Repeat("\x67\x01\xEA", 13) + "\x00"})},
		{"echo", "0800", with(who, map[int]string{70: "301"})},
		{"balance", "0200", with(trade, map[int]string{3: "310000", 4: ""})},
		{"balance answered", "0210", with(trade, map[int]string{3: "310000", 4: "", 35: "", 22: "", 39: "00", 54: "0002156C000000498750"})},
		{"sale", "0200", with(trade, map[int]string{3: "000000", 24: "009"})},
		{"sale by chip", "0200", with(with(trade, keyed), map[int]string{3: "000000", 22: "052", 23: "001", 55: "\x95\x05\x00\x00\x00\x00\x00\x9F\x36\x02\x00\x01"})},
		{"sale by payment code", "0200", with(trade, map[int]string{3: "000000", 22: "032", 35: "", 57: "134567890123456789"})},
		{"sale answered", "0210", with(trade, map[int]string{3: "000000", 22: "", 35: "", 15: "1121", 32: "48021000", 37: "000000000001", 38: "000001", 39: "00"})},
		{"void", "0200", with(with(trade, named), map[int]string{3: "020000", 37: "000000000001", 38: "000001"})},
		{"refund", "0220", with(with(with(trade, keyed), named), map[int]string{3: "200000", 37: "000000000001"})},
		{"refund again", "0221", with(with(with(trade, keyed), named), map[int]string{3: "200000", 37: "000000000001"})},
		{"pre-authorisation", "0100", with(with(trade, hold), map[int]string{3: "000000"})},
		{"its cancellation", "0100", with(with(with(trade, named), hold), map[int]string{3: "020000", 38: "000001"})},
		{"completion", "0200", with(with(with(trade, named), hold), map[int]string{3: "000000", 38: "000001"})},
		{"its cancellation", "0200", with(with(with(trade, named), hold), map[int]string{3: "020000", 37: "000000000001", 38: "000001"})},
		{"completion notice", "0220", with(with(with(with(trade, keyed), named), hold), map[int]string{3: "000000", 38: "000001"})},
		{"offline sale", "0220", with(with(trade, keyed), map[int]string{3: "000000", 38: "654321"})},
		{"reversal", "0420", with(with(with(trade, keyed), named), map[int]string{3: "000000", 56: "4021"})},
		{"reversal again", "0421", with(with(with(trade, keyed), named), map[int]string{3: "000000", 56: "4021", 38: "000001"})},
		{"reversal answered", "0430", with(trade, map[int]string{3: "000000", 22: "", 35: "", 39: "00"})},
		{"settlement", "0500", with(who, map[int]string{3: "920000", 50: "156", 60: "000001", 74: "0000000002", 75: "0000000000", 76: "0000000003", 77: "0000000000",
			86: "0000000000001250", 87: "0000000000000000", 88: "0000000000003003", 89: "0000000000000000", 97: "D0000000000001753"})},
		{"settlement answered", "0510", with(who, map[int]string{39: "00", 66: "2", 74: "0000000002", 76: "0000000003", 86: "0000000000001250", 88: "0000000000003003"})},
		{"detail", "0320", with(with(trade, keyed), map[int]string{3: "000000", 37: "000000000001", 64: ""})},
		{"end", "0520", with(who, map[int]string{3: "960000", 50: "156", 60: "000001"})},
		{"private and accounts", "0210", with(with(trade, named), map[int]string{3: "000000", 52: mac, 102: "6200000000000005", 120: "6200000000000005"})},
	}
}

func build(r readable) *iso8583.Message {
	m := new(iso8583.Message)
	m.SetMTI(r.mti)
	for f, v := range r.fields {
		m.Set(f, v)
	}
	return m
}

func TestMoovPacksTheGenericProfileAlike(t *testing.T) {
	d := profile.ISO87().Dialect
	for _, r := range readables() {
		t.Run(r.name+" "+r.mti, func(t *testing.T) {
			theirs := moov.NewMessage(readableSpec())
			theirs.MTI(r.mti)
			for f, v := range r.fields {
				require.NoError(t, theirs.BinaryField(f, []byte(v)))
			}
			want, err := theirs.Pack()
			require.NoError(t, err)
			m := build(r)
			ours, err := d.Pack(nil, m)
			require.NoError(t, err)
			require.Equal(t, string(want), string(ours))

			read := moov.NewMessage(readableSpec())
			require.NoError(t, read.Unpack(ours))
			back := new(iso8583.Message)
			n, err := d.Unpack(back, want)
			require.NoError(t, err)
			require.Equal(t, len(want), n)
			require.Equal(t, r.mti, back.MTI())
			for f, v := range r.fields {
				got, err := read.GetBytes(f)
				require.NoError(t, err)
				require.Equal(t, v, string(got), "field %d as moov reads it", f)
				require.Equal(t, v, back.Get(f), "field %d", f)
			}
			if mac := back.MACField(); back.Has(mac) {
				require.Len(t, d.Covered(back, back.Raw()), len(want)-16)
			}
			for _, card := range []string{"6200000000000005", "0000000005", "3012201"} {
				require.NotContains(t, back.String(), card)
			}
			for cut := range ours {
				_, err := d.Unpack(back, ours[:cut])
				require.ErrorIs(t, err, iso8583.ErrShort, "cut at %d", cut)
			}
		})
	}
}

// What a second bitmap and characters add to the promises of FuzzUnpack: a letter of a hexadecimal number may be small, a
// second bitmap may be announced and empty, and a track may have a D for its separator; packed, each is as it is written.
func FuzzReadable(f *testing.F) {
	d := profile.ISO87().Dialect
	for _, r := range readables() {
		wire, err := d.Pack(nil, build(r))
		require.NoError(f, err)
		f.Add(wire)
	}
	f.Add([]byte("02008000000000000000" + "0000000000000000"))
	f.Fuzz(func(t *testing.T, src []byte) {
		m := new(iso8583.Message)
		n, err := d.Unpack(m, src)
		if err != nil {
			return
		}
		if string(m.Raw()) != string(src[:n]) {
			t.Fatal("Raw is not what was read")
		}
		if _, err := d.Unpack(new(iso8583.Message), src[:n-1]); err == nil {
			t.Fatal("a message without its last byte is none")
		}
		again, err := d.Pack(nil, m)
		if err != nil {
			return // read kindly: a text with control characters is not written
		}
		back := new(iso8583.Message)
		if _, err := d.Unpack(back, again); err != nil || back.MTI() != m.MTI() {
			t.Fatalf("packed again it does not unpack: %v", err)
		}
		for field := 2; field <= 128; field++ {
			if back.Has(field) != m.Has(field) || back.Get(field) != m.Get(field) {
				t.Fatalf("field %d changed", field)
			}
		}
	})
}

func TestWhatIsNoReadableMessage(t *testing.T) {
	d := profile.ISO87().Dialect
	for name, c := range map[string]struct {
		wire string
		why  string
	}{
		"a letter in the type":     {"02O0", "message type: is not four digits"},
		"a letter in the bitmap":   {"0200" + "800000000000000G", "bitmap: is not 16 hexadecimal digits"},
		"and in the second":        {"0200" + "8000000000000000" + "x", "bitmap: is not 16 hexadecimal digits"},
		"a third bitmap":           {"0200" + "8000000000000000" + "8000000000000000", "field 65"},
		"a length of letters":      {"0200" + "4000000000000000" + "1x", "its length is not a number"},
		"a length that is too big": {"0200" + "4000000000000000" + "20", "announces 20 digits"},
		"an amount of letters":     {"0200" + "1000000000000000" + "00000000125O", "character 12 is not a digit"},
		"a MAC of letters":         {"0200" + "0000000000000001" + hex.EncodeToString([]byte("1234567"))[:14] + "zz", "no hexadecimal digit"},
	} {
		_, err := d.Unpack(new(iso8583.Message), []byte(c.wire))
		assert.ErrorContains(t, err, c.why, name)
	}
}

func benchmarked() (*iso8583.Dialect, readable) { return profile.ISO87().Dialect, readables()[17] }

func BenchmarkPackReadable(b *testing.B) {
	d, r := benchmarked()
	m := build(r)
	wire, err := d.Pack(nil, m)
	require.NoError(b, err)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		wire, _ = d.Pack(wire[:0], m)
	}
}

func BenchmarkUnpackReadable(b *testing.B) {
	d, r := benchmarked()
	m := build(r)
	wire, err := d.Pack(nil, m)
	require.NoError(b, err)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = d.Unpack(m, wire)
	}
}

func TestAReadableMessageAllocatesNothing(t *testing.T) {
	d, r := benchmarked()
	m := build(r)
	wire, err := d.Pack(nil, m)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		wire, _ = d.Pack(wire[:0], m)
		_, _ = d.Unpack(m, wire)
	}))
}
