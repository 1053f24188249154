package iso8583

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGoldenMessagesPackAndUnpack(t *testing.T) {
	d, m := UnionPay(), new(Message)
	for _, s := range samples {
		t.Run(s.file, func(t *testing.T) {
			want := golden(t, s.file)
			s.build(m)
			require.Nil(t, m.Raw(), "a message built here was not unpacked")
			wire, err := d.Pack(nil, m)
			require.NoError(t, err)
			require.Equal(t, want, wire)

			n, err := d.Unpack(m, wire)
			require.NoError(t, err)
			require.Equal(t, len(wire), n)
			require.Equal(t, s.mti, m.MTI())
			require.Equal(t, wire, m.Raw())
			require.Equal(t, slices.Sorted(maps.Keys(s.fields)), slices.Collect(m.Fields()))
			for field := range s.fields {
				require.Equal(t, s.value(field), m.Bytes(field), "field %d", field)
			}
		})
	}
}

func TestACapturedSaleReadsAsItWasPublished(t *testing.T) {
	const header = 2 + 5 + 6
	d, m := UnionPay(), new(Message)
	wire := golden(t, "captured-sale-contactless.hex")[header:]
	n, err := d.Unpack(m, wire)
	require.NoError(t, err)
	require.Equal(t, len(wire), n)
	for field, want := range map[int]string{
		2: "6224242900000113", 3: "000000", 4: "000000000001", 11: "000403", 14: "2806", 22: "071", 23: "000",
		25: "00", 26: "12", 35: "6224242900000113=28062013949031013", 41: tid, 42: mid, 48: "0", 49: "156",
		53: "2600000000000000", 60: "22000024000600", 64: "8F651B26",
	} {
		assert.Equal(t, want, m.Get(field), "field %d", field)
	}
	assert.Len(t, m.Bytes(55), 139)
	assert.Len(t, m.Bytes(59), 153)
	again, err := d.Pack(nil, m)
	require.NoError(t, err)
	require.Equal(t, wire, again)
}

func TestEntryModeIsLeftAlignedAndCardSequenceRightAligned(t *testing.T) {
	d, m := UnionPay(), new(Message)
	m.SetMTI("0200")
	m.Set(22, "021")
	m.Set(23, "001")
	wire, err := d.Pack(nil, m)
	require.NoError(t, err)
	require.Equal(t, []byte{0x02, 0x10, 0x00, 0x01}, wire[10:])
}

func TestEveryCutOfAMessageIsShort(t *testing.T) {
	d, m := UnionPay(), new(Message)
	for _, s := range samples {
		wire := golden(t, s.file)
		for cut := range wire {
			n, err := d.Unpack(m, wire[:cut])
			require.ErrorIs(t, err, ErrShort, "%s cut at %d", s.file, cut)
			require.Zero(t, n)
			require.Empty(t, slices.Collect(m.Fields()), "half a message must not be mistaken for one")
		}
		n, err := d.Unpack(m, append(wire, 0x02, 0x10))
		require.NoError(t, err)
		require.Equal(t, len(wire), n, "what follows is not the message's")
	}
}

func TestWhatCannotBePackedIsNamed(t *testing.T) {
	const secret = "6224242900000113"
	for name, c := range map[string]struct {
		set   func(*Message)
		field int
		why   string
	}{
		"no type":              {func(m *Message) { m.Reset() }, 0, "is not set"},
		"type of three digits": {func(m *Message) { m.SetMTI("020") }, 0, "four digits"},
		"letters in the type":  {func(m *Message) { m.SetMTI("02OO") }, 0, "four digits"},
		"letters in a number":  {func(m *Message) { m.Set(2, secret+"x") }, 2, "character 17 is not a digit"},
		"number too long":      {func(m *Message) { m.Set(2, secret+"0000") }, 2, "may have 19 digits, has 20"},
		"amount too short":     {func(m *Message) { m.Set(4, "1250") }, 4, "must have 12 digits, has 4"},
		"track with a space":   {func(m *Message) { m.Set(35, secret+" 2806") }, 35, "character 17 is neither"},
		"control character":    {func(m *Message) { m.Set(63, "CUP\x1b@") }, 63, "character 4 is a control character"},
		"code with a dash":     {func(m *Message) { m.Set(39, "-1") }, 39, "character 1 is neither a letter nor"},
		"PIN block too short":  {func(m *Message) { m.SetBytes(52, make([]byte, 7)) }, 52, "must have 8 bytes, has 7"},
		"chip data too long":   {func(m *Message) { m.SetBytes(55, make([]byte, 256)) }, 55, "may have 255 bytes"},
		"field not in dialect": {func(m *Message) { m.Set(8, "1") }, 8, "not a field of the UnionPay dialect"},
		"field 1":              {func(m *Message) { m.Set(1, "1") }, 1, "fields 2 to 128"},
		"field 65":             {func(m *Message) { m.Set(65, "1") }, 65, "fields 2 to 128"},
		"value of 1000":        {func(m *Message) { m.Set(62, strings.Repeat("0", 1000)) }, 62, "longer than 999"},
		"too much in all": {func(m *Message) {
			for f := 58; f <= 63; f++ {
				m.SetBytes(f, make([]byte, 999))
			}
		}, 62, "4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			m := new(Message)
			m.SetMTI("0200")
			c.set(m)
			before := []byte("before")
			after, err := UnionPay().Pack(before, m)
			require.Equal(t, before, after)
			var wrong *FieldError
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, c.field, wrong.Field)
			require.ErrorContains(t, err, c.why)
			require.NotContains(t, err.Error(), secret[:6])
		})
	}
}

func TestAFaultEndsWithTheNextGoodValue(t *testing.T) {
	d, m := UnionPay(), new(Message)
	m.SetMTI("8")
	m.SetMTI("0820")
	m.Set(62, strings.Repeat("0", 1000))
	require.False(t, m.Has(62))
	m.Set(62, "0")
	_, err := d.Pack(nil, m)
	require.NoError(t, err)
	m.Set(66, "1")
	m.Clear(66)
	_, err = d.Pack(nil, m)
	require.NoError(t, err)
}

func TestWhatCannotBeUnpackedIsNamed(t *testing.T) {
	bits := func(fields ...int) (b [8]byte) {
		for _, f := range fields {
			b[(f-1)/8] |= 0x80 >> ((f - 1) % 8)
		}
		return b
	}
	for name, c := range map[string]struct {
		bitmap [8]byte
		rest   string
		field  int
		why    string
	}{
		"secondary bitmap":      {bits(1, 3), "\x00\x00\x00", 1, "secondary bitmap"},
		"unknown field":         {bits(3, 8), "", 8, "not a field of the UnionPay dialect"},
		"length not BCD":        {bits(2), "\x1A", 2, "not a BCD number"},
		"long length not BCD":   {bits(55), "\xF0", 55, "not a BCD number"},
		"length over the limit": {bits(2), "\x20", 2, "announces 20 digits, may have 19"},
		"chip data over limit":  {bits(55), "\x02\x56", 55, "announces 256 bytes, may have 255"},
		"digit not a digit":     {bits(3), "\x00\x0A\x00", 3, "not a digit"},
		"high nibble bad":       {bits(3), "\xF0\x00\x00", 3, "not a digit"},
		"odd left digit bad":    {bits(22), "\x02\xA0", 22, "not a digit"},
		"odd right digit bad":   {bits(23), "\x0A\x00", 23, "not a digit"},
		"response code garbage": {bits(39), "\x00\x00", 39, "neither a letter nor a digit"},
	} {
		t.Run(name, func(t *testing.T) {
			wire := append([]byte{0x02, 0x10}, c.bitmap[:]...)
			m := new(Message)
			_, err := UnionPay().Unpack(m, append(wire, c.rest...))
			var wrong *FieldError
			require.ErrorAs(t, err, &wrong)
			require.Equal(t, c.field, wrong.Field)
			require.ErrorContains(t, err, c.why)
			require.False(t, errors.Is(err, ErrShort))
			require.Nil(t, m.Raw())
		})
	}
	_, err := UnionPay().Unpack(new(Message), []byte{0x0A, 0x10})
	require.EqualError(t, err, "iso8583: message type: is not four digits")
}

func TestCodesOfTheAcquirerAreTakenAsTheyCome(t *testing.T) {
	m := new(Message)
	bitmap := []byte{0, 0, 0, 0, 0x0C, 0, 0, 0} // 37 and 38
	n, err := UnionPay().Unpack(m, append(append([]byte{0x02, 0x10}, bitmap...), "AB-123456789\x00\x00\x00\x00\x00\x00"...))
	require.NoError(t, err)
	require.Equal(t, 28, n)
	require.Equal(t, "AB-123456789", m.Get(37))
	require.Equal(t, "\x00\x00\x00\x00\x00\x00", m.Get(38))
}

func TestFillingNibblesAreNotLookedAt(t *testing.T) {
	d, m := UnionPay(), new(Message)
	n, err := d.Unpack(m, []byte{0x02, 0x10, 0, 0, 0x06, 0, 0, 0, 0, 0, 0x02, 0x1F, 0xF0, 0x01})
	require.NoError(t, err)
	require.Equal(t, 14, n)
	require.Equal(t, "021", m.Get(22))
	require.Equal(t, "001", m.Get(23))
}

func TestFieldsAreReplacedAndClearedInAnyOrder(t *testing.T) {
	m := new(Message)
	m.Set(41, tid)
	m.Set(11, "000001")
	m.Set(62, "")
	m.Set(37, "112109350101")
	m.Set(41, "2")
	m.Set(11, "0000022")
	m.Clear(37)
	m.Clear(37)
	m.Set(63, "CUP")
	require.Equal(t, []int{11, 41, 62, 63}, slices.Collect(m.Fields()))
	require.Equal(t, "2", m.Get(41))
	require.Equal(t, "0000022", m.Get(11))
	require.Equal(t, "CUP", m.Get(63))
	require.True(t, m.Has(62))
	require.Empty(t, m.Get(62))
	require.Nil(t, m.Bytes(37))
	require.Len(t, m.c().values, 1+7+3)
	room := m.c().values[:cap(m.c().values)]
	require.Zero(t, strings.Trim(string(room[1+7+3:]), "\x00"), "nothing is left behind")
	m.Reset()
	require.Zero(t, strings.Trim(string(room), "\x00"), "Reset overwrites")
}

func TestAMessageThatGrowsLeavesNothingBehind(t *testing.T) {
	m := new(Message)
	m.Set(2, strings.Repeat("4", 19))
	first := m.c().values
	m.SetBytes(62, bytes.Repeat([]byte{7}, maxValue))
	m.SetBytes(63, bytes.Repeat([]byte{8}, maxValue))
	require.Zero(t, strings.Trim(string(first), "\x00"))
	require.Equal(t, strings.Repeat("4", 19), m.Get(2))
	require.Equal(t, bytes.Repeat([]byte{7}, maxValue), m.Bytes(62))
	require.Equal(t, bytes.Repeat([]byte{8}, maxValue), m.Bytes(63))
}
