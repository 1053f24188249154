package simrig

import (
	"fmt"
	"slices"

	"posagent/firmware/scenario"
)

// hold is a pre-authorisation that somebody may come back to.
type hold struct {
	name, card string
	amount     int // minor units
}

// Out of a thousand of these.
const (
	oftenLeaves    = 60  // of the customers, for each guest: that one leaves now
	oftenAtOnce    = 300 // of the guests: gone before the next customer
	oftenByCode    = 250 // of those who leave: named as the slip does
	oftenNotice    = 330 // of the charges: told and not asked for
	oftenLetGo     = 250 // of those who leave: nothing is charged
	oftenTooMuch   = 80  // of the charges: more than may be
	oftenMistaken  = 300 // of the charges that were asked for: cancelled
	oftenUsedTwice = 200 // of those who left: they come again
	oftenNoLine    = 300 // of what needs no line: there is none
)

// rooms is a guest who comes, and one who leaves.
func (d *day) rooms() {
	if d.chance(d.mix.hold) {
		d.numbered++
		h := hold{fmt.Sprintf("h%d", d.numbered), d.card(), 100*d.between(5, 60) + d.between(1, 99)}
		ask := scenario.Step{Verb: scenario.Ask, Op: "preauth", Amount: minor(h.amount), Name: h.name, Again: d.chance(500)}
		d.trade(&h.card, ask, d.holdMoment, "preauth", "preauth", "reversal")
		d.holds = append(d.holds, h)
		if d.chance(oftenAtOnce) {
			d.leave(d.guest())
		}
	}
	if len(d.holds) > 0 && d.chance(oftenLeaves*len(d.holds)) {
		d.leave(d.guest())
	}
	if d.chance(d.mix.offline) {
		d.phoned()
	}
	if d.chance(d.mix.balance) {
		card := d.card()
		d.trade(&card, scenario.Step{Verb: scenario.Ask, Op: "balance", Printed: d.chance(300)}, d.balanceMoment, "balance")
	}
}

// guest takes one of the holds out of the list, mostly; mostly the newest.
func (d *day) guest() hold {
	i := len(d.holds) - 1
	if d.chance(500) {
		i = d.dice.IntN(len(d.holds))
	}
	h := d.holds[i]
	if !d.chance(oftenUsedTwice) {
		d.holds = slices.Delete(d.holds, i, i+1)
	}
	return h
}

// leave ends a pre-authorisation in one of the three ways.
func (d *day) leave(h hold) {
	d.numbered++
	ask := scenario.Step{Verb: scenario.Ask, Op: "completion", Of: h.name, Name: fmt.Sprintf("c%d", d.numbered), ByCode: d.chance(oftenByCode)}
	moment := d.completionMoment
	switch {
	case d.chance(oftenLetGo):
		ask.Op, moment = "preauth-cancel", d.holdMoment
	case d.chance(oftenNotice):
		ask.Op, moment = "completion-notice", d.noticeMoment
	}
	aims := []string{ask.Op, ask.Op, "reversal"}
	if ask.Op != "preauth-cancel" {
		percent := d.between(40, 115)
		if d.chance(oftenTooMuch) {
			percent = d.between(114, 130)
		}
		ask.Amount = minor(max(1, h.amount*percent/100))
	}
	if ask.Op == "completion-notice" {
		d.unlined()
	}
	card := h.card
	if d.chance(oftenStranger) {
		card = d.card()
	}
	d.trade(&card, ask, moment, aims...)
	switch {
	case ask.Op == "completion" && d.chance(oftenMistaken):
		d.mistaken(ask, h)
	case ask.Op != "preauth-cancel":
		d.sold = append(d.sold, sold{ask.Name, h.card, ask.Amount}) // it may be brought back like a sale
	}
}

// mistaken cancels a completion; the hold may be used again.
func (d *day) mistaken(paid scenario.Step, h hold) {
	d.numbered++
	d.trade(&h.card, scenario.Step{Verb: scenario.Ask, Op: "completion-cancel", Of: paid.Name, Name: fmt.Sprintf("x%d", d.numbered)},
		d.completionMoment, "completion-cancel", "completion-cancel", "reversal")
	d.holds = append(d.holds, h)
}

// phoned is a sale on an authorisation by telephone, mostly because there is no line.
func (d *day) phoned() {
	d.numbered++
	name, card, amount := fmt.Sprintf("o%d", d.numbered), d.card(), fmt.Sprintf("%d.%02d", d.between(0, 24), d.between(1, 99))
	d.unlined()
	d.trade(&card, scenario.Step{Verb: scenario.Ask, Op: "offline-sale", Amount: amount, Auth: fmt.Sprintf("%06d", d.between(1, 999_999)), Name: name},
		d.noticeMoment, "offline-sale")
	d.sold = append(d.sold, sold{name, card, amount})
}

// unlined takes both lines away, sooner or later to come back.
func (d *day) unlined() {
	if !d.chance(oftenNoLine) {
		return
	}
	d.hand("line", "down")
	d.hand("modem", "nodialtone")
	d.until("line", "up")
	d.until("modem", "ok")
}

// minor writes minor units as a till does.
func minor(amount int) string { return fmt.Sprintf("%d.%02d", amount/100, amount%100) }

func (d *day) holdMoment() scenario.Event {
	return one(d, d.message("0100", "0110"), d.message("0100", "0110"), d.message("0400", "0410"), d.slip(),
		d.commit("pending", "approved", "approved", "declined", "reversing", "try", "reversed", "room", "suspense"))
}

// completionMoment is that of any request that may be reversed.
func (d *day) completionMoment() scenario.Event { return d.voidMoment() }

// noticeMoment is when something is told whose slip does not wait for that.
func (d *day) noticeMoment() scenario.Event {
	return one(d, d.message("0220", "0230"), d.message("0220", "0230"), d.slip(), d.slip(),
		d.commit("advising", "try", "approved", "approved", "declined", "suspense", "room", "mark", "mark"),
		scenario.Event{Kind: scenario.Before, What: "mark", Nth: d.between(1, 4)})
}

func (d *day) balanceMoment() scenario.Event {
	return one(d, d.message("0200", "0210"), d.slip(), d.commit("stan", "mark"))
}
