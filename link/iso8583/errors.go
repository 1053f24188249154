package iso8583

import (
	"errors"
	"fmt"
)

// ErrShort means that the input ends inside the message: with more bytes it may become one. Everything before the end
// was in order.
var ErrShort = errors.New("iso8583: the message is not whole yet")

// FieldError says which field cannot be packed or unpacked, and why. It never carries the field's value.
type FieldError struct {
	Field int // 2 to 128; 0 for the message type, 1 for the bitmap
	Why   string
}

func (e *FieldError) Error() string {
	switch e.Field {
	case 0:
		return "iso8583: message type: " + e.Why
	case 1:
		return "iso8583: bitmap: " + e.Why
	default:
		return fmt.Sprintf("iso8583: field %d: %s", e.Field, e.Why)
	}
}

func fieldErrorf(field int, format string, args ...any) error {
	return &FieldError{Field: field, Why: fmt.Sprintf(format, args...)}
}
