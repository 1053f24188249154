package printer_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/printer"
	"posagent/printer/printertest"
	"posagent/printer/receipt"
)

var starring = printer.Opts{Columns: 32, CutAfter: true, Proof: printer.ETBCounter, Codes: printer.NativeCodes, FirstID: 1}

func onStarBench(t *testing.T, story func(b *bench)) {
	t.Helper()
	onBenchOf(t, printertest.Opts{Columns: 32, Star: true}, story)
}

func TestAStarPrinterProvesByItsCounter(t *testing.T) {
	onStarBench(t, func(b *bench) {
		p := b.printer(starring)
		for range 40 { // the counter goes round
			b.prints(p, aSlip(t, 32))
		}
		b.prints(p, receipt.Slip{Columns: 32, Lines: []receipt.Line{{Text: "签购单", Size: receipt.Big, Align: receipt.Centre, Bold: true},
			{Text: "BIG", Size: receipt.Tall, Align: receipt.Right}, {Op: receipt.Code, Text: "30010001/000001", Align: receipt.Centre}, {Op: receipt.Feed, Feed: 3}, {Op: receipt.Cut}}})
		assert.Empty(t, b.sim.Faults())
		assert.Equal(t, "Star printer, 32 columns, proof by etb-counter", p.String())
		require.NoError(t, p.Halt())
	})
}

func TestEveryFaultAtEveryByteOfAStarPrinter(t *testing.T) {
	first, again := aSlip(t, 32, "RMB 12.50", "第一次"), aSlip(t, 32, "RMB 12.50", "重打印")
	end := 0
	onStarBench(t, func(b *bench) {
		p := b.printer(starring)
		before := b.line.written
		b.prints(p, first)
		end = b.line.written - before
	})
	for _, c := range []struct{ command, mend string }{
		{"paper out", "paper ok"}, {"cover open", "cover closed"}, {"broken on", "broken off"},
		{"silent on", "silent off"}, {"mute on", "mute off"}, {"nonsense on", "nonsense off"},
	} {
		t.Run(c.command, func(t *testing.T) {
			for at := 1; at < end; at++ {
				onStarBench(t, func(b *bench) {
					p := b.printer(starring)
					b.line.trip(at, func() error { b.do(c.command); return nil })
					proof, err := p.Print(b.t.Context(), first)
					var fault *printer.FaultError
					switch {
					case proof == printer.Proven:
						require.NoError(t, err)
						require.Contains(t, b.sim.Paper(), first.Text(), "byte %d", at)
					case errors.As(err, &fault) && !fault.Sent:
						require.NotContains(t, b.sim.Paper(), "RMB", "byte %d", at)
					}
					b.line.do = nil
					b.do(c.mend)
					b.prints(p, again)
					if fault != nil && !fault.Sent {
						require.NotContains(t, b.sim.Paper(), "第一次", "byte %d", at)
					}
				})
			}
		})
	}
}

// The counter counts deeds and does not name them. What a printer does late, or anew after a power cut, proves nothing of
// the slip that is being printed.
func TestAnOldCountProvesNothing(t *testing.T) {
	onStarBench(t, func(b *bench) {
		p := b.printer(starring)
		for range 6 {
			b.do("paper out after 3")
			b.fails(p, aSlip(t, 32), printer.ErrPaperOut, true)
			b.do("paper ok")
			b.do("paper out after 5") // the backlog came out, with its count; then the paper ends in the next slip
			b.fails(p, aSlip(t, 32), printer.ErrPaperOut, true)
			b.do("paper ok")
			b.prints(p, aSlip(t, 32, "重打印"))
		}
	})
	first := aSlip(t, 32)
	for at := 12; at < 150; at++ { // off and on again, before anybody asks
		onStarBench(t, func(b *bench) {
			p := b.printer(starring)
			b.prints(p, first)
			before := len(b.sim.Slips())
			b.line.trip(at, func() error { b.do("silent on"); b.do("silent off"); return nil })
			proof, _ := p.Print(b.t.Context(), first)
			if proof == printer.Proven {
				require.Equal(t, first.Text(), b.sim.Slips()[before], "byte %d", at)
			}
		})
	}
}

func TestAPrinterWhoseCounterDoesNotMove(t *testing.T) {
	onStarBench(t, func(b *bench) {
		p := b.printer(starring)
		b.line.alter = func(data []byte) []byte { return bytes.ReplaceAll(data, []byte{0x17}, nil) }
		_, err := p.Print(b.t.Context(), aSlip(t, 32))
		require.ErrorContains(t, err, "Star line mode")
		require.ErrorContains(t, err, "nothing of a slip was sent")
		assert.Empty(t, b.sim.Slips())
	})
	onBench(t, 32, func(b *bench) { // no Star printer at all
		_, err := printer.New(b.line, &starring)
		require.ErrorIs(t, err, printer.ErrNoAnswer)
	})
	onStarBench(t, func(b *bench) { // and no Epson
		_, err := printer.New(b.line, &cutting)
		require.ErrorIs(t, err, printer.ErrNoAnswer)
	})
}

func TestWhatAStarPrinterIsNotSent(t *testing.T) {
	onStarBench(t, func(b *bench) {
		_, err := b.printer(starring).Print(b.t.Context(), pictured(t, 32))
		require.ErrorContains(t, err, "not printed on Star printers")
		raster := starring
		raster.Codes = printer.RasterCodes
		_, err = printer.New(b.line, &raster)
		require.ErrorContains(t, err, "use \"native\"")
	})
}
