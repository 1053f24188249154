package keys

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testMerchant = "898110054110001"

var testNow = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func testSigner() (ed25519.PrivateKey, []ed25519.PublicKey) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	return private, []ed25519.PublicKey{private.Public().(ed25519.PublicKey)}
}

func requestOf(t testing.TB, counter uint64) Request {
	r, err := NewRequest(testDevice(), testTerminal, testMerchant, counter)
	require.NoError(t, err)
	return r
}

func bundleOf(t testing.TB, r Request, digits string) []byte {
	private, _ := testSigner()
	b, err := MakeBundle(r, masterOf(t, digits), KSN{}, []string{"Wang", "Zhao"}, private)
	require.NoError(t, err)
	return b
}

func TestAKeyComesInABundle(t *testing.T) {
	asked := requestOf(t, 41)
	r, err := ParseRequest(asked.Marshal())
	require.NoError(t, err)
	require.Equal(t, asked, r)
	assert.Equal(t, asked.Fingerprint(), r.Fingerprint())
	assert.Regexp(t, `^([0-9A-F]{4} ){4}[0-9A-F]{4}$`, r.Fingerprint())

	text := bundleOf(t, r, sampleMaster)
	_, signers := testSigner()
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	set, _, err := OpenBundle(text, testDevice(), testTerminal, testMerchant, append([]ed25519.PublicKey{other}, signers...))
	require.NoError(t, err)
	assert.Equal(t, sampleMaster, digitsOf(t, set.Master))
	assert.Equal(t, uint64(42), set.Counter)
	assert.Equal(t, []string{"Wang", "Zhao"}, set.By)
	assert.Equal(t, FromBundle, set.Source)
	assert.NotContains(t, string(text), sampleMaster)
}

// Key centre and terminal may be of different versions.
func TestWhatEarlierVersionsSentStillOpens(t *testing.T) {
	request, err := os.ReadFile("../../../testdata/keys/request-1.pem")
	require.NoError(t, err)
	r, err := ParseRequest(request)
	require.NoError(t, err)
	assert.Equal(t, requestOf(t, 41), r)
	bundle, err := os.ReadFile("../../../testdata/keys/bundle-1.pem")
	require.NoError(t, err)
	_, signers := testSigner()
	set, _, err := OpenBundle(bundle, testDevice(), testTerminal, testMerchant, signers)
	require.NoError(t, err)
	assert.Equal(t, sampleMaster, digitsOf(t, set.Master))
	assert.Equal(t, uint64(42), set.Counter)
}

func TestABundleThatIsRefused(t *testing.T) {
	text := bundleOf(t, requestOf(t, 0), sampleMaster)
	_, signers := testSigner()
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	open := func(text, device []byte, terminal, merchant string, signers ...ed25519.PublicKey) error {
		_, _, err := OpenBundle(text, device, terminal, merchant, signers)
		return err
	}
	for says, err := range map[string]error{
		`it is for terminal "30010001"`:      open(text, testDevice(), "30010002", testMerchant, signers...),
		`of merchant "898110054110001"`:      open(text, testDevice(), testTerminal, "898110054110002", signers...),
		"it was made for another device key": open(text, bytes.Repeat([]byte{1}, DeviceKeyLength), testTerminal, testMerchant, signers...),
		"no signer of this terminal":         open(text, testDevice(), testTerminal, testMerchant, other),
		"no signer of this terminal's":       open(text, testDevice(), testTerminal, testMerchant),
		"does not hold a key bundle":         open(requestOf(t, 0).Marshal(), testDevice(), testTerminal, testMerchant, signers...),
		"it is longer than":                  open(append(text, make([]byte, MaxBundle)...), testDevice(), testTerminal, testMerchant, signers...),
		"it is cut short":                    open(pem.EncodeToMemory(&pem.Block{Type: bundleType, Bytes: make([]byte, 90)}), testDevice(), testTerminal, testMerchant, signers...),
	} {
		require.ErrorIs(t, err, ErrBundle)
		assert.ErrorContains(t, err, says)
	}
	block, _ := pem.Decode(text)
	for i := range block.Bytes { // no byte can be changed on the way
		damaged := bytes.Clone(block.Bytes)
		damaged[i] ^= 0x20
		err := open(pem.EncodeToMemory(&pem.Block{Type: bundleType, Bytes: damaged}), testDevice(), testTerminal, testMerchant, signers...)
		require.ErrorIs(t, err, ErrBundle, "byte %d", i)
	}
}

// A signer who is mistaken makes no key: what he signed is judged all the same.
func TestASignedBundleThatIsWrong(t *testing.T) {
	private, signers := testSigner()
	block, _ := pem.Decode(bundleOf(t, requestOf(t, 0), sampleMaster))
	sign := func(b []byte) []byte {
		b = append(b, ed25519.Sign(private, append([]byte(signedPurpose), b...))...)
		return pem.EncodeToMemory(&pem.Block{Type: bundleType, Bytes: b})
	}
	signed := block.Bytes[:len(block.Bytes)-ed25519.SignatureSize]
	for i := range signed {
		damaged := bytes.Clone(signed)
		damaged[i] ^= 0x20
		_, _, err := OpenBundle(sign(damaged), testDevice(), testTerminal, testMerchant, signers)
		require.Error(t, err, "byte %d", i)
	}
	_, _, err := OpenBundle(sign(signed[:sealedLength]), testDevice(), testTerminal, testMerchant, signers)
	require.ErrorIs(t, err, ErrBundle)
	_, _, err = OpenBundle(sign(append([]byte{1}, signed...)), testDevice(), testTerminal, testMerchant, signers)
	require.ErrorIs(t, err, ErrBundle)

	bad := requestOf(t, 0)
	bad.public = make([]byte, publicLength)
	_, err = MakeBundle(bad, masterOf(t, sampleMaster), KSN{}, nil, private)
	require.Error(t, err, "a public key that is no point")
	_, err = MakeBundle(requestOf(t, 0), masterOf(t, sampleMaster), KSN{}, []string{"a", "b", "c"}, private)
	require.ErrorIs(t, err, ErrBundle)
	_, err = MakeBundle(requestOf(t, 0), Key{}, KSN{}, nil, private)
	require.ErrorIs(t, err, ErrNoKeys)
}

// counter keeps a File and a Log as a terminal has them.
type commissioned struct {
	store *File
	path  string
	log   *Log
}

func commission(t testing.TB) *commissioned {
	c := &commissioned{store: fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))}
	c.path = filepath.Join(filepath.Dir(c.store.path), "keys.log")
	c.open(t)
	t.Cleanup(func() { _ = c.log.Close() })
	return c
}

func (c *commissioned) open(t testing.TB) {
	var err error
	if c.log != nil {
		require.NoError(t, c.log.Close())
	}
	c.log, err = OpenLog(c.path, testDevice())
	require.NoError(t, err)
}

func (c *commissioned) load(t testing.TB, text []byte) error {
	_, signers := testSigner()
	set, _, err := OpenBundle(text, testDevice(), testTerminal, testMerchant, signers)
	require.NoError(t, err)
	_, err = Adopt(c.store, c.log, set, testNow)
	return err
}

func TestABundleIsAcceptedOnce(t *testing.T) {
	c := commission(t)
	first := bundleOf(t, requestOf(t, 0), sampleMaster)
	require.NoError(t, c.load(t, first))
	require.ErrorIs(t, c.load(t, first), ErrReplay)
	second := bundleOf(t, requestOf(t, 1), "0123456789ABCDEFFEDCBA9876543210")
	require.NoError(t, c.load(t, second))
	c.open(t)
	for _, old := range [][]byte{first, second} {
		require.ErrorIs(t, c.load(t, old), ErrReplay)
	}
	set, err := c.store.Load()
	require.NoError(t, err)
	assert.Equal(t, "0123456789ABCDEFFEDCBA9876543210", digitsOf(t, set.Master))
	assert.Equal(t, []any{uint64(2), uint64(2)}, []any{set.Generation, set.Counter})

	// Components come between, and the case is opened: an old bundle stays old.
	_, err = Adopt(c.store, c.log, Set{Master: masterOf(t, sampleMaster), Source: FromComponents, By: []string{"Li", "Han"}}, testNow)
	require.NoError(t, err)
	require.ErrorIs(t, c.load(t, second), ErrReplay)
	require.NoError(t, Wipe(c.store, nil, c.log, testNow))
	c.open(t)
	require.ErrorIs(t, c.load(t, second), ErrReplay)
	require.NoError(t, c.load(t, bundleOf(t, requestOf(t, 2), sampleMaster)))
	_, counter := c.log.Newest()
	assert.Equal(t, uint64(3), counter)
	require.ErrorIs(t, c.load(t, bundleOf(t, requestOf(t, math.MaxUint64), sampleMaster)), ErrReplay, "a counter that wrapped")
}

// Where the log was lost, the set itself still knows how far the bundles had come; and the other way round above.
func TestTheSetRemembersTheCounterToo(t *testing.T) {
	c := commission(t)
	require.NoError(t, c.load(t, bundleOf(t, requestOf(t, 8), sampleMaster)))
	require.NoError(t, os.Truncate(c.path, 0))
	c.open(t)
	require.ErrorIs(t, c.load(t, bundleOf(t, requestOf(t, 8), sampleMaster)), ErrReplay)
	require.Len(t, c.log.Entries, 1, "and its line is written again")
}

func TestALogThatWasChangedTakesNoKeys(t *testing.T) {
	c := commission(t)
	require.NoError(t, c.load(t, bundleOf(t, requestOf(t, 0), sampleMaster)))
	text, err := os.ReadFile(c.path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(c.path, bytes.Replace(text, []byte("Wang"), []byte("Wong"), 1), 0o600))
	c.open(t)
	require.ErrorIs(t, c.log.Changed, ErrLog)
	require.ErrorIs(t, c.load(t, bundleOf(t, requestOf(t, 1), sampleMaster)), ErrLog)
	require.ErrorIs(t, Wipe(c.store, nil, c.log, testNow), ErrLog)
	_, err = c.store.Load()
	require.ErrorIs(t, err, ErrNoKeys, "but a destruction waits for no log")
}

func FuzzRequest(f *testing.F) {
	f.Add(requestOf(f, 7).Marshal())
	f.Add(pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: []byte{1, 8}}))
	private, _ := testSigner()
	master := masterOf(f, sampleMaster)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRequest(text)
		if err != nil {
			require.ErrorIs(t, err, ErrBundle)
			return
		}
		again, err := ParseRequest(r.Marshal())
		require.NoError(t, err)
		require.Equal(t, r, again)
		_, _ = MakeBundle(r, master, KSN{}, nil, private)
	})
}

// The fuzzer signs what it makes, or nothing of it would be looked at.
func FuzzBundle(f *testing.F) {
	private, signers := testSigner()
	block, _ := pem.Decode(bundleOf(f, requestOf(f, 0), sampleMaster))
	signed := block.Bytes[:len(block.Bytes)-ed25519.SignatureSize]
	f.Add(signed, true)
	f.Add(signed[:70], true)
	f.Add(block.Bytes, false)
	f.Fuzz(func(t *testing.T, b []byte, sign bool) {
		if sign {
			b = append(bytes.Clone(b), ed25519.Sign(private, append([]byte(signedPurpose), b...))...)
		}
		set, _, err := OpenBundle(pem.EncodeToMemory(&pem.Block{Type: bundleType, Bytes: b}), testDevice(), testTerminal, testMerchant, signers)
		if err == nil {
			require.Equal(t, sampleMaster, digitsOf(t, set.Master))
			require.Equal(t, uint64(1), set.Counter)
		}
		_, _, err = OpenBundle(b, testDevice(), testTerminal, testMerchant, signers)
		require.True(t, err == nil || strings.Contains(err.Error(), "not"))
	})
}
