package simrig

import (
	"flag"
	"fmt"
	"testing"

	"posagent/firmware/scenario"
)

var salesFlag = flag.Int("sales", 2000, "sales in random worlds")
var firstFlag = flag.Int("first", 1, "first seed")

func TestRandomWorlds(t *testing.T) {
	cards := testCards(t)
	dir := fastDir(t)
	sales, cuts := 0, 0
	for seed := uint64(*firstFlag); seed < uint64(*firstFlag+*salesFlag/100); seed++ {
		s := Random(seed, 100)
		err := inWorld(t, Options{Seed: seed, Dir: fmt.Sprintf("%s/%d", dir, seed), Cards: cards}, func(w *World) error {
			err := scenario.RunLoose(s, w)
			if err != nil {
				return err
			}
			b, err := w.Books()
			if testing.Verbose() && *salesFlag <= 100 {
				t.Log(string(w.log.text))
			}
			sales += len(b.Here)
			cuts += w.cuts
			return err
		})
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	t.Log(sales, cuts)
}
