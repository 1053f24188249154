package txn

import (
	"fmt"
	"io"
	"log/slog"
)

// Password is what a supervisor typed. Like card data it is held behind a pointer and no verb, encoder or logger prints it.
type Password struct{ text *string }

// NewPassword keeps text; empty is none.
func NewPassword(text string) Password {
	if text == "" {
		return Password{}
	}
	return Password{&text}
}

// TextInTheClear is the only way out. Its caller is whoever compares it with a hash.
func (p Password) TextInTheClear() string {
	if p.text == nil {
		return ""
	}
	return *p.text
}

const passwordMask = "[password]"

func (p Password) String() string               { return passwordMask }
func (p Password) GoString() string             { return passwordMask }
func (p Password) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, passwordMask) }
func (p Password) LogValue() slog.Value         { return slog.StringValue(passwordMask) }
func (p Password) MarshalText() ([]byte, error) { return []byte(passwordMask), nil }

// UnmarshalText reads it from a request.
func (p *Password) UnmarshalText(text []byte) error {
	*p = NewPassword(string(text))
	return nil
}
