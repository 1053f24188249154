package scenario

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A test number of the schemes, as in testdata/cards.
const number, track = "4242424242424242", "4242424242424242D30122010000012345000"

func secretsOfTheTest() Secrets {
	var s Secrets
	s.AddCard("visa-4242", number, track)
	s.AddKey("the master key", []byte("0123456789abcdeF"))
	return s
}

func unhex(t *testing.T, digits string) []byte {
	raw, err := hex.DecodeString(digits)
	require.NoError(t, err)
	return raw
}

func TestCardDataIsFoundInEveryForm(t *testing.T) {
	for name, c := range map[string]struct {
		text []byte
		says string
	}{
		"digits in a log":             {[]byte("level=INFO pan=" + number), "the number of visa-4242 stands in it at byte 15"},
		"packed in a message":         {append([]byte{0x16}, unhex(t, number)...), "the number of visa-4242, packed stands in it at byte 1"},
		"packed behind half a byte":   {unhex(t, "1"+number+"0"), "the number of visa-4242, packed and shifted stands in it at byte 1"},
		"what the track adds":         {[]byte("x30122010000012345000"), "the track of visa-4242 stands in it at byte 1"},
		"what the track adds, packed": {unhex(t, "3012201000001234"+"5000"), "the track of visa-4242, packed stands in it at byte 0"},
		"a key":                       {[]byte("..0123456789abcdeF"), "the master key stands in it at byte 2"},
		"a key in hexadecimal":        {[]byte("30313233343536373839616263646546"), "the master key in hexadecimal stands in it at byte 0"},
		"a key in large letters":      {bytes.ToUpper([]byte("30313233343536373839616263646546")), "the master key in hexadecimal stands in it at byte 0"},
	} {
		found := secretsOfTheTest().Find("it", c.text)
		assert.Contains(t, found, c.says, name)
		assert.NotContains(t, fmt.Sprint(found), number[:8], "what is found is never repeated")
	}
}

func TestMaskedDigitsAreNoSecret(t *testing.T) {
	assert.Empty(t, secretsOfTheTest().Find("a slip", []byte("卡号 CARD NO 424242******4242 /C 3012")))
	var none Secrets
	none.AddCard("short", "4242", "4242D3012")
	assert.Empty(t, none.Find("a slip", []byte("4242 42")), "what is too short to be a number is not told from anything else")
}

func TestACloneLearnsAlone(t *testing.T) {
	s := secretsOfTheTest()
	c := s.Clone()
	c.AddKey("a PIN block", unhex(t, "0123456789ABCDEF"))
	assert.Len(t, c.Find("it", []byte("block=0123456789ABCDEF")), 1)
	assert.Len(t, c.Find("it", []byte("pan="+number)), 1)
	assert.Empty(t, s.Find("it", []byte("block=0123456789ABCDEF")))
	var none Secrets
	assert.Empty(t, none.Clone().Find("it", []byte(number)))
}
