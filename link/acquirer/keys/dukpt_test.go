package keys

import (
	"crypto/des"
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The base derivation key, serial number and initial key of ANSI X9.24-1:2009, annex A.4.
const (
	sampleBase    = "0123456789ABCDEFFEDCBA9876543210"
	sampleInitial = "6AC292FAA1315B4D858AB3A3D7D5933A"
	sampleKSN     = "FFFF9876543210E00000"
)

func tripleDES(t testing.TB, key []byte, block []byte) {
	t.Helper()
	c, err := des.NewTripleDESCipher(append(append([]byte(nil), key...), key[:8]...))
	require.NoError(t, err)
	c.Encrypt(block, block)
}

// initialKey is what the acquirer does, who alone has the base key (annex A.6).
func initialKey(t testing.TB, base []byte, ksn KSN) []byte {
	serial := ksn.with(0)
	left := append([]byte(nil), serial[:8]...)
	right := append([]byte(nil), serial[:8]...)
	tripleDES(t, base, left)
	tripleDES(t, masked(base, maskDerive), right)
	return append(left, right...)
}

// hostKey is the acquirer's way to a transaction key: from the initial key, one derivation for each one of the counter.
// The terminal never goes this way, because it has no initial key any more.
func hostKey(initial []byte, ksn KSN) []byte {
	key := append([]byte(nil), initial...)
	counter := uint32(0)
	for bit := counterBits - 1; bit >= 0; bit-- {
		if ksn.counter()&(1<<bit) != 0 {
			counter |= 1 << bit
			key = nonReversible(key, ksn.with(counter))
		}
	}
	return key
}

func ksnOf(t testing.TB, digits string) KSN { return KSN(unhex(t, digits)) }

func TestPublishedInitialKey(t *testing.T) {
	assert.Equal(t, sampleInitial, fmt.Sprintf("%X", initialKey(t, unhex(t, sampleBase), ksnOf(t, sampleKSN))))
}

// deviceAt is a device that has come as far as a counter: of each bit that is still to come it holds that key.
func deviceAt(t testing.TB, counter uint32) *DUKPT {
	d, err := NewDUKPT(unhex(t, sampleInitial), ksnOf(t, sampleKSN))
	require.NoError(t, err)
	r := *d.held
	r.ksn = r.ksn.with(counter)
	for bit := range r.future {
		r.future[bit] = nil
		if counter&(1<<bit) == 0 || bits.TrailingZeros32(counter) == bit {
			r.future[bit] = hostKey(unhex(t, sampleInitial), r.ksn.with(counter&^(1<<bit-1)|1<<bit))
		}
	}
	return d
}

// PIN keys and PIN blocks (PIN 1234, PAN 4012345678909) of the annex, and variants as other implementations publish them.
func TestPublishedDUKPT(t *testing.T) {
	for serial, want := range map[string]struct{ pin, pinBlock, macRequest, macResponse, dataRequest string }{
		"FFFF9876543210E00001": {"042666B49184CF5C68DE9628D0397B36", "1B9C1845EB993A7A", "042666B4918430A368DE9628D03984C9", "042666B46E84CFA368DE96282F397BC9", "448D3F076D8304036A55A3D7E0055A78"},
		"FFFF9876543210E00002": {"C46551CEF9FD244FAA9AD834130D3B38", "10A01C8D02C69107", "C46551CEF9FDDBB0AA9AD834130DC4C7", "", "F1BE73B36135C5C26CF937D50ABBE5AF"},
		"FFFF9876543210E00003": {"0DF3D9422ACA561A47676D07AD6BAD05", "", "", "", "EEEEF522C67239E4A2A65FEBF4C511F4"},
		"FFFF9876543210E00007": {"0C8F780B7C8B492FAE84A9EB2A6CE69F", "", "", "", ""},
		"FFFF9876543210E0000F": {"93DD5B956C4878B82E453AAEFD32A555", "", "", "", ""},
		"FFFF9876543210E00010": {"59598DCBD9BD943F94165CE453585FA8", "", "", "", ""},
		"FFFF9876543210E00013": {"C3DF489FDF11534BF03DE97C27DC4CD0", "78649BD17D0DFA60", "C3DF489FDF11ACB4F03DE97C27DCB32F", "", ""},
		"FFFF9876543210E10000": {"2F9A0C0B46ECCBA1F8287A7A071AF54B", "19776D96D73AF1E2", "2F9A0C0B46EC345EF8287A7A071A0AB4", "", ""},
		"FFFF9876543210E80000": {"87B9983D9D23047A8D199F5CA0C3DEEC", "1E0F453FD55FCE45", "87B9983D9D23FB858D199F5CA0C32113", "", ""},
		"FFFF9876543210EFF800": {"F9CDFEBF4F5B1D61B3EC12454527E189", "33365F5CC6F23C35", "F9CDFEBF4F5BE29EB3EC124545271E76", "", ""},
		"FFFF9876543210EFF840": {"0E3E221062CB5EFCA384602783A00405", "", "", "", ""},
	} {
		t.Run(serial, func(t *testing.T) {
			k, err := deviceAt(t, ksnOf(t, serial).counter()).Next()
			require.NoError(t, err)
			assert.Equal(t, serial, fmt.Sprintf("%X", k.KSN[:]))
			for name, c := range map[string]struct {
				take func() (Key, error)
				want string
			}{"PIN": {k.PIN, want.pin}, "MAC request": {k.MACRequest, want.macRequest}, "MAC response": {k.MACResponse, want.macResponse}, "data": {k.DataRequest, want.dataRequest}} {
				if got, err := c.take(); c.want != "" {
					require.NoError(t, err)
					assert.Equal(t, c.want, digitsOf(t, got), name)
				}
			}
			if want.pinBlock != "" {
				block := unhex(t, "041274EDCBA9876F")
				tripleDES(t, unhex(t, want.pin), block)
				assert.Equal(t, want.pinBlock, fmt.Sprintf("%X", block))
			}
			k.Destroy()
			_, err = k.PIN()
			assert.ErrorIs(t, err, ErrDestroyed)
		})
	}
}

// The MAC of annex A.4 over "4012345678909D987": the request variant, X9.19.
func TestPublishedDUKPTMAC(t *testing.T) {
	k, err := deviceAt(t, 1).Next()
	require.NoError(t, err)
	mac, err := k.MACRequest()
	require.NoError(t, err)
	field, err := X919.Field64(mac, []byte("4012345678909D987"))
	require.NoError(t, err)
	assert.Equal(t, "9CCC7817", string(field[:]))
}

// The device, which keeps future keys, and the acquirer, who keeps the base key, arrive at the same one each time: at the
// start, around a skip, and at the end.
func TestDeviceAndAcquirerAgree(t *testing.T) {
	for _, from := range []uint32{1, 0x3FF - 5, 0x7FE00, 0xFFC00 - 3, 0x1FF7FC - 40, 0x1FF000, 0x1FF800} {
		for bits.OnesCount32(from) > mostOnes {
			from++
		}
		d := deviceAt(t, from)
		before := uint32(0)
		for range 300 {
			k, err := d.Next()
			if err != nil {
				require.ErrorIs(t, err, ErrExhausted)
				assert.Equal(t, uint32(0x1FF800), before, "the last counter")
				break
			}
			counter := k.KSN.counter()
			require.Greater(t, counter, before)
			require.LessOrEqual(t, bits.OnesCount32(counter), mostOnes)
			for skipped := before + 1; before > 0 && skipped < counter; skipped++ {
				require.Greater(t, bits.OnesCount32(skipped), mostOnes, "a counter was left out")
			}
			require.Equal(t, fmt.Sprintf("%X", hostKey(unhex(t, sampleInitial), k.KSN)), digitsOf(t, k.key), "%X", k.KSN[:])
			before = counter
		}
	}
}

// What a device holds after a transaction does not lead back to that transaction's key.
func TestAUsedKeyIsGone(t *testing.T) {
	d, err := NewDUKPT(unhex(t, sampleInitial), ksnOf(t, sampleKSN))
	require.NoError(t, err)
	seen := map[string]bool{sampleInitial: true}
	for range 300 {
		k, err := d.Next()
		require.NoError(t, err)
		seen[digitsOf(t, k.key)] = true
		for _, r := range (*d.held).future { // whether or not the caller destroys what was given
			require.False(t, seen[fmt.Sprintf("%X", r)])
		}
		k.Destroy()
	}
	assert.Len(t, seen, 301, "no key twice")
	d.Destroy()
	_, err = d.Next()
	assert.ErrorIs(t, err, ErrExhausted)
	for _, r := range (*d.held).future {
		assert.Nil(t, r)
	}
}

func TestAnInitialKeyThatIsRefused(t *testing.T) {
	_, err := NewDUKPT(unhex(t, sampleInitial)[:15], ksnOf(t, sampleKSN))
	require.ErrorIs(t, err, ErrMasterKey)
	_, err = NewDUKPT(unhex(t, sampleInitial), ksnOf(t, "FFFF9876543210E00001"))
	require.ErrorIs(t, err, ErrMasterKey)
}

func TestTheCounterLeavesTheDeviceNumberAlone(t *testing.T) {
	ksn := ksnOf(t, "FFFF9876543210F00000")
	assert.Equal(t, uint32(0x100000), ksn.counter())
	all := ksn.with(counterMask)
	assert.Equal(t, "FFFF9876543210FFFFFF", fmt.Sprintf("%X", all[:]))
	none := all.with(0)
	assert.Equal(t, uint32(0x10E00000), binary.BigEndian.Uint32(none[6:]))
}
