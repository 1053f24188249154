package main

import (
	"fmt"

	"posagent/firmware/terminal"
)

// Bin is one range of card numbers, by how they begin, and what is done with such cards.
type Bin struct {
	From      string `toml:"from"`       // "621000"
	To        string `toml:"to"`         // as many digits; left out, the same
	Rule      string `toml:"rule"`       // accept, refuse or online
	MaxCharge string `toml:"max_charge"` // a charge of more is not begun
}

// mostBins bounds the list: each card is held against all of it.
const mostBins = 1000

// bins reads the ranges. Two that would treat one card in two ways are a fault of both.
func (c *Config) bins(fault func(bool, string, string, ...any)) []terminal.BinRange {
	fault(len(c.Bins) > mostBins, "bin", "%d ranges, at most %d", len(c.Bins), mostBins)
	var ranges []terminal.BinRange
	var places []int
	for i, b := range c.Bins[:min(len(c.Bins), mostBins)] {
		r := terminal.BinRange{From: b.From, To: b.To, Rule: terminal.BinRule(b.Rule)}
		if r.To == "" {
			r.To = r.From
		}
		var err error
		if b.MaxCharge != "" {
			r.MaxCharge, err = c.amount(b.MaxCharge)
			fault(err != nil, fmt.Sprintf("bin[%d].max_charge", i), "%v", err)
		}
		if err == nil {
			err = r.Check()
			fault(err != nil, fmt.Sprintf("bin[%d]", i), "%v", err)
		}
		if err != nil {
			continue
		}
		for n, other := range ranges {
			fault(r.Contradicts(other), fmt.Sprintf("bin[%d]", i), "%s to %s, %s, contradicts bin[%d], %s to %s, %s; make each card fall into one",
				r.From, r.To, r.Rule, places[n], other.From, other.To, other.Rule)
		}
		ranges, places = append(ranges, r), append(places, i)
	}
	return ranges
}

// cardFaults judges the guards that know the card.
func (c *Config) cardFaults(fault func(bool, string, string, ...any)) {
	c.bins(fault)
	if c.Terminal.MaxCardDay != "" {
		_, err := c.amount(c.Terminal.MaxCardDay)
		fault(err != nil, "terminal.max_card_day", "%v", err)
	}
	fault(c.Terminal.MaxCardCount < 0 || c.Terminal.MaxCardCount > 999, "terminal.max_card_count", "want 0, which sets no limit, to 999")
	switch terminal.BinRule(c.Terminal.OtherCards) {
	case "", terminal.BinAccept, terminal.BinRefuse, terminal.BinOnline:
	default:
		fault(true, "terminal.other_cards", "%q is not known; use accept, refuse or online", c.Terminal.OtherCards)
	}
	fault(c.Terminal.OtherCards == string(terminal.BinRefuse) && len(c.Bins) == 0, "terminal.other_cards", "refuses every card; add [[bin]] tables of those that are taken")
}
