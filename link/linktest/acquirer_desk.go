package linktest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"posagent/link/iso8583"
)

// desk is where an acquirer gives orders to its terminals, and serves and hears what those order. An order stands in the
// header of every answer until it was obeyed. Guarded by the acquirer's lock.
type desk struct {
	orders     []standingOrder // the first of them is in the header
	parameters []byte          // field 62
	blocked    []string
	slot       int
	schemes    schemes
	told       []string // field 62 of status uploads, as text
	done       map[string]int
}

type standingOrder struct {
	digit   byte
	forever bool
}

// Digits D (direct-connection POS dialect).
const (
	orderParameters = 1
	orderStatus     = 2
	orderSignIn     = 3
	orderKeys       = 4
	orderApps       = 5
	orderBlocklist  = 7
)

var orderNames = map[string]byte{"parameters": orderParameters, "status": orderStatus, "signin": orderSignIn, "capk": orderKeys, "aid": orderApps,
	"software": 6, "blocklist": orderBlocklist, "contactless": 9}

// blockPart is how many entries a part of the list carries here.
const blockPart = 3

func newDesk(slot int) desk {
	if slot == 0 {
		slot = 14
	}
	return desk{slot: slot, done: map[string]int{}, parameters: []byte("1230" + "232" + "180")}
}

// downloadOf is what a message downloads or tells, or empty: the aim of a fault that would meet it.
func downloadOf(m *iso8583.Message) Aim {
	private := m.Get(60)
	if len(private) != 11 || private[:2] != "00" {
		return ""
	}
	switch m.MTI() + " " + private[8:] {
	case mtiSignIn + " 360":
		return AtParameters
	case mtiSignIn + " 361":
		return AtParametersEnd
	case mtiSignIn + " 390":
		return AtBlocklist
	case mtiSignIn + " 391":
		return AtBlocklistEnd
	case mtiManage + " 362":
		return AtStatus
	case mtiManage + " 372":
		return AtKeyList
	case mtiSignIn + " 370":
		return AtKey
	case mtiSignIn + " 371":
		return AtKeyEnd
	case mtiManage + " 382":
		return AtAppList
	case mtiSignIn + " 380":
		return AtApp
	case mtiSignIn + " 381":
		return AtAppEnd
	}
	return ""
}

// standing is the digit for the next header.
func (d *desk) standing() byte {
	if len(d.orders) == 0 {
		return 0
	}
	return d.orders[0].digit
}

func (d *desk) obeyed(digit byte) {
	for i, o := range d.orders {
		if o.digit == digit && !o.forever {
			d.orders = append(d.orders[:i], d.orders[i+1:]...)
			return
		}
	}
}

// calm ends orders that would never end.
func (d *desk) calm() {
	for i := range d.orders {
		d.orders[i].forever = false
	}
	d.orders = nil
}

// serve answers what downloadOf knows.
func (d *desk) serve(m, out *iso8583.Message, fault Fault) {
	what := downloadOf(m)
	may := ""
	switch what {
	case AtBlocklist, AtStatus, AtKeyList, AtKey, AtAppList, AtApp:
		may = "62"
	}
	if err := fields(m, strings.TrimSpace("41 42 60 "+may), ""); err != nil {
		out.Set(39, codeFormat)
		return
	}
	out.Set(39, codeApproved)
	switch what {
	case AtParameters:
		out.SetBytes(62, spoilPart(d.parameters, d.parameters, d.parameters, fault))
	case AtParametersEnd:
		d.obeyed(orderParameters)
	case AtBlocklist:
		at, err := strconv.Atoi(m.Get(62))
		if err != nil || len(m.Get(62)) != 3 || at > len(d.blocked) {
			out.Set(39, codeFormat)
			return
		}
		out.SetBytes(62, spoilPart(d.part(at), d.part(max(0, at-blockPart)), d.part(min(at+blockPart, len(d.blocked))), fault))
	case AtBlocklistEnd:
		d.obeyed(orderBlocklist)
	case AtKeyList, AtKey, AtAppList, AtApp:
		private, sense := d.schemes.serve(what, m, fault)
		if !sense {
			out.Set(39, codeFormat)
			return
		}
		out.SetBytes(62, private)
	case AtKeyEnd:
		d.obeyed(orderKeys)
	case AtAppEnd:
		d.obeyed(orderApps)
	case AtStatus:
		if err := checkStatus(m.Bytes(62)); err != nil {
			out.Set(39, codeFormat)
			return
		}
		d.told = append(d.told[max(0, len(d.told)-9):], readable(m.Bytes(62)))
		d.obeyed(orderStatus)
	}
	d.done[string(what)]++
}

// part is a part of the list: flag, number of all entries, and entries of a length and a slot.
func (d *desk) part(at int) []byte {
	if len(d.blocked) == 0 {
		return []byte("0000")
	}
	end := min(at+blockPart, len(d.blocked))
	flag := "2"
	if end == len(d.blocked) {
		flag = "1"
	}
	part := fmt.Appendf(nil, "%s%03d", flag, len(d.blocked))
	for _, number := range d.blocked[at:end] {
		part = fmt.Appendf(part, "%02d%-*s", len(number), d.slot, number)
	}
	return part
}

// spoilPart does to a part of a download what the fault says.
func spoilPart(part, before, after []byte, fault Fault) []byte {
	part = bytes.Clone(part)
	switch fault.Kind {
	case BadPart:
		part[len(part)/2] ^= 0x40
	case TornPart:
		part = part[:len(part)-1]
	case SamePart:
		part = bytes.Clone(before)
	case SkipPart:
		part = bytes.Clone(after)
	case LongPart:
		part = append(part, part[min(4, len(part)):]...)
	}
	return part
}

// checkStatus reads an upload as far as the description goes: five flags first, the work of the terminal last.
func checkStatus(field62 []byte) error {
	if len(field62) < 15+14 {
		return fmt.Errorf("field 62 has %d bytes", len(field62))
	}
	for i := range 5 {
		if string(field62[3*i:3*i+2]) != fmt.Sprintf("%02d", i+1) {
			return fmt.Errorf("flag %d is missing", i+1)
		}
	}
	work := field62[len(field62)-14:]
	if string(work[:2]) != "51" || strings.Trim(string(work), "0123456789") != "" {
		return fmt.Errorf("the terminal's work is missing")
	}
	return nil
}

func readable(gb18030 []byte) string {
	text, err := simplifiedchinese.GB18030.NewDecoder().String(string(gb18030))
	if err != nil {
		return fmt.Sprintf("%q", gb18030)
	}
	return text
}

func (d *desk) command(verb string, words []string) (string, error) {
	switch verb {
	case "order":
		return d.give(words)
	case "parameters":
		return d.setParameters(words)
	case "capk":
		return d.schemes.setKeys(words)
	case "aid":
		return d.schemes.setApps(words)
	case "blocklist":
		for _, number := range words {
			if len(number) < 1 || len(number) > d.slot || strings.Trim(number, "0123456789") != "" {
				return "", fmt.Errorf("a number has 1 to %d digits here", d.slot)
			}
		}
		if d.blocked = words; len(words) > 999 {
			return "", fmt.Errorf("at most 999")
		}
		return fmt.Sprintf("%d entries", len(words)), nil
	}
	return oneLine(map[string]any{"standing": d.standing(), "told": d.told, "done": d.done})
}

func (d *desk) give(words []string) (string, error) {
	if len(words) == 1 && words[0] == "none" {
		d.calm()
		return "no orders", nil
	}
	forever := len(words) == 3 && words[1] == "for" && words[2] == "ever"
	if len(words) != 1 && !forever {
		return "", fmt.Errorf("write: order WHAT, order WHAT for ever, or order none")
	}
	digit, known := orderNames[words[0]]
	if !known {
		n, err := strconv.ParseUint(words[0], 16, 4)
		if err != nil {
			return "", fmt.Errorf("order %q: one of parameters, status, signin, capk, aid, software, blocklist, contactless, or a digit", words[0])
		}
		digit = byte(n)
	}
	d.orders = append(d.orders, standingOrder{digit, forever})
	return fmt.Sprintf("order %X stands", digit), nil
}

// setParameters packs what is given; 22 is padded to its forty bytes of GB18030, the telephone numbers to fourteen.
func (d *desk) setParameters(words []string) (string, error) {
	var packed []byte
	for _, word := range words {
		tag, value, both := strings.Cut(word, "=")
		if !both || len(tag) != 2 {
			return "", fmt.Errorf("%q: want TAG=VALUE", word)
		}
		raw, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(strings.ReplaceAll(value, "_", " ")))
		if err != nil {
			return "", err
		}
		width := map[string]int{"14": 14, "15": 14, "16": 14, "17": 14, "22": 40}[tag]
		packed = fmt.Appendf(packed, "%s%s%s", tag, raw, strings.Repeat(" ", max(0, width-len(raw))))
	}
	d.parameters = packed
	return fmt.Sprintf("%d bytes", len(packed)), nil
}
