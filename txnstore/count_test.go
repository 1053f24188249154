package txnstore

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A page says how many lines it has. One of fewer hides the rest, and would be believed if nothing stood behind the last.
func TestAPageThatClaimsFewerLinesIsDamaged(t *testing.T) {
	lines := [][2]string{{"a", "1"}, {"b", "22"}, {"c", "333"}}
	raw := make([]byte, pageSize)
	at := pageHeader + len(lines)*elementSize
	for i, l := range lines {
		header := pageHeader + i*elementSize
		binary.NativeEndian.PutUint32(raw[header+4:], uint32(at-header))
		binary.NativeEndian.PutUint32(raw[header+8:], uint32(len(l[0])))
		binary.NativeEndian.PutUint32(raw[header+12:], uint32(len(l[1])))
		at += copy(raw[at:], l[0]+l[1])
	}
	whole := treePage{id: 7, flags: leafFlag, count: len(lines), raw: raw}
	list, err := whole.elements()
	require.NoError(t, err)
	require.Equal(t, "c", string(list[2].key))
	for count := 1; count < len(lines); count++ {
		fewer := whole
		fewer.count = count
		_, err := fewer.elements()
		require.ErrorContains(t, err, "does not follow", count)
	}
	gap := whole
	gap.raw = slices.Clone(raw)
	gap.raw[pageHeader+2*elementSize+4]++
	_, err = gap.elements()
	require.Error(t, err)
}
