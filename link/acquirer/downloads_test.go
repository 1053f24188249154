package acquirer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASetOfParametersIsReadWholeAndWrittenTheSame(t *testing.T) {
	field62 := "1160" + "1245" + "133" + "14" + fmt.Sprintf("%-14s", "95516") + "15" + strings.Repeat(" ", 14) + "22" +
		gb(t, "南风便利店") + strings.Repeat(" ", 30) + "232" + "26\xFF\x00\x80\x01" + "2708"
	set, err := ParseParameters([]byte(field62))
	require.NoError(t, err)
	for tag, want := range map[string]string{"11": "60", "12": "45", "13": "3", "14": "95516", "15": "", "22": "南风便利店", "23": "2", "26": "ff008001", "27": "08"} {
		got, there := set.Get(tag)
		assert.True(t, there, tag)
		assert.Equal(t, want, got, tag)
	}
	again, err := set.Field62()
	require.NoError(t, err)
	assert.Equal(t, field62, string(again))
}

func TestASetThatIsNotWholeIsNothing(t *testing.T) {
	for name, field62 := range map[string]string{
		"nothing":                "",
		"half a tag":             "12451",
		"cut short":              "124",
		"a tag nobody knows":     "1245" + "990",
		"twice":                  "1245" + "1245",
		"not a number":           "124x",
		"spaces for a number":    "12 5",
		"a telephone of letters": "14" + "call me please",
		"no printable name":      "22" + strings.Repeat(" ", 39) + "\x07",
		"half a character":       "22" + strings.Repeat(" ", 39) + "\xC4",
		"a euro in one byte":     "22" + "\x80" + strings.Repeat(" ", 39),
	} {
		set, err := ParseParameters([]byte(field62))
		assert.ErrorIs(t, err, ErrDownload, name)
		assert.Nil(t, set, name)
	}
	_, err := Parameters{{Tag: "12", Value: "5"}}.Field62()
	assert.Error(t, err)
	_, err = Parameters{{Tag: "99"}}.Field62()
	assert.Error(t, err)
	_, err = Parameters{{Tag: "22", Value: strings.Repeat("店", 21)}}.Field62()
	assert.Error(t, err)
}

func FuzzParseParameters(f *testing.F) {
	for _, s := range []string{"", "1245", "1160124513314955160000000002322", "22" + gb(f, "南风便利店") + strings.Repeat(" ", 30), "26\x00\x01\x02\x03", "124"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, field62 []byte) {
		set, err := ParseParameters(field62)
		if err != nil {
			return
		}
		raw, err := set.Field62()
		if err != nil {
			t.Fatalf("%q read and not written: %v", field62, err)
		}
		again, err := ParseParameters(raw)
		if err != nil {
			t.Fatalf("%q written and not read: %v", raw, err)
		}
		assert.Equal(t, set, again)
	})
}

// slots makes a part of a list, its numbers in slots of so many characters.
func slots(head string, width int, numbers ...string) []byte {
	part := []byte(head)
	for _, n := range numbers {
		part = fmt.Appendf(part, "%02d%-*s", len(n), width, n)
	}
	return part
}

func TestAListComesInPartsAndIsWholeOrNothing(t *testing.T) {
	var l blockDownload
	require.NoError(t, l.take(slots("2004", 19, "4242424242424242", "411111"), 19))
	require.False(t, l.whole)
	require.NoError(t, l.take(slots("1004", 19, "30569309025904", "62000000000"), 19))
	require.True(t, l.whole)
	require.Len(t, l.entries, 4)
	assert.Equal(t, "4242", l.entries[0].PAN.Last4())
	assert.Equal(t, "411111", l.entries[1].Begin)
	assert.Equal(t, "5904", l.entries[2].PAN.Last4())
	assert.Equal(t, "62000000000", l.entries[3].Begin)

	var none blockDownload
	require.NoError(t, none.take([]byte("0"), 14))
	assert.True(t, none.whole)
	none = blockDownload{}
	require.NoError(t, none.take([]byte("0000"), 14))
	assert.True(t, none.whole)
}

func TestAListThatIsNotWholeIsNothing(t *testing.T) {
	first := slots("2004", 14, "401288", "411111")
	for name, parts := range map[string][][]byte{
		"the first part again":        {first, first},
		"the last part first":         {slots("1004", 14, "510510", "520082")},
		"another total":               {first, slots("1005", 14, "510510", "520082")},
		"too few":                     {first, slots("1004", 14, "510510")},
		"too many":                    {first, slots("1004", 14, "510510", "520082", "530000")},
		"an empty part":               {first, []byte("2004")},
		"an end in the middle":        {first, []byte("0")},
		"no total":                    {[]byte("1")},
		"a total with a sign":         {[]byte("1+01" + "06401288        ")},
		"no flag":                     {slots("9001", 14, "401288")},
		"an entry cut short":          {first[:len(first)-1]},
		"a length beyond its slot":    {[]byte("1001" + "15" + "40128840128840")},
		"three digits":                {slots("1001", 14, "401")},
		"letters":                     {slots("1001", 14, "4012x8")},
		"a length that is no number":  {[]byte("1001" + "x6" + "401288        ")},
		"nothing":                     {nil},
		"a part after the last":       {slots("1001", 14, "401288"), slots("1001", 14, "411111")},
		"the same number in one part": {slots("1002", 14, "401288", "401288")},
	} {
		var l blockDownload
		var err error
		for _, part := range parts {
			if err = l.take(part, 14); err != nil {
				break
			}
		}
		assert.ErrorIs(t, err, ErrDownload, name)
		if err != nil {
			assert.NotContains(t, err.Error(), "401288", name)
		}
	}
}

func FuzzBlocklistPart(f *testing.F) {
	f.Add(slots("2003", 14, "401288", "411111"), slots("1003", 14, "510510"), 14)
	f.Add(slots("1001", 19, "4242424242424242"), []byte(nil), 19)
	f.Add([]byte("0"), []byte("0000"), 14)
	f.Fuzz(func(t *testing.T, one, two []byte, slot int) {
		if slot < 4 || slot > 19 {
			return
		}
		var l blockDownload
		for _, part := range [][]byte{one, two} {
			if l.whole || l.take(part, slot) != nil {
				break
			}
		}
		if l.whole && l.total != len(l.entries) {
			t.Fatalf("whole with %d of %d", len(l.entries), l.total)
		}
		for _, e := range l.entries {
			if e.PAN.IsZero() == (e.Begin == "") {
				t.Fatal("neither a card nor a beginning, or both")
			}
		}
	})
}
