package pinpad_test

import (
	"bytes"
	"context"
	"crypto/des"
	"encoding/hex"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/pinpad"
	"posagent/txnstore/txn"
)

func fromHex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// atPad runs a story with a pad in virtual time. The line buffers, as a serial one does.
func atPad(t *testing.T, o func(t *testing.T) devicetest.PinPadOpts, story func(t *testing.T, sim *devicetest.PinPad, port *wire)) {
	t.Helper()
	opts := o(t)
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		port := &wire{Conn: near}
		sim := devicetest.NewPinPad(opts)
		served := make(chan error, 1)
		go func() { served <- sim.Serve(context.Background(), &buffered{Conn: far, out: make(chan []byte, 64)}) }()
		story(t, sim, port)
		require.NoError(t, near.Close())
		require.NoError(t, <-served)
	})
}

// wire keeps what passed.
type wire struct {
	net.Conn
	seen bytes.Buffer
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.seen.Write(b[:n])
	return n, err
}

func (w *wire) Write(b []byte) (int, error) { w.seen.Write(b); return w.Conn.Write(b) }

// buffered takes what the pad says without waiting for the host to read it.
type buffered struct {
	net.Conn
	out     chan []byte
	started bool
}

func (b *buffered) Write(data []byte) (int, error) {
	if !b.started {
		b.started = true
		go func() {
			for d := range b.out {
				if _, err := b.Conn.Write(d); err != nil {
					return
				}
			}
		}()
	}
	b.out <- append([]byte(nil), data...)
	return len(data), nil
}

func (b *buffered) Read(data []byte) (int, error) {
	n, err := b.Conn.Read(data)
	if err != nil && b.started {
		b.started = false
		close(b.out)
	}
	return n, err
}

// The published example of ANSI X9.24-1:2009 annex A.4.
func dukpt(t *testing.T) devicetest.PinPadOpts {
	return devicetest.PinPadOpts{InitialKey: fromHex(t, "6AC292FAA1315B4D858AB3A3D7D5933A"), KSN: fromHex(t, "FFFF9876543210E00000")}
}

func masterSession(t *testing.T) devicetest.PinPadOpts {
	return devicetest.PinPadOpts{MasterKey: fromHex(t, "0123456789ABCDEFFEDCBA9876543210")}
}

const examplePAN = "4012345678909"

func TestAPINUnderDUKPT(t *testing.T) {
	atPad(t, dukpt, func(t *testing.T, sim *devicetest.PinPad, port *wire) {
		pad, err := pinpad.New(port, nil)
		require.NoError(t, err)
		pan, err := txn.ParsePAN(examplePAN)
		require.NoError(t, err)
		for i, want := range []string{"1B9C1845EB993A7A", "10A01C8D02C69107"} {
			time.AfterFunc(20*time.Second, func() { assert.NoError(t, sim.Type("1234")) })
			b, err := pad.EnterPIN(t.Context(), pinpad.Request{PAN: pan, Prompt: "ENTER PIN"})
			require.NoError(t, err)
			assert.Equal(t, want, fmt.Sprintf("%X", b.Cipher[:]))
			assert.Equal(t, fmt.Sprintf("FFFF9876543210E0000%d", i+1), fmt.Sprintf("%X", b.KSN))
			assert.Equal(t, "PIN block under DUKPT", fmt.Sprintf("%+v", b))
		}
		assert.NotContains(t, port.seen.String(), "1234\x03", "the PIN is never on the line")
		time.AfterFunc(time.Second, func() { assert.NoError(t, sim.Type("")) })
		b, err := pad.EnterPIN(t.Context(), pinpad.Request{PAN: pan, Prompt: "ENTER PIN"})
		require.NoError(t, err)
		assert.True(t, b.Empty)
		assert.Empty(t, sim.Wrong())
	})
}

func TestAPINUnderASessionKey(t *testing.T) {
	atPad(t, masterSession, func(t *testing.T, sim *devicetest.PinPad, port *wire) {
		pad, err := pinpad.New(port, nil)
		require.NoError(t, err)
		pan, err := txn.ParsePAN(examplePAN)
		require.NoError(t, err)
		session := fromHex(t, "11223344556677889900AABBCCDDEEFF")
		master, err := des.NewTripleDESCipher(append(fromHex(t, "0123456789ABCDEFFEDCBA9876543210"), fromHex(t, "0123456789ABCDEF")...))
		require.NoError(t, err)
		wrapped := make([]byte, 16)
		master.Encrypt(wrapped[:8], session[:8])
		master.Encrypt(wrapped[8:], session[8:])
		time.AfterFunc(time.Second, func() { assert.NoError(t, sim.Type("1234")) })
		b, err := pad.EnterPIN(t.Context(), pinpad.Request{PAN: pan, Prompt: "ENTER PIN", SessionKey: wrapped, Wait: 30 * time.Second})
		require.NoError(t, err)
		assert.Nil(t, b.KSN)
		k, err := des.NewTripleDESCipher(append(append([]byte{}, session...), session[:8]...))
		require.NoError(t, err)
		var clearBlock [8]byte
		k.Decrypt(clearBlock[:], b.Cipher[:])
		assert.Equal(t, "041274EDCBA9876F", fmt.Sprintf("%X", clearBlock[:]), "ISO 9564 format 0")
	})
}

func TestTheCustomerAndTheTillMayStop(t *testing.T) {
	forgetful := func(t *testing.T) devicetest.PinPadOpts {
		o := dukpt(t)
		o.Forgets = true
		return o
	}
	atPad(t, forgetful, func(t *testing.T, sim *devicetest.PinPad, port *wire) {
		pad, err := pinpad.New(port, nil)
		require.NoError(t, err)
		pan, err := txn.ParsePAN(examplePAN)
		require.NoError(t, err)
		q := pinpad.Request{PAN: pan, Prompt: "ENTER PIN"}
		time.AfterFunc(3*time.Second, sim.Press)
		_, err = pad.EnterPIN(t.Context(), q)
		require.ErrorIs(t, err, pinpad.ErrNoPIN)

		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		_, err = pad.EnterPIN(ctx, q)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.False(t, sim.Waiting(), "it does not go on waiting for keys")

		time.AfterFunc(3*time.Second, func() { sim.Refuse('8') })
		_, err = pad.EnterPIN(t.Context(), q)
		var refused *pinpad.RefusedError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "8", refused.Code)

		began := time.Now()
		_, err = pad.EnterPIN(t.Context(), q) // a pad that forgets to say that the time is up
		require.ErrorIs(t, err, pinpad.ErrNoAnswer)
		assert.InDelta(t, 65, time.Since(began).Seconds(), 3)
		time.AfterFunc(3*time.Second, func() { assert.NoError(t, sim.Type("1234")) })
		_, err = pad.EnterPIN(t.Context(), q)
		require.NoError(t, err)
		assert.Equal(t, "ENTER PIN", sim.Screen())
	})
}

func TestALineThatSpoilsPackets(t *testing.T) {
	atPad(t, dukpt, func(t *testing.T, sim *devicetest.PinPad, port *wire) {
		pad, err := pinpad.New(port, nil)
		require.NoError(t, err)
		pan, err := txn.ParsePAN(examplePAN)
		require.NoError(t, err)
		q := pinpad.Request{PAN: pan, Prompt: "ENTER PIN"}
		sim.Deafen(2)
		sim.Spoil(2)
		time.AfterFunc(3*time.Second, func() { assert.NoError(t, sim.Type("1234")) })
		_, err = pad.EnterPIN(t.Context(), q)
		require.NoError(t, err, "asked for again")
		sim.Spoil(9)
		time.AfterFunc(3*time.Second, func() { assert.NoError(t, sim.Type("1234")) })
		_, err = pad.EnterPIN(t.Context(), q)
		require.ErrorIs(t, err, pinpad.ErrLine)
		sim.Spoil(0)
		sim.Deafen(3)
		require.ErrorIs(t, pad.Show(t.Context(), "HELLO"), pinpad.ErrLine)
		sim.Silence(true)
		require.ErrorIs(t, pad.Show(t.Context(), "HELLO"), pinpad.ErrNoAnswer)
		_, err = pinpad.New(port, nil)
		require.ErrorIs(t, err, pinpad.ErrNoAnswer)
		sim.Silence(false)
		require.NoError(t, pad.Show(t.Context(), "INSERT CARD"))
		assert.Equal(t, "INSERT CARD", sim.Screen())
		require.NoError(t, pad.Halt())
		assert.Empty(t, sim.Screen())
	})
}

func TestAMasterKeyIsComparedBeforeItIsKept(t *testing.T) {
	atPad(t, masterSession, func(t *testing.T, sim *devicetest.PinPad, port *wire) {
		pad, err := pinpad.New(port, nil)
		require.NoError(t, err)
		key := fromHex(t, "FEDCBA98765432100123456789ABCDEF")
		require.NoError(t, pad.LoadMasterKey(t.Context(), 3, key))
		assert.Equal(t, "FEDCBA98765432100123456789ABCDEF", sim.Slot('3'))
		sim.Spoil(9)
		require.ErrorIs(t, pad.LoadMasterKey(t.Context(), 4, key), pinpad.ErrKey)
		sim.Spoil(0)
		assert.Empty(t, sim.Slot('4'))
		require.Error(t, pad.LoadMasterKey(t.Context(), 10, key))
		require.Error(t, pad.LoadMasterKey(t.Context(), 1, key[:5]))
	})
}
