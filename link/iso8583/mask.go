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
// them 48, which carries card numbers in batch details, 63, which is anybody's text, account numbers (102, 103) and all
// that is private from 104 on. Field 90 names an original by type, STAN and time.
//
// What 44, 60 and 61 hold is a dialect's own business, so a dialect may hide them, and more.
var plain = allow(3, 4, 7, 11, 12, 13, 15, 22, 23, 24, 25, 26, 32, 33, 37, 38, 39, 41, 42, 44, 49, 50, 60, 61,
	66, 70, 74, 75, 76, 77, 86, 87, 88, 89, 90, 97)

func allow(fields ...int) (b bitmaps) {
	for _, field := range fields {
		b.set(field)
	}
	return b
}

// Printable reports whether the standard's meaning of a field allows its value to be printed.
func Printable(field int) bool { return field >= 2 && field <= lastField && plain.has(field) }

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
		case plain.has(field) && (c.hidden == nil || !c.hidden.Fields[field].Hidden):
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
