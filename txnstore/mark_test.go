package txnstore

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func TestACardIsFoundAgainByItsMark(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	cards := []string{"6224242900000113", "4242424242424242", "6200000000000005"}
	for n := range 30 {
		d := draft(refNumber(n))
		pan, err := txn.ParsePAN(cards[n%3])
		require.NoError(t, err)
		d.Card.PAN = pan
		r, err := s.Begin(d)
		require.NoError(t, err)
		mustAdvance(t, s, r.ID, txn.Approved, nil)
		require.NoError(t, s.MakeRoom())
	}
	pan, err := txn.ParsePAN(cards[1])
	require.NoError(t, err)
	found, err := s.ByCard(pan, 20)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{29, 26, 23, 20, 17, 14, 11}, ids(found), "of the newest twenty, newest first")
	stranger, err := txn.ParsePAN("4000000000000002")
	require.NoError(t, err)
	found, err = s.ByCard(stranger, 20)
	require.NoError(t, err)
	assert.Empty(t, found)

	// The mark is keyed: another store's is another, and it tells nothing of the number.
	other, err := newSealer(bytes.Repeat([]byte{8}, keySize), "T1234567")
	require.NoError(t, err)
	mark := s.codec.seals.cardMark(pan)
	h := hmac.New(sha256.New, s.codec.seals.search[:])
	_, _ = h.Write([]byte(pan.DigitsInTheClear()))
	assert.Equal(t, h.Sum(nil)[:markSize], mark[:], "the mark is what crypto/hmac makes of it")
	assert.NotEqual(t, mark, other.cardMark(pan))
}

func TestACardIsFoundInAStoreWithoutMarks(t *testing.T) {
	dir, o := unpack(t, "v1.tar.gz")
	s, _, err := Open(dir, o)
	require.NoError(t, err)
	pan, err := txn.ParsePAN("6224242900000113")
	require.NoError(t, err)
	found, err := s.ByCard(pan, 20)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{11, 10, 9}, ids(found))
	require.NoError(t, s.Close())
}

// A mark that does not belong to the card in the seal is damage, like any other.
func TestAForeignMarkMakesARecordUnreadable(t *testing.T) {
	c := testCodec(t, "T1234567")
	r := usual(t)
	payload := c.payload(nil, r, c.seals.seal(purposeCard, uint64(r.ID), cardInTheClear(r.Card)))
	mark := c.seals.cardMark(r.Card.PAN)
	_, err := c.decode(putFrame(recordFrame, payload))
	require.NoError(t, err)
	_, err = c.decode(putFrame(recordFrame, bytes.Replace(payload, mark[:], bytes.Repeat([]byte{1}, markSize), 1)))
	require.ErrorContains(t, err, "mark")
	_, err = c.decode(putFrame(recordFrame, append(bytes.Clone(payload), fmt.Sprintf("%c%c%s", tagMark, markSize, mark)...)))
	require.ErrorContains(t, err, "occurs twice")
}

// A fingerprint is the same whether the store is open or not, and another key's is another.
func TestAFingerprintNamesACardAndNotItsNumber(t *testing.T) {
	s := openQuiet(t, quickDir(t))
	pan := draft("r").Card.PAN
	of, err := Fingerprints(testOptions().Key, testOptions().Terminal)
	require.NoError(t, err)
	assert.Equal(t, s.Fingerprint(pan), of(pan))
	assert.Len(t, of(pan), FingerprintSize)
	other, err := Fingerprints(bytes.Repeat([]byte{8}, keySize), testOptions().Terminal)
	require.NoError(t, err)
	assert.NotEqual(t, of(pan), other(pan))
	_, err = Fingerprints(nil, "T1234567")
	require.Error(t, err)
}

// Of a card whose reader enciphers only a mask is kept. It is found by that, with every other that has the same, and a card
// whose whole number is kept is not among them.
func TestAMaskedCardIsFoundByItsMask(t *testing.T) {
	dir := quickDir(t)
	s := openQuiet(t, dir)
	whole, err := txn.ParsePAN("6224242900000113")
	require.NoError(t, err)
	for n, mask := range []string{"622424******0113", "", "622424******0114", "622424******0113"} {
		d := draft(refNumber(n))
		d.Card.PAN = whole
		if mask != "" {
			d.Card.PAN, err = txn.ParseMasked(mask)
			require.NoError(t, err)
			d.Card.Expiry = ""
		}
		r, err := s.Begin(d)
		require.NoError(t, err)
		mustAdvance(t, s, r.ID, txn.Approved, nil)
		require.NoError(t, s.MakeRoom())
	}
	require.NoError(t, s.Close())
	s = openQuiet(t, dir)
	mask, err := txn.ParseMasked(whole.Masked())
	require.NoError(t, err)
	found, err := s.ByCard(mask, 20)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{4, 1}, ids(found))
	for _, x := range found {
		assert.True(t, x.Card.PAN.IsMasked())
		assert.Empty(t, x.Card.Expiry)
	}
	found, err = s.ByCard(whole, 20)
	require.NoError(t, err)
	assert.Equal(t, []txn.ID{2}, ids(found))
	assert.NotEqual(t, s.Fingerprint(whole), s.Fingerprint(mask))
}
