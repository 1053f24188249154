package printer_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"posagent/printer"
)

// Every fault at every byte of a slip, mended, and the slip printed again. Whatever happens:
//
//   - proven means that the whole slip is on paper;
//   - "nothing was sent" means that no paper shows it, now or later;
//   - the reprint comes out whole and alone on its piece of paper, or behind a piece that is marked.
func TestEveryFaultAtEveryByte(t *testing.T) {
	first, again := aSlip(t, 32, "RMB 12.50", "第一次"), aSlip(t, 32, "RMB 12.50", "重打印")
	end := wholeSlip(t, first)
	for _, c := range []struct{ command, mend string }{
		{"paper out", "paper ok"},
		{"cover open", "cover closed"},
		{"jam", "jam clear"},
		{"jam cut", "jam clear"},
		{"broken on", "broken off"},
		{"silent on", "silent off"},
		{"mute on", "mute off"},
		{"nonsense on", "nonsense off"},
	} {
		t.Run(c.command, func(t *testing.T) {
			for at := 1; at < end; at++ {
				onBench(t, 32, func(b *bench) {
					p := b.printer(cutting)
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
