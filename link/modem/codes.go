package modem

import (
	"errors"
	"strconv"
	"strings"
)

// What a caller can act on beside those of a telephone line.
var (
	ErrNoSIM         = errors.New("no SIM card")
	ErrSIMLocked     = errors.New("the SIM card wants its PIN")
	ErrNotRegistered = errors.New("not registered in a network")
	ErrDenied        = errors.New("the network denies this SIM card")
	ErrNoContext     = errors.New("the network gives no data connection")
	ErrUnreachable   = errors.New("the far end cannot be reached")
	ErrModemBusy     = errors.New("the modem is busy")
	ErrUnanswered    = errors.New("the modem gave no result")
	ErrLost          = errors.New("the modem has lost the connection")
)

// cmeCodes are those of +CME ERROR that somebody can act on (3GPP TS 27.007, 9.2.1 and 9.2.2).
var cmeCodes = map[int]struct {
	err     error
	meaning string
}{
	3:   {ErrRefused, "operation not allowed"},
	4:   {ErrRefused, "operation not supported by this modem"},
	10:  {ErrNoSIM, "no SIM card: put one in and switch the modem off and on"},
	11:  {ErrSIMLocked, "the SIM card wants its PIN: have the provider switch the PIN off"},
	12:  {ErrSIMLocked, "the SIM card wants its PUK: it was blocked by wrong PINs"},
	13:  {ErrNoSIM, "the SIM card fails: clean its contacts, or change it"},
	14:  {ErrModemBusy, "the SIM card is busy: the modem has just started"},
	15:  {ErrNoSIM, "the wrong SIM card"},
	16:  {ErrRefused, "incorrect password"},
	17:  {ErrSIMLocked, "the SIM card wants its PIN2"},
	18:  {ErrSIMLocked, "the SIM card wants its PUK2"},
	30:  {ErrNotRegistered, "no network service: check the antenna"},
	31:  {ErrNotRegistered, "the network does not answer"},
	32:  {ErrDenied, "the network allows emergency calls only"},
	100: {ErrRefused, "unknown error"},
	107: {ErrDenied, "the network does not allow data for this SIM card"},
	111: {ErrDenied, "this network is not allowed for this SIM card"},
	132: {ErrNoContext, "the service is not supported by the network"},
	133: {ErrDenied, "data is not in this SIM card's subscription"},
	148: {ErrNoContext, "the data connection failed: check the APN"},
	149: {ErrNoContext, "the network refused APN, user or password"},
}

// cellularError reads the code of +CME ERROR and +CMS ERROR: a number, or words while CMEE is 2.
func cellularError(line, code string) error {
	n, err := strconv.Atoi(code)
	if known, is := cmeCodes[n]; err == nil && is && strings.HasPrefix(line, "+CME") {
		return &ResultError{Code: line, Meaning: known.meaning, sentinel: known.err}
	}
	return &ResultError{Code: line, Meaning: "the modem refused the command", sentinel: ErrRefused}
}

// fields cuts the parameters of an information line at its commas; quotes keep theirs. At most 16.
func fields(s string) []string {
	var all []string
	start, quoted := 0, false
	for i := 0; i <= len(s) && len(all) < 16; i++ {
		switch {
		case i == len(s) || s[i] == ',' && !quoted:
			all = append(all, strings.Trim(strings.TrimSpace(s[start:i]), `"`))
			start = i + 1
		case s[i] == '"':
			quoted = !quoted
		}
	}
	return all
}

// whole reads the n-th parameter, a whole number; false when it is none, or more than an int32.
func whole(all []string, n int) (int, bool) {
	if n >= len(all) {
		return 0, false
	}
	v, err := strconv.ParseInt(all[n], 10, 32)
	return int(v), err == nil
}
