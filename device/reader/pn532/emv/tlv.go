package emv

import (
	"errors"
	"fmt"
)

// Bounds of what a card may say.
const (
	maxDepth  = 6 // templates within templates
	maxTagLen = 3 // bytes of one tag
)

var errTLV = errors.New("its answer is not built as a card's answer is")

// walk visits every object in b in order, templates before what they hold. visit returns whether to go into a template.
// Zero bytes between objects are padding (EMV Book 3, annex B). Errors never name values.
func walk(b []byte, depth int, visit func(tag uint32, value []byte) (enter bool)) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: nested deeper than %d", errTLV, maxDepth)
	}
	for len(b) > 0 {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		tag, n, ok := readTag(b)
		if !ok {
			return fmt.Errorf("%w: a tag is cut or too long", errTLV)
		}
		size, m, ok := readLength(b[n:])
		if !ok || size > len(b)-n-m {
			return fmt.Errorf("%w: tag %X is cut", errTLV, tag)
		}
		value := b[n+m : n+m+size]
		if visit(tag, value) && b[0]&0x20 != 0 {
			if err := walk(value, depth+1, visit); err != nil {
				return err
			}
		}
		b = b[n+m+size:]
	}
	return nil
}

func readTag(b []byte) (tag uint32, n int, ok bool) {
	tag = uint32(b[0])
	if b[0]&0x1F != 0x1F {
		return tag, 1, true
	}
	for n = 1; n < min(maxTagLen, len(b)); n++ {
		tag = tag<<8 | uint32(b[n])
		if b[n]&0x80 == 0 {
			return tag, n + 1, true
		}
	}
	return 0, 0, false
}

func readLength(b []byte) (size, n int, ok bool) {
	switch {
	case len(b) >= 1 && b[0] < 0x80:
		return int(b[0]), 1, true
	case len(b) >= 2 && b[0] == 0x81:
		return int(b[1]), 2, true
	case len(b) >= 3 && b[0] == 0x82:
		return int(b[1])<<8 | int(b[2]), 3, true
	}
	return 0, 0, false
}

// AppendTLV adds one object to dst. value may have at most 65,535 bytes.
func AppendTLV(dst []byte, tag uint32, value []byte) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if shift == 0 || tag>>shift != 0 {
			dst = append(dst, byte(tag>>shift))
		}
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

// object is one data object list entry: a tag and how many bytes of it the card wants.
type object struct {
	tag  uint32
	size int
}

// readDOL reads a data object list (EMV Book 3, 5.4).
func readDOL(b []byte) ([]object, error) {
	var list []object
	for len(b) > 0 {
		tag, n, ok := readTag(b)
		if !ok || n == len(b) {
			return nil, fmt.Errorf("%w: a list of wanted objects is cut", errTLV)
		}
		list = append(list, object{tag, int(b[n])})
		b = b[n+1:]
	}
	return list, nil
}
