package acquirer_test

import (
	"crypto/cipher"
	"crypto/des"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// sealedWorld has an acquirer with the published base key, and a profile that leaves enciphering to the card reader.
func sealedWorld(t *testing.T, text string, story func(*world)) {
	p := readerProfile(t)
	if text != "" {
		p = dukptProfile(t, text)
	}
	inWorld(t, settings{profile: p, bank: bankOfReader(t)}, story)
}

func readerProfile(t *testing.T) *profile.Profile {
	p, err := profile.Open("../../testdata/profiles/reader.toml")
	require.NoError(t, err)
	return p
}

func bankOfReader(t *testing.T) func(o *linktest.AcquirerOpts) {
	return func(o *linktest.AcquirerOpts) { o.DUKPT = map[string][]byte{"FFFF987654": unhex(t, baseKey)} }
}

// readerKeys are data keys for the base key and serial numbers of ANSI X9.24-1:2009, annex A.4, as other implementations publish
// them.
var readerKeys = []string{"448D3F076D8304036A55A3D7E0055A78", "F1BE73B36135C5C26CF937D50ABBE5AF", "EEEEF522C67239E4A2A65FEBF4C511F4"}

// sealed is a sale of a card whose reader enciphers with its nth key: the stripe as text, a chip as an object.
func (w *world) sealed(card string, entry txn.Entry, nth int, amount txn.Amount) (txn.Txn, txn.Presented) {
	w.t.Helper()
	x, p := w.sale(card, entry, amount)
	mask, err := txn.ParseMasked(x.Card.PAN.Masked())
	require.NoError(w.t, err)
	clear := []byte(";" + p.Track.DataInTheClear() + "?7")
	if entry == txn.Inserted || entry == txn.Contactless {
		digits := strings.ReplaceAll(p.Track.DataInTheClear(), "=", "D")
		packed := unhex(w.t, digits+strings.Repeat("F", len(digits)%2))
		clear = append([]byte{0x57, byte(len(packed))}, packed...)
	}
	for len(clear)%8 != 0 {
		clear = append(clear, 0)
	}
	key := unhex(w.t, readerKeys[nth-1])
	block, err := des.NewTripleDESCipher(append(key, key[:8]...))
	require.NoError(w.t, err)
	cipher.NewCBCEncrypter(block, make([]byte, 8)).CryptBlocks(clear, clear)
	serial := unhex(w.t, fmt.Sprintf("FFFF9876543210E%05X", nth))
	x.Card.PAN, p.Track = mask, txn.Track{}
	p.Card = x.Card
	p.Cipher, err = txn.NewCipher(serial, clear)
	require.NoError(w.t, err)
	return x, p
}

// The acquirer finds the account by ciphertext alone, and the sale by what its reversal, its void and its refund call it.
func TestWhatACardReaderEnciphersOnTheWire(t *testing.T) {
	p := readerProfile(t)
	at := func() time.Time { return time.Date(2026, 11, 21, 9, 35, 1, 0, time.UTC) }
	var d *tap
	inWorld(t, settings{profile: p, bank: func(o *linktest.AcquirerOpts) { bankOfReader(t)(o); o.Now = at }}, func(w *world) {
		d = &tap{Dialer: w.line, profile: p}
		w.link = link.New(link.Options{Dialect: p.Dialect, Header: w.header(), Bearers: []link.Bearer{{Name: "pipe", Dialer: d}}})
		w.host = w.newHost(func(o *acquirer.Options) { o.Now = at })
		require.NoError(t, w.host.SignIn(w.ctx))
		for i, entry := range []txn.Entry{txn.Swiped, txn.Contactless} {
			sale, card := w.sealed("unionpay", entry, i+1, 1250)
			require.True(t, w.asked(sale, card).Approved)
			assert.Equal(t, linktest.Held, w.rowState(sale))
			row, _ := w.row(sale)
			assert.Equal(t, "unionpay", row.Account)
			w.reversed(sale)
		}
		sale, card := w.sealed("visa", txn.Inserted, 3, 990)
		answer := w.asked(sale, card)
		require.True(t, answer.Approved)
		sale.Answer, _ = answer.Kept()
		back := sale
		w.stan++
		back.Kind, back.STAN, back.Original, back.Approver, back.Answer, back.Amount = txn.Refund, w.stan, sale.Of(), "00", txn.Answer{}, 300
		given, _, err := w.host.Advise(w.ctx, back)
		require.NoError(t, err)
		assert.True(t, given.Approved, given.Code)
		assert.Equal(t, linktest.Given, w.rowState(back))
	})
	golden(t, "iso87-reader.trace", strings.Join(d.lines, "\n")+"\n")
	for _, line := range d.lines {
		assert.NotRegexp(t, ` (2|14):`, line, "no number, and no expiry date")
	}
}

// A counter that does not move on is refused, and so is what is not enciphered: nothing is booked, or nothing even sent.
func TestWhatIsNotEncipheredAsItMustBe(t *testing.T) {
	sealedWorld(t, "", func(w *world) {
		second, card := w.sealed("visa", txn.Swiped, 2, 100)
		require.True(t, w.asked(second, card).Approved)
		for _, nth := range []int{2, 1} {
			again, card := w.sealed("visa", txn.Swiped, nth, 100)
			answer, _, err := w.host.Request(w.ctx, again, card)
			require.NoError(t, err)
			assert.Equal(t, "30", answer.Code)
			assert.Empty(t, w.rowState(again))
		}
		for _, entry := range []txn.Entry{txn.Swiped, txn.Inserted, txn.Keyed} {
			before := w.acquirer.Counts()["0200"]
			plain, card := w.sale("visa", entry, 100)
			_, sent, err := w.host.Request(w.ctx, plain, card)
			assert.ErrorContains(t, err, "enciphered by the card reader")
			assert.Equal(t, txn.Evidence{}, sent)
			_, err = w.host.Enquire(w.ctx, yuan, card)
			assert.Error(t, err)
			assert.Equal(t, before, w.acquirer.Counts()["0200"])
		}
		// What was begun when the reader was in clear is reversed without its number all the same.
		w.reversed(func() txn.Txn {
			x := second
			x.Card.PAN = pan(t, cards["visa"].number)
			x.Card.Expiry = "3012"
			return x
		}())
		undo := w.lastSeen("0420")
		assert.NotContains(t, undo.Fields, 2)
		assert.NotContains(t, undo.Fields, 14)
	})
	inWorld(t, settings{profile: profile.ISO87()}, func(w *world) {
		sale, card := w.sealed("visa", txn.Swiped, 1, 100)
		_, _, err := w.host.Request(w.ctx, sale, card)
		assert.ErrorContains(t, err, "does not have it so")
		assert.Zero(t, w.acquirer.Counts()["0200"])
	})
}

// The serial number goes as bytes or as text, and a balance is asked for like a sale.
func TestASerialNumberAsText(t *testing.T) {
	sealedWorld(t, "base = \"iso87\"\nname = \"own\"\n[tracks]\ncipher = \"reader\"\nserial = \"58\"\n[fields]\n35 = \"z..96\"\n58 = \"an20\"\n", func(w *world) {
		sale, card := w.sealed("unionpay", txn.Tapped, 1, 1250)
		require.True(t, w.asked(sale, card).Approved)
		assert.Contains(t, w.lastSeen("0200").Fields, 58)
		_, card = w.sealed("visa", txn.Swiped, 2, 1)
		_, err := w.host.Enquire(w.ctx, yuan, card)
		require.NoError(t, err)
	})
}
