package txnstore

import (
	"encoding/binary"

	"posagent/txnstore/txn"
)

// glance is what tells a record from others. It is read without the store's key, and at a fraction of what opening a
// record costs. Code is the key of its payment code in the index, where it has one.
type glance struct {
	id        txn.ID
	gen       uint32
	reference string
}

// Tags of fields.go.
const (
	tagID        = 1
	tagGen       = 2
	tagReference = 10
)

func glanceAt(frame []byte) (g glance, code string, err error) {
	b, err := openFrame(recordFrame, frame)
	for err == nil && len(b) > 0 {
		var tag byte
		var v []byte
		if tag, v, b, err = cutField(b); err != nil {
			break
		}
		n, _ := binary.Uvarint(v)
		switch tag {
		case tagID:
			g.id = txn.ID(n)
		case tagGen:
			g.gen = uint32(n)
		case tagReference:
			g.reference = string(v)
		case tagCode:
			code = glanceAtCode(v)
		}
	}
	return g, code, err
}
