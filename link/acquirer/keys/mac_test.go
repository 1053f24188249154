package keys

import (
	"bytes"
	"crypto/aes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPublishedMACs(t *testing.T) {
	text := []byte("0200 test message for MAC vector")
	des := func(digits string) Key { return newKey(unhex(t, digits), false) }
	single, double := des("5BB5C72CD00B7338"), des("5BB5C72CD00B73380123456789ABCDEF")
	aesKey := newKey(unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C"), true)
	for name, c := range map[string]struct {
		algorithm MAC
		key       Key
		data      []byte
		want      string // hexadecimal, as many bytes as are published
	}{
		"XOR-fold, sample of the description":  {ECBFold, des("2222222222222222"), unhex(t, "1234567890ABCDEFABCDEF1234567890"), "E267B6E21913D339"},
		"XOR-fold, 32 bytes":                   {ECBFold, single, text, "BEC4568E44297A1B"},
		"XOR-fold is the default":              {"", single, text, "BEC4568E44297A1B"},
		"XOR-fold, double length":              {ECBFold, double, text, "F75E4F3E053CB275"},
		"X9.9":                                 {X99, single, text, "E66DDC35A0EFD2FD"},
		"X9.9 takes the first half":            {X99, double, text, "E66DDC35A0EFD2FD"},
		"X9.19":                                {X919, double, text, "71E53B4B2B4F0852"},
		"X9.19 of a single-length key is X9.9": {X919, single, text, "E66DDC35A0EFD2FD"},
		"retail MAC, four bytes, zero padding": {X919, des("46B0AA84C9AB2CC87FBD7C736E515C06"), unhex(t, "121234FF"), "C17E5FB7"},
		"FIPS 113, appendix":                   {X99, des("0123456789ABCDEF"), []byte("7654321 Now is the time for "), "F1D30F68"},
		"CMAC, RFC 4493, 16 bytes":             {CMAC, aesKey, unhex(t, "6BC1BEE22E409F96E93D7E117393172A"), "070A16B46B4D4144"},
	} {
		t.Run(name, func(t *testing.T) {
			block, err := c.algorithm.block(c.key, c.data)
			require.NoError(t, err)
			want := unhex(t, c.want)
			assert.Equal(t, want, block[:len(want)])
			field, err := c.algorithm.Field64(c.key, c.data)
			require.NoError(t, err)
			assert.Equal(t, c.want[:8], string(field[:]))
			assert.True(t, c.algorithm.Verify(c.key, c.data, field[:]))
			assert.True(t, c.algorithm.Verify(c.key, c.data, []byte(strings.ToLower(c.want[:8]))))
			field[7] ^= 1
			assert.False(t, c.algorithm.Verify(c.key, c.data, field[:]))
			assert.False(t, c.algorithm.Verify(c.key, c.data, nil))
		})
	}
}

// The examples of RFC 4493 section 4, which are those of NIST SP 800-38B appendix D.1.
func TestCMACExamples(t *testing.T) {
	block, err := aes.NewCipher(unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C"))
	require.NoError(t, err)
	message := unhex(t, "6BC1BEE22E409F96E93D7E117393172A AE2D8A571E03AC9C9EB76FAC45AF8E51 30C81C46A35CE411E5FBC1191A0A52EF F69F2445DF4F9B17AD2B417BE66C3710")
	for length, want := range map[int]string{
		0:  "BB1D6929E95937287FA37D129B756746",
		16: "070A16B46B4D4144F79BDD9DD04A287C",
		40: "DFA66747DE9AE63030CA32611497C827",
		64: "51F0BEBF7E3B9D92FC49741779363CFE",
	} {
		sum := cmac(block, message[:length])
		assert.Equal(t, want, fmt.Sprintf("%X", sum[:]), "%d bytes", length)
	}
	var k1 [16]byte
	block.Encrypt(k1[:], k1[:])
	k1 = doubled(k1)
	k2 := doubled(k1)
	assert.Equal(t, "FBEED618357133667C85E08F7236A8DE", fmt.Sprintf("%X", k1[:]))
	assert.Equal(t, "F7DDAC306AE266CCF90BC11EE46D513B", fmt.Sprintf("%X", k2[:]))
}

func TestAKeyOfTheOtherKindSignsNothing(t *testing.T) {
	des, aes := newKey(unhex(t, "0123456789ABCDEFFEDCBA9876543210"), false), newKey(unhex(t, "0123456789ABCDEFFEDCBA9876543210"), true)
	for _, a := range []MAC{"", ECBFold, X99, X919} {
		_, err := a.Field64(aes, []byte("x"))
		assert.ErrorContains(t, err, "not of the kind")
	}
	_, err := CMAC.Field64(des, []byte("x"))
	assert.ErrorContains(t, err, "not of the kind")
	_, err = ECBFold.Field64(Key{}, []byte("x"))
	assert.ErrorIs(t, err, ErrNoKeys)
}

// One changed bit of the message or one of the key changes the MAC, with every algorithm, at lengths around a block.
func TestEveryBitCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	for _, a := range []MAC{ECBFold, X99, X919, CMAC} {
		raw := fill(16)
		k := newKey(bytes.Clone(raw), a == CMAC)
		for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 33} {
			data := fill(n)
			want, err := a.Field64(k, data)
			require.NoError(t, err)
			bit := random.IntN(8 * n)
			data[bit/8] ^= 1 << (bit % 8)
			got, err := a.Field64(k, data)
			require.NoError(t, err)
			assert.NotEqual(t, want, got, "%s, %d bytes", a, n)
		}
	}
}

func TestMACNames(t *testing.T) {
	for _, known := range []MAC{"", ECBFold, X99, X919, CMAC} {
		assert.NoError(t, known.Check())
	}
	assert.ErrorContains(t, MAC("hmac").Check(), "use ecb, x9.9, x9.19 or cmac")
}

func TestPublishedTrackEncryption(t *testing.T) {
	k := newKey(unhex(t, "807A23AD32B36D457AE91FDF927570EA"), false)
	for _, separator := range []string{"D", "="} {
		hidden, err := EncryptTrack(k, "6224242900000113"+separator+"28062013949031013")
		require.NoError(t, err)
		assert.Equal(t, "6224242900000113F9BFBDE34594544813", hidden)
	}
	odd, err := EncryptTrack(k, "6224242900000113D2806201394903103")
	require.NoError(t, err)
	assert.Len(t, odd, 33)
	assert.Equal(t, "6224242900000113", odd[:16], "sixteen digits end one before the end")
	assert.Equal(t, "3", odd[32:])
	assert.NotEqual(t, "D280620139490310", odd[16:32])
}

func TestATrackThatCannotBeEncrypted(t *testing.T) {
	k := newKey(unhex(t, "807A23AD32B36D457AE91FDF927570EA"), false)
	for _, track := range []string{"", "1", "1234567890123456", "123456789012345D", strings.Repeat("x", 20)} {
		_, err := EncryptTrack(k, track)
		require.ErrorIs(t, err, errTrack, "%d digits", len(track))
		if len(track) > 2 {
			assert.NotContains(t, err.Error(), track)
		}
	}
	_, err := EncryptTrack(Key{}, "6224242900000113D28062013949031013")
	assert.ErrorIs(t, err, ErrNoKeys)
}

func FuzzEncryptTrack(f *testing.F) {
	f.Add("6224242900000113D28062013949031013")
	f.Add("6224242900000113=2806201394903103")
	k := newKey(unhex(f, "807A23AD32B36D457AE91FDF927570EA"), false)
	f.Fuzz(func(t *testing.T, track string) {
		hidden, err := EncryptTrack(k, track)
		if err != nil {
			return
		}
		require.Len(t, hidden, len(track))
		end := len(track) - 2 + len(track)%2
		was := strings.ReplaceAll(track, "=", "D")
		require.Equal(t, was[:end-trackBlock], hidden[:end-trackBlock])
		require.Equal(t, was[end:], hidden[end:])
	})
}
