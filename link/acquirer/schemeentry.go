package acquirer

import (
	"bytes"
	"fmt"

	"posagent/txnstore/txn"
)

// parseKey reads the answer to the question for one key. Its errors wrap ErrDownload.
func parseKey(field62 []byte) (txn.SchemeKey, error) {
	k := txn.SchemeKey{}
	indexed := false
	err := entry(field62, func(tag uint32, value []byte) (err error) {
		switch tag {
		case tagAID:
			k.RID = value
		case tagKeyIndex:
			if len(value) != 1 {
				return fmt.Errorf("its index has %d bytes", len(value))
			}
			k.Index, indexed = value[0], true
		case tagExpiry:
			k.Expires, err = dateOf(value)
		case tagModulus:
			k.Modulus = value
		case tagExponent:
			k.Exponent = bytes.TrimLeft(value, "\x00") // 00000003 is 03
		case tagHash:
			k.Hash = value
		case tagHashKind, tagKeyKind:
			if len(value) != 1 || value[0] != 1 {
				err = fmt.Errorf("tag %X says that it is no RSA key with a SHA-1 hash", tag)
			}
		}
		return err
	})
	if err == nil && !indexed {
		err = fmt.Errorf("it has no index")
	}
	if err == nil {
		err = k.Check()
	}
	if err != nil {
		return txn.SchemeKey{}, broken("%w", err)
	}
	return k, nil
}

// parseApplication reads the answer to the question for one application. Its errors wrap ErrDownload. What it does not know is
// kept beside the rest: acquirers have tags of their own, and each says its length.
func parseApplication(field62 []byte) (txn.Application, error) {
	a := txn.Application{}
	places := map[uint32]*txn.Hex{tagAID: &a.AID, tagDefault: &a.Default, tagOnline: &a.Online, tagDenial: &a.Denial, tagFloor: &a.Floor,
		tagDDOL: &a.DDOL, tagThreshold: &a.Threshold, tagMaxTarget: &a.MaxTarget, tagTarget: &a.Target}
	err := entry(field62, func(tag uint32, value []byte) error {
		place := places[tag]
		switch {
		case place != nil:
			*place = value
		case tag == tagVersion, tag == tagVersionOld && a.Version == nil:
			a.Version = value
		case tag == tagExact:
			if len(value) != 1 || value[0] > 1 {
				return fmt.Errorf("its selection indicator is neither 00 nor 01")
			}
			a.Exact = value[0] == 1
		default:
			a.Kept = append(a.Kept, txn.TLV{Tag: tag, Value: value})
		}
		return nil
	})
	for _, percent := range []txn.Hex{a.Target, a.MaxTarget} {
		if err == nil && len(percent) == 1 && (percent[0]&15 > 9 || percent[0] > 0x99) {
			err = fmt.Errorf("a percentage is not of two digits")
		}
	}
	if err == nil {
		err = a.Check()
	}
	if err != nil {
		return txn.Application{}, broken("%w", err)
	}
	return a, nil
}

// entry reads '1' and the objects behind it, none of them twice. take gets copies.
func entry(field62 []byte, take func(tag uint32, value []byte) error) error {
	if len(field62) == 0 || field62[0] != flagLast {
		return fmt.Errorf("the acquirer does not have what it listed")
	}
	seen := map[uint32]bool{}
	return objects(field62[1:], func(tag uint32, value []byte) error {
		if seen[tag] {
			return fmt.Errorf("tag %X comes twice", tag)
		}
		seen[tag] = true
		return take(tag, bytes.Clone(value))
	})
}

// objects reads primitive objects, one behind another (EMV Book 3, annex B): tags of one to three bytes, lengths of one to three.
// Nothing may be left over.
func objects(b []byte, take func(tag uint32, value []byte) error) error {
	for len(b) > 0 {
		tag, n := uint32(b[0]), 1
		if b[0]&0x1F == 0x1F {
			for more := true; more; n++ {
				if n == len(b) || n == 3 {
					return fmt.Errorf("a tag is cut, or longer than 3 bytes")
				}
				tag, more = tag<<8|uint32(b[n]), b[n]&0x80 != 0
			}
		}
		size, m := 0, 1
		switch rest := b[n:]; {
		case len(rest) >= 1 && rest[0] < 0x80:
			size = int(rest[0])
		case len(rest) >= 2 && rest[0] == 0x81:
			size, m = int(rest[1]), 2
		case len(rest) >= 3 && rest[0] == 0x82:
			size, m = int(rest[1])<<8|int(rest[2]), 3
		default:
			return fmt.Errorf("the length of tag %X is cut, or longer than 3 bytes", tag)
		}
		if b = b[n+m:]; size > len(b) {
			return fmt.Errorf("tag %X has %d of %d bytes", tag, len(b), size)
		}
		if err := take(tag, b[:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}
