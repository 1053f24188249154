package emv

import (
	"encoding/hex"
	"fmt"
	"strings"

	"posagent/device/reader"
)

// answer composes the objects that a card asked for: zeros where the terminal has none, cut or filled as EMV Book 3, 5.4
// says.
func (t Terms) answer(wanted []object) ([]byte, error) {
	var data []byte
	for _, w := range wanted {
		if len(data)+w.size > maxDOL {
			return nil, fmt.Errorf("%w: it asks for more than %d bytes", reader.ErrCardUnread, maxDOL)
		}
		data = append(data, fit(t.value(w.tag), w.size, numeric(w.tag))...)
	}
	return data, nil
}

func (t Terms) value(tag uint32) []byte {
	switch tag {
	case TagTTQ:
		return qualifiers[:]
	case TagAmount:
		return digits(fmt.Sprintf("%012d", int64(t.Amount)))
	case TagCurrency:
		return digits("0" + t.Currency)
	case TagCountry:
		return digits(t.Country)
	case TagDate:
		return digits(t.Date.Format("060102"))
	case TagTerminalType:
		return []byte{terminalType}
	case TagType:
		if t.Amount == 0 {
			return []byte{0x31} // balance enquiry
		}
	}
	return nil
}

func numeric(tag uint32) bool {
	switch tag {
	case TagAmount, TagCurrency, TagCountry, TagDate, TagType, TagTerminalType:
		return true
	}
	return false
}

// fit makes value size bytes long: a number loses and gains bytes on the left, anything else on the right.
func fit(value []byte, size int, number bool) []byte {
	out := make([]byte, size)
	if !number {
		copy(out, value)
		return out
	}
	if len(value) > size {
		value = value[len(value)-size:]
	}
	copy(out[size-len(value):], value)
	return out
}

func digits(text string) []byte {
	value, _ := hex.DecodeString(text) // what is not a number becomes zeros
	return value
}

// unpack is compressed numeric data as text: padding F ends it, D is the separator (EMV Book 3, 4.3).
func unpack(value []byte) string {
	text := hex.EncodeToString(value)
	if end := strings.IndexByte(text, 'f'); end >= 0 {
		text = text[:end]
	}
	return strings.Replace(text, "d", "=", 1)
}

// label is text of at most 16 characters that cannot hide a number.
func label(value []byte) string {
	text, count := strings.TrimSpace(string(value)), 0
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' {
			return ""
		}
		if c >= '0' && c <= '9' {
			count++
		}
	}
	if len(value) > 16 || count >= 8 {
		return ""
	}
	return text
}
