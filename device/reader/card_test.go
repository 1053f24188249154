package reader

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

var asked = Request{Amount: 1234, Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}, Timeout: 30 * time.Second}

func answer(t testing.TB, text string) []byte {
	t.Helper()
	var out []byte
	for _, word := range strings.Fields(text) {
		if plain, quoted := strings.CutPrefix(word, "'"); quoted { // 'text, with its length before it
			out = append(append(out, byte(len(plain))), plain...)
			continue
		}
		b, err := hex.DecodeString(word)
		require.NoError(t, err, word)
		out = append(out, b...)
	}
	return out
}

const chipTags = "9f26080102030405060708 9f360200ff 95050000000000 "

var readable = []struct {
	name, data string
	entry      txn.Entry
	track      string
}{
	{"swipe, track 3 there", "'%B4242424242424242^A/B^3012201? ';4242424242424242=3012201? ';1? 00 9f390190", txn.Swiped, "4242424242424242=3012201"},
	{"swipe, older layout without track 3", "00 ';4242424242424242=3012201? 00", txn.Swiped, "4242424242424242=3012201"},
	{"swipe, older layout and tags", "00 ';4242424242424242=3012201? 00 ffee0104df30010c", txn.Swiped, "4242424242424242=3012201"},
	{"swipe named by DFEE30, no sentinels", "00 '4242424242424242=3012201 00 00 ffee0105dfee30010c", txn.Swiped, "4242424242424242=3012201"},
	{"swipe after a chip failed", "00 ';4242424242424242=3012201? 00 00 9f390180", txn.Swiped, "4242424242424242=3012201"},
	{"LRC behind the end sentinel", "00 ';4242424242424242=3012201?< 00 00", txn.Swiped, "4242424242424242=3012201"},
	{"stripe mode tap as the maker's scripts show it", "'B4111111111111111^A/B^2912201 '4111111111111111=2912201 00 00 9f390191", txn.Tapped, "4111111111111111=2912201"},
	{"stripe mode tap, no tag", "00 '4111111111111111=2912201 00", txn.Tapped, "4111111111111111=2912201"},
	{"stripe mode tap, track in DFEF18", "00 00 00 00 dfef1818 343131313131313131313131313131313d32393132323031 ffee0104df300100", txn.Tapped, "4111111111111111=2912201"},
	{"stripe mode tap, Mastercard", "00 00 00 00 ff81050f 9f6b0c 5555555555554444d2902201", txn.Tapped, "5555555555554444=2902201"},
	{"chip, no mode tag", "00 00 00 00 570c 6224242900000113d3011220 " + chipTags, txn.Contactless, "6224242900000113=3011220"},
	{"chip, clearing record in the older layout", "00 00 01 e117 " + chipTags + "570c 6224242900000113d3011220", txn.Contactless, "6224242900000113=3011220"},
	{"chip, odd number filled up", "00 00 00 00 570e 6200000000000000003d3103220f " + chipTags + "5a0a 6200000000000000003f", txn.Contactless, "6200000000000000003=3103220"},
}

func TestAnswersThatCanBeRead(t *testing.T) {
	for _, c := range readable {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseCard(answer(t, c.data), asked)
			require.NoError(t, err)
			assert.Equal(t, c.entry, got.Card.Entry)
			assert.Equal(t, c.track, got.Track.DataInTheClear())
			number, expiry, _ := strings.Cut(c.track, "=")
			assert.Equal(t, number, got.Card.PAN.DigitsInTheClear())
			assert.Equal(t, expiry[:4], got.Card.Expiry)
			assert.Equal(t, c.entry != txn.Contactless, got.Chip.IsZero())
			assert.Equal(t, c.entry != txn.Contactless, got.Card.Chip.IsZero())
		})
	}
}

func TestAnswersThatCannotBeUsed(t *testing.T) {
	const track = "570c 6224242900000113d3011220 "
	for _, c := range []struct {
		name, data string
		cause      error
	}{
		{"empty", "", ErrGarbage},
		{"track longer than the answer", "ff 41", ErrGarbage},
		{"track that is not text", "02 0a0d 00 00 00", ErrGarbage},
		{"no flag", "00 00", ErrGarbage},
		{"flag 2", "00 00 00 02", ErrGarbage},
		{"a record announced and not there", "00 00 00 01 9c0100", ErrGarbage},
		{"objects cut", "00 00 00 00 5713 6224", ErrGarbage},
		{"no card at all", "00 00 00 00", ErrCardUnread},
		{"no track 2", "'%B4242424242424242^A/B^3012201? 00 00 00", ErrCardUnread},
		{"short number", "00 ';42424242=3012201? 00 00", ErrCardUnread},
		{"no expiry", "00 ';4242424242424242=? 00 00", ErrCardUnread},
		{"expiry in month 13", "00 ';4242424242424242=3013201? 00 00", ErrCardUnread},
		{"two separators", "00 ';4242424242424242==3012201? 00 00", ErrCardUnread},
		{"track and number disagree", "00 00 00 00 5a08 4242424242424242 " + track + chipTags, ErrCardUnread},
		{"no cryptogram", "00 00 00 00 9f390107 " + track, ErrCardUnread},
		{"cryptogram of 4 bytes", "00 00 00 00 9f2604 01020304 9f36020001 " + track, ErrCardUnread},
		{"declined by the card", "00 00 00 00 9f270100 " + track + chipTags, ErrCardRefused},
		{"approved offline", "00 00 00 00 9f270140 " + track + chipTags, ErrCardRefused},
		{"inserted", "00 00 00 00 9f390105 " + track + chipTags, errInserted},
		{"encrypted", "00 00 00 00 dfee120a ffff9876543210000001 " + track + chipTags, ErrSetUp},
		{"encrypted, masked beside it", "21 dfee120a ffff9876543210000001 57a113 6212340ccccccccccccdcccccccccccccccccc 57c118 000102030405060708090a0b0c0d0e0f1011121314151617 dfee26022100", ErrSetUp},
		{"swipe in the encrypted format", "00 00 00 00 dfee2302 0102", ErrSetUp},
		{"another amount", "00 00 00 00 9f0206000000001235 " + track + chipTags, ErrGarbage},
		{"another currency", "00 00 00 00 5f2a020840 " + track + chipTags, ErrGarbage},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseCard(answer(t, c.data), asked)
			require.ErrorIs(t, err, c.cause)
			assert.Equal(t, txn.Presented{}, got)
			assert.NotRegexp(t, `\d{5}`, err.Error())
		})
	}
}

func TestWhatWantsAPINForTheIssuer(t *testing.T) {
	const tapped = "00 00 00 00 570c 6224242900000113d3011220 " + chipTags
	for data, wants := range map[string]bool{
		"00 ';6200000000000005=3012220? 00 00": true, // service code 220: with a PIN
		"00 ';4242424242424242=3012201? 00 00": false,
		tapped + "9f3403 020000":               true, // online PIN
		tapped + "9f3403 420000":               true, // the same, and the next rule if it fails
		tapped + "9f3403 1e0000":               false,
		tapped + "9f3403 1f0302":               false,
		tapped + "9f3401 02":                   false, // not the shape of CVM results
		tapped:                                 false, // and the service code of a chip's track says nothing
	} {
		got, err := parseCard(answer(t, data), asked)
		require.NoError(t, err, data)
		assert.Equal(t, wants, got.AsksPIN, data)
	}
}

func TestALabelCannotCarryANumber(t *testing.T) {
	objects := map[uint32][]byte{0x50: []byte("4242424242424242"), 0x9F12: []byte("PREFERRED")}
	assert.Equal(t, "PREFERRED", label(objects))
	assert.Equal(t, "", label(map[uint32][]byte{0x50: []byte("\xd2\xf8\xc1\xaa")}))
	assert.Equal(t, "", sequence(map[uint32][]byte{0x5F34: {0x0A}}))
	assert.Equal(t, "001", sequence(map[uint32][]byte{0x5F34: {0x01}}))
	assert.Equal(t, "", aid(map[uint32][]byte{0x9F06: {1, 2, 3, 4}}))
}

// FuzzCardData checks what must hold of any answer: no panic, no digits in an error, and a card that can be sent.
func FuzzCardData(f *testing.F) {
	for _, c := range readable {
		f.Add(answer(f, c.data))
	}
	f.Add(answer(f, "00 00 01 e10a 9f2608 0102030405060708 e300 08 0102030405060708"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseCard(data, asked)
		if err != nil {
			assert.NotRegexp(t, `\d{5}`, err.Error())
			assert.Equal(t, txn.Presented{}, got)
			return
		}
		number := got.Card.PAN.DigitsInTheClear()
		require.True(t, len(number) >= 12 && len(got.Card.Expiry) == 4)
		require.True(t, strings.HasPrefix(got.Track.DataInTheClear(), number+"="))
		assert.LessOrEqual(t, len(got.Chip.BytesInTheClear()), maxChip)
		assert.LessOrEqual(t, len(got.Card.Label), maxLabel)
		assert.LessOrEqual(t, len(got.Card.AID), 2*maxAID)
		assert.Equal(t, got.Card.Entry != txn.Contactless, got.Chip.IsZero())
		if len(number) > 13 && len(strings.Trim(number, number[:1])) > 0 {
			assert.False(t, bytes.Contains(fmt.Appendf(nil, "%+v", got), []byte(number)))
		}
	})
}
