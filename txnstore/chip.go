package txnstore

import (
	"errors"
	"fmt"
)

// maxChip is what the tags that a reversal repeats can need: 95 (5 bytes), 9F1E (8), 9F10 (32), 9F36 (2) with their
// headers are 58 bytes.
const maxChip = 64

// forbiddenTag reports whether a tag carries what may not be kept after authorization (PCI DSS 3.3.1: track data, PIN
// block) or names the cardholder. Tags are from EMV Book 3 annex A and EMV Contactless Book C-2 annex A.
func forbiddenTag(tag uint32) bool {
	switch tag {
	case 0x56, 0x57, 0x9F6B: // track 1 data, track 2 equivalent data, track 2 data
		return true
	case 0x9F1F, 0x9F20: // track 1 and 2 discretionary data
		return true
	case 0x5A: // application PAN: it has its own sealed field
		return true
	case 0x5F20, 0x9F0B: // cardholder name, and its extension
		return true
	case 0x99: // transaction PIN data
		return true
	}
	return false
}

// checkChip walks BER-TLV and refuses what may not be kept. Errors name tags, never values.
func checkChip(tlv []byte) error {
	if len(tlv) > maxChip {
		return fmt.Errorf("chip data to keep has %d bytes, at most %d fit", len(tlv), maxChip)
	}
	for len(tlv) > 0 {
		tag, constructed, value, rest, err := cutTLV(tlv)
		if err != nil {
			return err
		}
		if forbiddenTag(tag) {
			return fmt.Errorf("chip data holds tag %X, which may not be stored", tag)
		}
		if constructed {
			if err := checkChip(value); err != nil {
				return err
			}
		}
		tlv = rest
	}
	return nil
}

var errShortChip = errors.New("chip data is cut short")

// cutTLV reads one data object (EMV Book 3 annex B: tags of up to three bytes, lengths of up to 255 here).
func cutTLV(b []byte) (tag uint32, constructed bool, value, rest []byte, err error) {
	tag, constructed = uint32(b[0]), b[0]&0x20 != 0
	more := b[0]&0x1F == 0x1F
	for b = b[1:]; more; b = b[1:] {
		if len(b) == 0 || tag > 0xFFFF {
			return 0, false, nil, nil, errShortChip
		}
		tag, more = tag<<8|uint32(b[0]), b[0]&0x80 != 0
	}
	if len(b) == 0 {
		return 0, false, nil, nil, errShortChip
	}
	n := int(b[0])
	b = b[1:]
	if n == 0x81 && len(b) > 0 {
		n, b = int(b[0]), b[1:]
	} else if n >= 0x80 {
		return 0, false, nil, nil, errShortChip
	}
	if n > len(b) {
		return 0, false, nil, nil, errShortChip
	}
	return tag, constructed, b[:n], b[n:], nil
}
