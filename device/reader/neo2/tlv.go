package neo2

import (
	"errors"
	"fmt"
)

// Bounds of a TLV structure.
const (
	maxDepth  = 4 // groups within groups
	maxTagLen = 4 // bytes of one tag
)

// ErrTLV is wrapped by every refusal of a TLV structure. The text names a place, never a value.
var ErrTLV = errors.New("not a TLV structure")

// Form is how an object travels: as it is, or with one of these bytes between its tag and its length (IDG p. 232; written out in
// the maker's published test scripts). No length begins with either.
type Form byte

const (
	Clear      Form = 0x00
	Masked     Form = 0xA1 // some of its digits are hidden
	Enciphered Form = 0xC1 // the whole object, tag and length included, filled up with zero bytes to blocks and enciphered
)

// Walk visits every primitive object in b, in order, going into the groups that an answer uses. Zero bytes between
// objects are padding (EMV Book 3, annex B.1). visit gets a slice of b. It stops at the first error.
func Walk(b []byte, visit func(tag uint32, value []byte)) error {
	return walk(b, func(tag uint32, _ Form, value []byte) { visit(tag, value) }, false, 0)
}

// WalkForms is Walk for what a reader says that enciphers card data.
func WalkForms(b []byte, visit func(tag uint32, form Form, value []byte)) error {
	return walk(b, visit, true, 0)
}

func walk(b []byte, visit func(uint32, Form, []byte), forms bool, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: groups nested deeper than %d", ErrTLV, maxDepth)
	}
	for at := 0; at < len(b); {
		if b[at] == 0 {
			at++
			continue
		}
		tag, n, err := readTag(b[at:])
		if err != nil {
			return fmt.Errorf("%w at byte %d", err, at)
		}
		form := Clear
		if forms && at+n < len(b) && (Form(b[at+n]) == Masked || Form(b[at+n]) == Enciphered) {
			form = Form(b[at+n])
			n++
		}
		size, m, err := readLength(b[at+n:])
		if err != nil {
			return fmt.Errorf("%w at byte %d, tag %X", err, at, tag)
		}
		from := at + n + m
		if size > len(b)-from {
			return fmt.Errorf("%w: tag %X wants %d bytes, %d are left", ErrTLV, tag, size, len(b)-from)
		}
		value := b[from : from+size]
		if isGroup(tag) && form == Clear {
			if err := walk(value, visit, forms, depth+1); err != nil {
				return err
			}
		} else {
			visit(tag, form, value)
		}
		at = from + size
	}
	return nil
}

func isGroup(tag uint32) bool {
	return tag == GroupClearing || tag == GroupVivo || tag == GroupRecord || tag == GroupDiscrete
}

func readTag(b []byte) (tag uint32, n int, err error) {
	if len(b) >= 2 && b[0] == TagAuthCode>>8 && b[1] == TagAuthCode&0xFF {
		return TagAuthCode, 2, nil
	}
	tag = uint32(b[0])
	if b[0]&0x1F != 0x1F {
		return tag, 1, nil
	}
	for n = 1; n < maxTagLen; n++ {
		if n == len(b) {
			return 0, 0, fmt.Errorf("%w: the tag is cut", ErrTLV)
		}
		tag = tag<<8 | uint32(b[n])
		if b[n]&0x80 == 0 {
			return tag, n + 1, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: the tag is longer than %d bytes", ErrTLV, maxTagLen)
}

func readLength(b []byte) (size, n int, err error) {
	switch {
	case len(b) >= 1 && b[0] < 0x80:
		return int(b[0]), 1, nil
	case len(b) >= 2 && b[0] == 0x81:
		return int(b[1]), 2, nil
	case len(b) >= 3 && b[0] == 0x82:
		return int(b[1])<<8 | int(b[2]), 3, nil
	default:
		return 0, 0, fmt.Errorf("%w: the length is cut or longer than two bytes", ErrTLV)
	}
}

// AppendTLV adds one object to dst. value may have at most 65,535 bytes; no object of this protocol comes near.
func AppendTLV(dst []byte, tag uint32, value []byte) []byte {
	return AppendForm(dst, tag, Clear, value)
}

// AppendForm is AppendTLV for an object that is masked or enciphered.
func AppendForm(dst []byte, tag uint32, form Form, value []byte) []byte {
	dst = AppendTag(dst, tag)
	if form != Clear {
		dst = append(dst, byte(form))
	}
	switch n := len(value); {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	default:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, value...)
}

// AppendTag adds a tag alone to dst, as a list of tags has it.
func AppendTag(dst []byte, tag uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if shift == 0 || tag>>shift != 0 {
			dst = append(dst, byte(tag>>shift))
		}
	}
	return dst
}
