package acquirer

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"posagent/txnstore/txn"
)

// A list of cards that are not charged comes in parts (0800, network code 390). Field 62 of the question is how many entries
// the terminal has, three digits; that of the answer is
//
//	┌───────┬──────────┬───────────┬────────┬───────────┬────────┬─────┐
//	│ flag 1│ entries 3│ length 2  │ number │ length 2  │ number │ ... │   flag 0 none · 1 this is the last part · 2 more to come
//	└───────┴──────────┴───────────┴────────┴───────────┴────────┴─────┘
//
// where a number takes up a slot of the same width whatever its length, which acquirers agree upon with their terminals:
// published terminals read 14 characters. The answers carry neither a part's number nor a checksum. A list is whole when each
// part states the same number of entries, that many came, and none came twice, which is also how the copy of a part, or one
// out of its order, is found.
const (
	blocklistSlot  = 14
	mostBlocked    = 999 // what three digits count
	shortestNumber = 12  // shorter ones are the beginning of a number, and mean all cards that begin so (ISO/IEC 7812)
	shortestBegin  = 4   // fewer digits would block half the world
	flagNone       = '0'
	flagLast       = '1'
	flagMore       = '2'
)

// Blocked is one entry of a list: a card, or the beginning of the numbers of many.
type Blocked struct {
	PAN   txn.PAN
	Begin string // 4 to 11 digits; empty for a card
}

// FetchBlocklist downloads the acquirer's list whole, in as many parts as it takes. Errors: ErrDownload, *RefusedError,
// *link.ExchangeError; none of them quotes a number.
func (h *Host) FetchBlocklist(ctx context.Context) ([]Blocked, txn.Evidence, error) {
	slot := h.o.BlocklistSlot
	if slot == 0 {
		slot = blocklistSlot
	}
	var list blockDownload
	for !list.whole {
		answer, sent, err := h.fetch(ctx, "blocklist", typeDownload, networkBlocklist, fmt.Appendf(nil, "%03d", len(list.entries)))
		if err != nil {
			return nil, sent, err
		}
		list.from = sent
		if err := list.take(answer.Bytes(62), slot); err != nil {
			return nil, sent, fmt.Errorf("blocklist, after %d entries: %w", len(list.entries), err)
		}
	}
	return list.entries, list.from, nil
}

// EndBlocklist tells the acquirer that its list is in force (network code 391). It is repeated safely.
func (h *Host) EndBlocklist(ctx context.Context) error {
	_, _, err := h.fetch(ctx, "end of the blocklist", typeDownload, networkBlocklistEnd, nil)
	return err
}

// blockDownload is a list as far as it has come.
type blockDownload struct {
	entries []Blocked
	seen    map[string]bool
	total   int
	begun   bool
	whole   bool
	from    txn.Evidence
}

// take adds one part. After an error the list is not to be used.
func (l *blockDownload) take(part []byte, slot int) error {
	if len(part) == 1 && part[0] == flagNone && !l.begun {
		l.whole = true
		return nil
	}
	if len(part) < 4 {
		return broken("a part has %d bytes, want a flag and a number of entries at least", len(part))
	}
	flag := part[0]
	total, err := strconv.Atoi(string(part[1:4]))
	switch {
	case err != nil || total < 0 || strings.Trim(string(part[1:4]), "0123456789") != "":
		return broken("a part does not say how many entries there are")
	case flag != flagNone && flag != flagLast && flag != flagMore:
		return broken("a part has flag %q, which says nothing", flag)
	case l.begun && total != l.total:
		return broken("a part counts %d entries, and the one before it %d", total, l.total)
	}
	l.begun, l.total = true, total
	before := len(l.entries)
	for rest := part[4:]; len(rest) > 0; rest = rest[2+slot:] {
		if len(rest) < 2+slot {
			return broken("entry %d is cut short", len(l.entries)+1)
		}
		if err := l.add(rest[:2+slot]); err != nil {
			return broken("entry %d: %w", len(l.entries)+1, err)
		}
	}
	switch more := flag == flagMore; {
	case len(l.entries) > l.total:
		return broken("%d entries came, and there should be %d", len(l.entries), l.total)
	case more && len(l.entries) == before:
		return broken("an empty part says that more is to come")
	case !more && len(l.entries) != l.total:
		return broken("%d entries came, and there should be %d", len(l.entries), l.total)
	default:
		l.whole = !more
	}
	return nil
}

func (l *blockDownload) add(entry []byte) error {
	n, err := strconv.ParseUint(string(entry[:2]), 10, 8)
	if err != nil || n < shortestBegin || int(n) > len(entry)-2 {
		return fmt.Errorf("its length is none from %d to %d", shortestBegin, len(entry)-2)
	}
	number := string(entry[2 : 2+n])
	if strings.Trim(number, "0123456789") != "" {
		return fmt.Errorf("it is not a number")
	}
	if l.seen[number] {
		return fmt.Errorf("it came before")
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	if len(l.seen) == mostBlocked {
		return fmt.Errorf("more than %d", mostBlocked)
	}
	l.seen[number] = true
	if n < shortestNumber {
		l.entries = append(l.entries, Blocked{Begin: number})
		return nil
	}
	pan, err := txn.ParsePAN(number)
	if err != nil {
		return err
	}
	l.entries = append(l.entries, Blocked{PAN: pan})
	return nil
}
