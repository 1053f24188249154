package profile

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// Profile is how one acquirer is spoken to. It is read-only once read, and may be shared.
type Profile struct {
	Name    string
	Mark    string // stands in every record that was begun under it; "" is the built-in unionpay as it is
	Dialect *iso8583.Dialect
	Frame   Frame
	MAC     string // how it is computed, as package keys names it
	Whole   bool   // its field is eight bytes of it; otherwise half of them as characters

	Answer        time.Duration // how long an answer is waited for
	ReversalTries int           // counted tries before suspense
	ReversalEnds  []string      // codes that end the repetition of a reversal
	FreshSTAN     bool          // each try of a reversal takes a STAN of its own

	Reasons map[txn.Reason]string // what {reason} says
	Codes   map[string]Code       // response codes beside the usual

	Tracks Tracks // how fields 35 and 36 are enciphered; "" leaves that to the terminal's configuration
	Serial int    // of DUKPTTracks: the field of the key serial number

	pins []txn.Kind // that ask for a PIN; nil are the usual

	PINSerial int // the field of the key serial number of a PIN under DUKPT; 0: PINs go under the working key of the sign-in

	Repeats      []int // fields that an approval must repeat as they were asked
	Downloads    bool  // the acquirer has the downloads of the direct connection, and may order them
	Institutions bool  // field 44 is issuer and acquirer, eleven characters each
	Texts        bool  // field 63 is the card organisation, three characters, and texts of twenty in GB18030
	Keys         int   // field of a sign-in's answer with the working keys
	Flags        bool  // totals are answered by flags in field 48; otherwise by field 66
	Blocks       bool  // records of a batch that differs go eight a message; otherwise one
	Certificates bool  // what chips certified is told at the end of a batch

	forms map[string]Form

	entries []*entry
}

// Frame is what goes around a message.
type Frame struct {
	Length iso8583.Notation // two bytes, or four digits
	Head   Head
}

// Head is what goes before a message.
type Head byte

const (
	FullHead Head = iota // TPDU and application header
	TPDUHead             // TPDU
	NoHead
)

// Code is what a response code beside the usual ones means.
type Code struct {
	Class  byte // A approved, B may retry, C refused, D a person must act, E network
	SignIn bool // sign in before the next message
}

// Form is one message.
type Form struct {
	Type, Repeat string // message type; Repeat is that of every copy but the first
	Settings     []Setting
}

// Names of the forms that are no kind of transaction.
const (
	SaleByCode = "sale.code" // a sale by payment code; an acquirer without one takes none

	Balance = "balance"
	SignIn  = "sign-in"
	Echo    = "echo"
	Settle  = "settle"    // a batch's totals
	Block   = "block"     // several of its records
	EndEven = "end-equal" // its end after totals that agreed
	EndOdd  = "end-open"  // its end after a difference
)

// Form is a message by its name: a kind of transaction, or one of the names of this package.
func (p *Profile) Form(name string) Form { return p.forms[name] }

// Reversal is the undoing of a transaction of that kind.
func (p *Profile) Reversal(k txn.Kind) Form { return p.forms[string(k)+"."+reversal] }

// Detail is one transaction as it is told when the totals of its batch differ.
func (p *Profile) Detail(k txn.Kind) Form { return p.forms[string(k)+"."+detail] }

const (
	reversal = "reversal"
	detail   = "detail"
)

// Names of the profiles that are built in.
const (
	UnionPayName = "unionpay"
	ISO87Name    = "iso87"
)

//go:embed unionpay.toml
var unionPayText string

//go:embed iso87.toml
var iso87Text string

func builtIn(name string) (text string, known bool) {
	switch name {
	case UnionPayName:
		return unionPayText, true
	case ISO87Name:
		return iso87Text, true
	}
	return "", false
}

// UnionPay is the direct-connection POS dialect (直联POS终端规范).
func UnionPay() *Profile { return mustRead(UnionPayName) }

// ISO87 is ISO 8583:1987 in characters.
func ISO87() *Profile { return mustRead(ISO87Name) }

// mustRead panics where a built-in profile is wrong, which the tests of this package would have found.
func mustRead(name string) *Profile {
	p, err := Open(name)
	if err != nil {
		panic("profile: " + err.Error())
	}
	return p
}

// Open reads the built-in profile of that name, or the file. The error is an *Error with every fault, or says why the file
// cannot be read.
func Open(nameOrFile string) (*Profile, error) {
	if text, known := builtIn(nameOrFile); known {
		return Read(nameOrFile, text)
	}
	text, err := os.ReadFile(nameOrFile)
	if err != nil {
		return nil, fmt.Errorf("the profile is neither %s nor %s nor a file that can be read: %w", UnionPayName, ISO87Name, err)
	}
	return Read(nameOrFile, string(text))
}

// Read judges a profile's text; file is what faults call it.
func Read(file, text string) (*Profile, error) {
	own, err := scan(file, text)
	if err != nil {
		return nil, err
	}
	j := &judge{groups: map[string][]*entry{}, broken: map[int]bool{}, p: &Profile{Dialect: &iso8583.Dialect{}}, file: file}
	for _, e := range own {
		if e.section == "" && e.key == "base" {
			j.base(e)
		}
	}
	j.take(own)
	j.judge()
	if err := j.found.err(); err != nil {
		return nil, err
	}
	j.p.sign()
	return j.p, nil
}

// sign makes the mark of what a message of this profile says. Timers and response codes are no part of it: they change nothing
// of what was begun. Neither is a sale by payment code, which is asked once and then reversed as a sale.
func (p *Profile) sign() {
	if text, known := builtIn(p.Name); known && p.Name == UnionPayName && len(text) > 0 {
		return
	}
	var text []byte
	for _, e := range p.entries {
		if e.section != "" && e.section != "timers" && e.section != "codes" && e.section != SaleByCode {
			text = append(text, e.section+"\n"+e.key+"\n"+e.value.String()+"\n"...)
		}
	}
	digest := sha256.Sum256(text)
	p.Mark = p.Name + "-" + hex.EncodeToString(digest[:4])
}

// Text is the profile as one file without a base, for people to read.
func (p *Profile) Text() string {
	var b strings.Builder
	section := ""
	for _, e := range p.entries {
		if e.section == "" && e.key == "base" {
			continue
		}
		if e.section != section {
			section = e.section
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		fmt.Fprintf(&b, "%s = %s\n", e.key, e.value)
	}
	return b.String()
}

func (v value) String() string {
	switch v.kind {
	case aList:
		quoted := make([]string, len(v.list))
		for i, s := range v.list {
			quoted[i] = `"` + s + `"`
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case aNumber:
		return strconv.Itoa(v.count)
	case aTruth:
		return strconv.FormatBool(v.truth)
	}
	return `"` + v.text + `"`
}

// Facts lists what a form may name in braces, with what it means.
func Facts() string {
	var b strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&b, "{%s}  %s\n", f.name, f.means)
	}
	return b.String()
}
