package reader

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// Whatever a reader answers to a contact command is read or refused, and no refusal repeats what was read.
func FuzzContactResult(f *testing.F) {
	for _, seed := range []string{"", "00", "0004", "0010 5f340101", "00029f26080807060504030201 9f2701409f36020007", "0002 9f5b0520000000009505", "3005", "0003 9f2701009f360200079f10200102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"} {
		f.Add(decoded(seed))
	}
	s := &session{atc: "\x00\x07", objects: map[uint32][]byte{neo2.TagATC: {0, 7}, neo2.TagSerial: []byte("12345678")}}
	f.Fuzz(func(t *testing.T, data []byte) {
		result, objects, err := parseResult(data, false)
		if err != nil {
			assert.NotRegexp(t, `\d{5}`, err.Error())
			return
		}
		_ = (&ResultError{Sub: neo2.ContactComplete, Result: result}).Error()
		for _, agreed := range []bool{true, false} {
			done, err := s.confirmation(objects, agreed)
			if err != nil {
				continue
			}
			assert.False(t, done.Agreed && !agreed)
			assert.LessOrEqual(t, len(done.Signed.BytesInTheClear()), txn.MaxKeptChip)
			assert.LessOrEqual(t, len(done.Reversal.BytesInTheClear()), txn.MaxKeptChip)
			assert.LessOrEqual(t, len(done.Scripts), 2*maxScripts)
		}
	})
}

// What an acquirer sends for the card goes to the card or is refused; it never makes a command that the reader cannot read.
func FuzzIssuerData(f *testing.F) {
	for _, seed := range []string{"", "910a01020304050607083030", "7102860072039f1801", "91", "7281ff"} {
		f.Add("00", "A1B2C3", decoded(seed))
	}
	f.Fuzz(func(t *testing.T, code, auth string, chip []byte) {
		payload, err := completePayload(txn.Answer{Code: code, AuthCode: auth, Chip: txn.NewChip(chip)})
		if err == nil {
			assert.NoError(t, neo2.Walk(payload, func(uint32, []byte) {}))
		}
	})
}

func FuzzTimeOfDay(f *testing.F) {
	f.Add([]byte{0x23, 0x59})
	f.Add([]byte{0x1a, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		if at, err := parseTimeOfDay(data); err == nil {
			assert.Less(t, at.Hours(), 24.0)
		}
	})
}

func decoded(text string) []byte {
	var clean []byte
	for _, c := range []byte(text) {
		if c != ' ' {
			clean = append(clean, c)
		}
	}
	b, _ := hex.DecodeString(string(clean))
	return b
}
