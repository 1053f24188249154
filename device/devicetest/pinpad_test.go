package devicetest

import (
	"bytes"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/pinpad"
	"posagent/txnstore/txn"
)

// Whoever does not type is given up after the time that the terminal gave, and everything about a PIN that must not be found is
// told before the block leaves.
func TestAPINPadGivesUpAndTellsItsSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		master := []byte("0123456789abcdeF")
		told := map[string][]byte{}
		pad := NewPinPad(PinPadOpts{MasterKey: master, Cards: map[string]TestCard{"x": {PAN: "6200000000000005", PIN: "2468"}},
			Secret: func(name string, what []byte) { told[name] = bytes.Clone(what) }})
		served := make(chan error, 1)
		go func() { served <- pad.Serve(t.Context(), far) }()
		drive, err := pinpad.New(near, nil)
		require.NoError(t, err)
		pan, err := txn.ParsePAN("6200000000000005")
		require.NoError(t, err)
		q := pinpad.Request{PAN: pan, Prompt: "ENTER PIN", SessionKey: bytes.Repeat([]byte{0x5A}, 16), Wait: time.Minute}
		began := time.Now()
		_, err = drive.EnterPIN(t.Context(), q)
		require.ErrorIs(t, err, pinpad.ErrNoPIN)
		assert.Less(t, time.Since(began), time.Minute+time.Second, "the pad's own time, not the driver's")
		assert.Empty(t, told)

		_, err = pad.Command("pin given")
		require.NoError(t, err)
		b, err := drive.EnterPIN(t.Context(), q)
		require.NoError(t, err)
		assert.Len(t, told, 3)
		assert.Equal(t, b.Cipher[:], told["a PIN block"])
		assert.Equal(t, byte(4), told["a PIN block in the clear"][0])
		time.Sleep(2 * time.Minute) // the time of an entry that has ended does nothing
		require.NoError(t, near.Close())
		<-served
	})
}
