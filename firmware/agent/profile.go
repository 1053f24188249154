package agent

import (
	"cmp"
	"fmt"

	"posagent/firmware/terminal"
	"posagent/link/profile"
)

// begunOtherwise refuses to start while something is owed, or a batch is being closed, that was begun under another profile: its
// reversal, its next copy or step would be said in words that the acquirer has not heard before, and might find nothing by them. Records that cannot
// be read are the store's to tell of; package acquirer holds each message against its record once more.
func begunOtherwise(s terminal.Store, p *profile.Profile) error {
	owed, err := s.Owed()
	if err != nil {
		return nil // Run decides what a store with a fault may do, and nothing is sent under a wrong profile meanwhile
	}
	for _, x := range owed {
		if x.Profile != p.Mark {
			return fmt.Errorf("acquirer.profile: voucher %06d of batch %06d is still owed to the acquirer and was begun under profile %s, and this is %s: "+
				"start with that profile until it is finished, then change it", x.STAN, x.Batch, nameOf(x.Profile), cmp.Or(p.Mark, p.Name))
		}
	}
	if c, found, err := s.Closing(0); err == nil && found && !c.Step.Over() && c.Profile != p.Mark {
		return fmt.Errorf("acquirer.profile: batch %06d is being closed and that was begun under profile %s, and this is %s: "+
			"start with that profile until it is closed, then change it", c.Batch, nameOf(c.Profile), cmp.Or(p.Mark, p.Name))
	}
	return nil
}

func nameOf(mark string) string { return cmp.Or(mark, profile.UnionPayName) }
