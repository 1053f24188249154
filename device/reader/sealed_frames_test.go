package reader

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

const (
	sealedKSN    = "dfee120affff9876543210e00001 "
	sealedSigned = "9f26080102030405060708 9f360200ff 9f270180 "
	sealedTrack2 = "57a113622424cccccc0113d3011220cccccccccccccc 57c118 111111111111111111111111111111111111111111111111 "
)

// The layout that the maker's published test scripts and the guide have, with an AES key's answer refused.
func TestEncipheredChips(t *testing.T) {
	for name, data := range map[string]string{
		"as the guide has it":       "c1" + sealedKSN + sealedTrack2 + sealedSigned,
		"with more attributions":    "e1" + sealedKSN + sealedTrack2 + sealedSigned + "dfee2602e101",
		"in a clearing record":      "c1" + sealedKSN + "e114" + sealedSigned + sealedTrack2,
		"with its number beside it": "c1" + sealedKSN + sealedTrack2 + "5aa108622424cccccc0113 5ac110 22222222222222222222222222222222" + sealedSigned,
		"with empty objects":        "c1" + sealedKSN + "5700 5a00" + sealedTrack2 + sealedSigned,
	} {
		p, err := parseSealed(decoded(strings.ReplaceAll(data, " ", "")), asked)
		require.NoError(t, err, name)
		assert.Equal(t, "622424******0113", p.Card.PAN.AsKept(), name)
		assert.Equal(t, "3011", p.Card.Expiry, name)
		assert.Equal(t, strings.Repeat("1", 48), p.Cipher.DigitsForTheAcquirer(), name)
		assert.False(t, p.Chip.IsZero(), name)
	}
	hidden := strings.Replace(sealedTrack2, "d3011220", "dcccc220", 1)
	p, err := parseSealed(decoded(strings.ReplaceAll("c1"+sealedKSN+hidden+sealedSigned, " ", "")), asked)
	require.NoError(t, err)
	assert.Empty(t, p.Card.Expiry, "and a reader may hide the date too")
}

// The parts of a swipe as Bluefin's documentation of the IDTech SecuRed prints them, in the binary frame that a NEO 2 has.
func TestAPublishedSwipe(t *testing.T) {
	data := decoded("801f322400839b" + hex.EncodeToString([]byte("%*4124********9990^TEST/BLUEFIN^****************?*;4124********9990=****************?*")) +
		"c0a0ece0c2e62e4542d3b823d9c2cdfbb3073350c5bf3d7471a40ff723ef092dd98c8e2e8d4d7c3fc369d5b64e99b1e92cd09168ec61ff08" +
		"1f3806b393b01cc4f440ab941b79ae28152b301ffc24b1ce560ee3f24e80faf8515cfe9c7cc66de9" +
		strings.Repeat("00", 40) + "54313334303030303634" + "629949960e0000a00072")
	frame := append([]byte{0x02, byte(len(data)), byte(len(data) >> 8)}, data...)
	var all, sum byte
	for _, b := range data {
		all, sum = all^b, sum+b
	}
	s, err := parseSwipe(append(frame, all, sum, 0x03))
	require.NoError(t, err)
	assert.Equal(t, ";4124********9990=****************?*", string(s.masks[1]))
	assert.Equal(t, "629949960e0000a00072", hex.EncodeToString(s.serial))
	assert.Equal(t, "1f3806b393b01cc4", hex.EncodeToString(s.tracks[1][:8]))
	assert.Len(t, s.tracks[1], 40)
	assert.False(t, s.chip)
	_, _, err = maskOf(string(s.masks[1]))
	assert.ErrorIs(t, err, ErrSetUp, "four digits are the maker's default, and tell no range of cards")
}

// A reader may put an attribution byte before the objects of a contact answer, or not.
func TestAContactAnswerWithAndWithoutItsAttribution(t *testing.T) {
	for _, head := range []string{"", "c0"} {
		result, objects, err := parseResult(decoded(strings.ReplaceAll("0010"+head+sealedKSN+sealedTrack2, " ", "")), true)
		require.NoError(t, err)
		assert.Equal(t, uint16(0x10), result)
		assert.Len(t, objects[sealedKey(0x57)], 24)
		assert.Empty(t, objects[0x57])
	}
	for _, data := range []string{"0010" + "00" + "5a0442424242", "0010" + "c2" + "5f340101", "0010" + "5a086224242900000113"} {
		_, _, err := parseResult(decoded(data), true)
		assert.ErrorIs(t, err, ErrSetUp, data)
	}
	_, objects, err := parseResult(decoded("0004"+"8202209500"+"9f36020001"), true)
	require.NoError(t, err, "an object that looks like an attribution")
	assert.Equal(t, []byte{0, 1}, objects[0x9F36])
	_, _, err = parseResult(decoded("0010"+"205a0442424242"), true)
	assert.ErrorIs(t, err, ErrSetUp)
	_, _, err = parseResult(decoded("0010"+"57a1ff"), true)
	assert.ErrorIs(t, err, ErrGarbage)
	// The second answer has a key of its own, and the track stays that of the first.
	_, first, _ := parseResult(decoded(strings.ReplaceAll("0010"+sealedKSN+sealedTrack2, " ", "")), true)
	_, second, _ := parseResult(decoded("0004"+"dfee120affff9876543210e00002"+"5f340102"), true)
	all := joined(first, second)
	assert.Equal(t, "ffff9876543210e00001", hex.EncodeToString(all[0xDFEE12]))
	assert.Equal(t, []byte{2}, all[0x5F34])
}

// The corpus of broken answers: each file says in its first line what must be found.
func TestBrokenEncipheredAnswers(t *testing.T) {
	causes := map[string]error{"garbage": ErrGarbage, "set-up": ErrSetUp, "unread": ErrCardUnread}
	all := corpus(t)
	require.Greater(t, len(all), 30)
	for name, c := range all {
		p, err := parseSealed(c.data, asked)
		assert.ErrorIs(t, err, causes[c.want], name)
		assert.Equal(t, txn.Presented{}, p, name)
		if err != nil {
			assert.NotRegexp(t, `\d{5}`, err.Error(), name)
		}
	}
}

type broken struct {
	want string
	data []byte
}

func corpus(t testing.TB) map[string]broken {
	files, err := filepath.Glob("../../testdata/captures/broken/sealed-*.hex")
	require.NoError(t, err)
	all := map[string]broken{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		head, body, _ := strings.Cut(string(text), "\n")
		data, err := hex.DecodeString(strings.TrimSpace(body))
		require.NoError(t, err, file)
		all[filepath.Base(file)] = broken{strings.TrimPrefix(head, "# "), data}
	}
	return all
}

// FuzzSealed checks what must hold of any answer of a reader that enciphers: no panic, no digits in an error, and nothing but
// a mask, a cipher that can be sent, and chip data that fits.
func FuzzSealed(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add(c.data)
	}
	f.Add(decoded(strings.ReplaceAll("c1"+sealedKSN+sealedTrack2+sealedSigned, " ", "")))
	f.Add(decoded("c8dfee236102" + "5b00801f00200082923b3632323432342a2a2a2a2a2a303131333d333031312a2a2a2a2a2a2a2a3f2a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseSealed(data, asked)
		if err != nil {
			assert.NotRegexp(t, `\d{5}`, err.Error())
			assert.Equal(t, txn.Presented{}, p)
			return
		}
		require.True(t, p.Card.PAN.IsMasked())
		require.True(t, p.Track.IsZero())
		require.False(t, p.Cipher.IsZero())
		assert.LessOrEqual(t, len(p.Cipher.DigitsForTheAcquirer()), 2*txn.MostCipher)
		assert.LessOrEqual(t, len(p.Chip.BytesInTheClear()), maxChip)
		assert.True(t, p.Card.Expiry == "" || checkExpiry(p.Card.Expiry) == nil)
		assert.NotContains(t, fmt.Sprintf("%+v", p), p.Cipher.DigitsForTheAcquirer())
	})
}

// FuzzSealedContact is the same for the two answers of a card in the slot.
func FuzzSealedContact(f *testing.F) {
	first := decoded(strings.ReplaceAll("0010c0"+sealedKSN+sealedTrack2, " ", ""))
	f.Add(first, decoded(strings.ReplaceAll("0004c0"+sealedSigned, " ", "")))
	f.Add([]byte{0, 16}, []byte{0, 4, 0xC0})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		_, started, err := parseResult(one, true)
		if err != nil {
			assert.NotRegexp(t, `\d{5}`, err.Error())
			return
		}
		_, second, err := parseResult(two, true)
		if err != nil {
			return
		}
		p, err := sealedChip(txn.Inserted, joined(started, second))
		if err != nil {
			assert.Equal(t, txn.Presented{}, p)
			return
		}
		assert.True(t, p.Card.PAN.IsMasked() && !p.Cipher.IsZero() && p.Track.IsZero())
	})
}
