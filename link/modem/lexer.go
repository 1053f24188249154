package modem

import "strings"

// kind says what the modem sent in command state. In data state nothing is lexed.
type kind int

const (
	text   kind = iota // a line of printable characters: a result code or information text
	echo               // the command line that was sent, come back
	noise              // a line with other bytes in it, or one that would not end
	data               // bytes whose number was announced, or some of them; they are in text as they came
	prompt             // the modem waits for payload
)

type token struct {
	kind kind
	text string // without CR and LF, never empty; what was printable of a noise
}

// lexer cuts what a modem sends in command state into lines. It takes bytes as they come, one or a thousand at a time,
// and gives the same tokens for the same bytes.
//
//	ATE0 CR        CR LF  OK  CR LF      CONNECT 9600 CR LF  60 00 01 …
//	└echo──┘       └───── text ────┘     └────── text ────┘  └ unread: payload
//
// A line ends with CR LF, with CR alone (an echo), or with LF alone (a bad line). CR is decided by the byte after it,
// so that a line never leaves half its end behind: what follows CONNECT's CR LF is payload to the byte.
type lexer struct {
	in   []byte // received, not yet lexed
	line []byte // the line being collected, at most maxLine
	bad  bool   // the line has bytes that are not text, or is too long
	cr   bool   // the byte before was CR
	sent string // the command whose echo may come
	raw  int    // so many bytes of data come next
	asks bool   // a prompt may come: '>' at the beginning of a line, which nothing ends
}

func (x *lexer) feed(p []byte) { x.in = append(x.in, p...) }

// expect forgets everything received so far and names the command whose echo may come.
func (x *lexer) expect(command string) { *x = lexer{in: x.in[:0], line: x.line[:0], sent: command} }

// next returns the next complete line, or false when more bytes are needed.
func (x *lexer) next() (token, bool) {
	for len(x.in) > 0 {
		if x.raw > 0 && !x.cr {
			n := min(x.raw, len(x.in))
			t := token{data, string(x.in[:n])}
			x.in, x.raw = x.in[n:], x.raw-n
			return t, true
		}
		b := x.in[0]
		if x.asks && b == '>' && len(x.line) == 0 && !x.cr {
			x.in, x.asks = x.in[1:], false
			return token{prompt, ">"}, true
		}
		ends := x.cr || b == '\n'
		if !x.cr || b == '\n' { // what follows CR is taken only if it is LF
			x.in = x.in[1:]
		}
		x.cr = b == '\r' && !ends
		switch {
		case ends:
			if t, ok := x.finish(); ok {
				return t, true
			}
		case b == '\r':
		case b < ' ' || b > '~' || len(x.line) == maxLine:
			x.bad = true
		default:
			x.line = append(x.line, b)
		}
	}
	return token{}, false
}

// finish ends the line being collected. An empty line is no token: it is a header of table 3 (6.2.6).
func (x *lexer) finish() (token, bool) {
	t := token{text, string(x.line)}
	switch {
	case x.bad:
		t.kind = noise
	case t.text == "":
		return token{}, false
	case x.echoed():
		t.kind = echo
	}
	x.line, x.bad = x.line[:0], false
	return t, true
}

// echoed reports whether the line so far is the command that was sent: its end, because an escape sequence typed in
// command state is echoed before it.
func (x *lexer) echoed() bool {
	return x.sent != "" && !x.bad && strings.HasSuffix(string(x.line), x.sent)
}

// halfway reports whether something other than an echo has come and not ended: at the wrong speed no line ever does.
func (x *lexer) halfway() bool { return x.bad || len(x.line) > 0 && !x.echoed() }

// unread gives up what follows the last line: the beginning of the payload.
func (x *lexer) unread() []byte {
	rest := append([]byte(nil), x.in...)
	x.expect("")
	return rest
}
