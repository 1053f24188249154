package modem

import (
	"strings"
	"time"
)

// What is sent. Section numbers are those of ITU-T V.250 (07/2003).
const (
	terminator = "\r"       // 6.2.1, S3: its default is mandatory
	plainTalk  = "ATE0Q0V1" // 6.2.4 no echo, 6.2.5 result codes are sent, 6.2.6 in words
	onHook     = "ATH"      // 6.3.6
	dial       = "ATD"      // 6.3.1
	tone       = "T"        // 6.3.1.3, recommended at the beginning of every dial string
	pulse      = "P"        // 6.3.1.4
	setS7      = "ATS7="    // 6.3.10, seconds from the last digit to the connection
	abortKey   = "\r"       // 5.6.1: any character stops a D command; CR means nothing if none is running
	escape     = "+++"      // Hayes Technical Reference, escape sequence with guard time: three times S2
)

// defaultInit: 6.2.7 busy and dial tone are detected and told, 6.2.8 DCD follows the carrier, 6.2.9 DTR off hangs up,
// 6.3.8 no call is answered.
func defaultInit() []string { return []string{"ATX4&C1&D2", "ATS0=0"} }

const (
	noCarrier = "NO CARRIER" // 5.7.1 table 1

	// carrierLost is how a modem reports the end of a call: in data state, after the last byte of payload (6.2.6 table 3).
	carrierLost = "\r\n" + noCarrier + "\r\n"
)

// Numbers from the standard.
const (
	maxDialBody  = 40                     // characters after AT that every modem accepts (5.2.1)
	betweenLines = 100 * time.Millisecond // from a result code to the next command (5.5)
	deafToAbort  = 125 * time.Millisecond // after a command's end, when an abort is not heard (5.6.1)
	maxS7        = 255                    // seconds (6.3.10)
	guardDefault = time.Second            // Hayes S12 = 50
)

// Numbers we chose.
const (
	commandDefault = 3 * time.Second
	carrierDefault = 60 * time.Second

	maxCommand = 128 // bytes of an init line
	maxInit    = 16  // init lines
	maxLine    = 256 // bytes of a line from the modem; longer is noise

	probeWait    = time.Second     // for the answer that proves command state; Opts.Command if that is less
	probes       = 3               // in each round of synchronising
	syncRounds   = 3               // each but perhaps the first begins with an escape
	hangUpWait   = 5 * time.Second // for ATH: a modem clears the call down in order before it answers
	hangUpRounds = 2
	chatterMax   = time.Second            // how long a modem that keeps talking is heard out before a command
	dtrOff       = 600 * time.Millisecond // S25 is 50 ms on most modems, 500 ms on some
	abortMargin  = 25 * time.Millisecond  // over deafToAbort
	carrierPoll  = 200 * time.Millisecond // between two looks at DCD
	resultPause  = 250 * time.Millisecond // the characters of a result code are at most 100 ms apart (5.7); USB adds to it
)

// longer gives a guard time the tenth more that makes both sides agree that it has passed.
func longer(guard time.Duration) time.Duration { return guard + guard/10 }

type class int

const (
	unsolicited class = iota // says nothing of the command
	completes                // ends every command
	ofCall                   // ends a D command; stale anywhere else
)

// A result is a row of table 1 (5.7.1) with what it tells the caller.
type result struct {
	text    string
	class   class
	err     error // nil for OK, CONNECT and RING; ErrRefused where no better one fits
	meaning string
}

var results = []result{
	{"OK", completes, nil, "done"},
	{"ERROR", completes, ErrRefused, "the modem refused the command: check the init lines and the dial string against its manual"},
	{"CONNECT", ofCall, nil, "connected"},
	{"RING", unsolicited, nil, "somebody calls this line"},
	{noCarrier, ofCall, ErrNoCarrier, "the other side did not answer as a modem, or the call ended: try again, then another number"},
	{"NO DIALTONE", ofCall, ErrNoDialtone, "no dial tone: check the telephone cable and that no other set is off hook"},
	{"NO DIAL TONE", ofCall, ErrNoDialtone, "no dial tone: check the telephone cable and that no other set is off hook"}, // Courier's spelling
	{"BUSY", ofCall, ErrBusy, "the number is engaged: try again, then another number"},
	{"NO ANSWER", ofCall, ErrNoAnswer, "nobody answers: check the number, then use another one"},
	{"DELAYED", ofCall, ErrRefused, "the modem holds this number back after failed calls: wait, or use another number"},
	{"BLACKLISTED", ofCall, ErrRefused, "the modem blocks this number after failed calls: switch the modem off and on, or use another number"},
}

// resultOf reads a line as a result code. CONNECT may be followed by a text of the manufacturer's.
func resultOf(line string) (result, bool) {
	line = strings.TrimRight(line, " ")
	for _, r := range results {
		if line == r.text {
			return r, true
		}
		if r.text == "CONNECT" && strings.HasPrefix(line, "CONNECT ") {
			r.text = line
			return r, true
		}
	}
	return result{}, false
}

func (r result) connected() bool { return r.class == ofCall && r.err == nil }
