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
//	order WHAT [for ever]   each answer's header gives that order until it is obeyed, or for ever; order none
//	parameters TAG=VALUE…   what terminals download, spaces written as _
//	blocklist NUMBER…       the list of cards that they download
//	capk RID:INDEX[:YYYYMMDD]…   keys of card schemes that they download, made for these names
//	aid AID[=FLOOR]…   applications of chip cards that they download
//	desk       orders that stand, and what terminals have told, as JSON
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
		a.mu.Lock()
		defer a.mu.Unlock()
		a.desk.calm()
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
	case verb == "order", verb == "parameters", verb == "blocklist", verb == "capk", verb == "aid", verb == "desk":
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.desk.command(verb, strings.Fields(rest))
	case rest != "":
		return "", fmt.Errorf("%q takes nothing after it; commands are "+commandNames, verb)
	case verb == "ledger":
		return oneLine(a.Ledger())
	case verb == "check":
		return "the books balance", a.Ledger().Check()
	case verb == "seen":
		return oneLine(a.Counts())
	case verb == "help":
		return "fault NAME [CODE|TIME|DIGIT] [for AIM] [times N|always]; fault none; order WHAT [for ever]; order none; parameters TAG=VALUE…; blocklist NUMBER…; capk RID:INDEX…; aid AID…; desk; day next; ledger; check; seen. NAMES: " + faultNames() + ". AIMS: " + aimNames, nil
	default:
		return "", fmt.Errorf("%q is not a command; commands are "+commandNames, verb)
	}
}

const commandNames = "fault, order, parameters, blocklist, capk, aid, desk, day next, ledger, check, seen"

func oneLine(value any) (string, error) {
	raw, err := json.Marshal(value)
	return string(raw), err
}
