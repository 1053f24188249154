package reader

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// Complete gives the acquirer's answer to the card that Activate left in the slot (60-12) and returns what the card made of it.
// With no error the card has spoken: Agreed is a transaction certificate, anything else its refusal. With an error it has not,
// and whatever the acquirer approved did not come about at the card: txn.ErrCardRemoved, ErrCardUnread, ErrRestarted,
// ErrNoAnswer and ErrGarbage tell the ways apart, and ReversalReason of the error is field 39 of the reversal that follows from
// it. The card stays powered until Release.
//
// The answer's Code becomes tag 8A, its AuthCode tag 89, and of its Chip the issuer's data 91 and the scripts 71 and 72 are
// passed on as they are. An answer without a code tells the card that nobody could be reached.
func (r *Reader) Complete(ctx context.Context, answer txn.Answer) (txn.Confirmation, error) {
	if err := r.take(ctx); err != nil {
		return txn.Confirmation{}, incomplete(err)
	}
	defer r.release()
	s := r.opened()
	if s == nil || s.ended {
		return txn.Confirmation{}, incomplete(ErrNoCardOpen)
	}
	s.ended = true // whatever becomes of it, the card is not asked again
	payload, err := completePayload(answer)
	if err != nil {
		return txn.Confirmation{}, incomplete(err)
	}
	objects, err := r.step(ctx, neo2.ContactComplete, payload, neo2.ResultApproved)
	var result *ResultError
	if errors.As(err, &result) && spoke(result.Result) {
		err = nil
	} else {
		result = nil
	}
	if err != nil {
		return txn.Confirmation{}, incomplete(err)
	}
	done, err := s.confirmation(objects, result == nil)
	if err != nil {
		return txn.Confirmation{}, incomplete(err)
	}
	return done, nil
}

// spoke reports whether a result other than "approved" is the card's own word.
func spoke(result uint16) bool {
	return result == neo2.ResultDeclined || result == neo2.ResultDeclinedOffline || result == neo2.ResultNotAccepted ||
		result == neo2.ResultCallBank
}

// confirmation reads the second cryptogram. An agreement counts only with the certificate that proves it, of this very
// transaction; a refusal needs no proof.
func (s *session) confirmation(objects map[uint32][]byte, agreed bool) (txn.Confirmation, error) {
	merged := make(map[uint32][]byte, len(s.objects)+len(objects))
	for _, from := range []map[uint32][]byte{s.objects, objects} {
		for tag, value := range from {
			merged[tag] = value
		}
	}
	scripts := objects[neo2.TagScriptSent]
	if scripts == nil {
		scripts = objects[neo2.TagScriptResults]
	}
	if len(scripts) > maxScripts {
		scripts = scripts[:maxScripts]
	}
	if len(scripts) > 0 {
		merged[neo2.TagScriptSent] = scripts
	}
	done := txn.Confirmation{Signed: txn.NewChip(fitting(merged, signedTags[:])), Reversal: txn.NewChip(fitting(merged, reversalTags[:])),
		Certificate: txn.NewChip(fitting(merged, certifiedTags[:])),
		Scripts:     strings.ToUpper(hex.EncodeToString(scripts))}
	if !agreed {
		return done, nil
	}
	kind := objects[neo2.TagCryptogramInfo]
	switch {
	case objects[neo2.TagATC] != nil && string(objects[neo2.TagATC]) != s.atc:
		return txn.Confirmation{}, fmt.Errorf("%w: it is of another transaction of the card", ErrGarbage)
	case len(kind) != 1 || len(objects[neo2.TagCryptogram]) != 8 || objects[neo2.TagATC] == nil:
		return txn.Confirmation{}, fmt.Errorf("%w: it says approved and shows no certificate of the card", ErrGarbage)
	}
	done.Agreed = kind[0]&neo2.CryptogramMask == neo2.CryptogramTC
	return done, nil
}

// completePayload is the data of 60-12.
func completePayload(answer txn.Answer) ([]byte, error) {
	code := answer.Code
	switch {
	case answer.Approved:
		code = "00" // whichever of the dialect's approvals it was: a card knows this one
	case len(code) != 2:
		code = unreachable
	}
	data := neo2.AppendTLV(nil, neo2.TagResponseCode, []byte(code))
	if answer.AuthCode != "" {
		data = neo2.AppendTLV(data, neo2.TagAuthResponse, []byte(fmt.Sprintf("%-6.6s", answer.AuthCode)))
	}
	issuer := answer.Chip.BytesInTheClear()
	if len(issuer) > maxChip {
		return nil, fmt.Errorf("%w: the acquirer's chip data has %d bytes, at most %d are passed on", ErrCardUnread, len(issuer), maxChip)
	}
	err := neo2.Walk(issuer, func(tag uint32, value []byte) {
		if tag == neo2.TagIssuerAuth || tag == neo2.TagScriptBefore || tag == neo2.TagScriptAfter {
			data = neo2.AppendTLV(data, tag, value)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%w: the acquirer's chip data cannot be read: %w", ErrCardUnread, err)
	}
	return neo2.AppendTLV(data, neo2.TagOutputList, wanted()), nil
}

const (
	unreachable = "Z3" // 8A: unable to go online (EMV Book 4, annex A6)
	maxScripts  = 10   // bytes of script results
)

var powerOff = neo2.Frame{Command: neo2.PassThrough, Sub: neo2.PowerOff}

// Release ends whatever is left of a card in the slot: a transaction that was not completed is cancelled, the card's power is
// taken off, and people are prompted to take it out. Without such a card it does nothing. It is bounded by a few answer times;
// after an error the next Activate begins by cancelling.
func (r *Reader) Release(ctx context.Context) error {
	if err := r.take(ctx); err != nil {
		return err
	}
	defer r.release()
	s := r.opened()
	if s == nil {
		return nil
	}
	r.open(nil)
	if err := r.wire.settle(); err != nil {
		return err
	}
	if !s.ended {
		if _, err := r.exchange(ctx, neo2.Frame{Command: neo2.Cancel, Sub: neo2.CancelSub}); err != nil && !refused(err) {
			return err
		}
	}
	if _, err := r.exchange(ctx, powerOff); err != nil && !refused(err) {
		return err
	}
	r.orphan = false
	r.events(Event{At: r.now(), Prompt: RemoveCard})
	return nil
}

// refused reports an answer that says no: as good as done, where there is nothing to end.
func refused(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Status == neo2.NotAllowed
}

// incomplete says of an error that the card has not confirmed, and why it is then reversed: 06 where the card or what was
// brought to it is the cause, 96 where the terminal failed (direct-connection POS dialect, field 39 of a 0400).
func incomplete(err error) error { return &incompleteError{err} }

type incompleteError struct{ cause error }

func (e *incompleteError) Error() string { return "the card has not confirmed: " + e.cause.Error() }
func (e *incompleteError) Unwrap() error { return e.cause }

// ReversalReason is field 39 of the reversal.
func (e *incompleteError) ReversalReason() txn.Reason {
	for _, card := range []error{txn.ErrCardRemoved, ErrCardUnread, ErrCardRefused} {
		if errors.Is(e.cause, card) {
			return txn.OtherCause
		}
	}
	return txn.NotDone
}

// Brief is for a journal line.
func (e *incompleteError) Brief() string {
	for _, known := range []struct {
		err  error
		text string
	}{{txn.ErrCardRemoved, "card taken out early"}, {ErrCardUnread, "card failed"}, {ErrCardRefused, "card refused"},
		{ErrRestarted, "reader restarted"}, {ErrNoAnswer, "reader silent"}, {ErrGarbage, "reader's answer damaged"}, {ErrTampered, "reader tampered"}} {
		if errors.Is(e.cause, known.err) {
			return known.text
		}
	}
	return "reader lost"
}
