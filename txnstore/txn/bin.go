package txn

import "strings"

// Begins reports whether the number begins with these digits, as those of one issuer do (ISO/IEC 7812). No digits begin none.
func (p PAN) Begins(digits string) bool {
	return p.digits != nil && digits != "" && strings.HasPrefix(*p.digits, digits)
}

// Between reports whether the number lies in a range of beginnings, from and to of the same length, both included. A number
// that is shorter lies in none.
func (p PAN) Between(from, to string) bool {
	n := len(from)
	if p.digits == nil || n == 0 || n != len(to) || len(*p.digits) < n {
		return false
	}
	begin := (*p.digits)[:n]
	return from <= begin && begin <= to
}
