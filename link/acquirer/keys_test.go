package acquirer

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return raw
}

// A published sign-in answer and the master key it was made under.
const (
	sampleMaster  = "CA5D92598DCA48CE8A4C76361A9269E9"
	sampleField62 = "6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA"
)

func TestPublishedWorkingKeysOpen(t *testing.T) {
	master, err := masterKey(unhex(t, sampleMaster))
	require.NoError(t, err)

	pin, err := openKey(master, unhex(t, "6701EAD6A9AD51E51AA406E2C27FCFA9"), unhex(t, "8D0A74B8"))
	require.NoError(t, err)
	assert.Equal(t, unhex(t, "807A23AD32B36D457AE91FDF927570EA"), pin.bytes())

	mac, err := openMACKey(master, unhex(t, sampleField62))
	require.NoError(t, err)
	assert.Equal(t, unhex(t, "5BB5C72CD00B7338"), mac.bytes(), "a zero second half is no half")
}

// wrap encrypts a key as the acquirer would, for layouts that no published sample shows.
func wrap(master key, plain []byte) (block, check []byte) {
	block = make([]byte, len(plain))
	encrypt := master.cipher()
	for i := 0; i < len(plain); i += 8 {
		encrypt.Encrypt(block[i:], plain[i:])
	}
	check = make([]byte, 8)
	newKey(plain).cipher().Encrypt(check, check)
	return block, check[:4]
}

func TestEveryLayoutOfWorkingKeys(t *testing.T) {
	master, err := masterKey(unhex(t, sampleMaster))
	require.NoError(t, err)
	single, double := unhex(t, "5BB5C72CD00B7338"), unhex(t, "0123456789ABCDEFFEDCBA9876543210")
	field := func(keys ...[]byte) (out []byte) {
		for i, k := range keys {
			block, check := wrap(master, k)
			if i == 1 && len(keys[0]) == 16 && len(k) == 8 {
				block = append(block, make([]byte, 8)...)
			}
			out = append(append(out, block...), check...)
		}
		return out
	}
	for name, c := range map[string]struct {
		field, want []byte
	}{
		"24 bytes, single length":       {field(single, single), single},
		"40 bytes, single length MAC":   {field(double, single), single},
		"40 bytes, double length MAC":   {field(double, double), double},
		"60 bytes, with a track key":    {field(double, single, double), single},
		"60 bytes, all double length":   {field(double, double, double), double},
		"published 40 bytes, unchanged": {unhex(t, sampleField62), single},
	} {
		t.Run(name, func(t *testing.T) {
			mac, err := openMACKey(master, c.field)
			require.NoError(t, err)
			assert.Equal(t, c.want, mac.bytes())
		})
	}
}

func TestAWrongCheckValueNamesTheKey(t *testing.T) {
	master, err := masterKey(unhex(t, sampleMaster))
	require.NoError(t, err)
	for name, at := range map[string]int{"PIN": 16, "MAC": 36} {
		damaged := unhex(t, sampleField62)
		damaged[at] ^= 1
		_, err := openMACKey(master, damaged)
		require.ErrorIs(t, err, ErrCheckValue)
		assert.ErrorContains(t, err, name+" key")
	}
	other, err := masterKey(unhex(t, "0123456789ABCDEFFEDCBA9876543210"))
	require.NoError(t, err)
	_, err = openMACKey(other, unhex(t, sampleField62))
	assert.ErrorIs(t, err, ErrCheckValue)
}

func TestKeysOfTheWrongLengthAreRefused(t *testing.T) {
	master, err := masterKey(unhex(t, sampleMaster))
	require.NoError(t, err)
	for _, length := range []int{0, 1, 23, 39, 41, 59, 61, 512} {
		_, err := openMACKey(master, make([]byte, length))
		assert.ErrorIs(t, err, ErrKeyField, "%d bytes", length)
	}
	_, err = masterKey(unhex(t, sampleMaster)[:15])
	assert.ErrorIs(t, err, ErrMasterKey)
	_, err = masterKey(make([]byte, 16))
	assert.ErrorIs(t, err, ErrMasterKey, "equal halves are single DES")
}

func TestOnlyTheKeyThatFailedIsDisowned(t *testing.T) {
	h := New(nil, Options{})
	older, newer := newKey(make([]byte, 8)), newKey(make([]byte, 8))
	h.mac = newer
	h.disown(older)
	assert.True(t, h.SignedIn(), "somebody signed in meanwhile")
	h.disown(newer)
	assert.False(t, h.SignedIn())
}

func TestCheckValuePublished(t *testing.T) {
	var zeros [8]byte
	newKey(unhex(t, "0123456789ABCDEFFEDCBA9876543210")).cipher().Encrypt(zeros[:], zeros[:])
	assert.Equal(t, unhex(t, "08D7B4"), zeros[:3])
}

func TestKeysDoNotPrint(t *testing.T) {
	raw := unhex(t, sampleMaster)
	k := newKey(raw)
	holder := struct{ inner key }{k}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
		for _, value := range []any{k, &k, holder, Options{TMK: raw}, &Options{TMK: raw}} {
			shown := strings.ToUpper(fmt.Sprintf(verb, value))
			assert.NotContains(t, shown, "CA5D", verb)
			assert.NotContains(t, shown, "202 93", verb)
			assert.NotContains(t, shown, "0XCA", verb)
		}
	}
}

func TestPublishedMACs(t *testing.T) {
	text := []byte("0200 test message for MAC vector")
	single := newKey(unhex(t, "5BB5C72CD00B7338"))
	double := newKey(unhex(t, "5BB5C72CD00B73380123456789ABCDEF"))
	for name, c := range map[string]struct {
		algorithm MACAlgorithm
		key       key
		data      []byte
		want      string // hexadecimal, as many bytes as are published
	}{
		"XOR-fold, sample of the description":  {ECBFold, newKey(unhex(t, "2222222222222222")), unhex(t, "1234567890ABCDEFABCDEF1234567890"), "E267B6E21913D339"},
		"XOR-fold, 32 bytes":                   {ECBFold, single, text, "BEC4568E44297A1B"},
		"XOR-fold is the default":              {"", single, text, "BEC4568E44297A1B"},
		"XOR-fold, double length":              {ECBFold, double, text, "F75E4F3E"},
		"X9.9":                                 {X99, single, text, "E66DDC35A0EFD2FD"},
		"X9.9 takes the first half":            {X99, double, text, "E66DDC35A0EFD2FD"},
		"X9.19":                                {X919, double, text, "71E53B4B2B4F0852"},
		"retail MAC, four bytes, zero padding": {X919, newKey(unhex(t, "46B0AA84C9AB2CC87FBD7C736E515C06")), unhex(t, "121234FF"), "C17E5FB7"},
	} {
		t.Run(name, func(t *testing.T) {
			block := c.algorithm.block(c.key, c.data)
			want := unhex(t, c.want)
			assert.Equal(t, want, block[:len(want)])
			field := c.algorithm.field64(c.key, c.data)
			assert.Equal(t, c.want[:8], string(field[:]))
			assert.True(t, c.algorithm.verify(c.key, c.data, field[:]))
			assert.True(t, c.algorithm.verify(c.key, c.data, []byte(strings.ToLower(c.want[:8]))))
			field[7] ^= 1
			assert.False(t, c.algorithm.verify(c.key, c.data, field[:]))
			assert.False(t, c.algorithm.verify(c.key, c.data, nil))
		})
	}
}

func TestMACAlgorithmNames(t *testing.T) {
	for _, known := range []MACAlgorithm{"", ECBFold, X99, X919} {
		assert.NoError(t, known.Check())
	}
	assert.ErrorContains(t, MACAlgorithm("cmac").Check(), "use ecb, x9.9 or x9.19")
}
