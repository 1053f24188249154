package txn

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrNotSent means that not one byte of a request was written to any line. It is the only failure after which a
// transaction may be abandoned; every other failure owes a reversal.
var ErrNotSent = errors.New("not sent: not one byte reached the line")

// ID is a transaction's sequence number. It grows by one, never wraps, and is never used again in a terminal's life.
type ID uint64

// Entry is how the card's data came in (first two digits of field 22).
type Entry string

const (
	Keyed       Entry = "keyed"       // 01
	Swiped      Entry = "swiped"      // 02
	Fallback    Entry = "fallback"    // 02 with the chip condition 2 in field 60.5: a chip was there and could not be read
	Inserted    Entry = "inserted"    // 05
	Contactless Entry = "contactless" // 07, chip data
	Tapped      Entry = "tapped"      // 91, contactless with magnetic stripe data
)

// Card is what may be kept of a card: what a reversal, a slip and a search need. Number and expiry are sealed at rest.
type Card struct {
	PAN      PAN
	Expiry   string // YYMM
	Sequence string // PAN sequence number, three digits, or empty
	Entry    Entry
	Label    string // application label or scheme, for the slip; at most 16 bytes
	AID      string // application identifier in hex, for the slip; at most 32 characters
	Chip     Chip   // the few EMV tags that a reversal repeats, 95 9F1E 9F10 9F36 DF31, or those of a Confirmation
	PIN      bool   // a PIN went with the request, which a reversal repeats in field 22; the PIN itself is nowhere

	// Certificate is the rest of what the chip certified of a transaction that it finished with a TC (EMV Book 2, 8): 9F37 9A
	// 82 9F33 9F34. It is empty where the reader gives none, which is always so for contactless cards that went online.
	Certificate Chip
}

// Presented is a card as the reader saw it, and what the PIN pad made of the PIN. Track, Cipher, Chip and PIN exist for one
// request and are never stored.
type Presented struct {
	Card  Card
	Track Track // track 2
	Chip  Chip  // field 55 of the request

	Cipher  Cipher // in place of Track: what a reader that enciphers gave; the card's number is masked then
	HasChip bool   // what such a reader says of a stripe, whose service code it does not show

	Code PayCode // in place of a card: one that was scanned

	AsksPIN bool // the card, or the reader's terms with it, want a PIN for the issuer to verify
	PIN     PINBlock
}

// Answer is what the acquirer said of a request, in the terms of the trade.
type Answer struct {
	Code      string // field 39
	Approved  bool   // the code is one of the dialect's approvals
	RRN       string // field 37
	AuthCode  string // field 38
	Acquirer  string // field 44, second half, or field 32
	Issuer    string // field 44, first half
	HostTime  string // field 12, hhmmss
	HostDate  string // field 13, MMDD
	SettledOn string // field 15, MMDD
	Scheme    string // field 63, first three characters: the card organisation, "CUP"
	Text      string // field 63 after the card organisation, UTF-8, at most 60 bytes

	Chip Chip // field 55: the issuer's data and scripts for the card. It exists for one exchange and is never stored
}

// Kept is the answer as it may be stored, and the part for the card, which may not.
func (a Answer) Kept() (Answer, Chip) {
	chip := a.Chip
	a.Chip = Chip{}
	return a, chip
}

// Reason is why a reversal was decided (field 39 of a 0400).
type Reason string

const (
	NoAnswer   Reason = "98" // no answer in time
	NotDone    Reason = "96" // approved, but the terminal could not finish
	BadMAC     Reason = "A0" // an approval whose MAC does not verify
	OtherCause Reason = "06" // anything else: an answer that does not match, garbage, a lost line
)

// Evidence grades what is known of a request on the wire.
type Evidence struct {
	Written, Total int    // bytes handed to the line, of how many
	Bearer         string // the line that carried it
	Address        int    // which of the acquirer's addresses it led to: 1 the primary, 2 the secondary; 0 where that is not known

	// What the line itself says of its far end: bytes of this request given to it, TLS included, and how many of them
	// the far end has acknowledged. Both are 0 where the line cannot tell. Asked only when there was no answer.
	Handed, Acked int
}

// Tries counts reversal or repetition attempts. Made is committed before each try; Unsent counts those of which not a
// byte left, and does not use the allowance up.
type Tries struct {
	Made, Unsent int
	Last         time.Time
	Code         string // field 39 of the last answer, or empty
}

// Slip is what became of one paper copy.
type Slip string

const (
	NoSlip      Slip = ""            // none is due
	SlipOwed    Slip = "owed"        // due, and not known to be printed
	SlipPrinted Slip = "printed"     // the printer said so
	SlipDoubted Slip = "unconfirmed" // sent to a printer that cannot prove it
)

// Copy names a paper copy.
type Copy string

const (
	MerchantCopy Copy = "merchant"
	CustomerCopy Copy = "customer"
)

// Slips holds both copies.
type Slips struct{ Merchant, Customer Slip }

// Line is one entry of a transaction's journal: what happened, in few words, never card data.
type Line struct {
	At    time.Time // wall clock, which may be wrong; order is the line's place and Boot
	Boot  uint32
	Event string // at most MaxEvent bytes
}

// Limits of a record. A record must stay small enough to be one of five in a single 4 KiB page of the hot file.
const (
	MaxReference = 40 // bytes of a caller's reference
	MaxEvent     = 48 // bytes of a journal line
	MaxJournal   = 8  // lines; the first and the newest are kept
)

// Txn is one transaction as it is stored. Values are copies: nothing in it is shared.
type Txn struct {
	ID        ID
	Gen       uint32 // grows with every change of this record
	Boot      uint32 // boot in which it began
	EndBoot   uint32 // boot in which it reached its present state
	Terminal  string // field 41
	Merchant  string // field 42
	Profile   string // mark of the profile under which it was begun, in whose words it is reversed or told again; "" is the usual one
	Operator  string
	Kind      Kind
	State     State
	Reference string // the caller's; a repeated one returns this record
	Batch     uint32 // six digits
	STAN      uint32 // field 11, also the slip number 凭证号
	Amount    Amount
	Currency  Currency
	Card      Card
	Code      Code       // in place of a card
	Original  Original   // what it undoes or follows
	Approver  string     // the supervisor who allowed money to go back
	Resolved  Resolution // of what people closed
	Began     time.Time
	Ended     time.Time
	Answer    Answer
	Reason    Reason
	Sent      Evidence
	Tries     Tries
	Slips     Slips
	Journal   []Line
}

// Draft is what a caller brings to begin a transaction; the store adds number, STAN, batch and stamps.
type Draft struct {
	Kind      Kind
	Reference string
	Operator  string
	Amount    Amount
	Currency  Currency
	Card      Card
	Code      Code     // in place of a card
	Original  Original // of what undoes or follows another
	Approver  string   // of what takes money back
}

// Check refuses a draft that could not be sent, reversed or found again.
func (d Draft) Check() error {
	switch {
	case !d.Kind.Known():
		return fmt.Errorf("kind %q is not a transaction", d.Kind)
	case d.Kind.TakesBack() && d.Approver == "":
		return errors.New("nobody has approved it")
	case !d.Amount.Valid():
		return fmt.Errorf("%w: %d minor units", ErrAmount, d.Amount)
	case d.Currency.Number == "":
		return errors.New("no currency")
	case d.Card.PAN.IsZero() == d.Code.IsZero():
		return errors.New("neither a card number nor a payment code, or both")
	}
	return errors.Join(d.Code.check(d.Kind), d.Kind.checkOriginal(d.Original), CheckReference(d.Reference))
}

// CheckReference refuses a caller's reference that could not be stored, printed on a slip and typed again.
func CheckReference(reference string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	switch {
	case reference == "" || len(reference) > MaxReference:
		return fmt.Errorf("reference must have 1 to %d bytes, has %d", MaxReference, len(reference))
	case strings.ContainsFunc(reference, unprintable) || strings.TrimSpace(reference) != reference:
		return errors.New("reference must be plain text without control characters or spaces around it")
	}
	return nil
}

// Note appends a journal line. When the journal is full the second oldest line makes room: the first line says how it
// began, the newest how it stands.
func (t *Txn) Note(at time.Time, boot uint32, event string) {
	lines := append([]Line(nil), t.Journal...)
	if len(lines) >= MaxJournal {
		lines = append(lines[:1], lines[2:]...)
	}
	t.Journal = append(lines, Line{At: at, Boot: boot, Event: clip(event, MaxEvent-len("…"))})
}

// OwesPaper reports whether a copy is still due.
func (t Txn) OwesPaper() bool { return t.Slips.Merchant == SlipOwed || t.Slips.Customer == SlipOwed }

// Closed reports whether nothing more can happen to the record: no duty, no paper due.
func (t Txn) Closed() bool { return t.State.Owes() == Nothing && !t.OwesPaper() }

// SetSlip records what became of one copy.
func (t *Txn) SetSlip(c Copy, s Slip) {
	if c == MerchantCopy {
		t.Slips.Merchant = s
	} else {
		t.Slips.Customer = s
	}
}

// SlipOf tells what became of one copy.
func (t Txn) SlipOf(c Copy) Slip {
	if c == MerchantCopy {
		return t.Slips.Merchant
	}
	return t.Slips.Customer
}
