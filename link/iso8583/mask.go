package iso8583

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"posagent/txnstore/txn"
)

// plain are the fields whose values may be printed. It is a list of what is allowed: a field that somebody adds to a
// dialect prints its length until it is judged. Left out on purpose are 14, 35, 36, 45, 52, 53, 55, 62, 64, and with
// them 48, which carries card numbers in batch details, and 63, which is anybody's text.
const plain = 1<<(64-3) | 1<<(64-4) | 1<<(64-11) | 1<<(64-12) | 1<<(64-13) | 1<<(64-15) | 1<<(64-22) | 1<<(64-23) |
	1<<(64-25) | 1<<(64-26) | 1<<(64-32) | 1<<(64-37) | 1<<(64-38) | 1<<(64-39) | 1<<(64-41) | 1<<(64-42) |
	1<<(64-44) | 1<<(64-49) | 1<<(64-60) | 1<<(64-61)

// masked prints like "0200 2:622424******0113 3:000000 35:[34] 64:[8]".
func (m Message) masked() string {
	c := m.c()
	if c == nil {
		return "[empty message]"
	}
	out := []byte("----")
	if c.mti[0] != 0 {
		copy(out, c.mti[:])
	}
	for field := range m.Fields() {
		out = append(out, ' ')
		out = strconv.AppendInt(out, int64(field), 10)
		out = append(out, ':')
		value := m.Bytes(field)
		switch {
		case field == 2:
			out = append(out, maskedPAN(value)...)
		case bit(field)&plain != 0:
			out = appendPrintable(out, value)
		default:
			out = appendLength(out, value)
		}
	}
	return string(out)
}

func maskedPAN(value []byte) string {
	pan, err := txn.ParsePAN(string(value))
	if err != nil {
		return string(appendLength(nil, value))
	}
	return pan.Masked()
}

func appendLength(out, value []byte) []byte {
	out = strconv.AppendInt(append(out, '['), int64(len(value)), 10)
	return append(out, ']')
}

// appendPrintable keeps a hostile text from steering the technician's screen.
func appendPrintable(out, value []byte) []byte {
	for _, char := range value {
		if char < ' ' || char > '~' {
			char = '?'
		}
		out = append(out, char)
	}
	return out
}

func (m Message) String() string               { return m.masked() }
func (m Message) GoString() string             { return m.masked() }
func (m Message) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, m.masked()) }
func (m Message) LogValue() slog.Value         { return slog.StringValue(m.masked()) }
func (m Message) MarshalText() ([]byte, error) { return []byte(m.masked()), nil }
