package linktest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/link/iso8583"
)

// What a card reader enciphers, as it is deciphered: the swipe is that of the maker's published test scripts.
var sealedTracks = []struct {
	name, clear, track string
	found              bool
}{
	{"a swipe", ";6510000000000026=17122011000021000000?;", "6510000000000026=17122011000021000000", true},
	{"a swipe, filled up", ";6200000000000005=3012120123456?4\x00\x00\x00\x00\x00\x00\x00", "6200000000000005=3012120123456", true},
	{"a chip", "\x57\x0c\x62\x24\x24\x29\x00\x00\x01\x13\xd3\x01\x12\x20\x00\x00", "6224242900000113=3011220", true},
	{"a chip, an odd number of digits", "\x57\x0c\x62\x24\x24\x29\x00\x00\x01\x13\xd3\x01\x12\x2f\x00\x00", "6224242900000113=301122", true},
	{"a tap of a stripe", "\xdf\xef\x18\x1b4111111111111111=3006201123\x00", "4111111111111111=3006201123", true},
	{"a swipe without its check character", ";6510000000000026=1712?", "", false},
	{"a swipe without its end", ";6510000000000026=1712", "", false},
	{"an object longer than it is", "\x57\x40\x62\x24", "", false},
	{"an object with something behind it", "\x57\x02\x62\x24\x01", "", false},
	{"nothing", "", "", false},
	{"zeros", "\x00\x00\x00\x00\x00\x00\x00\x00", "", false},
}

func TestATrackIsFoundInWhatAReaderEnciphered(t *testing.T) {
	for _, c := range sealedTracks {
		got, found := trackIn([]byte(c.clear))
		assert.Equal(t, c.found, found, c.name)
		if found {
			assert.Equal(t, c.track, got, c.name)
		}
	}
}

// What cannot be read is nobody's card, and never a message that the books cannot judge.
func FuzzSealedTrack(f *testing.F) {
	for _, c := range sealedTracks {
		f.Add([]byte(c.clear), "051")
	}
	f.Fuzz(func(t *testing.T, clear []byte, way string) {
		m := new(iso8583.Message)
		m.Set(22, "012")
		if strings.HasPrefix(way, "05") {
			m.Set(22, "052")
		}
		new(Acquirer).readSealed(m, clear)
		number, rest, is := strings.Cut(m.Get(35), "=")
		if !is || len(m.Get(35)) > 37 || strings.Trim(number+rest, "0123456789") != "" {
			t.Fatalf("%q gave %q", clear, m.Get(35))
		}
		if m.Has(2) && (m.Get(2) != number || len(m.Get(14)) > 4) {
			t.Fatalf("%q gave %q and %q", clear, m.Get(2), m.Get(14))
		}
	})
}
