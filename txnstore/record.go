package txnstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"posagent/txnstore/txn"
)

// A record is the payload of one record frame: fields in any order, each
//
//	┌─────┬──────────┬─────────┐
//	│ tag │ n varint │ n bytes │   tag 1 to 255, see fields.go
//	└─────┴──────────┴─────────┘
//
// A tag that this version does not know is kept as it is and written back behind the known ones, up to maxExtra bytes of
// them; beyond that the record is unreadable here, because a newer program needs what would be lost.
//
// The limits come from hot.db, whose five records and counters must fit one 4 KiB leaf with room for bbolt's headers
// (16 bytes for the page; 67 for each bucket with one record in it; 66 for the counters):
//
//	16 + 5*(67+720) + 66 + 60 = 4077, and a leaf is split at 4096
const (
	maxRecord = 720 // bytes of a frame
	maxExtra  = 31
)

// record is a transaction and the fields of it that only a newer version of this program understands. Once read or written
// it is shared by all who hold it and never changed; what leaves the store is a clone.
type record struct {
	txn.Txn
	extra []byte
}

// codec writes and reads the records of one terminal.
type codec struct {
	fields []field
	byTag  [256]*field
	seals  *sealer
}

func newCodec(seals *sealer) *codec {
	c := &codec{fields: recordFields(), seals: seals}
	for i := range c.fields {
		c.byTag[c.fields[i].tag] = &c.fields[i]
	}
	return c
}

// encode brings r within its limits and returns its frame and the record exactly as a reader of the frame will see it.
// What was written is read back and compared before anybody relies on it.
// It takes r over: it cuts what is too long.
func (c *codec) encode(r *record) (frame []byte, stored *record, err error) {
	if err := c.bound(&r.Txn); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if frame, err = c.fit(r); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	stored, err = c.decode(frame)
	if err == nil && !(same(&stored.Txn, &r.Txn) && bytes.Equal(stored.extra, r.extra)) {
		err = errors.New("it does not read back as it was written")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return frame, stored, nil
}

// same compares every field; a test changes each of them and asks again.
func same(a, b *txn.Txn) bool {
	return a.ID == b.ID && a.Gen == b.Gen && a.Boot == b.Boot && a.EndBoot == b.EndBoot &&
		a.Terminal == b.Terminal && a.Merchant == b.Merchant && a.Profile == b.Profile && a.Operator == b.Operator &&
		a.Kind == b.Kind && a.State == b.State && a.Reference == b.Reference && a.Batch == b.Batch && a.STAN == b.STAN &&
		a.Amount == b.Amount && a.Currency == b.Currency && sameCard(&a.Card, &b.Card) && a.Code.Equal(b.Code) &&
		a.Began == b.Began && a.Ended == b.Ended && a.Answer == b.Answer && a.Reason == b.Reason &&
		a.Sent == b.Sent && a.Tries == b.Tries && a.Slips == b.Slips && a.Original == b.Original && a.Approver == b.Approver && a.Resolved == b.Resolved &&
		slices.Equal(a.Journal, b.Journal)
}

func sameCard(a, b *txn.Card) bool {
	return a.PAN.Equal(b.PAN) && bytes.Equal(a.Chip.BytesInTheClear(), b.Chip.BytesInTheClear()) &&
		bytes.Equal(a.Certificate.BytesInTheClear(), b.Certificate.BytesInTheClear()) && a.Expiry == b.Expiry &&
		a.Sequence == b.Sequence && a.Entry == b.Entry && a.Label == b.Label && a.AID == b.AID && a.PIN == b.PIN
}

func (c *codec) bound(t *txn.Txn) error {
	if err := c.validate(t); err != nil {
		return err
	}
	if err := checkChip(t.Card.Chip.BytesInTheClear()); err != nil {
		return err
	}
	for _, f := range c.fields {
		if err := f.bound(t); err != nil {
			return err
		}
	}
	if over := len(t.Journal) - txn.MaxJournal; over > 0 {
		t.Journal = slices.Delete(t.Journal, 1, 1+over)
	}
	for i := range t.Journal {
		line := &t.Journal[i]
		line.At, line.Event = millisecond(line.At), clip(line.Event, txn.MaxEvent)
	}
	if len(t.Journal) == 0 {
		t.Journal = nil
	}
	return nil
}

// fit writes the frame. One that is too long gives up journal lines from the middle, then the acquirer's text, then
// what the line said of the request: the first journal line says how it began, the newest how it stands, and nothing else
// may be missing.
func (c *codec) fit(r *record) ([]byte, error) {
	sealed := c.seals.seal(purposeCard, uint64(r.ID), cardInTheClear(r.Card)) // of no card too: it proves whose record this is
	for {
		frame := endFrame(recordFrame, c.payload(make([]byte, frameHeader, maxRecord), r, sealed))
		over := len(frame) - maxRecord
		switch {
		case over <= 0:
			return frame, nil
		case len(r.Journal) > 2:
			r.Journal = slices.Delete(r.Journal, 1, 2)
		case r.Answer.Text != "":
			r.Answer.Text = clip(r.Answer.Text, max(0, len(r.Answer.Text)-over))
		case r.Sent.Handed != 0 || r.Sent.Acked != 0:
			r.Sent.Handed, r.Sent.Acked = 0, 0
		case r.Sent.Bearer != "":
			r.Sent.Bearer = clip(r.Sent.Bearer, max(0, len(r.Sent.Bearer)-over))
		default:
			return nil, fmt.Errorf("record has %d bytes, at most %d fit", len(frame), maxRecord)
		}
	}
}

func (c *codec) payload(b []byte, r *record, sealed []byte) []byte {
	value := make([]byte, 0, maxText)
	for i := range c.fields {
		if value = c.fields[i].put(value[:0], &r.Txn); len(value) > 0 {
			b = appendField(b, c.fields[i].tag, value)
		}
	}
	b = appendField(b, tagCard, sealed)
	if !r.Card.PAN.IsZero() {
		mark := c.seals.cardMark(r.Card.PAN)
		b = appendField(b, tagMark, mark[:])
	}
	for _, line := range r.Journal {
		value = putLine(value[:0], &r.Txn, line)
		b = appendField(b, tagJournal, value)
	}
	return append(b, r.extra...)
}

// decode reads a frame. Nothing in the result points into it; its texts are parts of one copy.
func (c *codec) decode(frame []byte) (*record, error) {
	r := new(record)
	if err := c.decodeInto(r, frame); err != nil {
		return nil, err
	}
	return r, nil
}

// decodeInto is decode into a record that nobody else has, whatever it held. After an error nothing in it counts.
func (c *codec) decodeInto(r *record, frame []byte) error {
	b, err := openFrame(recordFrame, frame)
	if err != nil {
		return err
	}
	*r = record{}
	var seen [256]bool
	var sealed, mark []byte
	var room [txn.MaxJournal]string
	lines, texts := room[:0], string(b)
	for len(b) > 0 {
		tag, v, rest, err := cutField(b)
		if err != nil {
			return err
		}
		f, text := c.byTag[tag], texts[len(texts)-len(rest)-len(v):len(texts)-len(rest)]
		if seen[tag] && (f != nil || tag == tagCard || tag == tagMark) {
			return fmt.Errorf("field %d occurs twice", tag)
		}
		seen[tag] = true
		switch {
		case f != nil:
			if err := f.get(&r.Txn, text); err != nil {
				return fmt.Errorf("%s %w", f.name, err)
			}
		case tag == tagCard:
			sealed = v
		case tag == tagMark:
			mark = v
		case tag == tagJournal:
			lines = append(lines, text)
		default:
			r.extra = append(r.extra, b[:len(b)-len(rest)]...)
		}
		b = rest
	}
	if len(r.extra) > maxExtra || len(lines) > txn.MaxJournal {
		return errors.New("more fields than this version can carry")
	}
	if err := c.complete(r, sealed, lines); err != nil {
		return err
	}
	if own := c.seals.cardMark(r.Card.PAN); seen[tagMark] && !bytes.Equal(mark, own[:]) {
		return errors.New("the card's mark is another card's")
	}
	return nil
}

// complete reads what depends on other fields, and checks the whole.
func (c *codec) complete(r *record, sealed []byte, lines []string) error {
	clear, err := c.seals.open(purposeCard, uint64(r.ID), sealed)
	if err != nil {
		return err
	}
	if err := readCard(&r.Card, clear); err != nil {
		return err
	}
	if len(lines) > 0 {
		r.Journal = make([]txn.Line, 0, len(lines))
	}
	for _, v := range lines {
		line, err := readLine(&r.Txn, v)
		if err != nil {
			return err
		}
		r.Journal = append(r.Journal, line)
	}
	return c.validate(&r.Txn)
}

// validate is the same question before a record is written and after it is read: could it be sent, undone and found?
func (c *codec) validate(t *txn.Txn) error {
	switch {
	case t.ID == 0:
		return errors.New("no transaction number")
	case t.Terminal != c.seals.terminal:
		return ErrOtherTerminal
	case !isName(string(t.Kind), maxKind) || !isName(string(t.State), maxName):
		return errors.New("kind or state is no name")
	case t.Reference == "" || len(t.Reference) > txn.MaxReference:
		return fmt.Errorf("reference has %d bytes, not 1 to %d", len(t.Reference), txn.MaxReference)
	case t.STAN < 1 || t.STAN > maxSTAN || t.Batch < 1 || t.Batch > maxBatch:
		return errors.New("STAN or batch out of range")
	case !t.Amount.Valid() || t.Currency.Number == "":
		return errors.New("amount or currency missing")
	case t.Currency.Exponent < 0 || t.Currency.Exponent > 9:
		return errors.New("currency exponent out of range")
	case t.Card.PAN.IsZero() == t.Code.IsZero():
		return errors.New("neither a card number nor a payment code, or both")
	}
	return nil
}

func isName(s string, limit int) bool {
	return s != "" && len(s) <= limit && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
}

func appendField(b []byte, tag byte, v []byte) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(v)))
	return append(b, v...)
}

func cutField(b []byte) (tag byte, v, rest []byte, err error) {
	n, size := binary.Uvarint(b[1:])
	if b[0] == 0 || size <= 0 || n > uint64(len(b)-1-size) {
		return 0, nil, nil, errors.New("fields are cut short")
	}
	start := 1 + size
	return b[0], b[start : start+int(n)], b[start+int(n):], nil
}

// clone shares nothing that anybody could write to.
func clone(t txn.Txn) txn.Txn {
	t.Journal = slices.Clone(t.Journal)
	return t
}

// copied is a record for who changes it.
func copied(r *record) *record { return &record{clone(r.Txn), r.extra} }

func clones(of []*record) []txn.Txn {
	if len(of) == 0 {
		return nil
	}
	list := make([]txn.Txn, len(of))
	for i, r := range of {
		list[i] = clone(r.Txn)
	}
	return list
}
