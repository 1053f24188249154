package scenario

import (
	"maps"
	"slices"

	"posagent/txnstore/txn"
)

// paper holds every transaction against its slips: money held, or given back, has both copies, each unmarked at most once;
// money that is not has no slip that looks like it. A slip that is owed is not missing. A settlement report is nobody's slip,
// and a smudged one may be anybody's: it stands in for one that is missing, and for as many as are on it.
func (f *findings) paper(here map[Voucher]Sale, slips []Slip) (smudged int) {
	piles := make(map[Voucher]*pile, len(here))
	for k := range here {
		piles[k] = &pile{}
	}
	for _, s := range slips {
		p, known := piles[s.key()]
		switch {
		case s.Smudged:
			smudged += max(1, s.Joined)
		case s.Report, s.Balance:
		case known:
			f.slip(here[s.key()], s)
			p.add(s)
		case !s.Torn:
			f.say("slip %s (voucher %s) belongs to no sale:\n%s", s.Name, s.key(), s.Text)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(here), Voucher.compare) {
		f.pile(here[k], *piles[k], &smudged)
	}
	return smudged
}

// pile is the whole slips of one transaction, counted.
type pile struct {
	merchants, customers                 int // of the sale
	unmarkedMerchants, unmarkedCustomers int
	reversals, unknowns                  int // notices
}

func (p *pile) add(s Slip) {
	switch {
	case s.Torn:
	case s.Reversal:
		p.reversals++
	case s.Unknown:
		p.unknowns++
	case s.Merchant:
		p.merchants++
		if !s.Duplicate {
			p.unmarkedMerchants++
		}
	default:
		p.customers++
		if !s.Duplicate {
			p.unmarkedCustomers++
		}
	}
}

// slip looks at one piece of paper.
func (f *findings) slip(sale Sale, s Slip) {
	if s.Amount != money(sale.Amount) && !s.Torn {
		f.say("voucher %s: slip %s is over %q and the terminal says %s", sale.key(), s.Name, s.Amount, money(sale.Amount))
	}
	if s.Kind != sale.kind() && !s.Torn {
		f.say("voucher %s: slip %s is that of %s and the terminal made %s", sale.key(), s.Name, aKind(s.Kind), aKind(sale.kind()))
	}
	switch {
	case s.Reversal:
		if sale.State == txn.Approved || sale.State == txn.Declined || sale.State == txn.Abandoned {
			f.say("voucher %s: slip %s speaks of a reversal and the terminal says %s", sale.key(), s.Name, sale.State)
		}
	case s.Unknown:
		if sale.State != txn.Suspense && sale.State != txn.Reversed && sale.State != txn.Resolved {
			f.say("voucher %s: slip %s says that the outcome is unknown and the terminal says %s", sale.key(), s.Name, sale.State)
		}
	case !sale.givenOut():
		f.say("voucher %s: slip %s looks like %s and the terminal says %s", sale.key(), s.Name, aKind(sale.kind()), sale.State)
	}
}

// givenOut reports whether there may be slips of it as of something done: what is told and not asked for has them before the
// acquirer has heard of it, and they stay in people's hands when it is refused then.
func (s Sale) givenOut() bool {
	early := s.kind().Final() && (s.State == txn.Advising || s.State == txn.Suspense || s.State == txn.Resolved)
	return s.State == txn.Approved || early
}

// pile looks at what is there of one transaction, and what is not.
func (f *findings) pile(s Sale, p pile, smudged *int) {
	switch s.State {
	case txn.Reversed:
		if s.Merchant != txn.SlipOwed && p.reversals == 0 && !standsIn(smudged) {
			f.say("voucher %s: reversed, its notice is %s and not on paper", s.key(), s.Merchant)
		}
	case txn.Suspense:
		if s.Merchant != txn.SlipOwed && p.unknowns == 0 && !standsIn(smudged) {
			f.say("voucher %s: waiting for people, its notice is %s and not on paper", s.key(), s.Merchant)
		}
	case txn.Approved:
		f.copies(s, "merchant", s.Merchant, p.merchants, p.unmarkedMerchants, smudged)
		f.copies(s, "customer", s.Customer, p.customers, p.unmarkedCustomers, smudged)
	}
}

// standsIn takes one of the smudged slips for one that is missing.
func standsIn(smudged *int) bool {
	*smudged--
	return *smudged >= 0
}

func (f *findings) copies(s Sale, whose string, due txn.Slip, whole, unmarked int, smudged *int) {
	if whole == 0 && due != txn.SlipOwed && !standsIn(smudged) {
		f.say("voucher %s: the %s's copy is %s and not on paper", s.key(), whose, due)
	}
	if unmarked > 1 {
		f.say("voucher %s: %d unmarked copies for the %s", s.key(), unmarked, whose)
	}
}
