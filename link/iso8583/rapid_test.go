package iso8583

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// anyValue draws a value that the field may carry.
func anyValue(t *rapid.T, field int, f Format) string {
	least, most := 0, f.Max
	if f.Length == Fixed {
		least = f.Max
	}
	if most > 40 && f.Length != Fixed && rapid.Bool().Draw(t, "short") {
		most = 40
	}
	n := rapid.IntRange(least, most).Draw(t, "length")
	bytes := func(g *rapid.Generator[byte]) string {
		return string(rapid.SliceOfN(g, n, n).Draw(t, f.unit()))
	}
	switch f.Class {
	case N:
		return bytes(rapid.ByteRange('0', '9'))
	case Z:
		return bytes(rapid.SampledFrom([]byte("0123456789ABC=EF")))
	case AN:
		return bytes(rapid.SampledFrom([]byte("0123456789 ABCXYZabcxyz")))
	case ANS:
		return bytes(rapid.Byte().Filter(func(b byte) bool { return b >= ' ' && b != 0x7F }))
	default:
		return bytes(rapid.Byte())
	}
}

func TestAnyMessageComesBackAsItWas(t *testing.T) {
	d := UnionPay()
	m, back := new(Message), new(Message)
	rapid.Check(t, func(t *rapid.T) {
		m.Reset()
		m.SetMTI(rapid.StringMatching("[0-9]{4}").Draw(t, "type"))
		want := map[int]string{}
		for field := range d.Fields {
			if d.Has(field) && rapid.Bool().Draw(t, "present") {
				want[field] = anyValue(t, field, d.Fields[field].Format)
				m.Set(field, want[field])
			}
		}
		wire, err := d.Pack(nil, m)
		require.NoError(t, err)
		n, err := d.Unpack(back, wire)
		require.NoError(t, err)
		require.Equal(t, len(wire), n)
		require.Equal(t, m.MTI(), back.MTI())
		got := map[int]string{}
		for field := range back.Fields() {
			got[field] = back.Get(field)
		}
		require.Equal(t, want, got)
		if len(wire) > 0 {
			cut := rapid.IntRange(0, len(wire)-1).Draw(t, "cut")
			_, err = d.Unpack(back, wire[:cut])
			require.ErrorIs(t, err, ErrShort)
		}
	})
}

// TestAMessageIsAMap compares Set, Clear and Get with a map, over any order of deeds.
func TestAMessageIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, want := new(Message), map[int]string{}
		for range rapid.IntRange(1, 60).Draw(t, "deeds") {
			field := rapid.IntRange(2, 128).Filter(func(n int) bool { return n != 65 }).Draw(t, "field")
			if rapid.IntRange(0, 3).Draw(t, "clear") == 0 {
				m.Clear(field)
				delete(want, field)
				continue
			}
			value := rapid.StringN(0, 30, 60).Draw(t, "value")
			m.Set(field, value)
			want[field] = value
		}
		total := 0
		for field := 2; field <= lastField; field++ {
			value, there := want[field]
			require.Equal(t, there, m.Has(field))
			require.Equal(t, value, m.Get(field))
			total += len(value)
		}
		require.Equal(t, total, len(m.open().values))
	})
}
