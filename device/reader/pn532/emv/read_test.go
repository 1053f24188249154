package emv

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader"
	"posagent/txnstore/txn"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	require.NoError(t, err)
	return b
}

var terms = Terms{Amount: 1234, Currency: "156", Country: "0156", Date: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}

// exchange is one command, or its beginning, and the card's answer.
type exchange struct{ command, answer string }

const (
	selectDirectory = "00a404000e 325041592e5359532e4444463031 00"
	directoryAnswer = "6f 23 84 0e 325041592e5359532e4444463031 a5 11 bf0c 0e 61 0c 4f 07 a0000000031010 87 01 01 9000"
	selectVisa      = "00a4040007 a0000000031010 00"
	visaAnswer      = "6f 17 84 07 a0000000031010 a5 0c 50 04 56495341 9f38 03 9f6604 9000"
	options         = "80a8000006 8304 a0800000 00"
	optionsAnswer   = "77 0a 82 02 1980 94 04 08010200 9000"
	recordOne       = "70 13 57 11 4242424242424242d30122011234567890 9000"
	recordTwo       = "70 10 5a 08 4242424242424242 5f24 03 301231 00 9000"
)

func story(changes ...exchange) []exchange {
	whole := []exchange{{selectDirectory, directoryAnswer}, {selectVisa, visaAnswer}, {options, optionsAnswer},
		{"00b2010c00", recordOne}, {"00b2020c00", recordTwo}}
	for _, change := range changes {
		found := false
		for i := range whole {
			if whole[i].command == change.command {
				whole[i].answer, found = change.answer, true
			}
		}
		if !found {
			whole = append(whole, change)
		}
	}
	return whole
}

// play answers each command as the story says, and anything else with "not found".
func play(t testing.TB, whole []exchange) Transmit {
	return func(_ context.Context, command []byte) ([]byte, error) {
		for _, e := range whole {
			if bytes.Equal(unhex(t, e.command), command) {
				return unhex(t, e.answer), nil
			}
		}
		return unhex(t, "6a82"), nil
	}
}

func TestACardIsRead(t *testing.T) {
	for name, changes := range map[string][]exchange{
		"as most cards do":         nil,
		"track 2 with the options": {{options, "77 1d 82 02 1980 94 04 08020200 57 11 4242424242424242d30122011234567890 9000"}},
		"options of format 1":      {{options, "80 06 1980 08010200 9000"}},
		"the number stays away":    {{"00b2020c00", "70 00 9000"}},
		"more waits":               {{"00b2010c00", "6115"}, {"00c0000015", recordOne}},
		"another length":           {{"00b2010c00", "6c15"}, {"00b2010c15", recordOne}},
		"no wishes":                {{selectVisa, "6f 0d 84 07 a0000000031010 a5 02 50 00 9000"}, {"80a8000002 8300 00", optionsAnswer}},
		"stripe mode":              {{"00b2010c00", "70 14 9f6b 11 4242424242424242d30122011234567890 9000"}},
	} {
		got, err := Read(t.Context(), play(t, story(changes...)), terms)
		require.NoError(t, err, name)
		assert.Equal(t, "4242424242424242=30122011234567890", got.Track.DataInTheClear(), name)
		assert.Equal(t, "4242", got.Card.PAN.Last4())
		assert.Equal(t, "3012", got.Card.Expiry)
		assert.Equal(t, txn.Tapped, got.Card.Entry)
		assert.Equal(t, "A0000000031010", got.Card.AID)
	}
}

func TestTheApplicationThatTheCardPrefersIsTaken(t *testing.T) {
	two := "6f 33 84 0e 325041592e5359532e4444463031 a5 21 bf0c 1e 61 0d 4f 07 a0000000999090 87 01 02 00 61 0d 4f 07 a0000000031010 87 01 01 00 9000"
	got, err := Read(t.Context(), play(t, story(exchange{selectDirectory, two})), terms)
	require.NoError(t, err)
	assert.Equal(t, "A0000000031010", got.Card.AID)
}

func TestCardsThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		change exchange
		want   error
	}{
		"no directory":              {exchange{selectDirectory, "6a82"}, reader.ErrCardRefused},
		"empty directory":           {exchange{selectDirectory, "6f 02 a5 00 9000"}, reader.ErrCardRefused},
		"directory is damaged":      {exchange{selectDirectory, "6f 20 84 9000"}, reader.ErrCardUnread},
		"application is blocked":    {exchange{selectVisa, "6283"}, reader.ErrCardRefused},
		"wants a contact":           {exchange{options, "6984"}, reader.ErrUseContact},
		"wants another card":        {exchange{options, "6985"}, reader.ErrCardRefused},
		"wants a look at the phone": {exchange{options, "6986"}, reader.ErrCardUnread},
		"locator is cut":            {exchange{options, "80 05 1980 080102 9000"}, reader.ErrCardUnread},
		"locator of file 0":         {exchange{options, "80 06 1980 00010200 9000"}, reader.ErrCardUnread},
		"locator runs backwards":    {exchange{options, "80 06 1980 08020100 9000"}, reader.ErrCardUnread},
		"record is missing":         {exchange{"00b2010c00", "6a83"}, reader.ErrCardUnread},
		"record is damaged":         {exchange{"00b2010c00", "70 13 57 11 9000"}, reader.ErrCardUnread},
		"another number":            {exchange{"00b2020c00", "70 10 5a 08 4343434343434343 5f24 03 301231 00 9000"}, reader.ErrCardUnread},
		"another date":              {exchange{"00b2020c00", "70 10 5a 08 4242424242424242 5f24 03 301131 00 9000"}, reader.ErrCardUnread},
		"no track":                  {exchange{"00b2010c00", "70 00 9000"}, reader.ErrCardUnread},
		"month 13":                  {exchange{"00b2010c00", "70 13 57 11 4242424242424242d30132011234567890 9000"}, reader.ErrCardUnread},
		"answer without status":     {exchange{selectVisa, "90"}, reader.ErrCardUnread},
		"more waits for ever":       {exchange{"00b2010c00", "6100"}, reader.ErrCardUnread},
		"wants too much":            {exchange{selectVisa, "6f 15 84 07 a0000000031010 a5 0a 9f38 07 9f66ff 9f02ff 00 9000"}, reader.ErrCardUnread},
	} {
		whole := story(c.change)
		if name == "more waits for ever" {
			whole = append(whole, exchange{"00c0000000", "6100"})
		}
		if name == "month 13" {
			whole[4].answer = "70 00 9000"
		}
		_, err := Read(t.Context(), play(t, whole), terms)
		require.ErrorIs(t, err, c.want, name)
		require.NotContains(t, err.Error(), "4242", name)
	}
	gone := errors.New("gone")
	_, err := Read(t.Context(), func(context.Context, []byte) ([]byte, error) { return nil, gone }, terms)
	require.ErrorIs(t, err, gone)
}

// A card may name more records than anybody has; not more than 32 are asked for.
func TestACardWithoutEnd(t *testing.T) {
	asked, whole := 0, story(exchange{options, "80 0a 1980 08 01 ff 00 10 01 ff 00 9000"})
	transmit := play(t, whole)
	_, err := Read(t.Context(), func(ctx context.Context, command []byte) ([]byte, error) {
		if command[1] == insReadRecord {
			asked++
			return []byte{0x70, 0x00, 0x90, 0x00}, nil
		}
		return transmit(ctx, command)
	}, terms)
	require.ErrorIs(t, err, reader.ErrCardUnread)
	assert.Equal(t, 32, asked)
}

func TestWhatACardIsTold(t *testing.T) {
	wanted, err := readDOL(unhex(t, "9f66049f02069f03069f1a0295055f2a029a039c019f37049f3501"))
	require.NoError(t, err)
	data, err := terms.answer(wanted)
	require.NoError(t, err)
	assert.Equal(t, unhex(t, "a0800000 000000001234 000000000000 0156 0000000000 0156 260304 00 00000000 22"), data)
	data, err = Terms{Date: terms.Date}.answer([]object{{TagType, 1}, {TagDate, 2}, {TagDate, 5}, {TagTTQ, 6}, {TagTTQ, 1}, {TagCountry, 2}})
	require.NoError(t, err)
	assert.Equal(t, unhex(t, "31 0304 0000260304 a08000000000 a0 0000"), data)
}

// A card that answers everything with the same bytes, whatever they are, comes to an end.
func FuzzRead(f *testing.F) {
	for _, e := range story() {
		f.Add(unhex(f, e.answer), uint8(0))
		f.Add(unhex(f, e.answer), uint8(2))
	}
	f.Add(unhex(f, "6100"), uint8(3))
	f.Add(unhex(f, "80 82 00 06 1980 08011f00 9000"), uint8(2))
	f.Fuzz(func(t *testing.T, answer []byte, step uint8) {
		whole, asked := story(), 0
		if int(step) < len(whole) {
			whole[step].answer = hex.EncodeToString(answer)
		}
		transmit := play(t, whole)
		got, err := Read(t.Context(), func(ctx context.Context, command []byte) ([]byte, error) {
			if asked++; asked > (maxRecords+3)*maxRounds {
				t.Fatal("the conversation does not end")
			}
			require.LessOrEqual(t, len(command), 261)
			if asked%2 == 1 && step > 100 {
				return answer, nil
			}
			return transmit(ctx, command)
		}, terms)
		if err == nil {
			require.False(t, got.Card.PAN.IsZero())
			require.False(t, got.Track.IsZero())
		}
	})
}

func FuzzWalk(f *testing.F) {
	f.Add(unhex(f, "6f 17 84 07 a0000000031010 a5 0c 50 04 56495341 9f38 03 9f6604"))
	f.Add(bytes.Repeat([]byte{0x61, 0x20}, 20))
	f.Add(unhex(f, "9f 82 00 82 00 01 00 00"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var plain []object
		err := walk(wire, 0, func(tag uint32, value []byte) bool {
			if len(value) > len(wire) {
				t.Fatal("a value longer than the input")
			}
			plain = append(plain, object{tag, len(value)})
			return true
		})
		require.LessOrEqual(t, len(plain), len(wire))
		if err != nil {
			require.ErrorIs(t, err, errTLV)
		}
	})
}

// What a card says is visited where it lies. A list of wanted objects costs at most a few bytes for each of its own.
func TestReadingACardIsBounded(t *testing.T) {
	for name, wire := range map[string][]byte{
		"empty objects":       bytes.Repeat([]byte{0x50, 0}, 128),
		"templates":           bytes.Repeat([]byte{0x61, 0x7F}, 128),
		"tags without an end": bytes.Repeat([]byte{0x9F}, 256),
		"lengths beyond":      bytes.Repeat([]byte{0x70, 0x82, 0xFF, 0xFF}, 64),
	} {
		assert.LessOrEqual(t, testing.AllocsPerRun(20, func() { _ = walk(wire, 0, func(uint32, []byte) bool { return true }) }), 8., name)
		list, _ := readDOL(wire)
		assert.LessOrEqual(t, cap(list), len(wire), name)
	}
}
