package linktest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// FaultKind is one way in which an acquirer, or the line to it, goes wrong.
type FaultKind string

const (
	NoFault       FaultKind = ""
	Approve       FaultKind = "approve"       // [CODE]: none; with a code, the approval carries it
	Decline       FaultKind = "decline"       // CODE: refused, nothing is held or given back
	Silent        FaultKind = "silent"        // posted, never answered
	Lost          FaultKind = "lost"          // never arrived
	Late          FaultKind = "late"          // TIME: posted, answered after that time
	Twice         FaultKind = "twice"         // answered two times
	WrongMAC      FaultKind = "badmac"        // posted, the answer's MAC is wrong
	NoMAC         FaultKind = "nomac"         // posted, the answer has no MAC
	DropBefore    FaultKind = "dropbefore"    // the line drops before anything is posted
	Drop          FaultKind = "drop"          // posted, the line drops before the answer
	DropAfter     FaultKind = "dropafter"     // answered, then the line drops
	Cut           FaultKind = "cut"           // posted, the line drops in the middle of the answer
	Garbage       FaultKind = "garbage"       // posted, rubbish in place of the answer
	WrongSTAN     FaultKind = "wrongstan"     // posted, the answer names another STAN
	WrongAmount   FaultKind = "wrongamount"   // posted, the answer names another amount
	WrongTerminal FaultKind = "wrongterminal" // posted, the answer names another terminal
	WrongMerchant FaultKind = "wrongmerchant" // posted, the answer names another merchant
	WrongCheck    FaultKind = "badkcv"        // the sign-in answer's MAC key has a wrong check value
	Slow          FaultKind = "slow"          // TIME: that time between two bytes of the answer
	Forge         FaultKind = "forge"         // CODE: posted, and somebody on the line answers that code without a MAC
	Order         FaultKind = "order"         // DIGIT: none, and the answer's header gives that order, 3 to sign in again
	Swapped       FaultKind = "swapped"       // posted, answered with what an earlier exchange was told; the next one hears this answer too

	BadPart  FaultKind = "badpart"  // a part of a download has one wrong bit in it
	TornPart FaultKind = "tornpart" // a part of a download lacks its last byte
	SamePart FaultKind = "samepart" // the part before it once more; of the first, itself in place of the second
	SkipPart FaultKind = "skippart" // the part after it
	LongPart FaultKind = "longpart" // a part of a download with more behind it than was announced
)

// argument tells what follows a fault's name.
type argument int

const (
	nothing argument = iota
	code
	codeOrNothing
	duration
	digit
)

var faultKinds = map[FaultKind]argument{
	Approve: codeOrNothing, Decline: code, Forge: code, Late: duration, Slow: duration, Order: digit,
	Silent: nothing, Lost: nothing, Twice: nothing, WrongMAC: nothing, NoMAC: nothing, DropBefore: nothing, Drop: nothing,
	DropAfter: nothing, Cut: nothing, Garbage: nothing, WrongSTAN: nothing, WrongAmount: nothing, WrongTerminal: nothing,
	WrongMerchant: nothing, WrongCheck: nothing, Swapped: nothing,
	BadPart: nothing, TornPart: nothing, SamePart: nothing, SkipPart: nothing, LongPart: nothing,
}

// Aim is the messages that a fault meets.
type Aim string

const (
	AtSale    Aim = "sale"    // 0200 of type 22
	AtVoid    Aim = "void"    // 0200 of type 23
	AtRefund  Aim = "refund"  // 0220 of type 25
	AtPreAuth Aim = "preauth" // 0100 of type 10

	AtPreAuthCancel    Aim = "preauth-cancel"    // 0100 of type 11
	AtCompletion       Aim = "completion"        // 0200 of type 20
	AtCompletionCancel Aim = "completion-cancel" // 0200 of type 21
	AtCompletionNotice Aim = "completion-notice" // 0220 of type 24
	AtOfflineSale      Aim = "offline-sale"      // 0220 of type 30

	AtBalance  Aim = "balance"  // 0200 of type 01
	AtReversal Aim = "reversal" // 0400, of whatever
	AtSettle   Aim = "settle"   // 0500
	AtUpload   Aim = "upload"   // 0320 with a record
	AtEnd      Aim = "end"      // 0320 that ends a batch
	AtSignIn   Aim = "signin"
	AtAny      Aim = "any"

	AtParameters    Aim = "parameters"     // 0800 that downloads them
	AtParametersEnd Aim = "parameters-end" // 0800 that says that they are in force
	AtBlocklist     Aim = "blocklist"      // 0800 that downloads a part of it
	AtBlocklistEnd  Aim = "blocklist-end"
	AtStatus        Aim = "status"    // 0820 with the terminal's state
	AtKeyList       Aim = "capk-list" // 0820 for a page of it
	AtKey           Aim = "capk"      // 0800 for one key
	AtKeyEnd        Aim = "capk-end"
	AtAppList       Aim = "aid-list"
	AtApp           Aim = "aid"
	AtAppEnd        Aim = "aid-end"
)

const aimNames = "sale void refund preauth preauth-cancel completion completion-cancel completion-notice offline-sale balance reversal settle upload end signin parameters parameters-end blocklist blocklist-end status capk-list capk capk-end aid-list aid aid-end any"

// Always is a number of times that does not end.
const Always = -1

// maxTimes and maxDelay bound a fault.
const (
	maxTimes = 1_000_000
	maxDelay = 24 * time.Hour
)

// Fault is a fault that waits for its messages.
type Fault struct {
	Kind  FaultKind
	Code  string        // approve, decline, forge, order
	Delay time.Duration // late, slow
	For   Aim           // "" means AtSale, or AtSignIn for badkcv
	Times int           // messages that it meets; 0 means 1
}

// ParseFault reads "NAME [CODE|TIME|DIGIT] [for AIM] [times N|always]".
func ParseFault(text string) (Fault, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Fault{}, fmt.Errorf("no fault named; one of %s", faultNames())
	}
	f := Fault{Kind: FaultKind(words[0]), For: AtSale, Times: 1}
	wants, known := faultKinds[f.Kind]
	if !known {
		return Fault{}, fmt.Errorf("fault %q is not known; one of %s", words[0], faultNames())
	}
	if f.Kind == WrongCheck {
		f.For = AtSignIn
	}
	words = words[1:]
	if wants != nothing && len(words) > 0 && words[0] != "for" && words[0] != "times" {
		if err := f.take(wants, words[0]); err != nil {
			return Fault{}, err
		}
		words = words[1:]
	} else if wants != nothing && wants != codeOrNothing {
		return Fault{}, fmt.Errorf("fault %s wants a code (51), a time (90s) or a digit (3) after its name", f.Kind)
	}
	for ; len(words) >= 2; words = words[2:] {
		if err := f.aim(words[0], words[1]); err != nil {
			return Fault{}, err
		}
	}
	if len(words) > 0 {
		return Fault{}, fmt.Errorf("%q does not belong there; write: NAME [CODE|TIME|DIGIT] [for AIM] [times N|always]", words[0])
	}
	return f, nil
}

func (f *Fault) take(wants argument, word string) (err error) {
	if wants == duration {
		if f.Delay, err = time.ParseDuration(word); err != nil || f.Delay < 0 || f.Delay > maxDelay {
			return fmt.Errorf("%q is not a time such as 90s, at most %s", word, maxDelay)
		}
		return nil
	}
	if wants == digit {
		if f.Code = word; len(word) != 1 || word[0] < '0' || word[0] > '9' {
			return fmt.Errorf("%q is not a digit", word)
		}
		return nil
	}
	if len(word) != 2 {
		return fmt.Errorf("%q is not a response code of two characters", word)
	}
	if f.Code = word; approves(word) != (f.Kind == Approve) {
		return fmt.Errorf("code %s does not fit %s", word, f.Kind)
	}
	return nil
}

func (f *Fault) aim(word, value string) error {
	switch word {
	case "for":
		f.For = Aim(value)
		if !slices.Contains(strings.Fields(aimNames), value) {
			return fmt.Errorf("for %q: one of %s", value, aimNames)
		}
		return nil
	case "times":
		if value == "always" {
			f.Times = Always
			return nil
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxTimes {
			return fmt.Errorf("times %q: a number from 1 to %d, or always", value, maxTimes)
		}
		f.Times = n
		return nil
	}
	return fmt.Errorf("%q is not known; write: for %s, times N|always", word, strings.ReplaceAll(aimNames, " ", "|"))
}

// String is the fault as ParseFault reads it, without the number of times.
func (f Fault) String() string {
	text := string(f.Kind)
	if f.Code != "" {
		text += " " + f.Code
	}
	if faultKinds[f.Kind] == duration {
		text += " " + f.Delay.String()
	}
	return text + " for " + string(f.aimed())
}

func (f Fault) aimed() Aim {
	switch {
	case f.For != "":
		return f.For
	case f.Kind == WrongCheck:
		return AtSignIn
	default:
		return AtSale
	}
}

// meets reports whether the fault is for a message.
func (f Fault) meets(m *iso8583.Message) bool {
	switch f.aimed() {
	case AtAny:
		return true
	case AtReversal:
		return m.MTI() == mtiReversal
	case AtSettle:
		return m.MTI() == mtiSettle
	case AtUpload:
		return m.MTI() == mtiUpload && !endsBatch(m)
	case AtEnd:
		return m.MTI() == mtiUpload && endsBatch(m)
	case AtSignIn:
		return m.MTI() == mtiSignIn && downloadOf(m) == ""
	case AtParameters, AtParametersEnd, AtBlocklist, AtBlocklistEnd, AtStatus, AtKeyList, AtKey, AtKeyEnd, AtAppList, AtApp, AtAppEnd:
		return downloadOf(m) == f.aimed()
	case AtBalance:
		return m.MTI() == mtiRequest && typeOf(m) == typeBalance
	case AtSale:
		return m.MTI() == mtiRequest && typeOf(m) != typeBalance && formOf(m).kind == Sale
	default:
		form := formOf(m)
		return m.MTI() == form.mti && string(form.kind) == string(f.aimed())
	}
}

func endsBatch(m *iso8583.Message) bool {
	return strings.HasSuffix(m.Get(60), networkOpen) || strings.HasSuffix(m.Get(60), networkEqual)
}

// Inject queues a fault behind those that wait.
func (a *Acquirer) Inject(f Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, f)
}

// ClearFaults empties the queue. Rules by amount stay.
func (a *Acquirer) ClearFaults() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// faultLocked takes the first queued fault that is meant for this message, or else the rule for its amount.
func (a *Acquirer) faultLocked(m *iso8583.Message, amount txn.Amount) Fault {
	for i := range a.faults {
		f := &a.faults[i]
		if !f.meets(m) {
			continue
		}
		met := *f
		switch {
		case f.Times == Always:
		case f.Times > 1:
			f.Times--
		default:
			a.faults = append(a.faults[:i], a.faults[i+1:]...)
		}
		return met
	}
	if f, ruled := a.o.ByAmount[amount]; ruled && f.meets(m) {
		return f
	}
	return Fault{}
}

func faultNames() string {
	return "approve decline silent lost late twice badmac nomac dropbefore drop dropafter cut garbage wrongstan wrongamount wrongterminal wrongmerchant badkcv slow forge order swapped badpart tornpart samepart skippart longpart"
}
