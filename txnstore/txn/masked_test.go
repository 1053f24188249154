package txn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAMaskRaisesAQuestionAndProvesNothing(t *testing.T) {
	whole, err := ParsePAN("6200000000000005")
	require.NoError(t, err)
	mask, err := ParseMasked("620000******0005")
	require.NoError(t, err)
	other, err := ParseMasked("620000******0006")
	require.NoError(t, err)

	assert.True(t, mask.IsMasked())
	assert.False(t, whole.IsMasked())
	assert.False(t, PAN{}.IsMasked())
	assert.Equal(t, "620000******0005", mask.Masked())
	assert.Equal(t, whole.Masked(), mask.Masked())
	assert.Equal(t, "0005", mask.Last4())
	assert.Empty(t, mask.DigitsInTheClear(), "no stars into a message")
	assert.True(t, mask.MayBe(mask) && mask.MayBe(whole) && whole.MayBe(mask) && whole.MayBe(whole))
	assert.False(t, mask.MayBe(other) || other.MayBe(whole) || whole.MayBe(other), "different for certain")
	assert.False(t, mask.Equal(whole))

	assert.True(t, mask.Begins("62") && mask.Begins("620000") && mask.Between("620000", "620009"))
	assert.False(t, mask.Begins("6200000"), "what is not known is not there")
	assert.False(t, mask.Between("6200000", "6200009"))

	for _, p := range []PAN{whole, mask} {
		again, err := ReadKept(p.AsKept())
		require.NoError(t, err)
		assert.True(t, again.Equal(p))
	}
	short, err := ParseMasked("620000**0005")
	require.NoError(t, err)
	assert.Equal(t, "********0005", short.AsKept(), "as few as are shown of such a number anywhere")
	again, err := ReadKept(short.AsKept())
	require.NoError(t, err)
	assert.True(t, again.Equal(short))
}

func TestMasksThatAreNone(t *testing.T) {
	for _, bad := range []string{"", "620000*0005", "6200**********0005", "620000******00*5", "620000**00**0005", "6200000000000005",
		"620000**********0005", "62000A******0005", "********000000**", "****************", "******0*0005"} {
		_, err := ParseMasked(bad)
		assert.Error(t, err, bad)
		if len(bad) > 9 && err != nil {
			assert.NotContains(t, err.Error(), bad)
		}
	}
}

func TestAnEncipheredTrackPrintsNowhere(t *testing.T) {
	serial := []byte{0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x05}
	c, err := NewCipher(serial, []byte("\x23\xB7\x2A\xC5\x78\x1B\xA1\x41"))
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("card", "cipher", c, "presented", Presented{Cipher: c})
	text, err := json.Marshal(struct{ Cipher Cipher }{c})
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %x %q %d %v %s %s", c, c, c, c, c, c, c, Presented{Cipher: c}, text, log.String())
	for _, secret := range []string{"23B7", "23b7", "9876", "0x23", "35 183", "[35", "152 118"} {
		assert.NotContains(t, all, secret)
	}
	assert.Contains(t, all, "[enciphered track]")
	assert.Equal(t, "23B72AC5781BA141", c.DigitsForTheAcquirer())
	assert.Equal(t, serial, c.SerialForTheAcquirer())
	c.SerialForTheAcquirer()[0] = 0
	assert.Equal(t, serial, c.SerialForTheAcquirer(), "each caller has a copy")
	assert.Empty(t, Cipher{}.DigitsForTheAcquirer())
	assert.Nil(t, Cipher{}.SerialForTheAcquirer())
}

func TestCiphersThatAreNone(t *testing.T) {
	for serial, data := range map[int]int{10: 0, 9: 8, 0: 16} {
		_, err := NewCipher(make([]byte, serial), make([]byte, data))
		assert.Error(t, err)
	}
	for _, size := range []int{7, 12, 56} {
		_, err := NewCipher(make([]byte, 10), []byte(strings.Repeat("x", size)))
		assert.Error(t, err, size)
	}
}
