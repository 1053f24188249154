package keys

import (
	"crypto/cipher"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A published sign-in answer and the master key it was made under.
const (
	sampleMaster  = "CA5D92598DCA48CE8A4C76361A9269E9"
	sampleField62 = "6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA"
)

func TestPublishedWorkingKeysOpen(t *testing.T) {
	master := masterOf(t, sampleMaster)
	pin, err := openKey(master, unhex(t, "6701EAD6A9AD51E51AA406E2C27FCFA9"), unhex(t, "8D0A74B8"), false)
	require.NoError(t, err)
	assert.Equal(t, "807A23AD32B36D457AE91FDF927570EA", digitsOf(t, pin))

	w, err := OpenWorking(master, unhex(t, sampleField62), ECBFold)
	require.NoError(t, err)
	assert.Equal(t, "5BB5C72CD00B7338", digitsOf(t, w.MAC), "a zero second half is no half")
	assert.True(t, w.Track.IsZero())
	assert.Equal(t, unhex(t, "6701EAD6A9AD51E51AA406E2C27FCFA9"), w.PIN.Bytes(), "as it came, for the PIN pad")
	assert.Equal(t, unhex(t, "8D0A74B8"), append([]byte(nil), w.PIN.key.check[:]...))
	assert.True(t, WrappedKey{}.IsZero())
}

// wrap encrypts a key as the acquirer would, for layouts that no published sample shows.
func wrap(t testing.TB, master Key, plain []byte, isAES bool) (block, check []byte) {
	block = make([]byte, len(plain))
	require.NoError(t, master.use(func(c cipher.Block) { encryptECB(c, block, plain) }))
	value := newKey(append([]byte(nil), plain...), isAES).CheckValue()
	return block, value[:]
}

func TestEveryLayoutOfWorkingKeys(t *testing.T) {
	master := masterOf(t, sampleMaster)
	single, double := unhex(t, "5BB5C72CD00B7338"), unhex(t, "0123456789ABCDEFFEDCBA9876543210")
	aes := unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C")
	field := func(isAES bool, keys ...[]byte) (out []byte) {
		for i, k := range keys {
			block, check := wrap(t, master, k, isAES && i == 1)
			if i == 1 && len(keys[0]) == DoubleLength && len(k) == SingleLength {
				block = append(block, make([]byte, 8)...)
			}
			out = append(append(out, block...), check...)
		}
		return out
	}
	const noTrack = ""
	for name, c := range map[string]struct {
		mac        MAC
		field      []byte
		key, track string
	}{
		"24 bytes, single length":       {ECBFold, field(false, single, single), "5BB5C72CD00B7338", noTrack},
		"40 bytes, single length MAC":   {X919, field(false, double, single), "5BB5C72CD00B7338", noTrack},
		"40 bytes, double length MAC":   {X919, field(false, double, double), "0123456789ABCDEFFEDCBA9876543210", noTrack},
		"60 bytes, with a track key":    {"", field(false, double, single, double), "5BB5C72CD00B7338", "0123456789ABCDEFFEDCBA9876543210"},
		"60 bytes, all double length":   {"", field(false, double, double, double), "0123456789ABCDEFFEDCBA9876543210", "0123456789ABCDEFFEDCBA9876543210"},
		"60 bytes, no track key":        {"", append(field(false, double, single), make([]byte, 20)...), "5BB5C72CD00B7338", noTrack},
		"40 bytes, no PIN key":          {"", append(make([]byte, 20), field(false, double, single)[20:]...), "5BB5C72CD00B7338", noTrack},
		"40 bytes, AES MAC":             {CMAC, field(true, double, aes), "2B7E151628AED2A6ABF7158809CF4F3C", noTrack},
		"published 40 bytes, unchanged": {"", unhex(t, sampleField62), "5BB5C72CD00B7338", noTrack},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := OpenWorking(master, c.field, c.mac)
			require.NoError(t, err)
			assert.Equal(t, c.key, digitsOf(t, w.MAC))
			assert.Equal(t, c.track == noTrack, w.Track.IsZero())
			if c.track != noTrack {
				assert.Equal(t, c.track, digitsOf(t, w.Track))
			}
		})
	}
	t.Run("an AES key is not taken for a DES key", func(t *testing.T) {
		_, err := OpenWorking(master, field(true, double, aes), X919)
		assert.ErrorIs(t, err, ErrCheckValue)
		_, err = OpenWorking(master, unhex(t, sampleField62), CMAC)
		assert.ErrorIs(t, err, ErrKeyField)
		_, err = OpenWorking(master, field(false, single, single), CMAC)
		assert.ErrorIs(t, err, ErrKeyField)
	})
}

func TestAWrongCheckValueNamesTheKey(t *testing.T) {
	master := masterOf(t, sampleMaster)
	for name, at := range map[string]int{"PIN": 16, "MAC": 36} {
		damaged := unhex(t, sampleField62)
		damaged[at] ^= 1
		w, err := OpenWorking(master, damaged, "")
		require.ErrorIs(t, err, ErrCheckValue)
		assert.ErrorContains(t, err, name+" key")
		assert.Equal(t, Working{}, w, "nothing of it may be used")
	}
	_, err := OpenWorking(masterOf(t, "0123456789ABCDEFFEDCBA9876543210"), unhex(t, sampleField62), "")
	assert.ErrorIs(t, err, ErrCheckValue)
}

// No bit of the answer can be wrong and go unnoticed but the parity bits of the keys and the zeros behind the MAC key.
func TestEveryBitOfTheAnswerIsHeldToTheCheckValues(t *testing.T) {
	master := masterOf(t, sampleMaster)
	for i := range 8 * 40 {
		damaged := unhex(t, sampleField62)
		damaged[i/8] ^= 1 << (i % 8)
		_, err := OpenWorking(master, damaged, "")
		assert.Error(t, err, "bit %d", i)
	}
}

func TestKeysOfTheWrongLengthAreRefused(t *testing.T) {
	master := masterOf(t, sampleMaster)
	for _, length := range []int{0, 1, 23, 39, 41, 59, 61, 512} {
		_, err := OpenWorking(master, make([]byte, length), "")
		assert.ErrorIs(t, err, ErrKeyField, "%d bytes", length)
	}
}

func FuzzOpenWorking(f *testing.F) {
	f.Add(unhex(f, sampleField62), "ecb")
	f.Add(append(unhex(f, sampleField62), unhex(f, "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8")...), "x9.19")
	f.Add(unhex(f, sampleField62)[:24], "cmac")
	f.Add(make([]byte, 60), "")
	master := masterOf(f, sampleMaster)
	f.Fuzz(func(t *testing.T, field62 []byte, algorithm string) {
		w, err := OpenWorking(master, field62, MAC(algorithm))
		if err != nil {
			require.Equal(t, Working{}, w)
			return
		}
		require.False(t, w.MAC.IsZero(), "a sign-in without a MAC key is none")
		_, err = MAC(algorithm).Field64(w.MAC, field62)
		require.NoError(t, err)
	})
}
