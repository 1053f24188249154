package printertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Opts describe the printer.
type Opts struct {
	Columns  int    // normal characters a line; 0 is 32
	Star     bool   // a Star printer in Star line mode; otherwise ESC/POS
	PaperDir string // where the paper goes as files; empty keeps it in memory

	// Line is called after each line that was put on paper, in order. It may call Command. Nil is nobody.
	Line func()
}

// Printer is one simulated printer. Its methods may be called from several goroutines.
type Printer struct {
	columns int
	answers chan []byte // to the host; written by Serve
	onLine  func()

	mu        sync.Mutex // guards everything below
	connected bool
	reception reception
	queue     [][]byte // whole commands and single characters, in order
	queued    int      // bytes in queue
	overrun   bool     // the present overflow is already listed
	holding   bool     // XOFF was sent
	machine   machine
	head      head
	paper     paper
	glyphs    map[rune]rune     // by both bytes
	font      *encoding.Decoder // of two-byte characters
	untold    int               // lines that onLine has not been called for
	faults    []string
}

// New makes a printer with paper, closed, switched on. A PaperDir that cannot be used shows in Faults.
func New(o Opts) *Printer {
	if o.Columns == 0 {
		o.Columns = 32
	}
	p := &Printer{columns: o.Columns, onLine: o.Line, answers: make(chan []byte, answersMost), glyphs: map[rune]rune{},
		font: simplifiedchinese.GB18030.NewDecoder()}
	p.machine.star = o.Star
	p.machine.powerOn()
	p.head.powerOn(o.Columns)
	p.paper.columns = o.Columns
	if o.PaperDir != "" {
		report := func(err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.fault("paper: %v", err)
		}
		if err := p.paper.keepIn(o.PaperDir, report); err != nil {
			p.fault("paper: %v", err)
		}
	}
	return p
}

type deadliner interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Serve connects the printer to a host until the host hangs up (nil), the context ends, or the line fails. It may be
// called again afterwards; paper, buffer and modes stay. If rw has no deadlines, the caller must close it to end Serve.
func (p *Printer) Serve(ctx context.Context, rw io.ReadWriter) error {
	if err := p.connect(); err != nil {
		return err
	}
	defer p.disconnect()
	stop := make(chan struct{})
	wake := func() {
		if d, ok := rw.(deadliner); ok {
			_ = d.SetReadDeadline(time.Unix(1, 0))
			_ = d.SetWriteDeadline(time.Unix(1, 0))
		}
	}
	if d, ok := rw.(deadliner); ok {
		_ = d.SetReadDeadline(time.Time{})
		_ = d.SetWriteDeadline(time.Time{})
	}
	defer context.AfterFunc(ctx, wake)()

	var writer sync.WaitGroup
	writer.Go(func() { p.write(rw, stop) })
	err := p.read(rw)
	close(stop)
	wake()
	writer.Wait()
	p.Wait()

	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, os.ErrClosed):
		return nil
	}
	return fmt.Errorf("printer line: %w", err)
}

func (p *Printer) connect() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.connected {
		return errors.New("printer: a host is already connected")
	}
	p.connected = true
	for len(p.answers) > 0 { // said to a host that has gone
		<-p.answers
	}
	return nil
}

func (p *Printer) disconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connected = false
}

func (p *Printer) read(r io.Reader) error {
	buf := make([]byte, 1024)
	for {
		n, err := r.Read(buf)
		p.receive(buf[:n])
		if err != nil {
			return err
		}
	}
}

func (p *Printer) write(w io.Writer, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case b := <-p.answers:
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}
}

// tellLinesLocked calls onLine without the lock, which it takes again.
func (p *Printer) tellLinesLocked() {
	if p.onLine == nil {
		p.untold = 0
		return
	}
	for ; p.untold > 0; p.untold-- {
		p.mu.Unlock()
		p.onLine()
		p.mu.Lock()
	}
}

// Wait returns when every finished slip is in PaperDir. Serve has done so when it returns.
func (p *Printer) Wait() {
	if p.paper.files != nil {
		p.paper.files.drawing.Wait()
	}
}

// Uncut is the text of what hangs out of the printer since the last cut.
func (p *Printer) Uncut() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.paper.text)
}

// Waiting is how many cuts stand in what was received and is not printed yet.
func (p *Printer) Waiting() (cuts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, command := range p.queue {
		if command[0] == codeGS && command[1] == 'V' {
			cuts++
		}
	}
	return cuts
}

// Slips returns the text of each slip that was cut, torn off or broken off, oldest first, at most the last thousand.
// Lines are placed as on the paper, without spaces at their ends.
func (p *Printer) Slips() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	texts := make([]string, len(p.paper.slips))
	for i, s := range p.paper.slips {
		texts[i] = s.text
	}
	return texts
}

// Paper returns the slips that Slips does, cuts marked, and the uncut end. It is what paper.txt holds.
func (p *Printer) Paper() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.paper.appendText(nil))
}

// Faults lists what the printer was sent and could not make sense of, and what would have come out wrong.
func (p *Printer) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.faults...)
}

// fault is called with the mutex held, or before anybody else knows p.
func (p *Printer) fault(format string, args ...any) {
	if len(p.faults) < faultsMost {
		p.faults = append(p.faults, fmt.Sprintf(format, args...))
	}
}
