package acquirer

import (
	"context"
	"fmt"
	"strings"

	"posagent/txnstore/txn"
)

// What a terminal tells chip cards apart and proves them by, the keys of the schemes' authorities (CAPK) and the parameters of
// their applications (AID), comes in the same way: a list in pages, then one download for each entry, then the end.
//
//	terminal                                       acquirer
//	   │ 0820 372 or 382, '1' and how many it has ───►│
//	   │◄──────── flag, and for each entry its tags ──│   again while the flag says that more is to come
//	   │ 0800 370 or 380, the tags of one entry ─────►│
//	   │◄───────────── '1', and all of that entry ────│   again for each entry
//	   │ 0800 371 or 381 ────────────────────────────►│   once the set is kept
//
//	flag 0 none · 1 this is the last page · 2 more to come
//
// Everything is TLV as cards have it (EMV Book 3, annex B). Neither message carries a count of all entries or a checksum, and a
// page does not say which it is. A set is believed when every page and every entry could be read, each entry is the one that was
// asked for, none came twice, and each key agrees with its own hash. That a page said "last" too early cannot be seen from here.
const (
	networkKey        = "370"
	networkKeyEnd     = "371"
	networkKeyList    = "372"
	networkApp        = "380"
	networkAppEnd     = "381"
	networkAppList    = "382"
	mostSchemeEntries = 99 // what the two digits of the question count
)

// Tags of the downloads. Those with DF mean what this dialect says, and other things elsewhere.
const (
	tagAID        = 0x9F06 // of a key its first five bytes, the provider
	tagKeyIndex   = 0x9F22
	tagModulus    = 0xDF02
	tagHash       = 0xDF03
	tagExponent   = 0xDF04
	tagExpiry     = 0xDF05 // YYYYMMDD, four bytes of two digits or eight of one
	tagHashKind   = 0xDF06 // 01 SHA-1
	tagKeyKind    = 0xDF07 // 01 RSA
	tagExact      = 0xDF01 // application selection indicator: 00 longer identifiers too, 01 this one alone
	tagVersion    = 0x9F09 // of the application, as the terminal has it
	tagVersionOld = 0x9F08 // the card's tag for the same, which acquirers send as well
	tagDefault    = 0xDF11
	tagOnline     = 0xDF12
	tagDenial     = 0xDF13
	tagDDOL       = 0xDF14
	tagThreshold  = 0xDF15
	tagMaxTarget  = 0xDF16
	tagTarget     = 0xDF17
	tagFloor      = 0x9F1B
)

// KeyDownload is the acquirer's whole set of keys.
type KeyDownload struct {
	Keys    []txn.SchemeKey
	Expired []string // names of what was left out, because its last day is over by the terminal's clock
}

// FetchKeys downloads the acquirer's keys, whole or not at all. A set of none is refused: nothing would prove a card any more, and
// an acquirer that has not filled its list looks the same. Errors: ErrDownload, *RefusedError, *link.ExchangeError.
func (h *Host) FetchKeys(ctx context.Context) (KeyDownload, txn.Evidence, error) {
	list, _, err := h.fetchList(ctx, "list of keys", networkKeyList, true)
	if err != nil {
		return KeyDownload{}, txn.Evidence{}, err
	}
	var set KeyDownload
	var from txn.Evidence
	today := h.now().In(h.zone()).Format("20060102")
	for _, e := range list {
		if e.expires != "" && e.expires < today {
			set.Expired = append(set.Expired, e.name())
			continue
		}
		answer, sent, err := h.fetch(ctx, "key", typeDownload, networkKey, e.question())
		if err != nil {
			return KeyDownload{}, sent, err
		}
		k, err := parseKey(answer.Bytes(62))
		switch {
		case err != nil:
			return KeyDownload{}, sent, fmt.Errorf("key %s: %w", e.name(), err)
		case string(k.RID) != e.id || k.Index != e.index:
			return KeyDownload{}, sent, fmt.Errorf("key %s: %w", e.name(), broken("the answer has key %s", k.Name()))
		case k.Expires != "" && k.Expires < today: // the list did not say so
			set.Expired = append(set.Expired, e.name())
			continue
		}
		set.Keys, from = append(set.Keys, k), sent
	}
	if len(set.Keys) == 0 {
		return KeyDownload{}, from, broken("all %d keys have expired by this terminal's clock, %s; set the clock, or call the acquirer", len(set.Expired), today)
	}
	return set, from, nil
}

// EndKeys tells the acquirer that its keys are kept (network code 371). It is repeated safely.
func (h *Host) EndKeys(ctx context.Context) error {
	_, _, err := h.fetch(ctx, "end of the keys", typeDownload, networkKeyEnd, nil)
	return err
}

// FetchApplications downloads the acquirer's application parameters, whole or not at all. A set of none is refused. Errors are
// those of FetchKeys.
func (h *Host) FetchApplications(ctx context.Context) ([]txn.Application, txn.Evidence, error) {
	list, _, err := h.fetchList(ctx, "list of applications", networkAppList, false)
	if err != nil {
		return nil, txn.Evidence{}, err
	}
	var set []txn.Application
	var from txn.Evidence
	for _, e := range list {
		answer, sent, err := h.fetch(ctx, "application", typeDownload, networkApp, e.question())
		if err != nil {
			return nil, sent, err
		}
		a, err := parseApplication(answer.Bytes(62))
		switch {
		case err != nil:
			return nil, sent, fmt.Errorf("application %s: %w", e.name(), err)
		case string(a.AID) != e.id:
			return nil, sent, fmt.Errorf("application %s: %w", e.name(), broken("the answer has application %s", a.Name()))
		}
		set, from = append(set, a), sent
	}
	return set, from, nil
}

// EndApplications tells the acquirer that they are kept (network code 381). It is repeated safely.
func (h *Host) EndApplications(ctx context.Context) error {
	_, _, err := h.fetch(ctx, "end of the applications", typeDownload, networkAppEnd, nil)
	return err
}

// fetchList asks for pages until one is the last.
func (h *Host) fetchList(ctx context.Context, what, network string, keys bool) ([]schemeEntry, txn.Evidence, error) {
	list := schemeList{keys: keys}
	for {
		answer, sent, err := h.fetch(ctx, what, typeState, network, fmt.Appendf(nil, "1%02d", len(list.entries)))
		if err != nil {
			return nil, sent, err
		}
		if err := list.take(answer.Bytes(62)); err != nil {
			return nil, sent, fmt.Errorf("%s, after %d entries: %w", what, len(list.entries), err)
		}
		if list.whole {
			return list.entries, sent, nil
		}
	}
}

// schemeEntry is one line of a list.
type schemeEntry struct {
	keys    bool
	id      string // bytes
	index   byte   // of a key
	indexed bool
	expires string // of a key; empty where the list does not say
}

func (e schemeEntry) name() string {
	if e.keys {
		return fmt.Sprintf("%X %02X", e.id, e.index)
	}
	return fmt.Sprintf("%X", e.id)
}

func (e schemeEntry) question() []byte {
	q := append([]byte{tagAID >> 8, tagAID & 0xFF, byte(len(e.id))}, e.id...)
	if e.keys {
		q = append(q, tagKeyIndex>>8, tagKeyIndex&0xFF, 1, e.index)
	}
	return q
}

func (e schemeEntry) check() error {
	switch {
	case e.keys && len(e.id) != txn.RIDSize:
		return fmt.Errorf("its provider has %d bytes, want %d", len(e.id), txn.RIDSize)
	case e.keys && !e.indexed:
		return fmt.Errorf("it has no index")
	case len(e.id) < txn.LeastAID || len(e.id) > txn.MostAID:
		return fmt.Errorf("its identifier has %d bytes, want %d to %d", len(e.id), txn.LeastAID, txn.MostAID)
	}
	return nil
}

// schemeList is a list as far as it has come.
type schemeList struct {
	keys    bool
	entries []schemeEntry
	whole   bool
}

// take adds one page. After an error the list is not to be used.
func (l *schemeList) take(page []byte) error {
	switch {
	case len(page) == 0:
		return broken("a page has no flag")
	case page[0] == flagNone && len(l.entries) == 0:
		return broken("the acquirer has none; what this terminal has stays")
	case page[0] != flagLast && page[0] != flagMore:
		return broken("a page has flag %q, where an end or more is to come", page[0])
	}
	before := len(l.entries)
	err := objects(page[1:], func(tag uint32, value []byte) error {
		if tag == tagAID {
			if err := l.closed(); err != nil {
				return err
			}
			if len(l.entries) == mostSchemeEntries {
				return fmt.Errorf("more than %d entries", mostSchemeEntries)
			}
			l.entries = append(l.entries, schemeEntry{keys: l.keys, id: string(value)})
			return nil
		}
		if len(l.entries) == before {
			return fmt.Errorf("tag %X stands before any identifier", tag)
		}
		last := &l.entries[len(l.entries)-1]
		switch {
		case tag == tagKeyIndex && (len(value) != 1 || last.indexed):
			return fmt.Errorf("its index is none, or comes twice")
		case tag == tagKeyIndex:
			last.index, last.indexed = value[0], true
		case tag == tagExpiry && l.keys:
			date, err := dateOf(value)
			last.expires = date
			return err
		}
		return nil
	})
	if err == nil {
		err = l.closed()
	}
	switch {
	case err != nil:
		return broken("entry %d: %w", len(l.entries), err)
	case len(l.entries) == before:
		return broken("a page is empty")
	}
	l.whole = page[0] == flagLast
	return nil
}

// closed judges the newest entry once all of it has come.
func (l *schemeList) closed() error {
	if len(l.entries) == 0 {
		return nil
	}
	last := l.entries[len(l.entries)-1]
	for _, e := range l.entries[:len(l.entries)-1] {
		if e.id == last.id && e.index == last.index {
			return fmt.Errorf("%s comes twice", last.name())
		}
	}
	return last.check()
}

// dateOf reads YYYYMMDD in either width.
func dateOf(value []byte) (string, error) {
	text := string(value)
	if len(value) == 4 {
		text = fmt.Sprintf("%x", value)
	}
	if len(text) != 8 || strings.Trim(text, "0123456789") != "" {
		return "", fmt.Errorf("its expiry is no date")
	}
	return text, nil
}
