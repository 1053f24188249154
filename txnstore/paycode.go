package txnstore

import "posagent/txnstore/txn"

// A payment code may be submitted under one order only, so a code is looked up like a reference, and in the same bucket: under
// its fingerprint, behind a byte that no reference begins with. It is put there with the record, in the commit that
// archives it; until then the record stands in a slot and is asked itself. It goes when the record is pruned. A code
// lives for minutes, and records for months.
//
//	ref    00 │ fingerprint, 16 bytes   ->   ID
const codeMark = "\x00"

func isCodeKey(key []byte) bool {
	return len(key) == len(codeMark)+len(txn.Fingerprint{}) && key[0] == codeMark[0]
}

// submits reports whether the record was begun with a payment code, and not merely undoes what was.
func (r *record) submits() bool { return r.Code.Print() != txn.Fingerprint{} }

func (r *record) codeKey() []byte { return codeKey(r.Code.Print()) }

func codeKey(print txn.Fingerprint) []byte { return append([]byte(codeMark), print[:]...) }

// glanceAtCode is the key of a code as it stands in its field.
func glanceAtCode(v []byte) string {
	var print txn.Fingerprint
	if copy(print[:], v); print == (txn.Fingerprint{}) {
		return ""
	}
	return string(codeKey(print))
}

// byCode finds the transaction that a payment code was submitted under.
func (b *books) byCode(print txn.Fingerprint) (*record, error) {
	if print == (txn.Fingerprint{}) {
		return nil, nil
	}
	return b.named(codeKey(print), "payment codes", func(t *txn.Txn) bool { return t.Code.Print() == print })
}

// purposeCodes derives the key of payment codes' fingerprints from the store's key, as that of card marks is (mark.go).
const purposeCodes = "posagent payment codes"

// CodeKey is the key of payment codes' fingerprints. It is the same as long as the store has its key.
func (s *Store) CodeKey() []byte { return s.codec.seals.codes[:] }
