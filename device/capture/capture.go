package capture

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Direction of bytes on a line.
type Direction byte

const (
	ToDevice   Direction = '>'
	FromDevice Direction = '<'
)

// Event is bytes that passed together. At is the time since the recording began.
type Event struct {
	At    time.Duration
	To    Direction
	Bytes []byte
}

// Capture is one recording.
type Capture struct {
	Device string // what was recorded: a word such as neo2
	Note   string // one line of text
	Events []Event
}

// Limits of a file, chosen by us.
const (
	MaxBytes  = 256 << 10 // that passed over the line
	MaxEvents = 16384

	first   = "posagent capture 1"
	perLine = 64
	maxText = 200
	maxRow  = 512
)

// ErrFormat is wrapped by every refusal of a file. The text names a line's number, never its content.
var ErrFormat = errors.New("not a recording")

// append writes c as text. It has been judged.
func (c Capture) append(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%s\ndevice %s\nnote %s\n", first, c.Device, c.Note)
	for _, e := range c.Events {
		for rest := e.Bytes; len(rest) > 0; rest = rest[min(perLine, len(rest)):] {
			dst = fmt.Appendf(dst, "%14.6f %c %s\n", e.At.Seconds(), e.To, hex.EncodeToString(rest[:min(perLine, len(rest))]))
		}
	}
	return dst
}

// Read reads one recording, strictly.
func Read(r io.Reader) (Capture, error) {
	rows := bufio.NewScanner(r)
	rows.Buffer(make([]byte, maxRow), maxRow)
	var c Capture
	total := 0
	for n := 1; rows.Scan(); n++ {
		row := rows.Text()
		var ok bool
		switch n {
		case 1:
			ok = row == first
		case 2:
			c.Device, ok = strings.CutPrefix(row, "device ")
			ok = ok && word(c.Device)
		case 3:
			c.Note, ok = strings.CutPrefix(row, "note ")
			ok = ok && text(c.Note)
		default:
			var size int
			size, ok = c.row(row)
			total += size
		}
		if !ok {
			return Capture{}, fmt.Errorf("%w: line %d", ErrFormat, n)
		}
		if total > MaxBytes || len(c.Events) > MaxEvents {
			return Capture{}, fmt.Errorf("%w: more than %d bytes or %d events", ErrFormat, MaxBytes, MaxEvents)
		}
	}
	switch {
	case rows.Err() != nil:
		return Capture{}, fmt.Errorf("%w: %w", ErrFormat, rows.Err())
	case c.Device == "" || len(c.Events) == 0:
		return Capture{}, fmt.Errorf("%w: it ends before it begins", ErrFormat)
	}
	return c, nil
}

// row takes one line of bytes: "     0.000912 < 0011".
func (c *Capture) row(row string) (size int, ok bool) {
	moment, rest, _ := strings.Cut(strings.TrimLeft(row, " "), " ")
	to, digits, _ := strings.Cut(rest, " ")
	at, timed := moments(moment)
	payload, err := hex.DecodeString(digits)
	if !timed || err != nil || len(payload) == 0 || len(payload) > perLine || to != string(ToDevice) && to != string(FromDevice) {
		return 0, false
	}
	event := Event{At: at, To: Direction(to[0]), Bytes: payload}
	if len(c.Events) > 0 {
		last := &c.Events[len(c.Events)-1]
		if at < last.At {
			return 0, false
		}
		if last.At == at && last.To == event.To {
			last.Bytes = append(last.Bytes, payload...)
			return len(payload), true
		}
	}
	c.Events = append(c.Events, event)
	return len(payload), true
}

// moments reads seconds with six decimals, up to a day.
func moments(s string) (time.Duration, bool) {
	seconds, micros, _ := strings.Cut(s, ".")
	if len(seconds) == 0 || len(seconds) > 5 || len(micros) != 6 || strings.Trim(seconds+micros, "0123456789") != "" {
		return 0, false
	}
	total := 0
	for _, d := range []byte(seconds) {
		total = total*10 + int(d-'0')
	}
	part := 0
	for _, d := range []byte(micros) {
		part = part*10 + int(d-'0')
	}
	return time.Duration(total)*time.Second + time.Duration(part)*time.Microsecond, true
}

func word(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func text(s string) bool {
	return len(s) <= maxText && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}
