//go:build !arm

package iso8583

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write what moov-io/iso8583 packs to testdata/messages")

// trackNibbles is what moov-io/iso8583 lacks: two characters of a track a byte, D for the separator.
type trackNibbles struct{}

func (trackNibbles) Encode(src []byte) ([]byte, error) {
	digits := strings.ReplaceAll(string(src), "=", "D")
	if len(digits)%2 == 1 {
		digits += "0"
	}
	return hex.DecodeString(digits)
}

func (trackNibbles) Decode(src []byte, length int) ([]byte, int, error) {
	read := (length + 1) / 2
	if len(src) < read {
		return nil, 0, fmt.Errorf("want %d bytes, got %d", read, len(src))
	}
	digits := strings.ToUpper(hex.EncodeToString(src[:read]))[:length]
	return []byte(strings.ReplaceAll(digits, "D", "=")), read, nil
}

// moovSpec is the table written a second time, in moov's terms and from the description of the fields, not from
// UnionPay().
func moovSpec() *iso8583.MessageSpec {
	str := func(length int, enc encoding.Encoder, pref prefix.Prefixer) field.Field {
		return field.NewString(&field.Spec{Length: length, Enc: enc, Pref: pref})
	}
	bin := func(length int, pref prefix.Prefixer) field.Field {
		return field.NewBinary(&field.Spec{Length: length, Enc: encoding.Binary, Pref: pref})
	}
	fixed, ll, lll := prefix.BCD.Fixed, prefix.BCD.LL, prefix.BCD.LLL
	return &iso8583.MessageSpec{Fields: map[int]field.Field{
		0: str(4, encoding.BCD, fixed),
		1: field.NewBitmap(&field.Spec{
			Length: 8, Enc: encoding.Binary, Pref: prefix.Binary.Fixed, DisableAutoExpand: true}),
		2:  str(19, encoding.LBCD, ll),
		3:  str(6, encoding.BCD, fixed),
		4:  str(12, encoding.BCD, fixed),
		11: str(6, encoding.BCD, fixed),
		12: str(6, encoding.BCD, fixed),
		13: str(4, encoding.BCD, fixed),
		14: str(4, encoding.BCD, fixed),
		15: str(4, encoding.BCD, fixed),
		22: str(3, encoding.LBCD, fixed),
		23: str(3, encoding.BCD, fixed),
		25: str(2, encoding.BCD, fixed),
		26: str(2, encoding.BCD, fixed),
		32: str(11, encoding.LBCD, ll),
		35: str(37, trackNibbles{}, ll),
		37: str(12, encoding.ASCII, fixed),
		38: str(6, encoding.ASCII, fixed),
		39: str(2, encoding.ASCII, fixed),
		41: str(8, encoding.ASCII, fixed),
		42: str(15, encoding.ASCII, fixed),
		44: str(25, encoding.ASCII, ll),
		48: str(322, encoding.LBCD, lll),
		49: str(3, encoding.ASCII, fixed),
		52: bin(8, fixed),
		53: str(16, encoding.BCD, fixed),
		54: str(20, encoding.ASCII, lll),
		55: bin(255, lll),
		59: bin(600, lll),
		60: str(17, encoding.LBCD, lll),
		61: str(29, encoding.LBCD, lll),
		62: bin(512, lll),
		63: bin(163, lll), // bytes, because moov's texts are ASCII and this one is GB18030
		64: bin(8, fixed),
	}}
}

func TestMoovPacksTheSameBytesAndReadsOurs(t *testing.T) {
	d, m := UnionPay(), new(Message)
	for _, s := range samples {
		t.Run(s.file, func(t *testing.T) {
			theirs := iso8583.NewMessage(moovSpec())
			theirs.MTI(s.mti)
			for f := range s.fields {
				require.NoError(t, theirs.BinaryField(f, s.value(f)))
			}
			want, err := theirs.Pack()
			require.NoError(t, err)
			if *rewrite {
				writeGolden(t, s.file, want)
			}

			s.build(m)
			ours, err := d.Pack(nil, m)
			require.NoError(t, err)
			require.Equal(t, want, ours)

			read := iso8583.NewMessage(moovSpec())
			require.NoError(t, read.Unpack(ours))
			for f := range s.fields {
				got, err := read.GetBytes(f)
				require.NoError(t, err)
				require.Equal(t, s.value(f), got, "field %d as moov reads it", f)
			}
		})
	}
}

func writeGolden(t *testing.T, file string, wire []byte) {
	var text bytes.Buffer
	fmt.Fprintln(&text, "# Packed by moov-io/iso8583 from the sample of this name; test card, invented keys.")
	digits := strings.ToUpper(hex.EncodeToString(wire))
	for len(digits) > 64 {
		fmt.Fprintln(&text, digits[:64])
		digits = digits[64:]
	}
	fmt.Fprintln(&text, digits)
	require.NoError(t, os.WriteFile(filepath.Join(messagesDir, file), text.Bytes(), 0o644))
}
