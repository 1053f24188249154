package printer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/printer"
	"posagent/printer/receipt"
)

func TestASlipIsPrintedAndProven(t *testing.T) {
	for _, columns := range []int{32, 48} {
		onBench(t, columns, func(b *bench) {
			p := b.printer(printer.Opts{Columns: columns, CutAfter: true})
			began := time.Now()
			for range 3 {
				b.prints(p, aSlip(t, columns))
			}
			assert.Len(t, b.sim.Slips(), 3)
			assert.Empty(t, b.sim.Faults())
			assert.Less(t, time.Since(began), second, "nothing was waited for")
		})
	}
}

func TestASlipIsFedOutWhereThereIsNoCutter(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(printer.Opts{Columns: 32})
		for range 2 {
			proof, err := p.Print(b.t.Context(), aSlip(t, 32))
			require.NoError(t, err)
			require.Equal(t, printer.Proven, proof)
		}
		b.do("feed")
		require.Equal(t, []string{aSlip(t, 32).Text() + "\n\n\n\n", aSlip(t, 32).Text() + "\n\n\n\n"}, b.sim.Slips())
		assert.NotContains(t, b.sim.Paper(), "torn")
		assert.Empty(t, b.sim.Faults())
	})
}

func TestNothingIsSentToAPrinterThatCannotPrint(t *testing.T) {
	for command, cause := range map[string]error{
		"paper out":  printer.ErrPaperOut,
		"cover open": printer.ErrCoverOpen,
		"jam":        printer.ErrCutter,
		"hot on":     printer.ErrPausing,
		"broken on":  printer.ErrBroken,
		"silent on":  printer.ErrNoAnswer,
		"mute on":    printer.ErrNoAnswer,
	} {
		onBench(t, 32, func(b *bench) {
			p := b.printer(cutting)
			b.do(command)
			fault := b.fails(p, aSlip(t, 32), cause, false)
			assert.Contains(t, fault.Error(), "nothing of a slip was sent")
			for _, mend := range []string{"paper ok", "cover closed", "jam clear", "hot off", "broken off", "silent off", "mute off"} {
				b.do(mend)
			}
			assert.Empty(t, b.sim.Paper(), command)
			b.prints(p, aSlip(t, 32))
			assert.Len(t, b.sim.Slips(), 1, "and nothing of the first attempt came out")
			assert.Empty(t, b.sim.Faults())
		})
	}
}

func TestNearlyNoPaperIsEnoughForASlip(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		b.do("paper near")
		p := b.printer(cutting)
		b.prints(p, aSlip(t, 32))
		s, err := p.Status(b.t.Context())
		require.NoError(t, err)
		assert.Equal(t, "ready, paper near end", s.String())
	})
}

// The first copy comes out when the paper returns, whole; the second is the caller's, with its mark.
func TestPaperEndsInTheMiddle(t *testing.T) {
	for _, lines := range []string{"1", "3", "7"} { // the last line is the seventh: the paper ends while the proof is awaited
		onBench(t, 32, func(b *bench) {
			p := b.printer(cutting)
			b.do("paper out after " + lines)
			began := time.Now()
			fault := b.fails(p, aSlip(t, 32), printer.ErrPaperOut, true)
			assert.Less(t, time.Since(began), second, "the automatic status rings at once")
			assert.Contains(t, fault.Error(), "not proven")
			assert.True(t, fault.Status.PaperEnd)
			assert.Empty(t, b.sim.Slips())

			b.fails(p, aSlip(t, 32), printer.ErrPaperOut, false)
			b.do("paper ok")
			assert.Equal(t, []string{aSlip(t, 32).Text()}, b.sim.Slips(), "the printer's backlog")
			b.prints(p, aSlip(t, 32, "重打印"))
			assert.Len(t, b.sim.Slips(), 2)
			assert.Empty(t, b.sim.Faults())
		})
	}
}

func TestEveryFaultInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		command, mend string
		cause         error
		slips         int // after mending and a second slip
	}{
		{"cover open", "cover closed", printer.ErrCoverOpen, 2},
		{"jam", "jam clear", printer.ErrCutter, 2}, // the rest of the first is cleared by the recovery; its beginning is torn
		{"broken on", "broken off", printer.ErrBroken, 2},
		{"silent on", "silent off", printer.ErrNoAnswer, 2},
		{"mute on", "mute off", printer.ErrNoAnswer, 2},
	} {
		onBench(t, 32, func(b *bench) {
			p := b.printer(cutting)
			b.line.trip(80, func() error { b.do(c.command); return nil })
			began := time.Now()
			b.fails(p, aSlip(t, 32), c.cause, true)
			assert.Less(t, time.Since(began), 15*second, "long before the time for proof is up")
			b.do(c.mend)
			b.prints(p, aSlip(t, 32, "重打印"))
			assert.Len(t, b.sim.Slips(), c.slips, c.command)
		})
	}
}

// A hot head ends by itself: the slip is waited for, and proven.
func TestAHeadThatCoolsDown(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.line.trip(80, func() error { b.do("hot on"); return nil })
		cooled := time.AfterFunc(10*second, func() { _, _ = b.sim.Command("hot off") })
		defer cooled.Stop()
		b.prints(p, aSlip(t, 32))
		assert.Len(t, b.sim.Slips(), 1)

		b.line.trip(80, func() error { b.do("hot on"); return nil })
		fault := b.fails(p, aSlip(t, 32), printer.ErrPausing, true)
		assert.Contains(t, fault.Error(), "goes on by itself")
	})
}

func TestABladeThatJamsAtTheCut(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.do("jam cut")
		proof, err := p.Print(b.t.Context(), aSlip(t, 32))
		require.NoError(t, err)
		require.Equal(t, printer.Proven, proof, "its text is on paper, though still in the printer")
		b.fails(p, aSlip(t, 32), printer.ErrCutter, false)
		b.do("jam clear")
		b.prints(p, aSlip(t, 32))
	})
}

func TestAPrinterThatIsNotThere(t *testing.T) {
	for command, words := range map[string]string{
		"silent on":   "check that it is switched on, its cable, and speed and parity",
		"nonsense on": "not ESC/POS: check speed, parity",
	} {
		onBench(t, 32, func(b *bench) {
			b.do(command)
			_, err := printer.New(b.line, nil)
			require.ErrorIs(t, err, printer.ErrNoAnswer)
			require.ErrorContains(t, err, words)
		})
	}
}

func TestAPrinterWithoutPaperIsThereAllTheSame(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		b.do("paper out")
		b.do("cover open")
		p := b.printer(cutting)
		s, err := p.Status(b.t.Context())
		require.NoError(t, err)
		assert.Equal(t, "paper out, cover open, offline", s.String())
		assert.Equal(t, printer.ErrCoverOpen, s.Fault())
	})
}

// A flipped bit in the length of GS ( H leaves a printer that takes 32 KiB for the data of one command.
func TestAPrinterThatWaitsForALongCommandIsHeardAgain(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		_, err := b.line.Write([]byte{0x1D, '(', 'H', 6, 0x80, 48, 48})
		require.NoError(t, err)
		var p *printer.Printer
		silences := 0
		for ; p == nil; silences++ {
			require.Less(t, silences, 30)
			p, err = printer.New(b.line, &printer.Opts{CutAfter: true, Silences: silences})
			require.True(t, err == nil || errors.Is(err, printer.ErrNoAnswer), "%v", err)
		}
		require.Greater(t, silences, 1, "it was not deaf")
		b.prints(p, aSlip(t, 32))
	})
}

func TestNonsenseNeverProves(t *testing.T) {
	end := proofAt(t, aSlip(t, 32))
	for at := 1; at < end; at += 3 {
		onBench(t, 32, func(b *bench) {
			p := b.printer(cutting)
			b.line.trip(at, func() error { b.do("nonsense on"); return nil })
			proof, _ := p.Print(b.t.Context(), aSlip(t, 32))
			require.Equal(t, printer.Unconfirmed, proof)
			b.do("nonsense off")
			b.do("paper ok")
			b.prints(p, aSlip(t, 32))
		})
	}
}

func TestAnswersInsideAnswers(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.do("mingle on")
		b.prints(p, aSlip(t, 32))
		b.prints(p, aSlip(t, 32))
	})
}

func TestOneByteAtATime(t *testing.T) {
	onBench(t, 48, func(b *bench) {
		b.line.trickle = true
		p := b.printer(printer.Opts{Columns: 48, CutAfter: true})
		b.do("mingle on")
		b.prints(p, aSlip(t, 48))
		assert.Empty(t, b.sim.Faults())
	})
}

func TestAPrinterThatCannotProve(t *testing.T) {
	withoutGSH := func(b []byte) []byte {
		before, after, found := bytes.Cut(b, []byte{0x1D, '(', 'H'})
		if !found {
			return b
		}
		return append(append([]byte(nil), before...), after[8:]...)
	}
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.line.alter = withoutGSH
		began := time.Now()
		proof, err := p.Print(b.t.Context(), aSlip(t, 32))
		require.NoError(t, err)
		assert.Equal(t, printer.Unconfirmed, proof)
		assert.InDelta(t, 30, time.Since(began).Seconds(), 2)
		assert.Len(t, b.sim.Slips(), 1)
	})
	for _, mode := range []printer.ProofMode{printer.StatusAfterFeed, printer.NoProof} {
		onBench(t, 32, func(b *bench) {
			p := b.printer(printer.Opts{Columns: 32, CutAfter: true, Proof: mode})
			began := time.Now()
			proof, err := p.Print(b.t.Context(), aSlip(t, 32))
			require.NoError(t, err)
			assert.Equal(t, printer.Unconfirmed, proof)
			assert.Less(t, time.Since(began), 3*second)
			assert.Len(t, b.sim.Slips(), 1)

			b.do("paper out after 3")
			b.fails(p, aSlip(t, 32), printer.ErrPaperOut, true)
			assert.Empty(t, b.sim.Faults())
		})
	}
}

// What answers nothing is not asked, and what comes all the same is not listened to. Each slip has its time, and no proof.
func TestAMutePrinter(t *testing.T) {
	for _, mute := range []string{"mute on", "mute off", "nonsense on"} {
		onBench(t, 32, func(b *bench) {
			b.do(mute)
			p := b.printer(printer.Opts{Columns: 32, CutAfter: true, Proof: printer.Mute, Baud: 9600})
			for n := range 2 {
				began := time.Now()
				proof, err := p.Print(b.t.Context(), aSlip(t, 32))
				require.NoError(t, err)
				assert.Equal(t, printer.Unconfirmed, proof)
				assert.Greater(t, time.Since(began), second)
				assert.Less(t, time.Since(began), 4*second)
				assert.Len(t, b.sim.Slips(), n+1)
			}
			status, err := p.Status(b.t.Context())
			require.NoError(t, err)
			assert.Zero(t, status)
			ctx, cancel := context.WithCancel(b.t.Context())
			time.AfterFunc(second/2, cancel)
			_, err = p.Print(ctx, aSlip(t, 32))
			var fault *printer.FaultError
			require.ErrorAs(t, err, &fault)
			assert.True(t, fault.Sent)
			assert.Empty(t, b.sim.Faults())
			require.NoError(t, p.Halt())
		})
	}
}

func TestGivingUpInTheMiddle(t *testing.T) {
	end := wholeSlip(t, aSlip(t, 32))
	for at := 13; at < end; at++ {
		onBench(t, 32, func(b *bench) {
			p := b.printer(cutting)
			ctx, cancel := context.WithCancel(b.t.Context())
			b.line.trip(at, func() error { cancel(); return errBlocked })
			_, err := p.Print(ctx, aSlip(t, 32))
			require.ErrorIs(t, err, context.Canceled)
			var fault *printer.FaultError
			require.ErrorAs(t, err, &fault)
			require.Equal(t, at > 12, fault.Sent)
			b.prints(p, aSlip(t, 32))
			slips := b.sim.Slips()
			require.GreaterOrEqual(t, len(slips), 2)
			for _, s := range slips[:len(slips)-1] {
				if s != aSlip(t, 32).Text() {
					require.Contains(t, s, "INTERRUPTED", "byte %d", at)
				}
			}
		})
	}
}

func TestALineThatBreaks(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.line.trip(100, func() error { return b.line.Close() })
		fault := b.fails(p, aSlip(t, 32), io.ErrClosedPipe, true)
		assert.Contains(t, fault.Error(), "closed pipe")
		_, err := p.Status(b.t.Context())
		require.Error(t, err)
	})
}

func TestALineThatTakesNothing(t *testing.T) {
	host, nobody := net.Pipe() // a CTS line that never rises
	defer nobody.Close()
	_, err := printer.New(host, &printer.Opts{Answer: 10 * time.Millisecond})
	require.ErrorIs(t, err, printer.ErrOffline)
}

func TestWhatCannotComeOutRightIsRefused(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		for name, s := range map[string]receipt.Slip{
			"columns":   aSlip(t, 48),
			"wide line": {Columns: 32, Lines: []receipt.Line{{Text: "0123456789 0123456789 0123456789 "}}},
			"big line":  {Columns: 32, Lines: []receipt.Line{{Text: "0123456789 012345", Size: receipt.Big}}},
			"no glyph":  {Columns: 32, Lines: []receipt.Line{{Text: "😀"}}},
			"control":   {Columns: 32, Lines: []receipt.Line{{Text: "\x10\x04\x01"}}},
			"feed":      {Columns: 32, Lines: []receipt.Line{{Op: receipt.Feed, Feed: 16}}},
			"length":    {Columns: 32, Lines: make([]receipt.Line, 401)},
			"size":      {Columns: 32, Lines: []receipt.Line{{Text: "x", Size: 9}}},
		} {
			proof, err := p.Print(b.t.Context(), s)
			require.ErrorContains(t, err, "refused", name)
			require.Equal(t, printer.Unconfirmed, proof)
		}
		assert.Empty(t, b.sim.Paper())
	})
	for _, o := range []printer.Opts{{Columns: 200}, {Answer: -1}, {Proof: "hope"}} {
		_, err := printer.New(&line{}, &o)
		require.Error(t, err)
		require.False(t, errors.Is(err, printer.ErrNoAnswer))
	}
	_, err := printer.New(nil, nil)
	require.Error(t, err)
}

func TestAQuietPrinterAfterHalt(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.prints(p, aSlip(t, 32))
		require.NoError(t, p.Halt())
		b.do("paper out") // would ring
		require.NoError(t, b.line.SetReadDeadline(time.Now().Add(second)))
		n, _ := b.line.Read(make([]byte, 8))
		assert.Zero(t, n)
		b.do("paper ok")
		b.prints(p, aSlip(t, 32))
		assert.Contains(t, p.String(), "32 columns")
	})
}

// Status rings between conversations wait in the port's buffer. They must not be taken for answers.
func TestWhatThePrinterSaidMeanwhile(t *testing.T) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		b.prints(p, aSlip(t, 32))
		for range 5 {
			b.do("paper out")
			b.do("paper ok")
		}
		b.prints(p, aSlip(t, 32))
		b.do("cover open")
		b.fails(p, aSlip(t, 32), printer.ErrCoverOpen, false)
	})
}

// wholeSlip is how many bytes the driver sends for a slip, questions included; proofAt is where the question for proof ends.
func wholeSlip(t *testing.T, s receipt.Slip) int { return len(bytesOf(t, s)) }

func proofAt(t *testing.T, s receipt.Slip) int {
	at := bytes.Index(bytesOf(t, s), []byte{0x1D, '(', 'H'})
	require.Positive(t, at)
	return at + 11
}

func bytesOf(t *testing.T, s receipt.Slip) (sent []byte) {
	onBench(t, 32, func(b *bench) {
		p := b.printer(cutting)
		before := len(b.line.sent)
		b.prints(p, s)
		sent = b.line.sent[before:]
	})
	return sent
}
