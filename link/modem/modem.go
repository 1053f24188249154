package modem

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"posagent/link"
)

// Opts says whom to call and what the line can do.
type Opts struct {
	// Number is the dial string (V.250 6.3.1.1 to 6.3.1.6): digits, '*' and '#', ',' to pause (2 s each), 'W' to wait for
	// a dial tone, 'T' or 'P' for tones or pulses. Without a T or P in front, tones are used. At most 38 characters.
	Number string

	// Init lines are sent before every call, and each must answer OK. Nil means that busy and dial tone are detected,
	// DCD follows the carrier, DTR off hangs up, and no call is answered. A set of one's own should keep &D2 where DTR
	// is given. At most 16 lines of 128 characters, each beginning with AT.
	Init []string

	Command time.Duration // for the answer to a command; 0 means 3 s
	Carrier time.Duration // from ATD to CONNECT, also given to the modem as S7 (up to 255 s); 0 means 60 s
	Guard   time.Duration // silence around +++: not less than the modem's S12; 0 means 1 s, the Hayes default

	// DTR sets circuit 108/2. Nil where the line has none: calls are then ended with guard time, +++, guard time, ATH.
	// When it fails the escape sequence is used instead.
	DTR func(on bool) error

	// DCD reads circuit 109. Nil where it is not known. A line on which it is never on is taken to have none. It is
	// called by Read and by Write, perhaps at the same time.
	DCD func() (bool, error)

	// Progress is told, by Dial's goroutine, what a waiting person may want to read: "dialling …", "CONNECT 9600".
	Progress func(string)
}

// Modem dials one number. Its methods may be called from any goroutine.
type Modem struct {
	opts Opts

	mu    sync.Mutex
	inUse bool // a Dial is running, or its call is up

	// The rest belongs to whoever set inUse.
	at   engine
	idle bool // proven: in command state, and on hook
}

var _ link.Dialer = (*Modem)(nil)

// New checks the options and takes the port over. It does not talk.
func New(port Port, o *Opts) (*Modem, error) {
	if port == nil || o == nil {
		return nil, errors.New("modem needs a port and options")
	}
	opts := *o
	if err := checkNumber(opts.Number); err != nil {
		return nil, err
	}
	if opts.Init == nil {
		opts.Init = defaultInit()
	}
	if err := checkInit(opts.Init); err != nil {
		return nil, err
	}
	for _, d := range []struct {
		name            string
		value           *time.Duration
		usual, min, max time.Duration
	}{
		{"command", &opts.Command, commandDefault, betweenLines, time.Minute},
		{"carrier", &opts.Carrier, carrierDefault, time.Second, 10 * time.Minute},
		{"guard", &opts.Guard, guardDefault, 20 * time.Millisecond, 255 * 20 * time.Millisecond}, // S12 counts 20 ms
	} {
		if *d.value == 0 {
			*d.value = d.usual
		}
		if *d.value < d.min || *d.value > d.max {
			return nil, fmt.Errorf("modem %s time %v: use %v to %v", d.name, *d.value, d.min, d.max)
		}
	}
	if opts.Progress == nil {
		opts.Progress = func(string) {}
	}
	return &Modem{opts: opts, at: engine{port: port, allow: opts.Command}}, nil
}

func checkNumber(number string) error {
	switch {
	case strings.Trim(number, "0123456789,*#TPW") != "":
		return fmt.Errorf("modem number %q: use digits and , * # T P W", number)
	case !strings.ContainsAny(number, "0123456789*#"):
		return fmt.Errorf("modem number %q has no digit", number)
	case len(dialLine(number)) > len("AT")+maxDialBody:
		return fmt.Errorf("modem number has %d characters: use at most %d", len(number), maxDialBody-len("DT"))
	}
	return nil
}

func checkInit(lines []string) error {
	if len(lines) > maxInit {
		return fmt.Errorf("modem has %d init lines: use at most %d", len(lines), maxInit)
	}
	for _, line := range lines {
		switch {
		case !strings.HasPrefix(line, "AT") && !strings.HasPrefix(line, "at"):
			return fmt.Errorf("modem init line %q does not begin with AT", line)
		case len(line) > maxCommand:
			return fmt.Errorf("modem init line has %d characters: use at most %d", len(line), maxCommand)
		case strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) >= 0:
			return fmt.Errorf("modem init line %q has a character that is not printable ASCII", line)
		}
	}
	return nil
}

// dialLine is the command that dials number.
func dialLine(number string) string {
	if strings.HasPrefix(number, tone) || strings.HasPrefix(number, pulse) {
		return dial + number
	}
	return dial + tone + number
}

// String names the far end: "dial-up 95516".
func (m *Modem) String() string { return "dial-up " + m.opts.Number }

func (m *Modem) acquire() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inUse {
		return ErrInUse
	}
	m.inUse = true
	return nil
}

func (m *Modem) release() {
	m.mu.Lock()
	m.inUse = false
	m.mu.Unlock()
}
