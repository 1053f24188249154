package simrig

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/firmware/agent"
	"posagent/txnstore/txn"
)

// The mistakes that can be made about a printer, a case, a supply and the keys of tracks.

// A day with trouble at the printer at every other sale, and one with an edge at the lines at every seventh.
var (
	printerDay = mix{chip: 300, printer: 500}
	edgyDay    = mix{chip: 300, lines: 150, void: 20, refund: 20, close: 20}
)

// printedAnyway loses patience with a printer that is hot, held or broken: a slip that has been due for a while counts as
// printed.
type printedAnyway struct {
	agent.Store
	mu  sync.Mutex
	met map[txn.ID]int // looks at one that was due
}

const patienceOfLooks = 3

func (s *printedAnyway) OwedPaper() ([]txn.Txn, error) {
	due, err := s.Store.OwedPaper()
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := due[:0]
	for _, x := range due {
		if s.met[x.ID]++; s.met[x.ID] <= patienceOfLooks {
			kept = append(kept, x)
			continue
		}
		if _, err := s.Mark(x.ID, func(x *txn.Txn) {
			for _, c := range []txn.Copy{txn.MerchantCopy, txn.CustomerCopy} {
				if x.SlipOf(c) == txn.SlipOwed {
					x.SetSlip(c, txn.SlipPrinted)
				}
			}
		}); err != nil {
			return nil, err
		}
	}
	return kept, err
}

// What the controls' days bring is no violation by itself.
func TestTroubleOfTheDevicesAloneIsNoViolation(t *testing.T) {
	cards := testCards(t)
	for name, c := range map[string]struct {
		kind mix
		make func(*Options)
	}{
		"printer": {printerDay, func(*Options) {}},
		"lines":   {edgyDay, func(o *Options) { o.Lines = true }},
		"dukpt":   {ordinaryDay, func(o *Options) { o.Profile = underDUKPT() }},
		"sealed":  {ordinaryDay, func(o *Options) { o.Profile = underReader() }},
	} {
		t.Run(name, func(t *testing.T) {
			dir, sales := fastDir(t), 0
			for seed := uint64(1); sales < 150; seed++ {
				o := randomOptions(seed, dir, cards)
				c.make(&o)
				r := playRandom(t, o, randomStory(seed, 25, nil, &c.kind))
				assert.Empty(t, r.Wrong)
				sales += r.Sales
			}
		})
	}
}
