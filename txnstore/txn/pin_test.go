package txn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPINBlockPrintsNowhere(t *testing.T) {
	b := NewPINBlock([8]byte{0x23, 0xB7, 0x2A, 0xC5, 0x78, 0x1B, 0xA1, 0x41}, [4]byte{0x8D, 0x0A, 0x74, 0xB8})
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("card", "pin", b, "presented", Presented{PIN: b})
	text, err := json.Marshal(struct{ PIN PINBlock }{b})
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %x %q %d %v %s %s", b, b, b, b, b, b, b, Presented{PIN: b}, text, log.String())
	for _, secret := range []string{"23B7", "23b7", "8D0A", "0x23", "35 183", "[35"} {
		assert.NotContains(t, all, secret)
	}
	assert.Contains(t, all, "[PIN block]")
	assert.True(t, b.Under([4]byte{0x8D, 0x0A, 0x74, 0xB8}))
	assert.False(t, b.Under([4]byte{}))
	assert.False(t, PINBlock{}.Under([4]byte{}), "no PIN is under no key")
	assert.Nil(t, PINBlock{}.CipherForTheAcquirer())
	b.CipherForTheAcquirer()[0] = 0
	assert.Equal(t, byte(0x23), b.CipherForTheAcquirer()[0], "each caller has a copy to clear")
}

func TestWhichTracksAskForAPIN(t *testing.T) {
	for digit, asks := range map[string]bool{"0": true, "1": false, "2": false, "3": true, "4": false, "5": true, "6": true, "7": true, "8": false, "": false} {
		track, err := ParseTrack("6200000000000005=301222" + digit)
		require.NoError(t, err)
		assert.Equal(t, asks, track.AsksPIN(), "third digit %q", digit)
	}
	assert.False(t, Track{}.AsksPIN())
}

func TestWhatTakesOrHoldsMoneyAsksForAPIN(t *testing.T) {
	for _, k := range Kinds() {
		assert.Equal(t, k == Sale || k == PreAuth, k.AsksPIN(), k)
	}
}
