package reader

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"posagent/device/line"
	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// A chip card in the slot is served in three steps, and the acquirer is asked between the second and the third:
//
//	terminal                                   reader
//	   │◄───────────── 02-00, entry mode 05 ──────│   an inserted card ended the wait of 02-01
//	   │ 60-10 start: amount, tags wanted ───────►│
//	   │◄──────────────────────────────── 60-63   │   understood
//	   │◄──────────────────────────────── 61-01   │   shows something, or asks: answered (ask.go)
//	   │◄─────────────────── 60-00 0010, TLVs     │   the application is selected and read
//	   │ 60-11 authenticate ─────────────────────►│
//	   │◄──────────── 60-63, 60-00 0004, TLVs     │   first cryptogram: go online
//	   .                                          .
//	   │ 60-12 the acquirer's answer ────────────►│
//	   │◄──────────── 60-63, 60-00 0002, TLVs     │   second cryptogram (complete.go)
//	   │ 2C-18 power off ────────────────────────►│   the card may be taken out

// Numbers we chose.
const (
	stepTime    = 15 * time.Second // card and reader in one of the three steps, once it is understood
	awaitAnswer = 120              // seconds for which the reader keeps the card for the next command (TimeOut2)
	maxAsks     = 16               // asks of the reader's own in one step
)

// session is a chip card that has asked to go online and waits for the answer.
type session struct {
	atc     string            // the transaction by the card's count: what says that a later answer is of this one
	objects map[uint32][]byte // of the first cryptogram; they hold the number, or what stands for it
	ended   bool              // the card has given its second cryptogram
}

// wanted are the tags that answers shall hold: those of field 55, of the card, and of the second cryptogram.
func wanted() []byte {
	var list []byte
	add := func(tags ...uint32) {
		for _, tag := range tags {
			list = neo2.AppendTag(list, tag)
		}
	}
	add(requestTags[:]...)
	add(neo2.TagTrack2Equivalent, neo2.TagPAN, neo2.TagSequence, neo2.TagExpiry, neo2.TagLabel, neo2.TagPreferredName, neo2.TagAID,
		neo2.TagScriptResults, neo2.TagScriptSent, neo2.TagEntryMode)
	return list
}

// startPayload is the data of 60-10: fallback in the reader off, because this program decides that; two times in seconds; and
// what the card shall sign. Byte order and base of the times are assumed: most significant first, binary.
func (q Request) startPayload() ([]byte, error) {
	asked, err := q.payload()
	if err != nil {
		return nil, err
	}
	data := []byte{0}
	data = binary.BigEndian.AppendUint16(data, uint16(stepTime/time.Second))
	data = binary.BigEndian.AppendUint16(data, awaitAnswer)
	data = append(data, asked[1:]...)
	data = neo2.AppendTLV(data, neo2.TagAmountOther, make([]byte, 6))
	data = neo2.AppendTLV(data, neo2.TagAutomatic, []byte{0, 1}) // 60-11 is ours to send; always online
	return neo2.AppendTLV(data, neo2.TagOutputList, wanted()), nil
}

// insert reads the card in the slot up to its first cryptogram. The card stays powered, and the session open, until Complete
// or Release. The caller holds the token.
func (r *Reader) insert(ctx context.Context, q Request) (txn.Presented, error) {
	payload, err := q.startPayload()
	if err != nil {
		return txn.Presented{}, err
	}
	r.orphan = true // until the card is let go
	started, err := r.step(ctx, neo2.ContactStart, payload, neo2.ResultAuthenticate)
	if err != nil {
		return txn.Presented{}, r.unpowered(err)
	}
	first, err := r.step(ctx, neo2.ContactAuthenticate, neo2.AppendTLV(nil, neo2.TagOutputList, wanted()), neo2.ResultGoOnline)
	if err != nil {
		return txn.Presented{}, r.unpowered(err)
	}
	first = joined(started, first)
	if err := signedForUs(first, q); err != nil {
		return txn.Presented{}, r.unpowered(err)
	}
	read := chipCard
	if r.sealed {
		read = sealedChip
	}
	presented, err := read(txn.Inserted, first)
	if err != nil {
		return txn.Presented{}, r.unpowered(err)
	}
	r.open(&session{atc: string(first[neo2.TagATC]), objects: first})
	return presented, nil
}

// unpowered lets go of a card that is not used any further, as well as a reader in trouble can, and returns why.
func (r *Reader) unpowered(why error) error {
	if !reachable(why) {
		return why
	}
	if _, err := r.exchange(context.Background(), powerOff); err == nil {
		r.events(Event{At: r.now(), Prompt: RemoveCard})
	}
	return why
}

// reachable reports whether it is any use to go on speaking to the reader after an error.
func reachable(err error) bool {
	var status *StatusError
	var result *ResultError
	return errors.As(err, &status) && status.Status != neo2.Tampered || errors.As(err, &result) ||
		errors.Is(err, ErrCardRefused) || errors.Is(err, ErrCardUnread) || errors.Is(err, ErrSetUp)
}

// step sends one contact command and waits for its two answers. Any result but want is a *ResultError. What comes in between
// is shown or answered. The caller holds the token.
func (r *Reader) step(ctx context.Context, sub byte, payload []byte, want uint16) (map[uint32][]byte, error) {
	if err := r.wire.send(neo2.Frame{Command: neo2.Contact, Sub: sub, Data: payload}, r.answer); err != nil {
		return nil, err
	}
	r.wire.decoder.Reset()
	until, strange, asks, understood := time.Now().Add(r.answer), 0, 0, false
	for {
		item, err := r.wire.receive(ctx, until)
		switch {
		case errors.Is(err, line.ErrInterrupted):
			return nil, r.abandon(cancelled(ctx))
		case errors.Is(err, line.ErrSilence):
			return nil, r.abandon(r.nothing(strange))
		case err != nil:
			return nil, err
		case isBoot(item):
			return nil, fmt.Errorf("%w (%s)", ErrRestarted, printable(item.Data))
		case item.Command == neo2.Contact && item.Fault != neo2.Whole:
			return nil, r.abandon(fmt.Errorf("%w: it was damaged on the line", ErrGarbage))
		case item.Command == neo2.Contact && item.Sub == neo2.Continues:
			if !understood {
				understood, until = true, time.Now().Add(stepTime)
			}
			continue
		case item.Command == neo2.Contact:
			return r.resultOf(sub, item.Frame, want)
		case item.Command == neo2.Ask && item.Fault == neo2.Whole && asks < maxAsks:
			asks++
			if err := r.reply(item.Frame); err != nil {
				return nil, err
			}
			continue
		}
		if strange++; strange > maxStrange {
			return nil, r.abandon(r.nothing(strange))
		}
	}
}

// resultOf reads the second answer. A reader that does not allow the second or third step knows of no first one: it has
// started anew since, whether or not it said so.
func (r *Reader) resultOf(sub byte, answer neo2.Frame, want uint16) (map[uint32][]byte, error) {
	switch {
	case answer.Sub == neo2.NotAllowed && sub != neo2.ContactStart:
		return nil, fmt.Errorf("%w (it knows of no card in its slot)", ErrRestarted)
	case answer.Sub != neo2.OK:
		return nil, &StatusError{Command: neo2.Contact, Sub: sub, Status: answer.Sub}
	}
	result, objects, err := parseResult(answer.Data, r.sealed)
	switch {
	case errors.Is(err, ErrGarbage):
		return nil, r.abandon(err)
	case err != nil:
		return nil, err
	case result != want:
		return objects, &ResultError{Sub: sub, Result: result}
	}
	return objects, nil
}

// parseResult reads the data of a second answer: the result, then objects. Of an object that comes twice the first counts.
// That nothing stands between the two is assumed.
func parseResult(data []byte, sealed bool) (result uint16, objects map[uint32][]byte, err error) {
	if len(data) < 2 {
		return 0, nil, fmt.Errorf("%w: a contact answer has no result", ErrGarbage)
	}
	if sealed {
		objects, err = sealedContact(data[2:])
		return binary.BigEndian.Uint16(data), objects, err
	}
	objects = make(map[uint32][]byte)
	err = neo2.Walk(data[2:], func(tag uint32, value []byte) {
		if _, twice := objects[tag]; !twice {
			objects[tag] = value
		}
	})
	if err != nil && looksEncrypted(data) {
		return 0, nil, errEncrypted
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: its card data has an unknown layout", ErrGarbage)
	}
	return binary.BigEndian.Uint16(data), objects, inTheClear(objects)
}

func (r *Reader) open(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = s
}

func (r *Reader) opened() *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.session
}
