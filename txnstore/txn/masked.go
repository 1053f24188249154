package txn

import (
	"fmt"
	"strings"
)

// A card reader that enciphers card data shows as much of a number as may be shown, first six and last four digits with stars
// between them, and no more of it is known here. Two cards may have the same mask: it can raise a question, and can prove that
// two cards are different ones, but never that they are one.

// ShownDigits are the first digits that a mask shows.
const ShownDigits = 6

// ParseMasked accepts 12 to 19 characters: the first six digits, stars, and the last four digits. Of a number of fewer than 14
// digits only the last four are kept, as Masked has it. The error never repeats what was refused.
func ParseMasked(text string) (PAN, error) {
	n := len(text)
	if n < 12 || n > 19 {
		return PAN{}, fmt.Errorf("masked card number refused: want 12 to 19 characters, got %d", n)
	}
	head, stars, tail := text[:ShownDigits], text[ShownDigits:n-4], text[n-4:]
	hidden := n < 14 && head == "******"
	if strings.Trim(tail, "0123456789") != "" || strings.Trim(stars, "*") != "" || !hidden && strings.Trim(head, "0123456789") != "" {
		return PAN{}, fmt.Errorf("masked card number refused: want its first six and its last four digits, and stars between them")
	}
	masked := PAN{&text}.Masked()
	return PAN{&masked}, nil
}

// IsMasked reports whether only the mask of a number is known.
func (p PAN) IsMasked() bool { return p.digits != nil && strings.IndexByte(*p.digits, '*') >= 0 }

// MayBe reports whether both may be the number of one card: equal numbers, or equal masks where only a mask is known.
func (p PAN) MayBe(q PAN) bool {
	if p.IsMasked() != q.IsMasked() {
		return p.Masked() == q.Masked()
	}
	return p.Equal(q)
}

// AsKept is what is held, in full: all digits, or a mask. Its caller is the sealer.
func (p PAN) AsKept() string {
	if p.digits == nil {
		return ""
	}
	return *p.digits
}

// ReadKept is the way back.
func ReadKept(kept string) (PAN, error) {
	if strings.IndexByte(kept, '*') >= 0 {
		return ParseMasked(kept)
	}
	return ParsePAN(kept)
}
