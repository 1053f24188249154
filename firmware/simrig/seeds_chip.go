package simrig

import (
	"time"

	"posagent/firmware/scenario"
)

// Out of a thousand chip cards.
const (
	oftenChipTrouble = 300 // the card, the reader or the customer's patience fails at one of the three steps
	oftenChipCut     = 350 // of the power cuts: between the acquirer's word and the card's
	oftenChipSwiped  = 60  // it is swiped first
	oftenChipLeft    = 30  // it is left in the slot
)

// hasChip reports whether a card can be put into the slot.
func hasChip(card string) bool { return card != "unionpay-0005" }

// bringIn has a card put to the reader, or into its slot, and says what happens to it in the course of what follows. Of a chip,
// done takes it out again.
func (d *day) bringIn(card string) (within []scenario.Step, chip bool, done func()) {
	if !hasChip(card) || !d.chance(d.mix.chip) {
		d.do(scenario.Step{Verb: scenario.Present, Card: card})
		return nil, false, func() {}
	}
	if d.chance(oftenChipTrouble) {
		switch d.dice.IntN(6) {
		case 0:
			d.hand("reader", "refuse")
		case 1, 2:
			d.hand("reader", "at complete "+one(d, "restart", "pull", "silent", "garbage", "late", "menu"))
		case 3:
			d.hand("reader", "at "+one(d, "start", "authenticate")+" "+one(d, "restart", "pull", "silent", "garbage", "late", "fail", "menu", "pin", "decline", "offline"))
		default:
			within = append(within, scenario.Step{Verb: scenario.Hand, Who: "reader", What: one(d, "remove", "remove", "restart"),
				On: one(d, scenario.Event{Kind: scenario.CardRead, Nth: 1}, scenario.Event{Kind: scenario.Send, What: "0200", Nth: 1},
					scenario.Event{Kind: scenario.Recv, What: "0210", Nth: 1}, scenario.Event{Kind: scenario.After, What: "authorized", Nth: 1},
					scenario.Event{Kind: scenario.Stage, What: one(d, "present-card", "recorded", "card-confirming", "printing"), Nth: 1},
					scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(1, 2000)) * time.Millisecond})})
		}
	}
	if d.chance(oftenChipSwiped) {
		d.do(scenario.Step{Verb: scenario.Swipe, Card: card})
	}
	d.do(scenario.Step{Verb: scenario.Insert, Card: card})
	return within, true, func() {
		if !d.chance(oftenChipLeft) {
			d.hand("reader", "remove")
		}
		d.hand("reader", "at none")
	}
}

// chipMoment is when the power fails between the acquirer's word and the card's.
func (d *day) chipMoment() scenario.Event {
	return one(d, d.commit("authorized", "authorized", "approved"), d.commit("authorized"),
		scenario.Event{Kind: scenario.Stage, What: "card-confirming", Nth: 1},
		scenario.Event{Kind: one(d, scenario.ByteTo, scenario.ByteFrom), What: "reader", N: d.between(100, 900)})
}
