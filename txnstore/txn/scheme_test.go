package txn

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func schemeKey(exponent ...byte) SchemeKey {
	k := SchemeKey{RID: Hex{0xA0, 0, 0, 3, 0x33}, Index: 0x0B, Expires: "20301231", Modulus: bytes.Repeat([]byte{0xC5}, 144), Exponent: exponent}
	sum := sha1.Sum(append(append(append(append([]byte(nil), k.RID...), k.Index), k.Modulus...), k.Exponent...))
	k.Hash = sum[:]
	return k
}

// A key that the schemes have published: test key 92 of A000000003.
func TestAPublishedKeyAgreesWithItsHash(t *testing.T) {
	modulus, err := hex.DecodeString("996AF56F569187D09293C14810450ED8EE3357397B18A2458EFAA92DA3B6DF6514EC060195318FD43BE9B8F0CC669E3F844057CBDDF8BDA191BB64473BC8DC9A730DB8F6B4EDE3924186FFD9B8C7735789C23A36BA0B8AF65372EB57EA5D89E7D14E9C7B6B557460F10885DA16AC923F15AF3758F0F03EBD3C5C2C949CBA306DB44E6A2C076C5F67E281D7EF56785DC4D75945E491F01918800A9E2DC66F60080566CE0DAF8D17EAD46AD8E30A247C9F")
	require.NoError(t, err)
	hash, err := hex.DecodeString("429C954A3859CEF91295F663C963E582ED6EB253")
	require.NoError(t, err)
	k := SchemeKey{RID: Hex{0xA0, 0, 0, 0, 3}, Index: 0x92, Modulus: modulus, Exponent: Hex{3}, Hash: hash}
	require.NoError(t, k.Check())
}

func TestAKeyIsProvenByItsHash(t *testing.T) {
	require.NoError(t, schemeKey(3).Check())
	require.NoError(t, schemeKey(1, 0, 1).Check())
	for name, spoil := range map[string]func(*SchemeKey){
		"provider":  func(k *SchemeKey) { k.RID = k.RID[:4] },
		"index":     func(k *SchemeKey) { k.Index++ },
		"modulus":   func(k *SchemeKey) { k.Modulus[7] ^= 1 },
		"too long":  func(k *SchemeKey) { k.Modulus = make(Hex, MostKey+1) },
		"too short": func(k *SchemeKey) { k.Modulus = k.Modulus[:63] },
		"exponent":  func(k *SchemeKey) { k.Exponent = Hex{5} },
		"hash":      func(k *SchemeKey) { k.Hash = nil },
		"expiry":    func(k *SchemeKey) { k.Expires = "20301332" },
	} {
		k := schemeKey(3)
		spoil(&k)
		assert.Error(t, k.Check(), name)
	}
}

func TestAnApplicationIsChecked(t *testing.T) {
	good := Application{AID: Hex{0xA0, 0, 0, 3, 0x33, 1, 1}, Version: Hex{0, 0x20}, Default: make(Hex, 5), Floor: make(Hex, 4), Target: Hex{0}, DDOL: Hex{0x9F, 0x37, 4}}
	require.NoError(t, good.Check())
	for name, spoil := range map[string]func(*Application){
		"short":   func(a *Application) { a.AID = a.AID[:4] },
		"long":    func(a *Application) { a.AID = make(Hex, 17) },
		"code":    func(a *Application) { a.Denial = make(Hex, 4) },
		"floor":   func(a *Application) { a.Floor = make(Hex, 6) },
		"percent": func(a *Application) { a.MaxTarget = make(Hex, 2) },
		"data":    func(a *Application) { a.DDOL = make(Hex, 253) },
	} {
		a := good
		spoil(&a)
		assert.Error(t, a.Check(), name)
	}
	text, err := json.Marshal(good)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"aid":"A0000003330101"`)
	var again Application
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, good, again)
}
