package devicetest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"posagent/device/scanner/gm72"
)

// ScannerOpts are the parameters of a simulated barcode scanner.
type ScannerOpts struct {
	Host bool   // it looks for a code only when told to, as a GM72 in host mode; otherwise it sends what it sees
	End  string // what ends a code; default CR LF
}

// Scanner is a simulated barcode scanner before which codes are shown. In host mode it sleeps after a moment and hears
// nothing until 50 ms after it was woken. Its methods are safe for concurrent use; what it returns holds no code.
type Scanner struct {
	station
	opts ScannerOpts

	mu        sync.Mutex
	shown     string // before the window, or nothing
	looking   bool   // the light is on
	wokenAt   time.Time
	held      []byte // of a command
	fault     string // of the next code or answer
	silent    bool
	hostSaved int // how often the trigger mode was stored for good
}

const (
	scannerWakes  = 50 * time.Millisecond // GM72 manual
	scannerSleeps = time.Second
	scannerFaults = "damage, cut, twice, refuse, bad-answer"
)

// NewScanner makes a scanner with nothing before its window.
func NewScanner(o ScannerOpts) *Scanner {
	if o.End == "" {
		o.End = "\r\n"
	}
	return &Scanner{opts: o}
}

// Serve speaks with a terminal on rw until ctx ends or the line does, and returns nil in both cases. One Serve at a time.
func (s *Scanner) Serve(ctx context.Context, rw io.ReadWriter) error { return s.serve(ctx, rw, s.hear) }

// Looking reports whether the light of a scanner in host mode is on.
func (s *Scanner) Looking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looking
}

// Stored is how often a setting was stored in the scanner's memory.
func (s *Scanner) Stored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hostSaved
}

// Command does what a person or a fault does, and says in one line what happened:
//
//	show CODE        a code is held before the window; in host mode it stays until it is read or taken away
//	present CODE     the same
//	remove           it is taken away
//	fault WORD       the next code is sent with a damaged character (damage), without its end (cut) or twice (twice), or
//	                 the next command is refused (refuse) or its answer damaged (bad-answer)
//	silent on|off    the scanner is unplugged
func (s *Scanner) Command(text string) (string, error) {
	words := strings.Fields(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(words) == 2 && (words[0] == "show" || words[0] == "present") && len(words[1]) <= 512:
		s.shown = words[1]
		if !s.opts.Host || s.looking {
			s.readLocked()
			return "code read", nil
		}
		return "code shown", nil
	case len(words) == 1 && words[0] == "remove":
		s.shown = ""
		return "code taken away", nil
	case len(words) == 2 && words[0] == "silent" && (words[1] == "on" || words[1] == "off"):
		s.silent = words[1] == "on"
		return text, nil
	case len(words) == 2 && words[0] == "fault" && strings.Contains(scannerFaults, words[1]):
		s.fault = words[1]
		return text, nil
	}
	return "", fmt.Errorf("command %.8q: want show CODE, remove, silent on|off, or fault with one of %s", text, scannerFaults)
}

// readLocked sends the code before the window.
func (s *Scanner) readLocked() {
	wire := []byte(s.shown + s.opts.End)
	switch s.faultLocked("damage", "cut", "twice") {
	case "damage":
		wire[len(s.shown)/2] ^= 0x80
	case "cut":
		wire = wire[:len(s.shown)]
	case "twice":
		wire = append(wire, wire...)
	}
	s.shown, s.looking = "", false
	s.sendLocked(wire)
}

// faultLocked takes a fault that was asked for, if it is one of these.
func (s *Scanner) faultLocked(among ...string) string {
	for _, f := range among {
		if s.fault == f {
			s.fault = ""
			return f
		}
	}
	return ""
}

func (s *Scanner) sendLocked(wire []byte) {
	if !s.silent {
		s.say(wire)
	}
}

func (s *Scanner) hear(wire []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent || !s.opts.Host {
		return
	}
	now := time.Now()
	for _, octet := range wire {
		switch awake := now.Sub(s.wokenAt); {
		case awake > scannerSleeps:
			s.wokenAt, s.held = now, nil // this byte woke it, whatever it was
			continue
		case awake < scannerWakes:
			continue // not listening yet
		case len(s.held) == 0 && !gm72.Begins(octet):
			continue
		}
		s.held = append(s.held, octet)
		f, size, ok := gm72.Read(s.held)
		switch {
		case !ok:
			s.held = nil
			s.answerLocked(gm72.Nak, 0x01)
		case size > 0:
			s.wokenAt, s.held = now.Add(-scannerWakes), nil
			s.obeyLocked(f)
		}
	}
}

func (s *Scanner) obeyLocked(f gm72.Frame) {
	if s.faultLocked("refuse") != "" {
		s.answerLocked(gm72.Nak, 0x06)
		return
	}
	switch {
	case f.Source != gm72.FromHost:
		return
	case f.Operation == gm72.Start:
		s.looking = true
	case f.Operation == gm72.Stop:
		s.looking = false
	case f.Operation == gm72.Parameter:
		s.hostSaved++
	case f.Operation == gm72.Ack:
		return
	default:
		s.answerLocked(gm72.Nak, 0x02)
		return
	}
	s.answerLocked(gm72.Ack)
	if s.looking && s.shown != "" {
		s.readLocked()
	}
}

func (s *Scanner) answerLocked(operation byte, data ...byte) {
	wire := gm72.Frame{Operation: operation, Source: gm72.FromScanner, Data: data}.Append(nil)
	if s.faultLocked("bad-answer") != "" {
		wire[len(wire)-1] ^= 0x01
	}
	s.sendLocked(wire)
}
