package devicetest

import (
	"encoding/binary"
	"slices"
	"time"

	"posagent/device/reader/neo2"
)

// A card in the slot of the simulated reader. Its transaction is three commands, each understood at once and answered when it
// is done. What the guide leaves open is as the driver's package says it assumes; of this simulator's own: a start without a
// card is answered at once, and a card that has been through a transaction must leave the slot before it is read again.

// slot is the contact side; guarded by Reader.mu.
type slot struct {
	card    *TestCard // nil while nothing is in it
	fresh   bool      // the card has not been read since it came
	sale    *contactSale
	planned map[byte]string // what goes wrong at a step, once
	asked   func()          // goes on when the terminal has answered an ask; nil while none is open
	refuse  bool            // the next second cryptogram is a refusal, once
	heard   []Verdict
}

// contactSale is one transaction of the card in the slot.
type contactSale struct {
	step         byte // the last that was done
	asked        activation
	atc, counter int
	first        []byte // cryptogram
}

// Verdict is what a card has made of an acquirer's answer, as it remembers it: the truth that the terminal's books must agree
// with.
type Verdict struct {
	Card   string // by name
	Amount int64  // minor units
	Agreed bool
}

// Verdicts are those of all cards, oldest first.
func (r *Reader) Verdicts() []Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.slot.heard)
}

// Things that may be planned for a step.
var troubles = []string{"restart", "pull", "silent", "garbage", "late", "fail", "menu", "pin", "stripe", "decline", "offline"}

var steps = map[string]byte{"start": neo2.ContactStart, "authenticate": neo2.ContactAuthenticate, "complete": neo2.ContactComplete}

// lateBy is longer than a terminal waits for a card.
const lateBy = 40 * time.Second

// insertLocked puts a card into the slot, and ends a wait for one.
func (r *Reader) insertLocked(card TestCard) string {
	r.slot.card, r.slot.fresh, r.slot.sale = &card, true, nil
	if r.waiting == nil || r.faults.silent {
		return card.Name + " waits in the slot"
	}
	r.seatedLocked()
	return card.Name + " inserted"
}

// seatedLocked says that the card that was waited for is in the slot.
func (r *Reader) seatedLocked() {
	sealed := r.waiting.sealed
	r.forgetLocked()
	r.slot.fresh = false
	data := []byte{0, 0, 0, 0}
	if sealed {
		if r.sealing.on() {
			r.sealing.next()
		}
		data = r.attribution(neo2.FromContact)
	}
	data = neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeContact})
	r.answerLocked(neo2.Activate, neo2.OK, neo2.AppendTLV(data, neo2.GroupVivo, neo2.AppendTLV(nil, neo2.TagSource, []byte{neo2.SourceContact})))
}

// pulledLocked is the card leaving the slot.
func (r *Reader) pulledLocked() { r.slot.card, r.slot.sale, r.slot.asked = nil, nil, nil }

// contactLocked obeys one of the three.
func (r *Reader) contactLocked(sub byte, data []byte) {
	before := map[byte]byte{neo2.ContactStart: 0, neo2.ContactAuthenticate: neo2.ContactStart, neo2.ContactComplete: neo2.ContactAuthenticate}
	sale := r.slot.sale
	last, known := before[sub]
	switch {
	case !known:
		r.answerLocked(neo2.Contact, neo2.UnknownSub, nil)
		return
	case sub == neo2.ContactStart:
		if len(data) < 5 {
			r.answerLocked(neo2.Contact, neo2.BadParameter, nil)
			return
		}
		request, status := parseActivation(append([]byte{1}, data[5:]...)) // the same objects behind other times
		if status != neo2.OK {
			r.answerLocked(neo2.Contact, status, nil)
			return
		}
		sale = &contactSale{asked: request}
		r.slot.sale = sale
	case sale == nil && r.slot.card == nil && sub == neo2.ContactComplete && r.slot.planned[sub] == "":
		r.sendLocked(neo2.Frame{Command: neo2.Contact, Sub: neo2.Continues})
		r.resultLocked(neo2.ResultCardAbsent, nil)
		return
	case sale == nil || sale.step != last:
		r.answerLocked(neo2.Contact, neo2.NotAllowed, nil)
		return
	}
	trouble := r.slot.planned[sub]
	delete(r.slot.planned, sub)
	r.sendLocked(neo2.Frame{Command: neo2.Contact, Sub: neo2.Continues})
	r.sendLocked(neo2.Frame{Command: neo2.Ask, Sub: neo2.AskDisplay, Data: []byte{neo2.DisplayMessage}})
	switch trouble {
	case "restart":
		r.restartLocked()
		return
	case "pull":
		r.pulledLocked()
	case "silent":
		r.slot.sale = nil
		return
	case "late":
		time.AfterFunc(lateBy, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.slot.sale == sale && sale != nil {
				r.doneLocked(sub, data)
			}
		})
		return
	case "garbage":
		r.faults.garbage = true
	case "fail":
		r.slot.sale = nil
		r.resultLocked(neo2.ResultFallback, nil)
		return
	case "decline":
		r.slot.sale = nil
		r.resultLocked(neo2.ResultDeclinedOffline, neo2.AppendTLV(nil, neo2.TagCryptogramInfo, []byte{neo2.CryptogramAAC}))
		return
	case "offline":
		r.slot.sale = nil
		r.resultLocked(neo2.ResultApprovedOffline, neo2.AppendTLV(nil, neo2.TagCryptogramInfo, []byte{neo2.CryptogramTC}))
		return
	case "menu", "pin", "stripe":
		ask := neo2.Frame{Command: neo2.Ask, Sub: neo2.AskDisplay, Data: []byte{neo2.DisplayMenu}}
		switch trouble {
		case "pin":
			ask = neo2.Frame{Command: neo2.Ask, Sub: neo2.AskPIN, Data: []byte{1}}
		case "stripe":
			ask = neo2.Frame{Command: neo2.Ask, Sub: neo2.AskStripe, Data: []byte{1}}
		}
		r.slot.asked = func() { r.doneLocked(sub, data) }
		r.sendLocked(ask)
		return
	}
	r.doneLocked(sub, data)
}

// doneLocked gives the second answer of a step.
func (r *Reader) doneLocked(sub byte, data []byte) {
	if r.slot.card == nil {
		r.resultLocked(neo2.ResultCardAbsent, nil)
		return
	}
	card, sale := *r.slot.card, r.slot.sale
	if sub == neo2.ContactStart && !r.memory.chooses(card.AID) {
		r.slot.sale = nil
		r.resultLocked(neo2.ResultNoApplication, nil)
		return
	}
	sale.step = sub
	switch sub {
	case neo2.ContactStart:
		r.total++
		r.counter[card.Name]++
		sale.atc, sale.counter = r.counter[card.Name], r.total
		r.resultLocked(neo2.ResultAuthenticate, r.applicationOf(card))
	case neo2.ContactAuthenticate:
		r.news = true
		signed := signedObjects(card, sale.asked, sale.atc, sale.counter, r.now())
		sale.first = objectIn(signed, neo2.TagCryptogram)
		if r.sealing.on() {
			signed = append(r.attribution(neo2.FromContact), signed...)
		}
		r.resultLocked(neo2.ResultGoOnline, signed)
	default:
		r.secondLocked(card, sale, data)
	}
}

func (r *Reader) applicationOf(card TestCard) (data []byte) {
	if r.sealing.on() {
		r.sealing.next()
		data = r.attribution(neo2.FromContact)
	}
	data = r.appendCard(data, card)
	data = appendApplication(data, card)
	return neo2.AppendTLV(data, neo2.TagEntryMode, []byte{neo2.ModeContact})
}

// secondLocked is the card's last word. It declines what the acquirer declined, and what comes with issuer data that is not the
// issuer's: data of this card's own cryptogram.
func (r *Reader) secondLocked(card TestCard, sale *contactSale, data []byte) {
	code, issuer := string(objectIn(data, neo2.TagResponseCode)), objectIn(data, neo2.TagIssuerAuth)
	forged := issuer != nil && !slices.Equal(issuer, IssuerProof(sale.first, code))
	agreed := code == "00" && !forged && !r.slot.refuse
	r.slot.refuse = false
	amount := int64(0)
	for _, b := range sale.asked.objects[neo2.TagAmount] {
		amount = amount*100 + int64(b>>4)*10 + int64(b&15)
	}
	r.slot.heard = append(r.slot.heard, Verdict{Card: card.Name, Amount: amount, Agreed: agreed})
	result, kind := neo2.ResultApproved, neo2.CryptogramTC
	if !agreed {
		result, kind = neo2.ResultDeclined, neo2.CryptogramAAC
	}
	verification := make([]byte, 5)
	if forged {
		verification[4] = 0x40 // issuer authentication failed (EMV Book 3, annex C5)
	}
	out := neo2.AppendTLV(nil, neo2.TagCryptogram, digest("second", string(sale.first), string(kind))[:8])
	out = neo2.AppendTLV(out, neo2.TagCryptogramInfo, []byte{kind})
	out = neo2.AppendTLV(out, neo2.TagTVR, verification)
	out = neo2.AppendTLV(out, neo2.TagATC, binary.BigEndian.AppendUint16(nil, uint16(sale.atc)))
	if objectIn(data, neo2.TagScriptBefore) != nil || objectIn(data, neo2.TagScriptAfter) != nil {
		out = neo2.AppendTLV(out, neo2.TagScriptResults, []byte{0x20, 0, 0, 0, 0}) // done, in the order they came
	}
	r.resultLocked(result, out)
}

// IssuerProof is the issuer's data (tag 91) for a card's first cryptogram and a response code. It is no cipher: the simulated
// acquirer computes the same digest.
func IssuerProof(cryptogram []byte, code string) []byte {
	return append(digest("issuer", string(cryptogram), code)[:8:8], code...)
}

func (r *Reader) resultLocked(result uint16, objects []byte) {
	r.answerLocked(neo2.Contact, neo2.OK, append(binary.BigEndian.AppendUint16(nil, result), objects...))
}

// restartLocked is the reader starting anew by itself: what was going on is forgotten, an answer that has not left among it; the
// card stays where it is.
func (r *Reader) restartLocked() {
	if r.session != nil {
		r.session.start.Add(1)
	}
	r.news = false
	r.startLocked()
}

// startLocked is a start that was asked for, behind the answer.
func (r *Reader) startLocked() {
	r.forgetLocked()
	r.slot.sale, r.slot.asked, r.passing = nil, nil, false
	r.sendLocked(neo2.Frame{Command: neo2.Boot, Sub: neo2.BootSub, Data: []byte(readerPlatform)})
}

// clockLocked reads or sets the minute of the daily self-check; having set it, the reader starts anew.
func (r *Reader) clockLocked(data []byte) {
	switch {
	case len(data) == 0:
		r.answerLocked(neo2.Clock, neo2.OK, r.selfCheck[:])
	case len(data) != 2 || data[0] > 0x23 || data[1] > 0x59 || data[0]&15 > 9 || data[1]&15 > 9:
		r.answerLocked(neo2.Clock, neo2.BadParameter, nil)
	default:
		r.selfCheck = [2]byte(data)
		r.answerLocked(neo2.Clock, neo2.OK, nil)
		r.startLocked()
	}
}

// objectIn finds one object in a list; nil where it is not.
func objectIn(list []byte, wanted uint32) (found []byte) {
	_ = neo2.Walk(list, func(tag uint32, value []byte) {
		if tag == wanted {
			found = value
		}
	})
	return found
}
