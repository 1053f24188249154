package printer_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/printer"
	"posagent/printer/printertest"
)

// A printer that holds data for the next roll answers for it then. That answer must not prove another slip.
func TestAStaleProofIsReadAway(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.do("paper out after 7")
		b.fails(p, aSlip(t, 32), printer.ErrPaperOut, true)
		b.do("paper ok") // the old id is answered now
		b.line.trip(60, func() error { b.do("paper out"); return nil })
		b.fails(p, aSlip(t, 32), printer.ErrPaperOut, true)
	})
}

// answering is a printer that tells of its missing paper in the last of its four answers only, as one does that has not
// tried to print. A reading that is shifted by one answer takes it for ready.
func answering(machine io.ReadWriter) { answeringSome(machine, 4) }

// answeringSome answers so many at most of questions that come together.
func answeringSome(machine io.ReadWriter, most int) (together int) {
	buf := make([]byte, 64)
	for {
		n, err := machine.Read(buf)
		if err != nil {
			return together
		}
		answered := 0
		for _, question := range bytes.Split(buf[:n], []byte{0x10, 0x04})[1:] {
			if answered++; answered == 2 {
				together++
			}
			if answered > most {
				continue
			}
			answer := byte(0x12)
			if question[0] == 4 {
				answer = 0x72
			}
			if _, err := machine.Write([]byte{answer}); err != nil {
				return together
			}
		}
	}
}

// A printer that answers the first of several questions alone is asked one at a time, once that has shown, and is not taken for
// one with paper.
func TestAPrinterThatWantsItsQuestionsOneAtATime(t *testing.T) {
	for most := 1; most < 4; most++ {
		synctest.Test(t, func(t *testing.T) {
			host, machine := net.Pipe()
			together := make(chan int, 1)
			go func() { together <- answeringSome(machine, most) }()
			p, err := printer.New(host, nil)
			require.NoError(t, err)
			requireNoPaper(t, p)
			began := time.Now()
			requireNoPaper(t, p)
			assert.Less(t, time.Since(began), 10*time.Millisecond)
			require.NoError(t, host.Close())
			assert.Equal(t, 1, <-together, "it was tried once")
		})
	}
}

func requireNoPaper(t *testing.T, p *printer.Printer) {
	t.Helper()
	s, err := p.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, [4]byte{0x12, 0x12, 0x12, 0x72}, s.Raw)
	require.True(t, s.PaperEnd)
}

func TestAStaleStatusShiftsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, machine := net.Pipe()
		defer host.Close()
		go answering(&sleepy{Conn: machine, each: 10 * time.Millisecond})
		p, err := printer.New(host, nil)
		require.NoError(t, err)
		go func() { _, _ = machine.Write([]byte{0x12}) }() // an answer too many
		synctest.Wait()
		requireNoPaper(t, p)
	})
}

func TestALateStatusShiftsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, machine := net.Pipe()
		defer host.Close()
		go answering(&sleepy{Conn: machine, after: 5})
		p, err := printer.New(host, nil)
		require.NoError(t, err)
		_, err = p.Status(t.Context())
		require.ErrorIs(t, err, printer.ErrNoAnswer)
		requireNoPaper(t, p)
	})
}

// sleepy takes some time for each answer, and a second and a half for one of them.
type sleepy struct {
	net.Conn
	each  time.Duration
	after int // counts down to that one; 0 is none
}

func (s *sleepy) Write(b []byte) (int, error) {
	time.Sleep(s.each)
	if s.after--; s.after == 0 {
		time.Sleep(1500 * time.Millisecond)
	}
	return s.Conn.Write(b)
}

// The same while the proof of the next slip is awaited, from a printer that follows a script.
func TestAStaleProofProvesNothing(t *testing.T) {
	for _, stale := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			host, machine := net.Pipe()
			defer host.Close()
			go scripted(machine, stale)
			p, err := printer.New(host, &printer.Opts{Columns: 32, FirstID: 7})
			require.NoError(t, err)
			proof, err := p.Print(t.Context(), aSlip(t, 32))
			require.NoError(t, err)
			require.Equal(t, stale, proof == printer.Unconfirmed)
		})
	}
}

func TestAFullPrinterIsNotOverrun(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.line.slow = true
		b.do("paper out after 5")
		began := time.Now()
		b.fails(p, longSlip(t), printer.ErrPaperOut, true)
		assert.Less(t, time.Since(began), 3*second)
		b.do("paper ok")
		assert.Empty(t, b.sim.Faults(), "XOFF was obeyed: nothing was lost")
		b.prints(p, aSlip(t, 32))
		slips := b.sim.Slips()
		require.Len(t, slips, 2)
		assert.Contains(t, slips[0], "此联作废", "half a slip says that it is void")
		assert.Empty(t, b.sim.Faults())
	})
}

// Without any flow control a long slip into a printer without paper would overflow it.
func TestALongSlipIsBrokenOff(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.line.deaf, b.line.slow = true, true
		b.do("paper out after 5")
		b.fails(p, longSlip(t), printer.ErrPaperOut, true)
		b.do("paper ok")
		b.prints(p, aSlip(t, 32))
		assert.Empty(t, b.sim.Faults())
	})
}

func TestXOFFIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, machine := net.Pipe()
		defer host.Close()
		full := &fullFor{Conn: machine, at: 700, pause: 5 * second}
		go scripted(full, false)
		p, err := printer.New(host, &printer.Opts{Columns: 32})
		require.NoError(t, err)
		proof, err := p.Print(t.Context(), longSlip(t))
		require.NoError(t, err)
		assert.Equal(t, printer.Proven, proof)
		assert.LessOrEqual(t, full.between, 256, "between XOFF and XON came no more than the piece that was on its way")
	})
}

// fullFor is the printer's end of a line on which the printer says XOFF after so many bytes, and XON after a pause.
type fullFor struct {
	net.Conn
	at, read, between int
	pause             time.Duration
}

func (f *fullFor) Read(b []byte) (int, error) {
	before := f.read
	n, err := f.Conn.Read(b)
	f.read += n
	if before < f.at && f.read >= f.at {
		_, _ = f.Conn.Write([]byte{0x13})
		synctest.Wait() // the host has seen it
		_ = f.SetReadDeadline(time.Now().Add(f.pause))
		for n < len(b) {
			more, err := f.Conn.Read(b[n:])
			n += more
			f.between += more
			if err != nil {
				break
			}
		}
		_ = f.SetReadDeadline(time.Time{})
		_, _ = f.Conn.Write([]byte{0x11})
	}
	return n, err
}

// scripted answers every question with "fine" and every process id with itself, or with the one before it.
func scripted(machine io.ReadWriter, stale bool) {
	var got []byte
	buf := make([]byte, 512)
	for {
		n, err := machine.Read(buf)
		if err != nil {
			return
		}
		got = append(got, buf[:n]...)
		for bytes.Contains(got, []byte{0x10, 0x04}) {
			_, got, _ = bytes.Cut(got, []byte{0x10, 0x04})
			_, _ = machine.Write([]byte{0x12})
		}
		if at := bytes.Index(got, []byte{0x1D, '(', 'H'}); at >= 0 && len(got) >= at+11 {
			answer := append(append([]byte{0x37, 0x22}, got[at+7:at+11]...), 0)
			if stale {
				answer[2] ^= 1
			}
			got = got[at+11:]
			_, _ = machine.Write(answer)
		}
	}
}

// buffered is a line behind a port that takes everything at once and sends it on at its own speed.
type buffered struct {
	net.Conn
	room  chan []byte
	done  chan struct{}
	asked int // questions that travel alone or with others of their kind
}

func (l *buffered) Write(b []byte) (int, error) {
	if n := bytes.Count(b, []byte{0x10, 0x04}); len(b) <= 3*n {
		l.asked += n
	}
	l.room <- bytes.Clone(b)
	return len(b), nil
}

func (l *buffered) SetWriteDeadline(time.Time) error { return nil }

// send carries what was taken, byte by byte.
func (l *buffered) send(baud int) {
	defer close(l.done)
	for b := range l.room {
		for i := range b {
			time.Sleep(10 * second / time.Duration(baud))
			_, _ = l.Conn.Write(b[i : i+1])
		}
	}
}

// A slow line needs seconds for a slip that its port took at once. A question in the meantime would come too late to say
// anything, and its answer too late to be waited for.
func TestASlipOnItsWayIsNotAskedAfter(t *testing.T) {
	const baud = 9600
	synctest.Test(t, func(t *testing.T) {
		host, machine := net.Pipe()
		sim := printertest.New(printertest.Opts{Columns: 32})
		served := make(chan error, 1)
		go func() { served <- sim.Serve(context.Background(), machine) }()
		port := &buffered{Conn: host, room: make(chan []byte, 100), done: make(chan struct{})}
		go port.send(baud)
		defer func() {
			close(port.room)
			<-port.done
			require.NoError(t, host.Close())
			require.NoError(t, <-served)
		}()
		p, err := printer.New(port, &printer.Opts{Columns: 32, CutAfter: true, Baud: baud})
		require.NoError(t, err)
		slip := longSlip(t)
		for range 2 {
			began, asked := time.Now(), port.asked
			proof, err := p.Print(t.Context(), slip)
			require.NoError(t, err)
			require.Equal(t, printer.Proven, proof)
			require.Greater(t, time.Since(began), 3*second, "the line is slow")
			require.Equal(t, 4, port.asked-asked, "before the slip, and not while it passes")
		}
		require.Empty(t, sim.Faults())
	})
}
