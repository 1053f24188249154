package keys

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/bits"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return raw
}

func masterOf(t testing.TB, digits string) Key {
	t.Helper()
	k, err := NewMaster(unhex(t, digits))
	require.NoError(t, err)
	return k
}

// digitsOf is the key, which only tests may see.
func digitsOf(t testing.TB, k Key) string {
	t.Helper()
	s, err := k.Secret()
	require.NoError(t, err)
	return fmt.Sprintf("%X", []byte(s))
}

func TestPublishedCheckValues(t *testing.T) {
	assert.Equal(t, "08D7B4FB", masterOf(t, "0123456789ABCDEFFEDCBA9876543210").CheckValue().String())
	assert.Equal(t, "53E107B3", newKey(unhex(t, "00112233445566778899AABBCCDDEEFF"), true).CheckValue().String(), "AES")
}

// Whatever prints, a key shows its check value at most.
func TestKeysDoNotPrint(t *testing.T) {
	const digits = "CA5D92598DCA48CE8A4C76361A9269E9"
	secret := Secret(unhex(t, digits))
	k := masterOf(t, digits)
	c, err := ParseComponent([]byte(digits), NoParity)
	require.NoError(t, err)
	d, err := NewDUKPT(secret, ksnOf(t, sampleKSN))
	require.NoError(t, err)
	n, err := d.Next()
	require.NoError(t, err)
	set := Set{Master: k, Source: FromComponents}
	shut := map[string]bool{"CA5D": true, "202 93": true, "0XCA, 0X5D": true, "YL2SWY": true} // hexadecimal, decimal, base64
	for _, r := range (*d.held).future[1:] {                                                  // the first was used
		shut[strings.ToUpper(hex.EncodeToString(r[:8]))] = true
		shut[strings.Trim(fmt.Sprint(r[:8]), "[]")] = true
	}
	for _, value := range []any{k, &k, c, &c, set, &set, Working{MAC: k}, []Key{k}, map[string]Key{"x": k}, d, n, &n,
		struct{ inner Key }{k}, &struct{ inner *Set }{&set}, struct{ inner *DUKPT }{d}, secret, &secret, struct{ Outer Secret }{secret}} {
		var all strings.Builder
		verbs := []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%c", "%t", "%08b", "%p"}
		if strings.Contains(fmt.Sprintf("%T%#v", value, value), "Secret") {
			verbs = verbs[:len(verbs)-1] // fmt asks no method about %p; a Key withstands it, bytes do not
		}
		for _, verb := range verbs {
			fmt.Fprintf(&all, verb, value)
		}
		slog.New(slog.NewTextHandler(&all, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&all, nil)).Info("x", "value", value)
		text, _ := json.Marshal(value)
		all.Write(text)
		_ = gob.NewEncoder(&all).Encode(value)
		for form := range shut {
			assert.NotContains(t, strings.ToUpper(all.String()), form, "%T", value)
		}
	}
	assert.Equal(t, "[key "+k.CheckValue().String()+"]", fmt.Sprint(k))
	text, err := json.Marshal(map[string]any{"key": k})
	require.NoError(t, err)
	assert.Equal(t, `{"key":"`+k.String()+`"}`, string(text))
	assert.Equal(t, "[no key]", fmt.Sprint(Key{}))
	assert.Error(t, json.Unmarshal([]byte(`"00"`), &k))
}

func TestADestroyedKeyIsNoKeyInAnyCopy(t *testing.T) {
	raw := unhex(t, "CA5D92598DCA48CE8A4C76361A9269E9")
	k := newKey(raw, false)
	copied, check := k, k.CheckValue()
	k.Destroy()
	assert.True(t, copied.IsZero())
	assert.True(t, isZero(raw), "the bytes are cleared")
	_, err := copied.Secret()
	require.ErrorIs(t, err, ErrDestroyed)
	_, err = ECBFold.Field64(copied, []byte("x"))
	require.ErrorIs(t, err, ErrDestroyed)
	assert.False(t, ECBFold.Verify(copied, []byte("x"), []byte("00000000")))
	_, err = OpenWorking(copied, unhex(t, sampleField62), "")
	require.ErrorIs(t, err, ErrDestroyed)
	_, err = EncryptTrack(copied, "6224242900000113D28062013949031013")
	require.ErrorIs(t, err, ErrDestroyed)
	assert.Equal(t, check, copied.CheckValue(), "what was shown of it stays")
	k.Destroy()
	Key{}.Destroy()
}

func TestOddParity(t *testing.T) {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	oddParity(b)
	for i, v := range b {
		assert.Equal(t, 1, bits.OnesCount8(v)%2, "%02X", i)
		assert.Equal(t, byte(i)&^1, v&^1)
	}
}

// A component sheet, two good components and what a person may do to them.
const (
	sheetOne = "4CA2161637D0133E5E151AEA45DA2A16" // odd parity
	sheetTwo = "A8F49B20E5C86EEF7A0D7C298C016ED5"
)

func TestTwoComponentsMakeAKey(t *testing.T) {
	one, err := ParseComponent([]byte("4CA2 1616 37D0 133E 5E15 1AEA 45DA 2A16"), OddParity)
	require.NoError(t, err)
	two, err := ParseComponent([]byte(strings.ToLower(sheetTwo)), OddParity)
	require.NoError(t, err)
	oneDigits, twoDigits := unhex(t, sheetOne), unhex(t, sheetTwo)
	want := make([]byte, 16)
	for i := range want {
		want[i] = oneDigits[i] ^ twoDigits[i]
	}
	unadjusted := masterOf(t, hex.EncodeToString(want)).CheckValue()
	oddParity(want)

	k, err := Combine(one, two)
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("%X", want), digitsOf(t, k))
	assert.Equal(t, unadjusted, k.CheckValue(), "parity changes nothing")
	assert.True(t, one.key.IsZero() && two.key.IsZero(), "the components are gone")
	assert.Equal(t, "[key "+one.CheckValue().String()+"]", fmt.Sprint(one))
}

func TestAComponentThatIsRefused(t *testing.T) {
	flip := []byte(sheetOne)
	flip[9] ^= 1 // one wrong digit, byte 5: 37 becomes 36
	for name, c := range map[string]struct {
		typed  string
		parity Parity
		says   string
	}{
		"nothing":              {"", OddParity, "it has 0 digits and must have 32"},
		"one digit short":      {sheetOne[1:], OddParity, "it has 31 digits and must have 32"},
		"one too many":         {sheetOne + "A", OddParity, "it has 33 digits"},
		"single length":        {sheetOne[:16], OddParity, "it has 16 digits"},
		"a letter":             {strings.Replace(sheetOne, "1A", "1O", 1), OddParity, "character 22 is not one of 0 to 9 and A to F"},
		"not ASCII":            {"４CA2", NoParity, "character 1 is not one of"},
		"a mistyped digit":     {string(flip), OddParity, "digits 9 and 10 have the wrong parity"},
		"equal halves":         {sheetOne[:16] + sheetOne[:16], OddParity, "both halves are equal"},
		"equal but for parity": {"0000000000000000" + "0101010101010101", NoParity, "both halves are equal"},
		"a weak half":          {"FEFEFEFEFEFEFEFE" + sheetOne[:16], OddParity, "one half is a weak DES key"},
		"a semi-weak half":     {sheetOne[:16] + "01FE01FE01FE01FE", OddParity, "one half is a weak DES key"},
		"weak without parity":  {sheetOne[:16] + "00FF00FF00FF00FF", NoParity, "one half is a weak DES key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseComponent([]byte(c.typed), c.parity)
			require.ErrorIs(t, err, ErrComponent)
			assert.ErrorContains(t, err, c.says)
			if len(c.typed) > 8 {
				assert.NotContains(t, strings.ToUpper(err.Error()), c.typed[:8])
			}
		})
	}
	_, err := ParseComponent(flip, NoParity)
	assert.NoError(t, err, "a sheet without parity")
}

func TestComponentsThatMakeNoKey(t *testing.T) {
	parse := func(digits string) Component {
		c, err := ParseComponent([]byte(digits), NoParity)
		require.NoError(t, err)
		return c
	}
	other := unhex(t, sheetOne)
	for i := range other {
		other[i] ^= 1
	}
	half := strings.Repeat("11", 8)
	weak := unhex(t, sheetOne)
	for i := range 8 {
		weak[i] ^= []byte{0x1F, 0xE0, 0x1F, 0xE0, 0x0E, 0xF1, 0x0E, 0xF1}[i]
	}
	equal := unhex(t, sheetOne)
	for i := range equal {
		equal[i] ^= unhex(t, half)[i%8]
	}
	for says, second := range map[string]string{
		"both components are the same":               sheetOne,
		"both components are the same, and together": hex.EncodeToString(other),
		"one half is a weak DES key":                 hex.EncodeToString(weak),
		"both halves are equal":                      hex.EncodeToString(equal),
	} {
		one, two := parse(sheetOne), parse(second)
		_, err := Combine(one, two)
		require.ErrorIs(t, err, ErrComponent)
		assert.ErrorContains(t, err, says)
		assert.True(t, one.key.IsZero() && two.key.IsZero(), "they are gone all the same")
	}
	gone := parse(sheetOne)
	gone.Destroy()
	_, err := Combine(gone, parse(sheetTwo))
	assert.ErrorIs(t, err, ErrDestroyed)
}

func TestAMasterKeyThatIsRefused(t *testing.T) {
	good := unhex(t, sampleMaster)
	for name, bad := range map[string][]byte{
		"none": nil, "short": good[:15], "long": append(bytes.Clone(good), 0), "zeros": make([]byte, 16),
		"single DES": bytes.Repeat(good[:8], 2), "weak": append(bytes.Repeat([]byte{1}, 8), good[:8]...),
	} {
		_, err := NewMaster(bad)
		assert.ErrorIs(t, err, ErrMasterKey, name)
	}
}

func FuzzComponent(f *testing.F) {
	f.Add([]byte(sheetOne), true)
	f.Add([]byte("4CA2 1616-37D0 133E 5E15 1AEA 45DA 2A16 "), false)
	f.Add([]byte("\xff\x00４"), true)
	f.Fuzz(func(t *testing.T, typed []byte, odd bool) {
		c, err := ParseComponent(typed, Parity(odd))
		if err != nil {
			require.ErrorIs(t, err, ErrComponent)
			return
		}
		want := strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(string(typed)))
		require.Equal(t, want, digitsOf(t, c.key))
	})
}
