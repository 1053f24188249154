package acquirer

import (
	"bytes"
	"context"
	"crypto/sha1"
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
// Everything is TLV as cards have it (EMV Book 3, annex B). No message carries a count of all entries or a checksum, and a page
// does not say which it is. A set is believed when every page and every entry could be read, each entry is the one that was asked
// for, none came twice, and each key agrees with its own hash. That a page said "last" too early cannot be seen from here.

// Schemes is one of the two sets.
type Schemes int

const (
	SchemeKeys Schemes = iota
	SchemeApplications
)

// schemeCodes are the network codes of a list, of an entry and of the end.
var schemeCodes = [...]struct{ list, entry, end string }{{"372", "370", "371"}, {"382", "380", "381"}}

func (s Schemes) String() string {
	if s == SchemeKeys {
		return "keys of card schemes"
	}
	return "applications of chip cards"
}

const (
	mostSchemes = 99  // what the two digits of the question count
	leastKey    = 64  // bytes of a modulus; shorter ones are no scheme's
	mostKey     = 248 // EMV Book 2, annex B2.1
)

// Tags of the downloads. Those with DF mean what this dialect says, and other things elsewhere.
const (
	tagAID      = 0x9F06 // of a key the provider
	tagKeyIndex = 0x9F22
	tagModulus  = 0xDF02
	tagHash     = 0xDF03
	tagExponent = 0xDF04
	tagExpiry   = 0xDF05 // YYYYMMDD, four bytes of two digits or eight of one
	tagHashKind = 0xDF06 // 01 SHA-1
	tagKeyKind  = 0xDF07 // 01 RSA
	tagExact    = 0xDF01 // application selection indicator: 00 longer identifiers too, 01 this one alone
)

// applicationTags is what an application says, in the order of the vocabulary: its tag, another one that acquirers send for it, and
// its width in bytes; 0 is up to 252, what a card's command carries. What else comes is for readers of another kind, and dropped.
var applicationTags = [txn.SaysWhats]struct {
	tag, or uint32
	width   int
}{
	txn.SaysVersion: {0x9F09, 0x9F08, 2}, txn.SaysFloor: {0x9F1B, 0, 4}, txn.SaysDDOL: {0xDF14, 0, 0}, txn.SaysPartial: {tagExact, 0, 1},
	txn.SaysDefault: {0xDF11, 0, 5}, txn.SaysOnline: {0xDF12, 0, 5}, txn.SaysDenial: {0xDF13, 0, 5},
	txn.SaysThreshold: {0xDF15, 0, 4}, txn.SaysMaxTarget: {0xDF16, 0, 1}, txn.SaysTarget: {0xDF17, 0, 1},
}

// SchemeDownload is one of the sets as it came.
type SchemeDownload struct {
	Rows    []txn.SchemeRow // none after an error
	Expired []string        // names of keys that were left out
	From    txn.Evidence    // names the line
}

// FetchSchemes downloads one of the sets, whole or not at all. Keys whose last day is over by the terminal's clock are left out, and
// named. A set of none is refused: nothing would prove a card any more, and an acquirer that has not filled its list looks the
// same. Errors: ErrDownload, *RefusedError, *link.ExchangeError.
func (h *Host) FetchSchemes(ctx context.Context, which Schemes) (set SchemeDownload, err error) {
	list := schemeList{which: which}
	for !list.whole && err == nil {
		var field62 []byte
		if field62, err = h.ask(ctx, &set, typeState, schemeCodes[which].list, fmt.Appendf(nil, "1%02d", len(list.entries))); err == nil {
			err = list.take(field62)
		}
	}
	today := h.now().In(h.zone()).Format("20060102")
	for _, e := range list.entries {
		if err == nil && !e.over(today) {
			var field62 []byte
			if field62, err = h.ask(ctx, &set, typeDownload, schemeCodes[which].entry, e.asked); err == nil {
				err = e.read(which, field62)
			}
		}
		switch {
		case e.over(today):
			set.Expired = append(set.Expired, e.row.String())
		case err == nil:
			set.Rows = append(set.Rows, e.row)
		}
	}
	if err == nil && len(set.Rows) == 0 {
		err = broken("all have expired by the clock here, %s; set it, or call the acquirer", today)
	}
	if err != nil {
		err = fmt.Errorf("%s, after %d of %d: %w", which, len(set.Rows), len(list.entries), err)
		set.Rows = nil
	}
	return set, err
}

// ask makes one exchange.
func (h *Host) ask(ctx context.Context, set *SchemeDownload, mti, network string, question []byte) ([]byte, error) {
	answer, from, err := h.fetch(ctx, "download", mti, network, question)
	if err != nil {
		return nil, err
	}
	set.From = from
	return answer.Bytes(62), nil
}

// EndSchemes tells the acquirer that a set is kept. It is repeated safely.
func (h *Host) EndSchemes(ctx context.Context, which Schemes) error {
	_, _, err := h.fetch(ctx, which.String(), typeDownload, schemeCodes[which].end, nil)
	return err
}

// schemeEntry is one line of a list.
type schemeEntry struct {
	row     txn.SchemeRow
	asked   []byte // its tags, as the question for it has them
	expires string // of a key; empty where neither the list nor the key itself says
}

// over reports whether the last day was before today, both YYYYMMDD.
func (e *schemeEntry) over(today string) bool { return e.expires != "" && e.expires < today }

// schemeList is a list as far as it has come.
type schemeList struct {
	which   Schemes
	entries []*schemeEntry
	whole   bool
}

// take adds one page. After an error the list is not to be used.
func (l *schemeList) take(page []byte) error {
	if len(page) == 0 || page[0] != flagLast && page[0] != flagMore {
		return broken("a page names none; what this terminal has stays")
	}
	before := len(l.entries)
	all, err := objects(page[1:])
	var last *schemeEntry
	for _, o := range all {
		if o.tag == tagAID {
			last = &schemeEntry{}
			l.entries = append(l.entries, last)
		}
		switch {
		case last == nil:
			return broken("tag %X stands before any identifier", o.tag)
		case o.tag == tagExpiry && err == nil:
			last.expires, err = dateOf(o.value)
		case o.tag == tagAID, o.tag == tagKeyIndex && l.which == SchemeKeys:
			last.row.Name = append(last.row.Name, o.value...)
			last.asked = append(append(last.asked, byte(o.tag>>8), byte(o.tag), byte(len(o.value))), o.value...)
		}
	}
	if err != nil {
		return err
	}
	for i := before; i < len(l.entries); i++ {
		name := l.entries[i].row.Name
		if len(name) < txn.LeastAID || len(name) > txn.MostAID || l.which == SchemeKeys && (len(name) != txn.KeyName || l.entries[i].asked[2] != txn.RIDSize) {
			return broken("entry %d has a name of %d bytes", i+1, len(name))
		}
		for _, e := range l.entries[:i] {
			if bytes.Equal(e.row.Name, name) {
				return broken("%X comes twice", name)
			}
		}
	}
	if len(l.entries) == before || len(l.entries) > mostSchemes {
		return broken("a page is empty, or comes after %d entries", mostSchemes)
	}
	l.whole = page[0] == flagLast
	return nil
}

// read takes the answer to the question for the entry.
func (e *schemeEntry) read(which Schemes, field62 []byte) error {
	if len(field62) == 0 || field62[0] != flagLast {
		return broken("the acquirer does not have what it listed")
	}
	all, err := objects(field62[1:])
	if err != nil {
		return err
	}
	has := map[uint32][]byte{}
	for _, o := range all {
		if has[o.tag] != nil {
			return broken("tag %X comes twice", o.tag)
		}
		has[o.tag] = bytes.Clone(o.value)
	}
	name, read := string(has[tagAID]), e.readApplication
	if which == SchemeKeys {
		name, read = name+string(has[tagKeyIndex]), e.readKey
	}
	if name != string(e.row.Name) {
		return broken("asked for %X, and told of %X", e.row.Name, name)
	}
	return read(has)
}

// readKey proves a key by its own hash. That finds what a line has made of it, and no forger: whoever can write the key can write
// the hash.
func (e *schemeEntry) readKey(has map[uint32][]byte) error {
	exponent := strings.TrimLeft(string(has[tagExponent]), "\x00") // 00000003 is 03
	modulus := string(has[tagModulus])
	hash := sha1.Sum([]byte(string(e.row.Name) + modulus + exponent))
	why := ""
	switch {
	case exponent != "\x03" && exponent != "\x01\x00\x01":
		why = "its exponent is neither 3 nor 65537"
	case len(modulus) < leastKey || len(modulus) > mostKey:
		why = "its modulus has not 64 to 248 bytes"
	case string(has[tagHashKind])+string(has[tagKeyKind]) != "\x01\x01":
		why = "it is no RSA key with a SHA-1 hash"
	case string(hash[:]) != string(has[tagHash]):
		why = "the key does not agree with its hash"
	}
	if why != "" {
		return broken("%X: %s", e.row.Name, why)
	}
	if value := has[tagExpiry]; value != nil {
		var err error
		if e.expires, err = dateOf(value); err != nil {
			return err
		}
	}
	e.row.Says = []byte(string(hash[:]) + "\x00\x00\x00"[:4-len(exponent)] + exponent + modulus)
	return nil
}

func (e *schemeEntry) readApplication(has map[uint32][]byte) error {
	for what, t := range applicationTags {
		value := has[t.tag]
		if value == nil {
			value = has[t.or]
		}
		if value == nil {
			continue
		}
		if len(value) != t.width && (t.width != 0 || len(value) > 252) || what == txn.SaysPartial && value[0] > 1 {
			return broken("%X: tag %X has a value that it cannot have", e.row.Name, t.tag)
		}
		if what == txn.SaysPartial {
			value[0] ^= 1
		}
		e.row.Says = append(append(e.row.Says, byte(what), byte(len(value))), value...)
	}
	return nil
}

// dateOf reads YYYYMMDD in either width.
func dateOf(value []byte) (string, error) {
	text := string(value)
	if len(value) == 4 {
		text = fmt.Sprintf("%x", value)
	}
	if len(text) != 8 || strings.Trim(text, "0123456789") != "" {
		return "", broken("an expiry is no date")
	}
	return text, nil
}

// object is a tag with its value.
type object struct {
	tag   uint32
	value []byte
}

// objects reads primitive objects, one behind another (EMV Book 3, annex B): tags of one to three bytes, lengths of one or two,
// which is as long as a field is. Nothing may be left over.
func objects(b []byte) (all []object, err error) {
	for len(b) > 0 {
		tag, n, more := uint32(b[0]), 1, b[0]&0x1F == 0x1F
		for ; more && n < 3 && n < len(b); n++ {
			tag, more = tag<<8|uint32(b[n]), b[n]&0x80 != 0
		}
		if b = b[n:]; len(b) > 1 && b[0] == 0x81 {
			b = b[1:]
		} else if more || len(b) > 0 && b[0] > 0x7F {
			b = nil
		}
		if len(b) == 0 || int(b[0]) >= len(b) {
			return nil, broken("tag %X is cut short", tag)
		}
		size := 1 + int(b[0])
		all, b = append(all, object{tag, b[1:size:size]}), b[size:]
	}
	return all, nil
}
