package simrig

import (
	"testing"

	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
)

// A printer that is held on keeps what came over a noisy line until after the line is clean. Pieces of paper that come of it
// then are as little anybody's as those that came before.
func TestPaperThatWaitedInThePrinterIsSmudgedToo(t *testing.T) {
	cards := testCards(t)
	s := story(t, "present visa-4242", "sale 12.50", "wire printer double 3000 on recv 0210", "printer held on on printing line 3",
		"wire printer clean after 2s", "printer held off after 3s", "settle")
	pieces := 0
	for seed := range uint64(12) {
		require.NoError(t, inWorld(t, Options{Seed: seed + 1, Dir: fastDir(t), Cards: cards}, func(w *World) error {
			if err := scenario.Run(s, w); err != nil {
				return err
			}
			books, err := w.Books()
			for _, slip := range books.Slips {
				if slip.Smudged && slip.STAN == 0 {
					pieces++
				}
			}
			return err
		}), seed)
	}
	require.Positive(t, pieces, "in some world a cut came twice")
}
