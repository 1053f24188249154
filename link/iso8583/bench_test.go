package iso8583

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// bigSale is a contactless sale with everything in it that a sale can carry.
func bigSale(m *Message) {
	m.Reset()
	m.SetMTI("0200")
	m.Set(2, "6224242900000113")
	m.Set(3, "000000")
	m.Set(4, "000000001250")
	m.Set(11, "000024")
	m.Set(14, "2806")
	m.Set(22, "071")
	m.Set(23, "001")
	m.Set(25, "00")
	m.Set(26, "12")
	m.Set(35, "6224242900000113=28062013949031013")
	m.Set(41, "10000001")
	m.Set(42, "898000000000001")
	m.Set(49, "156")
	m.SetBytes(52, make([]byte, 8))
	m.Set(53, "2600000000000000")
	m.SetBytes(55, make([]byte, 140))
	m.Set(60, "22000024000600")
	m.SetBytes(64, []byte("8F651B26"))
}

func BenchmarkPack(b *testing.B) {
	d, m := UnionPay(), new(Message)
	bigSale(m)
	wire, err := d.Pack(nil, m)
	require.NoError(b, err)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		wire, _ = d.Pack(wire[:0], m)
	}
}

func BenchmarkBuildAndPack(b *testing.B) {
	d, m := UnionPay(), new(Message)
	var wire []byte
	b.ReportAllocs()
	for b.Loop() {
		bigSale(m)
		wire, _ = d.Pack(wire[:0], m)
	}
}

func BenchmarkUnpack(b *testing.B) {
	d, m := UnionPay(), new(Message)
	bigSale(m)
	wire, err := d.Pack(nil, m)
	require.NoError(b, err)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = d.Unpack(m, wire)
	}
}

func TestAReusedMessageAllocatesNothing(t *testing.T) {
	d, m := UnionPay(), new(Message)
	bigSale(m)
	wire, err := d.Pack(nil, m)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		bigSale(m)
		wire, err = d.Pack(wire[:0], m)
	}), "building and packing")
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, err = d.Unpack(m, wire) }), "unpacking")
	require.NoError(t, err)
	require.Equal(t, "000000001250", m.Get(4))
}
