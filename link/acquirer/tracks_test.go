package acquirer_test

import (
	"context"
	"crypto/des"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// strictHost is an acquirer that wants tracks encrypted. It answers a sign-in with what field62 says and takes down every
// other message without answering.
type strictHost struct {
	t       *testing.T
	field62 []byte
	seen    chan *iso8583.Message
}

func (s *strictHost) Dial(context.Context) (link.Conn, error) {
	near, far := net.Pipe()
	go s.serve(far)
	return near, nil
}

func (s *strictHost) String() string { return "strict host" }

func (s *strictHost) serve(line net.Conn) {
	defer line.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(line, length[:]); err != nil {
			return
		}
		frame := make([]byte, int(length[0])<<8|int(length[1]))
		if _, err := io.ReadFull(line, frame); err != nil {
			return
		}
		const behindHeader = 11
		m := new(iso8583.Message)
		if _, err := profile.UnionPay().Dialect.Unpack(m, frame[behindHeader:]); err != nil {
			return
		}
		s.seen <- m
		if m.MTI() != "0800" {
			continue
		}
		answer := new(iso8583.Message)
		answer.SetMTI("0810")
		for _, field := range []int{11, 41, 42, 60} {
			answer.Set(field, m.Get(field))
		}
		answer.Set(39, "00")
		answer.SetBytes(62, s.field62)
		packed, err := profile.UnionPay().Dialect.Pack(append([]byte{0, 0}, "\x60\x00\x00\x00\x06\x60\x31\x00\x31\x00\x00"...), answer)
		if err != nil {
			return
		}
		n := len(packed) - 2
		packed[0], packed[1] = byte(n>>8), byte(n)
		if _, err := line.Write(packed); err != nil {
			return
		}
	}
}

// field62With is the published sign-in answer with the PIN key once more as the track key.
func field62With(t *testing.T, track bool) []byte {
	text := "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8B651F9E9BACE9AE10000000000000000AB7153CA"
	if track {
		text += "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8"
	}
	raw, err := hex.DecodeString(text)
	require.NoError(t, err)
	return raw
}

func inStrictWorld(t *testing.T, field62 []byte, story func(*testing.T, *acquirer.Host, *strictHost)) {
	inStrictWorldOf(t, field62, func(o *acquirer.Options) { o.EncryptTracks = true }, story)
}

func inStrictWorldOf(t *testing.T, field62 []byte, change func(*acquirer.Options), story func(*testing.T, *acquirer.Host, *strictHost)) {
	synctest.Test(t, func(t *testing.T) {
		far := &strictHost{t: t, field62: field62, seen: make(chan *iso8583.Message, 10)}
		l := link.New(link.Options{Header: mustHeader(t), Bearers: []link.Bearer{{Name: "pipe", Dialer: far, Framing: link.LengthPrefixed}}})
		stan := uint32(0)
		o := acquirer.Options{Terminal: terminal, Merchant: merchant, TMK: master(t),
			STAN: func() (uint32, error) { stan++; return stan, nil }, Batch: func() uint32 { return 1 }}
		change(&o)
		h := acquirer.New(l, o)
		story(t, h, far)
		require.NoError(t, l.Close())
		synctest.Wait()
	})
}

func TestATrackIsEncryptedWhereTheAcquirerAsksForIt(t *testing.T) {
	inStrictWorld(t, field62With(t, true), func(t *testing.T, h *acquirer.Host, far *strictHost) {
		currency, err := txn.CurrencyOf("CNY")
		require.NoError(t, err)
		track, err := txn.ParseTrack("6224242900000113=28062013949031013")
		require.NoError(t, err)
		sale := txn.Txn{Kind: txn.Sale, Amount: 1250, Currency: currency, STAN: 7, Batch: 1, Terminal: terminal, Merchant: merchant,
			Card: txn.Card{PAN: pan(t, cards["long"].number), Expiry: "2806", Entry: txn.Swiped}}
		_, _, err = h.Request(t.Context(), sale, txn.Presented{Card: sale.Card, Track: track})
		require.Error(t, err, "nobody answers it")

		signIn := <-far.seen
		assert.Equal(t, "00000001004", signIn.Get(60), "double-length keys and one for tracks")
		request := <-far.seen
		// The published block under the published key; and opened again by other means.
		assert.Equal(t, "6224242900000113F9BFBDE34594544813", strings.ReplaceAll(request.Get(35), "=", "D"))
		assert.Equal(t, "0610000000000000", request.Get(53))
		key, err := hex.DecodeString("807A23AD32B36D457AE91FDF927570EA807A23AD32B36D45")
		require.NoError(t, err)
		block, err := hex.DecodeString(strings.ReplaceAll(request.Get(35), "=", "D")[16:32])
		require.NoError(t, err)
		opener, err := des.NewTripleDESCipher(key)
		require.NoError(t, err)
		opener.Decrypt(block, block)
		assert.Equal(t, "d280620139490310", hex.EncodeToString(block))
		assert.Len(t, h.Keys(), 4)
	})
}

// The profile's MAC algorithm is the one that signs, with the kind of key that it wants. The published MAC key, and as a
// double-length one the PIN key, which serves as an AES key too (its check value is by openssl mac).
func TestTheProfileChoosesTheMAC(t *testing.T) {
	field := func(mac, check string) []byte {
		raw, err := hex.DecodeString("6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8" + mac + check)
		require.NoError(t, err)
		return raw
	}
	single := field("B651F9E9BACE9AE10000000000000000", "AB7153CA")
	double := field("6701EAD6A9AD51E51AA406E2C27FCFA9", "8D0A74B8")
	aesKey := field("6701EAD6A9AD51E51AA406E2C27FCFA9", "AEE4CAA9")
	for name, c := range map[string]struct {
		mac     keys.MAC
		field62 []byte
	}{"XOR-fold": {"", single}, "XOR-fold, double": {keys.ECBFold, double}, "X9.9": {keys.X99, double}, "X9.19": {keys.X919, double}, "CMAC": {keys.CMAC, aesKey}} {
		t.Run(name, func(t *testing.T) {
			inStrictWorldOf(t, c.field62, func(o *acquirer.Options) { o.MAC = c.mac }, func(t *testing.T, h *acquirer.Host, far *strictHost) {
				currency, err := txn.CurrencyOf("CNY")
				require.NoError(t, err)
				sale := txn.Txn{Kind: txn.Sale, Amount: 1250, Currency: currency, STAN: 7, Batch: 1, Terminal: terminal, Merchant: merchant,
					Card: txn.Card{PAN: pan(t, cards["long"].number), Expiry: "2911", Entry: txn.Keyed}}
				_, _, err = h.Request(t.Context(), sale, txn.Presented{Card: sale.Card})
				require.Error(t, err, "nobody answers it")
				signIn := <-far.seen
				assert.Equal(t, "00000001003", signIn.Get(60))
				request := <-far.seen
				tmk, err := keys.NewMaster(master(t))
				require.NoError(t, err)
				w, err := keys.OpenWorking(tmk, c.field62, c.mac)
				require.NoError(t, err)
				raw := request.Raw()
				assert.True(t, c.mac.Verify(w.MAC, raw[:len(raw)-keys.MACLength], request.Bytes(64)))
				for _, other := range []keys.MAC{keys.ECBFold, keys.X99, keys.X919} {
					if other != c.mac && c.mac != "" {
						assert.False(t, other.Verify(w.MAC, raw[:len(raw)-keys.MACLength], request.Bytes(64)), other)
					}
				}
			})
		})
	}
}

func TestASignInWithoutTheTrackKeyIsNone(t *testing.T) {
	for name, field62 := range map[string][]byte{"left out": field62With(t, false), "zeros": append(field62With(t, false), make([]byte, 20)...)} {
		t.Run(name, func(t *testing.T) {
			inStrictWorld(t, field62, func(t *testing.T, h *acquirer.Host, _ *strictHost) {
				err := h.SignIn(t.Context())
				require.ErrorIs(t, err, acquirer.ErrKeyField)
				assert.ErrorContains(t, err, "no track key")
				assert.False(t, h.SignedIn())
			})
		})
	}
}

// Every single wrong check value leaves the terminal with the keys it had.
func TestOldKeysRemainWhenOneNewOneIsWrong(t *testing.T) {
	inStrictWorld(t, field62With(t, true), func(t *testing.T, h *acquirer.Host, far *strictHost) {
		require.NoError(t, h.SignIn(t.Context()))
		before := h.Keys()
		require.Len(t, before, 4)
		for _, at := range []int{0, 16, 20, 36, 40, 59} {
			far.field62 = field62With(t, true)
			far.field62[at] ^= 0x10
			require.ErrorIs(t, h.SignIn(t.Context()), acquirer.ErrCheckValue, "byte %d", at)
			assert.Equal(t, before, h.Keys())
		}
	})
}
