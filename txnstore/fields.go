package txnstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"posagent/txnstore/txn"
)

// field is one line of the table that a record is written and read by. Zero values are not written.
type field struct {
	tag   byte
	name  string
	bound func(*txn.Txn) error          // cuts what is for people, refuses what is for machines
	put   func([]byte, *txn.Txn) []byte // appends the value
	get   func(*txn.Txn, string) error
}

// Tags that are not single fields of txn.Txn. A tag is never given a second meaning.
const (
	tagCard    = 17 // number, expiry and chip data, sealed together
	tagJournal = 44 // one per line
	tagMark    = 45 // keyed hash of the card number (mark.go); records of older programs have none
	tagCode    = 82 // a payment code, with its keyed hash in front
)

// recordFields is the table of a record (tag, limit in bytes or highest number). State, kind, entry, reason and slips
// are written by name.
func recordFields() []field {
	return []field{
		number(1, "id", 1<<64-1, func(t *txn.Txn) *txn.ID { return &t.ID }),
		number(2, "gen", 1<<32-1, func(t *txn.Txn) *uint32 { return &t.Gen }),
		number(3, "boot", 1<<32-1, func(t *txn.Txn) *uint32 { return &t.Boot }),
		number(4, "end boot", 1<<32-1, func(t *txn.Txn) *uint32 { return &t.EndBoot }),
		text(5, "terminal", maxTerminal, func(t *txn.Txn) *string { return &t.Terminal }),
		text(6, "merchant", maxMerchant, func(t *txn.Txn) *string { return &t.Merchant }),
		text(7, "operator", maxOperator, func(t *txn.Txn) *string { return &t.Operator }),
		text(8, "kind", maxKind, func(t *txn.Txn) *txn.Kind { return &t.Kind }),
		text(9, "state", maxName, func(t *txn.Txn) *txn.State { return &t.State }),
		text(10, "reference", txn.MaxReference, func(t *txn.Txn) *string { return &t.Reference }),
		number(11, "batch", maxBatch, func(t *txn.Txn) *uint32 { return &t.Batch }),
		number(12, "STAN", maxSTAN, func(t *txn.Txn) *uint32 { return &t.STAN }),
		number(13, "amount", uint64(txn.MaxAmount), func(t *txn.Txn) *txn.Amount { return &t.Amount }),
		text(14, "currency number", 3, func(t *txn.Txn) *string { return &t.Currency.Number }),
		text(15, "currency letters", 3, func(t *txn.Txn) *string { return &t.Currency.Letters }),
		number(16, "currency exponent", 9, func(t *txn.Txn) *int { return &t.Currency.Exponent }),
		text(18, "card sequence number", 3, func(t *txn.Txn) *string { return &t.Card.Sequence }),
		text(19, "card entry", maxName, func(t *txn.Txn) *txn.Entry { return &t.Card.Entry }),
		clipped(20, "card label", 16, func(t *txn.Txn) *string { return &t.Card.Label }),
		text(21, "application identifier", 32, func(t *txn.Txn) *string { return &t.Card.AID }),
		stamp(22, "begun", func(t *txn.Txn) *time.Time { return &t.Began }),
		stamp(23, "ended", func(t *txn.Txn) *time.Time { return &t.Ended }),
		clipped(24, "answer code", 2, func(t *txn.Txn) *string { return &t.Answer.Code }),
		yes(25, "answer approves", func(t *txn.Txn) *bool { return &t.Answer.Approved }),
		clipped(26, "retrieval reference", 12, func(t *txn.Txn) *string { return &t.Answer.RRN }),
		clipped(27, "authorization code", 6, func(t *txn.Txn) *string { return &t.Answer.AuthCode }),
		clipped(28, "acquirer", 11, func(t *txn.Txn) *string { return &t.Answer.Acquirer }),
		clipped(29, "issuer", 11, func(t *txn.Txn) *string { return &t.Answer.Issuer }),
		clipped(30, "host time", 6, func(t *txn.Txn) *string { return &t.Answer.HostTime }),
		clipped(31, "host date", 4, func(t *txn.Txn) *string { return &t.Answer.HostDate }),
		clipped(32, "settlement date", 4, func(t *txn.Txn) *string { return &t.Answer.SettledOn }),
		clipped(33, "answer text", maxText, func(t *txn.Txn) *string { return &t.Answer.Text }),
		text(34, "reason", 2, func(t *txn.Txn) *txn.Reason { return &t.Reason }),
		number(35, "bytes written", maxWritten, func(t *txn.Txn) *int { return &t.Sent.Written }),
		number(36, "bytes to write", maxWritten, func(t *txn.Txn) *int { return &t.Sent.Total }),
		clipped(37, "bearer", 16, func(t *txn.Txn) *string { return &t.Sent.Bearer }),
		number(38, "tries", maxTries, func(t *txn.Txn) *int { return &t.Tries.Made }),
		number(39, "unsent tries", maxTries, func(t *txn.Txn) *int { return &t.Tries.Unsent }),
		stamp(40, "last try", func(t *txn.Txn) *time.Time { return &t.Tries.Last }),
		clipped(41, "code of last try", 2, func(t *txn.Txn) *string { return &t.Tries.Code }),
		text(42, "merchant slip", maxName, func(t *txn.Txn) *txn.Slip { return &t.Slips.Merchant }),
		text(43, "customer slip", maxName, func(t *txn.Txn) *txn.Slip { return &t.Slips.Customer }),
		clipped(46, "card scheme", 3, func(t *txn.Txn) *string { return &t.Answer.Scheme }),
		number(47, "original", 1<<64-1, func(t *txn.Txn) *txn.ID { return &t.Original.ID }),
		number(48, "original batch", maxBatch, func(t *txn.Txn) *uint32 { return &t.Original.Batch }),
		number(49, "original STAN", maxSTAN, func(t *txn.Txn) *uint32 { return &t.Original.STAN }),
		text(50, "original reference", 12, func(t *txn.Txn) *string { return &t.Original.RRN }),
		text(51, "original authorization", 6, func(t *txn.Txn) *string { return &t.Original.AuthCode }),
		text(52, "original date", 4, func(t *txn.Txn) *string { return &t.Original.Date }),
		text(54, "authorisation mode", 2, func(t *txn.Txn) *string { return &t.Original.Mode }),
		text(55, "authorising unit", txn.MaxUnit, func(t *txn.Txn) *string { return &t.Original.Unit }),
		yes(56, "closed as charged", func(t *txn.Txn) *bool { return &t.Resolved.Charged }),
		text(57, "evidence", txn.MaxEvidence, func(t *txn.Txn) *string { return &t.Resolved.Evidence }),
		text(58, "closed by", maxOperator, func(t *txn.Txn) *string { return &t.Resolved.By }),
		text(59, "closed with", maxOperator, func(t *txn.Txn) *string { return &t.Resolved.With }),
		text(53, "approver", maxOperator, func(t *txn.Txn) *string { return &t.Approver }),
		tags(63, "certificate", func(t *txn.Txn) *txn.Chip { return &t.Card.Certificate }),
		number(60, "address", maxAddress, func(t *txn.Txn) *int { return &t.Sent.Address }),
		number(61, "bytes given to the line", maxWritten, func(t *txn.Txn) *int { return &t.Sent.Handed }),
		yes(66, "PIN was given", func(t *txn.Txn) *bool { return &t.Card.PIN }),
		number(62, "bytes acknowledged", maxWritten, func(t *txn.Txn) *int { return &t.Sent.Acked }),
		text(80, "profile", maxProfile, func(t *txn.Txn) *string { return &t.Profile }),
		code(tagCode, "payment code"),
		text(81, "original sent", 10, func(t *txn.Txn) *string { return &t.Original.Sent }),
	}
}

const (
	maxName     = 12 // "unconfirmed", "contactless"
	maxKind     = 17 // "completion-cancel", "completion-notice"
	maxOperator = 12
	maxText     = 60
	maxWritten  = 1 << 20
	maxTries    = 1<<16 - 1
	maxAddress  = 9
	maxProfile  = 21 // a name of twelve and a digest of eight
)

// text is a string that means something to a machine: a longer one is refused.
func text[S ~string](tag byte, name string, limit int, at func(*txn.Txn) *S) field {
	f := clipped(tag, name, limit, at)
	f.bound = func(t *txn.Txn) error {
		if n := len(*at(t)); n > limit {
			return fmt.Errorf("%s has %d bytes, at most %d fit", name, n, limit)
		}
		return nil
	}
	return f
}

// clipped is a string for people, or one whose length the acquirer's message already limits: a longer one is cut, because
// losing the outcome for it would be worse.
func clipped[S ~string](tag byte, name string, limit int, at func(*txn.Txn) *S) field {
	return field{
		tag: tag, name: name,
		bound: func(t *txn.Txn) error {
			*at(t) = S(clip(string(*at(t)), limit))
			return nil
		},
		put: func(b []byte, t *txn.Txn) []byte { return append(b, *at(t)...) },
		get: func(t *txn.Txn, v string) error {
			if len(v) > limit {
				return fmt.Errorf("has %d bytes, at most %d fit", len(v), limit)
			}
			*at(t) = S(v)
			return nil
		},
	}
}

// tags is EMV data that names no card and no holder.
func tags(tag byte, name string, at func(*txn.Txn) *txn.Chip) field {
	return field{
		tag: tag, name: name,
		bound: func(t *txn.Txn) error {
			if err := checkChip(at(t).BytesInTheClear()); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		},
		put: func(b []byte, t *txn.Txn) []byte { return append(b, at(t).BytesInTheClear()...) },
		get: func(t *txn.Txn, v string) error {
			if err := checkChip([]byte(v)); err != nil {
				return err
			}
			*at(t) = txn.NewChip([]byte(v))
			return nil
		},
	}
}

// number is a count, written as an unsigned varint and kept between 0 and limit.
func number[N ~int | ~int64 | ~uint32 | ~uint64](tag byte, name string, limit uint64, at func(*txn.Txn) *N) field {
	return field{
		tag: tag, name: name,
		bound: func(t *txn.Txn) error {
			if n := at(t); *n < 0 {
				*n = 0
			} else if uint64(*n) > limit {
				*n = N(limit)
			}
			return nil
		},
		put: func(b []byte, t *txn.Txn) []byte {
			if *at(t) == 0 {
				return b
			}
			return binary.AppendUvarint(b, uint64(*at(t)))
		},
		get: func(t *txn.Txn, v string) error {
			n, size := binary.Uvarint([]byte(v))
			if size <= 0 || size != len(v) || n > limit || uint64(N(n)) != n {
				return errors.New("is not a number in range")
			}
			*at(t) = N(n)
			return nil
		},
	}
}

// code is a payment code: fingerprint, platform, a zero byte, mask.
func code(tag byte, name string) field {
	return field{
		tag: tag, name: name,
		bound: func(t *txn.Txn) error {
			if c := t.Code; len(c.Platform()) > txn.MaxPlatform || len(c.Masked()) > txn.MaxPayCode {
				return fmt.Errorf("%s: platform or mask is too long", name)
			}
			return nil
		},
		put: func(b []byte, t *txn.Txn) []byte {
			if t.Code.IsZero() {
				return b
			}
			print := t.Code.Print()
			return append(append(append(append(b, print[:]...), t.Code.Platform()...), 0), t.Code.Masked()...)
		},
		get: func(t *txn.Txn, v string) error {
			var print txn.Fingerprint
			n := copy(print[:], v)
			platform, masked, ok := strings.Cut(v[n:], "\x00")
			if !ok || platform == "" || len(platform) > txn.MaxPlatform || len(masked) > txn.MaxPayCode {
				return errors.New("is not well formed")
			}
			t.Code = txn.NewCode(platform, masked, print)
			return nil
		},
	}
}

func yes(tag byte, name string, at func(*txn.Txn) *bool) field {
	return field{
		tag: tag, name: name,
		bound: func(*txn.Txn) error { return nil },
		put: func(b []byte, t *txn.Txn) []byte {
			if !*at(t) {
				return b
			}
			return append(b, 1)
		},
		get: func(t *txn.Txn, v string) error {
			if len(v) != 1 || v[0] != 1 {
				return errors.New("is not a flag")
			}
			*at(t) = true
			return nil
		},
	}
}

// stamp is a wall clock time in milliseconds since 1970, UTC, as a signed varint: a flat clock battery is no error.
func stamp(tag byte, name string, at func(*txn.Txn) *time.Time) field {
	return field{
		tag: tag, name: name,
		bound: func(t *txn.Txn) error {
			*at(t) = millisecond(*at(t))
			return nil
		},
		put: func(b []byte, t *txn.Txn) []byte {
			if at(t).IsZero() {
				return b
			}
			return binary.AppendVarint(b, at(t).UnixMilli())
		},
		get: func(t *txn.Txn, v string) error {
			ms, size := binary.Varint([]byte(v))
			if size <= 0 || size != len(v) || !sensible(ms) {
				return errors.New("is not a time")
			}
			*at(t) = time.UnixMilli(ms).UTC()
			return nil
		},
	}
}

// clip cuts s to limit bytes, between characters.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// A stamp outside the years 1 to 9999 is nobody's clock and is kept as no time at all.
const (
	firstMilli = -62_135_596_800_000
	lastMilli  = 253_402_300_799_999
)

func sensible(ms int64) bool { return ms >= firstMilli && ms <= lastMilli }

func millisecond(at time.Time) time.Time {
	if year := at.UTC().Year(); year < 1 || year > 9999 {
		return time.Time{}
	}
	return time.UnixMilli(at.UnixMilli()).UTC()
}
