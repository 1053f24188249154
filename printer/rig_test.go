package printer_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/printer"
	"posagent/printer/printertest"
	"posagent/printer/receipt"
)

// bench is a simulated printer and the host's end of the line to it.
type bench struct {
	t    *testing.T
	sim  *printertest.Printer
	line *line
}

// onBench runs a story in virtual time. A goroutine that the driver leaves behind fails it.
func onBench(t *testing.T, columns int, story func(b *bench)) {
	t.Helper()
	onBenchOf(t, printertest.Opts{Columns: columns}, story)
}

func onBenchOf(t *testing.T, o printertest.Opts, story func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		host, machine := net.Pipe()
		b := &bench{t: t, sim: printertest.New(o), line: &line{Conn: host}}
		served := make(chan error, 1)
		go func() { served <- b.sim.Serve(context.Background(), machine) }()
		defer func() {
			require.NoError(t, host.Close())
			require.NoError(t, <-served)
		}()
		story(b)
	})
}

// do meddles with the machine, once it has taken in everything that is on the line.
func (b *bench) do(command string) {
	b.t.Helper()
	synctest.Wait()
	_, err := b.sim.Command(command)
	require.NoError(b.t, err)
}

func (b *bench) printer(o printer.Opts) *printer.Printer {
	b.t.Helper()
	p, err := printer.New(b.line, &o)
	require.NoError(b.t, err)
	return p
}

// fails prints, and demands the fault.
func (b *bench) fails(p *printer.Printer, s receipt.Slip, cause error, sent bool) *printer.FaultError {
	b.t.Helper()
	proof, err := p.Print(b.t.Context(), s)
	require.Equal(b.t, printer.Unconfirmed, proof)
	require.ErrorIs(b.t, err, cause)
	var fault *printer.FaultError
	require.ErrorAs(b.t, err, &fault)
	require.Equal(b.t, sent, fault.Sent, "%v", err)
	return fault
}

// prints prints, and demands the proof.
func (b *bench) prints(p *printer.Printer, s receipt.Slip) {
	b.t.Helper()
	proof, err := p.Print(b.t.Context(), s)
	require.NoError(b.t, err)
	require.Equal(b.t, printer.Proven, proof)
	synctest.Wait() // the proof comes before the cut
	slips := b.sim.Slips()
	require.NotEmpty(b.t, slips)
	require.Equal(b.t, s.Text(), slips[len(slips)-1], "what is proven is on paper, whole")
}

// line is the host's end, with a finger on it: it counts what is written, and can do something at one byte.
type line struct {
	net.Conn
	written int
	at      int          // do is called when so many bytes have been taken by the printer
	do      func() error // an error ends the write there
	alter   func([]byte) []byte
	trickle bool   // reads and writes one byte at a time
	deaf    bool   // XOFF does not arrive
	slow    bool   // a piece takes longer than the answer to it, as on any real line
	sent    []byte // what was written
}

func (l *line) Write(b []byte) (int, error) {
	if l.alter != nil {
		if _, err := l.Conn.Write(l.alter(b)); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	for done := 0; done < len(b); {
		end := len(b)
		if l.trickle {
			end = done + 1
		}
		if l.do != nil {
			if stop := done + l.at - l.written; stop > done && stop < end {
				end = stop
			}
		}
		n, err := l.Conn.Write(b[done:end])
		l.sent = append(l.sent, b[done:done+n]...)
		done += n
		l.written += n
		if err != nil {
			return done, err
		}
		if l.slow {
			synctest.Wait()
		}
		if l.do != nil && l.written == l.at {
			synctest.Wait() // the printer has worked off what it got
			do := l.do
			l.do = nil
			if err := do(); err != nil {
				return done, err
			}
		}
	}
	return len(b), nil
}

func (l *line) Read(b []byte) (int, error) {
	if l.trickle && len(b) > 1 {
		b = b[:1]
	}
	n, err := l.Conn.Read(b)
	if l.deaf {
		n = copy(b, bytes.ReplaceAll(b[:n], []byte{0x13}, nil))
	}
	return n, err
}

// trip sets the finger: after n more bytes.
func (l *line) trip(n int, do func() error) { l.at, l.do = l.written+n, do }

var errBlocked error = os.ErrDeadlineExceeded

func aSlip(t *testing.T, columns int, lines ...string) receipt.Slip {
	t.Helper()
	if lines == nil {
		lines = []string{"消费 SALE", "RMB 12.50", "", "谢谢"}
	}
	s, err := receipt.Note(receipt.Layout{Columns: columns, MerchantName: "城南便利店"}, "签购单", lines...)
	require.NoError(t, err)
	return s
}

func longSlip(t *testing.T) receipt.Slip {
	t.Helper()
	return aSlip(t, 32, strings.Split(strings.Repeat("0123456789 一行长长的文字 abcde\n", 180), "\n")[:180]...)
}

var cutting = printer.Opts{Columns: 32, CutAfter: true}

const second = time.Second
