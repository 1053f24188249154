package devicetest

import (
	"bytes"
	"encoding/hex"

	"posagent/device/reader/pn532/emv"
)

// payCard answers the commands of a contactless payment card (EMV Books 1 and 3): a directory with two applications, one
// with processing options of either format, and two records, the second so long that it travels in an extended frame.
type payCard struct {
	card     TestCard
	selected bool
	opened   bool
}

func newPayCard(card TestCard) *payCard { return &payCard{card: card} }

// begin is the field coming up: whatever was selected is forgotten.
func (p *payCard) begin() { p.selected, p.opened = false, false }

func (p *payCard) stripe() bool { return p.card.Entry == entrySwiped }

var (
	statusDone       = []byte{0x90, 0x00}
	statusNotFound   = []byte{0x6A, 0x82}
	statusNoRecord   = []byte{0x6A, 0x83}
	statusConditions = []byte{0x69, 0x85}
	statusWrong      = []byte{0x67, 0x00}
	statusUnknown    = []byte{0x6D, 0x00}
)

// wanted is what the card asks of the terminal: 9F66, 9F02, 9F03, 9F1A, 95, 5F2A, 9A, 9C and 9F37.
var wanted, _ = hex.DecodeString("9f66049f02069f03069f1a0295055f2a029a039c019f3704")

const wantedSize = 4 + 6 + 6 + 2 + 5 + 2 + 3 + 1 + 4

func (p *payCard) answer(apdu []byte) []byte {
	if len(apdu) < 5 {
		return statusWrong
	}
	switch [2]byte(apdu) {
	case [2]byte{0x00, 0xA4}:
		return p.selectName(apdu)
	case [2]byte{0x80, 0xA8}:
		return p.options(apdu)
	case [2]byte{0x00, 0xB2}:
		return p.record(apdu[2], apdu[3])
	}
	return statusUnknown
}

func (p *payCard) aid() []byte {
	id, _ := hex.DecodeString(p.card.AID)
	return id
}

func (p *payCard) selectName(apdu []byte) []byte {
	size := int(apdu[4])
	if len(apdu) != 5+size+1 {
		return statusWrong
	}
	name := apdu[5 : 5+size]
	switch {
	case string(name) == "2PAY.SYS.DDF01":
		p.begin()
		return done(fci(name, emv.AppendTLV(nil, emv.TagDiscretionary, append(
			entry([]byte{0xA0, 0x00, 0x00, 0x00, 0x99, 0x90, 0x90}, "OTHER", 2), entry(p.aid(), p.card.Label, 1)...))))
	case bytes.Equal(name, p.aid()):
		p.selected, p.opened = true, false
		return done(fci(name, append(emv.AppendTLV(nil, emv.TagLabel, []byte(p.card.Label)),
			emv.AppendTLV(nil, emv.TagPDOL, wanted)...)))
	}
	return statusNotFound
}

func entry(aid []byte, label string, priority byte) []byte {
	inside := emv.AppendTLV(nil, emv.TagApplication, aid)
	inside = emv.AppendTLV(inside, emv.TagLabel, []byte(label))
	return emv.AppendTLV(nil, emv.TagDirectoryEntry, emv.AppendTLV(inside, emv.TagPriority, []byte{priority}))
}

func fci(name, proprietary []byte) []byte {
	inside := emv.AppendTLV(nil, emv.TagDFName, name)
	return emv.AppendTLV(nil, emv.TagFCI, emv.AppendTLV(inside, emv.TagProprietary, proprietary))
}

func done(body []byte) []byte { return append(body, statusDone...) }

// options answers in format 2, and in format 1 where the card is one that speaks like a stripe.
func (p *payCard) options(apdu []byte) []byte {
	switch {
	case !p.selected:
		return statusConditions
	case int(apdu[4]) != wantedSize+2 || len(apdu) != 5+int(apdu[4])+1 || apdu[5] != 0x83 || int(apdu[6]) != wantedSize:
		return statusWrong
	}
	p.opened = true
	profile, files := []byte{0x19, 0x80}, []byte{0x08, 0x01, 0x02, 0x00}
	if p.card.Entry == entryTapped {
		return done(emv.AppendTLV(nil, 0x80, append(profile, files...)))
	}
	inside := emv.AppendTLV(nil, emv.TagAIP, profile)
	return done(emv.AppendTLV(nil, 0x77, emv.AppendTLV(inside, emv.TagAFL, files)))
}

func (p *payCard) record(number, where byte) []byte {
	switch {
	case !p.opened:
		return statusConditions
	case where != 0x0C || number < 1 || number > 2:
		return statusNoRecord
	case number == 1:
		return done(emv.AppendTLV(nil, emv.TagRecord, emv.AppendTLV(nil, emv.TagTrack2, packDigits(track2Of(p.card, 'd')))))
	}
	inside := emv.AppendTLV(nil, emv.TagPAN, packDigits(p.card.PAN))
	inside = emv.AppendTLV(inside, emv.TagExpiry, expiryDate(p.card.Expiry))
	inside = emv.AppendTLV(inside, emv.TagSequence, []byte{0x01})
	inside = emv.AppendTLV(inside, 0x9F46, bytes.Repeat([]byte{0xC5}, 245-len(inside))) // a certificate
	return done(emv.AppendTLV(nil, emv.TagRecord, inside))
}
