package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"posagent/txnstore/txn"
)

// fingerprint is a digest of every field of a record, card data included: two records are the same money, the same card
// and the same story exactly if their fingerprints are equal. A test counts the fields, so that none is forgotten.
func fingerprint(t txn.Txn) string {
	w := fields(make([]byte, 0, 1024))
	w.numbers(uint64(t.ID), uint64(t.Gen), uint64(t.Boot), uint64(t.EndBoot), uint64(t.Batch), uint64(t.STAN),
		uint64(t.Amount), uint64(t.Currency.Exponent))
	w.texts(t.Terminal, t.Merchant, t.Operator, string(t.Kind), string(t.State), t.Reference, t.Currency.Number, t.Currency.Letters)
	w.texts(t.Card.PAN.AsKept(), t.Card.Expiry, t.Card.Sequence, string(t.Card.Entry), t.Card.Label, t.Card.AID,
		string(t.Card.Chip.BytesInTheClear()), string(t.Card.Certificate.BytesInTheClear()))
	print := t.Code.Print()
	w.texts(t.Code.Platform(), t.Code.Masked(), string(print[:]))
	w.times(t.Began, t.Ended)
	a := t.Answer
	w.texts(a.Code, a.RRN, a.AuthCode, a.Acquirer, a.Issuer, a.HostTime, a.HostDate, a.SettledOn, a.Text, a.Scheme, string(a.Chip.BytesInTheClear()), string(t.Reason))
	w.numbers(yesOrNo(a.Approved), uint64(t.Sent.Written), uint64(t.Sent.Total), uint64(t.Tries.Made), uint64(t.Tries.Unsent))
	w.texts(t.Sent.Bearer, t.Tries.Code, string(t.Slips.Merchant), string(t.Slips.Customer))
	w.times(t.Tries.Last)
	o := t.Original
	w.numbers(uint64(o.ID), uint64(o.Batch), uint64(o.STAN))
	w.texts(o.RRN, o.AuthCode, o.Date, o.Mode, o.Unit, o.Sent, t.Approver, t.Profile)
	w.numbers(uint64(t.Sent.Address), uint64(t.Sent.Handed), uint64(t.Sent.Acked), yesOrNo(t.Resolved.Charged), yesOrNo(t.Card.PIN))
	w.texts(t.Resolved.Evidence, t.Resolved.By, t.Resolved.With)
	w.numbers(uint64(len(t.Journal)))
	for _, line := range t.Journal {
		w.times(line.At)
		w.numbers(uint64(line.Boot))
		w.texts(line.Event)
	}
	sum := sha256.Sum256(w)
	return hex.EncodeToString(sum[:16])
}

// fields is what is digested, each part with its length or of a fixed one.
type fields []byte

func (w *fields) numbers(list ...uint64) {
	for _, n := range list {
		*w = binary.BigEndian.AppendUint64(*w, n)
	}
}

func (w *fields) texts(list ...string) {
	for _, s := range list {
		*w = append(binary.BigEndian.AppendUint32(*w, uint32(len(s))), s...)
	}
}

func (w *fields) times(list ...time.Time) {
	for _, at := range list {
		w.numbers(uint64(at.Unix()), uint64(at.Nanosecond()))
	}
}

func yesOrNo(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
