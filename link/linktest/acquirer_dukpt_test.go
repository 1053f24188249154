package linktest

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Data keys as other implementations publish them for the base key and serial numbers of ANSI X9.24-1:2009, annex A.4.
func TestPublishedDataKeys(t *testing.T) {
	base, err := hex.DecodeString("0123456789ABCDEFFEDCBA9876543210")
	require.NoError(t, err)
	for serial, want := range map[string]string{
		"FFFF9876543210E00001": "448D3F076D8304036A55A3D7E0055A78",
		"FFFF9876543210E00002": "F1BE73B36135C5C26CF937D50ABBE5AF",
		"FFFF9876543210E00003": "EEEEF522C67239E4A2A65FEBF4C511F4",
	} {
		b, err := hex.DecodeString(serial)
		require.NoError(t, err)
		assert.Equal(t, want, fmt.Sprintf("%X", dataKey(base, b)))
		assert.Equal(t, serial, fmt.Sprintf("%X", b), "and the serial number is left alone")
	}
}

func TestBaseKeysThatAreNone(t *testing.T) {
	for set, key := range map[string][]byte{"FFFF987654": make([]byte, 15), "FFFF9876": make([]byte, 16), "ffff987654": make([]byte, 16), "no": make([]byte, 16)} {
		assert.Error(t, checkBaseKeys(map[string][]byte{set: key}), set)
	}
}
