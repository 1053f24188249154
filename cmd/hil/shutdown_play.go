package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// script is everything that a trade says, known beforehand from a rehearsal on a copy of the same store: what is in flight
// when the file system goes has not been said.
type script struct {
	lines    []string
	deeds    []int // lines that announce one
	promises []promise
	free     bool // only the number of lines is known
}

func scriptOf(said []byte) (s script, err error) {
	var h history
	for line := range strings.Lines(string(said)) {
		line = strings.TrimSpace(line)
		h.Ops = append(h.Ops, op{Kind: opLine, Text: line})
		if strings.HasPrefix(line, "TRY ") {
			s.deeds = append(s.deeds, len(s.lines))
		}
		s.lines = append(s.lines, line)
	}
	s.promises, err = h.promises()
	return s, err
}

// moment is when the file system goes: after a delay from the announcement of a deed.
type moment struct {
	deed  int
	delay time.Duration
}

// played is how far a trade came.
type played struct {
	said   []string
	acked  int
	flying bool // in the middle of a deed
	over   bool // it had nothing more to do
}

// playWithin is the longest that a trade takes; it lasts a fraction of a second, and a slow machine is not a hang.
const playWithin = 5 * time.Minute

// play runs a child that follows the script on a mounted volume, shuts the volume down at the moment, and kills the child.
// What the child promises until then counts, even if the volume was gone already.
func (v *volume) play(ctx context.Context, s script, m moment, how int, argv ...string) (p played, err error) {
	ctx, cancel := context.WithTimeout(ctx, playWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var last bytes.Buffer
	cmd.Stderr = &last
	out, err := cmd.StdoutPipe()
	if err != nil {
		return p, err
	}
	if err := cmd.Start(); err != nil {
		return p, err
	}
	reached, heard := make(chan struct{}), make(chan error, 1)
	go func() { heard <- p.listen(out, s, s.deeds[m.deed], reached) }()
	<-reached
	for from := time.Now(); time.Since(from) < m.delay; { // a timer would come too late
	}
	early := len(heard) > 0
	gone := v.shutdown(how)
	_ = cmd.Process.Kill()
	err = <-heard
	_ = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return p, context.Cause(ctx)
	case err == nil && early && !p.over && !s.free:
		err = fmt.Errorf("the trade ended by itself: %s", firstLine(last.String()))
	}
	return p, errors.Join(err, gone)
}

// listen follows what the child says until its end, and closes reached at the line, or where the child ended before it.
func (p *played) listen(out io.Reader, s script, line int, reached chan<- struct{}) error {
	waited := false
	let := func() {
		if !waited {
			close(reached)
			waited = true
		}
	}
	defer let()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said, n := strings.TrimSpace(lines.Text()), len(p.said)
		if n >= len(s.lines) || said != s.lines[n] && !s.free {
			let()
			_, err := io.Copy(io.Discard, out) // or it would wait for its reader
			return errors.Join(fmt.Errorf("the trade says %q in its line %d, and did not in the rehearsal", said, n+1), err)
		}
		if n == line {
			let()
		}
		p.said = append(p.said, said)
		p.flying = strings.HasPrefix(said, "TRY ")
		if strings.HasPrefix(said, "ACK ") {
			p.acked++
		}
	}
	p.over = len(p.said) == len(s.lines)
	return nil
}
