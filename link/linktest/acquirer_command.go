package linktest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Command does what one line of text asks and answers in one line:
//
//	fault NAME [CODE|TIME|DIGIT] [for AIM] [times N|always]
//	fault none
//	day next   the business day changes; answered with the new date, MMDD
//	ledger     the books as JSON
//	check      an error if money was made or lost
//	seen       messages by type as JSON
//	help       this, in one line
func (a *Acquirer) Command(line string) (string, error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case verb == "fault" && rest == "none":
		a.ClearFaults()
		return "no faults", nil
	case verb == "fault":
		f, err := ParseFault(rest)
		if err != nil {
			return "", err
		}
		a.Inject(f)
		return f.String(), nil
	case verb == "day" && rest == "next":
		return a.NextDay()
	case rest != "":
		return "", fmt.Errorf("%q takes nothing after it; commands are fault, day next, ledger, check, seen", verb)
	case verb == "ledger":
		return oneLine(a.Ledger())
	case verb == "check":
		return "the books balance", a.Ledger().Check()
	case verb == "seen":
		return oneLine(a.Counts())
	case verb == "help":
		return "fault NAME [CODE|TIME|DIGIT] [for AIM] [times N|always]; fault none; day next; ledger; check; seen. NAMES: " + faultNames() + ". AIMS: " + aimNames, nil
	default:
		return "", fmt.Errorf("%q is not a command; commands are fault, day next, ledger, check, seen", verb)
	}
}

func oneLine(value any) (string, error) {
	raw, err := json.Marshal(value)
	return string(raw), err
}
