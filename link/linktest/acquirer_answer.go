package linktest

import (
	"errors"
	"fmt"
	"strconv"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// reply is what is to be done about one message.
type reply struct {
	fault  Fault
	before []byte // an answer to somebody else that goes out first
	packed []byte // the answer, from its message type on; nil when there is none
	order  byte   // digit D of its header
}

// answer judges one message and does what it asks, in one piece under the lock: books are written, and kept, before the
// answer is known to the line.
func (a *Acquirer) answer(m *iso8583.Message) (reply, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken != nil {
		return reply{}, a.broken
	}
	if a.tongue != nil {
		defer func() { a.heard = heard{} }()
		inner, err := a.hearLocked(m)
		if err != nil {
			return a.notUnderstoodLocked(m)
		}
		m = inner
	}
	amount, err := strconv.ParseInt(m.Get(4), 10, 64)
	if err != nil {
		amount = 0 // a message without one
	}
	fault := a.faultLocked(m, txn.Amount(amount))
	if fault.Kind == Lost || fault.Kind == DropBefore {
		a.noteLocked(m, fault, "")
		return reply{fault: fault}, nil
	}
	r := reply{fault: fault, before: a.astray}
	a.astray = nil
	out := a.serveLocked(m, fault)
	if a.tongue != nil && a.heard.outer.Has(11) {
		out.Set(11, a.heard.outer.Get(11))
	}
	a.noteLocked(m, fault, out.Get(39))
	r.order = a.desk.standing()
	if a.broken != nil {
		return reply{}, a.broken
	}
	packed, err := a.sealLocked(out, m.Get(41), fault)
	r.packed = packed
	if fault.Kind == Swapped {
		r.packed, a.astray = a.told, packed
	}
	if m.MTI() != mtiSignIn && m.MTI() != mtiManage {
		a.told = packed
	}
	return r, err
}

// serveLocked makes the answer that the books give.
func (a *Acquirer) serveLocked(m *iso8583.Message, fault Fault) *iso8583.Message {
	out := a.echoLocked(m)
	merchant, registered := a.o.Terminals[m.Get(41)]
	refusal := ""
	switch {
	case !registered:
		refusal = codeNoTerminal
	case m.Get(42) != merchant:
		refusal = codeNoMerchant
	case fault.Kind == Decline && m.MTI() != mtiRequest && m.MTI() != mtiHold: // a request that is refused stands in the books
		refusal = fault.Code
	}
	if refusal != "" {
		out.Set(39, refusal)
		return out
	}
	if downloadOf(m) != "" {
		a.desk.serve(m, out, fault)
		return out
	}
	switch m.MTI() {
	case mtiSignIn:
		a.signInLocked(m, out, fault)
		if out.Get(39) == codeApproved {
			a.desk.obeyed(orderSignIn)
		}
	case mtiManage:
		out.Set(39, manageCode(m))
	case mtiHold, mtiRequest:
		if typeOf(m) == typeBalance {
			a.balanceLocked(m, out, fault)
		} else {
			a.requestLocked(m, out, fault)
		}
	case mtiAdvice:
		a.adviceLocked(m, out, fault)
	case mtiSettle:
		if !a.o.Profile.Flags {
			a.reconcileLocked(a.heard, out)
		} else {
			a.settleLocked(m, out)
		}
	case mtiUpload:
		a.uploadLocked(m, out)
	case mtiReversal:
		a.reversalLocked(m, out, fault)
	default:
		out.Set(39, codeBadTerms)
	}
	return out
}

// manageCode answers an echo, which needs no keys.
func manageCode(m *iso8583.Message) string {
	if _, err := parsePrivate(m.Get(60), "00", "301"); err != nil || fields(m, "41 42 60", "") != nil {
		return codeFormat
	}
	return codeApproved
}

// signInLocked issues new working keys. The old ones are void from here on, whether the answer arrives or not.
func (a *Acquirer) signInLocked(m, out *iso8583.Message, fault Fault) {
	if _, err := parsePrivate(m.Get(60), "00", "003"); err != nil || fields(m, "11 41 42 60 62 63", "") != nil || len(m.Bytes(62)) != 25 {
		out.Set(39, codeFormat)
		return
	}
	fresh, err := newSession(a.o.Rand)
	if err != nil {
		a.broken = err
		return
	}
	a.sessions[m.Get(41)] = fresh
	keys := fresh.field62(a.o.TMK)
	if fault.Kind == WrongCheck {
		keys[39] ^= 1
	}
	out.Set(39, codeApproved)
	out.Set(60, fmt.Sprintf("00%06d003", a.books.Terminals[m.Get(41)].Batch))
	out.SetBytes(62, keys)
}

// requestLocked posts what needs a decision: a sale, a pre-authorisation, a completion, or what undoes one.
func (a *Acquirer) requestLocked(m, out *iso8583.Message, fault Fault) {
	if !a.authenticLocked(m) {
		out.Set(39, codeMAC)
		return
	}
	request, err := parseRequest(m)
	if err != nil {
		out.Set(39, codeFormat)
		return
	}
	request.now, request.sent = a.nowLocked(), a.heard.facts["sent"]
	if _, posted := a.books.row(request.rowKey); posted {
		out.Set(39, codeDuplicate)
		return
	}
	if request.batch != a.books.Terminals[request.terminal].Batch {
		out.Set(39, codeBatch)
		return
	}
	name, verdict := a.judge(request, a.sessions[m.Get(41)])
	if verdict == codeApproved && fault.Code != "" && (fault.Kind == Approve || fault.Kind == Decline) {
		verdict = fault.Code
	}
	row := a.books.post(request, name, verdict)
	a.keepLocked(name)
	out.Set(63, row.Scheme)
	out.Set(37, row.RRN)
	out.Set(39, row.Code)
	if row.Stands() {
		out.Set(38, row.Auth)
		if proof := issuerProof(m); proof != nil {
			out.SetBytes(55, proof)
		}
		if row.Kind != PreAuthCancel && row.Held+row.Back != row.Amount {
			out.Set(4, fmt.Sprintf("%012d", row.Held))
		}
	}
}

// judge finds the account, and why it cannot pay whatever the amount.
func (a *Acquirer) judge(card entry, s session) (name, verdict string) {
	if card.scanned {
		return a.books.draw(card)
	}
	for name, account := range a.o.Accounts {
		if account.PAN.Equal(card.pan) {
			if account.Expiry != "" && account.Expiry != card.expiry {
				return name, codeExpired
			}
			if card.pin != nil && !s.verifies(card.pin, card.pan, account.PIN) {
				return name, codeWrongPIN
			}
			return name, codeApproved
		}
	}
	return "", codeNoCard
}

func (a *Acquirer) reversalLocked(m, out *iso8583.Message, fault Fault) {
	if !a.authenticLocked(m) {
		out.Set(39, codeMAC)
		return
	}
	reversal, err := parseReversal(m)
	if err != nil {
		out.Set(39, codeFormat)
		return
	}
	reversal.now = a.nowLocked()
	row, verdict := a.books.reverse(reversal)
	a.keepLocked(row.Account)
	if fault.Kind == Approve && fault.Code != "" {
		verdict = fault.Code
	}
	out.Set(63, row.Scheme)
	if row.RRN != "" {
		out.Set(37, row.RRN)
	}
	out.Set(39, verdict)
}

// keepLocked proves the account that was touched and hands the books to their keeper. A bank that cannot write its books
// answers nobody any more.
func (a *Acquirer) keepLocked(name string) {
	if account, touched := a.books.Accounts[name]; touched && account.Opening != account.Balance+account.Held {
		a.broken = fmt.Errorf("account %s: opening %d is not balance %d plus held %d", name, account.Opening, account.Balance, account.Held)
		return
	}
	if a.o.Keep == nil {
		return
	}
	if err := a.o.Keep(a.books.clone()); err != nil {
		a.broken = fmt.Errorf("the books could not be kept, so nothing is answered any more: %w", err)
	}
}

// authenticLocked verifies field 64 under the terminal's present key.
func (a *Acquirer) authenticLocked(m *iso8583.Message) bool {
	if a.heard.outer != nil {
		m = a.heard.outer
	}
	s, signedIn := a.sessions[m.Get(41)]
	covered := a.dialect.Covered(m, m.Raw())
	return signedIn && covered != nil && a.mac(s, covered) == m.Get(m.MACField())
}

// mac is that of the profile.
func (a *Acquirer) mac(s session, data []byte) string {
	block := s.folded
	if a.o.Profile.MAC == "x9.9" {
		block = s.chained
	}
	if a.o.Profile.Whole {
		return string(block(data))
	}
	return fmt.Sprintf("%X", block(data))[:8]
}

// hearLocked turns a message into the books' words.
func (a *Acquirer) hearLocked(m *iso8583.Message) (*iso8583.Message, error) {
	said, err := a.tongue.hear(m)
	if err != nil {
		return nil, err
	}
	a.heard = said
	inner, err := a.translateLocked(said)
	if err != nil {
		return nil, err
	}
	return inner, errors.Join(a.openTrackLocked(m, inner), a.openPINLocked(m, inner))
}

// notUnderstoodLocked answers what is not as the profile has it.
func (a *Acquirer) notUnderstoodLocked(m *iso8583.Message) (reply, error) {
	a.heard = heard{}
	a.noteLocked(m, Fault{}, codeFormat)
	if (m.MTI()[2]-'0')%2 != 0 {
		return reply{}, nil // an answer: nobody asked it
	}
	out := a.tongue.say(&a.said, heard{outer: m}, m)
	out.Set(39, codeFormat)
	packed, err := a.dialect.Pack(nil, out)
	return reply{packed: packed}, err
}

// echoLocked starts an answer: what a host repeats of the request, and its own stamps.
func (a *Acquirer) echoLocked(m *iso8583.Message) *iso8583.Message {
	out := &a.reply
	out.Reset()
	mti := []byte(m.MTI())
	mti[2]++
	out.SetMTI(string(mti))
	for _, f := range []int{3, 4, 11, 25, 41, 42, 49, 60} {
		if m.Has(f) {
			out.Set(f, m.Get(f))
		}
	}
	now := a.nowLocked()
	out.Set(12, now.Format("150405"))
	out.Set(13, now.Format("0102"))
	if m.MTI() == mtiHold || m.MTI() == mtiRequest || m.MTI() == mtiAdvice || m.MTI() == mtiReversal {
		out.Set(15, now.Format("0102"))
		out.Set(32, "48021000")
		out.Set(44, "03050000   48021000")
	}
	return out
}
