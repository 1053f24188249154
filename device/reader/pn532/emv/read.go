// Package emv asks a contactless payment card for its number: directory, application, processing options, records, until
// track 2 equivalent data has been found. It is not a kernel and does not become one: it checks no signature, asks for no
// cryptogram (no GENERATE AC is ever sent), verifies no cardholder, and sends zeros where a card wants an unpredictable
// number. What it reads could be replayed by anybody. It serves development boards, so that a terminal can be tried with a
// card in the hand; payments need a reader whose kernels are certified.
//
// Sources: EMV Book 1 (application selection), Book 3 (commands, data objects), EMV Contactless Book B (directory).
package emv

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"posagent/device/reader"
	"posagent/txnstore/txn"
)

// Transmit sends one command to the card and returns its answer with status words. Its errors are passed on.
type Transmit func(ctx context.Context, command []byte) ([]byte, error)

// Terms are what a card may ask of the terminal. Country is an ISO 3166 number of four digits, or empty for zeros.
type Terms struct {
	Amount   txn.Amount
	Currency string // ISO 4217 number, three digits
	Country  string
	Date     time.Time
}

// Read asks the card. Errors unwrap to reader.ErrCardUnread (present it again), reader.ErrCardRefused, reader.ErrUseContact,
// or are Transmit's. None repeats what was read.
func Read(ctx context.Context, transmit Transmit, t Terms) (txn.Presented, error) {
	c := &card{transmit: transmit, found: make(map[uint32][]byte)}
	aid, err := c.application(ctx)
	if err != nil {
		return txn.Presented{}, err
	}
	chosen, err := c.ask(ctx, "select the application", selectCommand(aid))
	if err != nil {
		return txn.Presented{}, err
	}
	if err := c.collect(chosen); err != nil {
		return txn.Presented{}, err
	}
	options, err := c.options(ctx, t)
	if err != nil {
		return txn.Presented{}, err
	}
	if err := c.records(ctx, options); err != nil {
		return txn.Presented{}, err
	}
	return c.presented(aid)
}

// card is one card in the field. Of an object that comes twice the first counts.
type card struct {
	transmit Transmit
	found    map[uint32][]byte
}

// ask sends one command and fetches its whole answer. A status other than success is an error with the step's name.
func (c *card) ask(ctx context.Context, step string, command []byte) ([]byte, error) {
	var whole []byte
	for range maxRounds {
		answer, err := c.transmit(ctx, command)
		if err != nil {
			return nil, err
		}
		if len(answer) < 2 || len(whole)+len(answer) > maxAnswer {
			return nil, fmt.Errorf("%w: its answer has an impossible length (%s)", reader.ErrCardUnread, step)
		}
		body, sw1, sw2 := answer[:len(answer)-2], answer[len(answer)-2], answer[len(answer)-1]
		whole = append(whole, body...)
		switch {
		case sw1 == sw1MoreWaits:
			command = []byte{claISO, insGetResponse, 0, 0, sw2}
		case sw1 == sw1OtherLength && len(body) == 0:
			command = append(slices.Clone(command[:len(command)-1]), sw2)
		case int(sw1)<<8|int(sw2) == swOK:
			return whole, nil
		default:
			return nil, refusal(step, int(sw1)<<8|int(sw2))
		}
	}
	return nil, fmt.Errorf("%w: its answer does not end (%s)", reader.ErrCardUnread, step)
}

// refusal sorts status words by what the person at the terminal can do.
func refusal(step string, sw int) error {
	cause := reader.ErrCardUnread
	switch sw {
	case swOtherInterface:
		cause = reader.ErrUseContact
	case swNotFound, swBlocked, swSelectedBlocked, swConditions:
		cause = reader.ErrCardRefused
	}
	return fmt.Errorf("%w: to %q it answered %04X, %s", cause, step, sw, statusText(sw))
}

func selectCommand(name []byte) []byte {
	command := append([]byte{claISO, insSelect, selectByName, 0, byte(len(name))}, name...)
	return append(command, 0)
}

// application asks the directory and returns the identifier of the application that the card prefers.
func (c *card) application(ctx context.Context) ([]byte, error) {
	answer, err := c.ask(ctx, "select the directory", selectCommand([]byte(directory)))
	if err != nil {
		return nil, err
	}
	var best []byte
	rank, seen := 0, 0
	err = walk(answer, 0, func(tag uint32, value []byte) bool {
		if tag != TagDirectoryEntry {
			return true
		}
		var aid []byte
		priority := maxRank
		_ = walk(value, 0, func(tag uint32, value []byte) bool { // a damaged entry is an entry less
			switch {
			case tag == TagApplication:
				aid = value
			case tag == TagPriority && len(value) == 1 && value[0]&0x0F != 0:
				priority = int(value[0] & 0x0F)
			}
			return false
		})
		if seen++; seen <= maxApplications && len(aid) >= 5 && len(aid) <= 16 && (best == nil || priority < rank) {
			best, rank = aid, priority
		}
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", reader.ErrCardUnread, err)
	}
	if best == nil {
		return nil, fmt.Errorf("%w: it names no payment application", reader.ErrCardRefused)
	}
	return slices.Clone(best), nil
}

// collect keeps every object of an answer that is not known yet.
func (c *card) collect(answer []byte) error {
	err := walk(answer, 0, func(tag uint32, value []byte) bool {
		if _, known := c.found[tag]; !known {
			c.found[tag] = slices.Clone(value)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("%w: %w", reader.ErrCardUnread, err)
	}
	return nil
}

// options tells the card what it asked for and returns where its records are: groups of four bytes (EMV Book 3, 10.2).
func (c *card) options(ctx context.Context, t Terms) ([]byte, error) {
	wanted, err := readDOL(c.found[TagPDOL])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", reader.ErrCardUnread, err)
	}
	data, err := t.answer(wanted)
	if err != nil {
		return nil, err
	}
	command := []byte{claEMV, insGetOptions, 0, 0, byte(len(data) + 2), commandTemplate, byte(len(data))}
	answer, err := c.ask(ctx, "get processing options", append(append(command, data...), 0))
	if err != nil {
		return nil, err
	}
	var locator []byte
	err = walk(answer, 0, func(tag uint32, value []byte) bool {
		if tag == formatOneTemplate && len(value) >= 2 { // two bytes of profile, then the locator
			locator = value[2:]
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", reader.ErrCardUnread, err)
	}
	if len(answer) > 0 && answer[0] == formatTwoTemplate {
		if err := c.collect(answer); err != nil {
			return nil, err
		}
		locator = c.found[TagAFL]
	}
	if len(locator)%4 != 0 {
		return nil, fmt.Errorf("%w: the list of its records is cut", reader.ErrCardUnread)
	}
	return slices.Clone(locator), nil
}

// records reads until track 2 is known, and in any case not more than maxRecords.
func (c *card) records(ctx context.Context, locator []byte) error {
	read := 0
	for group := range slices.Chunk(locator, 4) {
		file, first, last := group[0]>>3, group[1], group[2]
		if file == 0 || file > maxFile || first == 0 || last < first {
			return fmt.Errorf("%w: the list of its records makes no sense", reader.ErrCardUnread)
		}
		for n := int(first); n <= int(last); n++ {
			if read++; c.complete() || read > maxRecords {
				return nil
			}
			answer, err := c.ask(ctx, "read a record", []byte{claISO, insReadRecord, byte(n), file<<3 | recordOfFile, 0})
			if err != nil {
				return err
			}
			if err := c.collect(answer); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *card) complete() bool {
	return c.track2() != nil && c.found[TagPAN] != nil && c.found[TagExpiry] != nil
}

func (c *card) track2() []byte {
	if two := c.found[TagTrack2]; two != nil {
		return two
	}
	return c.found[TagTrack2Stripe]
}

// presented puts together what was found and refuses what does not agree.
func (c *card) presented(aid []byte) (txn.Presented, error) {
	two, err := txn.ParseTrack(unpack(c.track2()))
	if err != nil {
		return txn.Presented{}, fmt.Errorf("%w: it shows no track 2", reader.ErrCardUnread)
	}
	pan, expiry, err := two.Card()
	if err != nil {
		return txn.Presented{}, fmt.Errorf("%w: %w", reader.ErrCardUnread, err)
	}
	if number := c.found[TagPAN]; number != nil {
		if other, err := txn.ParsePAN(unpack(number)); err != nil || !other.Equal(pan) {
			return txn.Presented{}, fmt.Errorf("%w: its number and its track do not agree", reader.ErrCardUnread)
		}
	}
	if date := c.found[TagExpiry]; date != nil && (len(date) != 3 || hex.EncodeToString(date[:2]) != expiry) {
		return txn.Presented{}, fmt.Errorf("%w: its expiry date and its track do not agree", reader.ErrCardUnread)
	}
	if strings.Trim(expiry, "0123456789") != "" || expiry[2:] < "01" || expiry[2:] > "12" {
		return txn.Presented{}, fmt.Errorf("%w: its expiry date is not a date", reader.ErrCardUnread)
	}
	kept := txn.Card{PAN: pan, Expiry: expiry, Entry: txn.Tapped, Label: label(c.found[TagLabel]),
		AID: strings.ToUpper(hex.EncodeToString(aid))}
	if sequence := c.found[TagSequence]; len(sequence) == 1 && sequence[0]>>4 < 10 && sequence[0]&0x0F < 10 {
		kept.Sequence = "0" + hex.EncodeToString(sequence)
	}
	return txn.Presented{Card: kept, Track: two}, nil
}
