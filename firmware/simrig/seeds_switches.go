package simrig

import (
	"time"

	"posagent/firmware/scenario"
)

// hasLines says whether the terminal of a random world has a switch at its case and a supply that warns.
func hasLines(seed uint64) bool { return seed%16 == 2 }

// hasDUKPT says whether its tracks go under DUKPT.
func hasDUKPT(seed uint64) bool { return seed%32 == 4 }

// hasSealed says whether its card reader enciphers.
func hasSealed(seed uint64) bool { return seed%32 == 20 }

// Out of a thousand sales where there are lines, and of those.
const (
	oftenSwitch = 60
	oftenCase   = 200 // somebody opens the case; else the supply warns
)

// switches are what happens at the terminal's lines in the course of a sale, and whether the power is cut there.
func (d *day) switches() (within []scenario.Step, cut bool) {
	if d.chance(oftenCase) {
		return d.caseOpened()
	}
	return d.supplyWarns()
}

// caseOpened ends trade until a technician has been there, some sales later. Whoever opens it may cut the power with it.
func (d *day) caseOpened() (within []scenario.Step, cut bool) {
	open := scenario.Step{Verb: scenario.Hand, Who: "case", What: "open"}
	if d.chance(150) {
		d.do(open)
	} else {
		open.On = d.moment()
		within = append(within, open)
	}
	if d.chance(600) {
		d.until("case", "closed") // which undoes nothing
	}
	if d.chance(300) {
		cut = true
		within = append(within, scenario.Step{Verb: scenario.Cut, On: d.moment()})
	}
	d.service = d.between(1, 4)
	return within, cut
}

// serviced is the technician, who switches the terminal off and on. So does, in vain, the shopkeeper before that.
func (d *day) serviced() {
	d.service--
	switch {
	case d.service == 0:
		d.hand("case", "serviced")
		d.do(scenario.Step{Verb: scenario.Restore})
	case d.chance(400):
		d.do(scenario.Step{Verb: scenario.Cut})
		d.do(scenario.Step{Verb: scenario.Restore})
	}
}

// supplyWarns warns at a moment, and then the power fails soon, or does not.
func (d *day) supplyWarns() (within []scenario.Step, cut bool) {
	warned, fails := d.warning()
	within = append(within, scenario.Step{Verb: scenario.Hand, Who: "supply", What: "failing", On: warned})
	d.until("supply", "steady")
	switch {
	case d.chance(650):
		return append(within, scenario.Step{Verb: scenario.Cut, On: fails}), true
	case d.chance(500): // for a moment only
		within = append(within, scenario.Step{Verb: scenario.Hand, Who: "supply", What: "steady",
			On: scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(500, 9000)) * time.Millisecond}})
	}
	return within, false
}

// warning is when the supply warns, and when the power fails then: a little later.
func (d *day) warning() (warned, fails scenario.Event) {
	after := func(e scenario.Event, more int) scenario.Event { e.N += more; return e }
	switch d.dice.IntN(9) {
	case 0:
		what := one(d, "pending", "approved", "reversing", "try", "mark", "stan", "authorized")
		warned = scenario.Event{Kind: scenario.Before, What: what, Nth: 1}
		fails = scenario.Event{Kind: one(d, scenario.Inside, scenario.After), What: what, Nth: 1}
	case 1:
		warned = scenario.Event{Kind: scenario.After, What: one(d, "pending", "approved"), Nth: 1}
		fails = d.commit("abandoned", "reversing", "mark", "approved")
	case 2:
		warned = scenario.Event{Kind: scenario.Send, What: "0200", Nth: 1}
		fails = one(d, scenario.Event{Kind: scenario.Recv, What: "0210", Nth: 1}, d.commit("approved", "declined", "reversing"))
	case 3:
		warned = scenario.Event{Kind: scenario.Recv, What: "0210", Nth: 1}
		fails = d.commit("approved", "declined", "reversing")
	case 4:
		warned = scenario.Event{Kind: scenario.SendByte, What: one(d, "0200", "0400", "0800"), N: d.between(1, 100), Nth: 1}
		fails = after(warned, d.between(1, 60))
	case 5:
		warned = scenario.Event{Kind: scenario.ByteTo, What: one(d, "printer", "reader", "modem"), N: d.between(1, 900)}
		fails = after(warned, d.between(1, 300))
	case 6:
		warned = scenario.Event{Kind: scenario.Printing, N: d.between(1, 40)}
		fails = after(warned, d.between(1, 10))
	case 7:
		warned = scenario.Event{Kind: scenario.CardRead, Nth: 1}
		fails = d.commit("pending", "abandoned")
	default:
		at := d.between(1, 6000)
		warned = scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(at) * time.Millisecond}
		fails = scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(at+d.between(1, 60)) * time.Millisecond}
	}
	return warned, fails
}

// slipTrouble is what ends by itself, or by a mechanic, before a slip or in the middle of it.
func (d *day) slipTrouble() []scenario.Step {
	how := one(d, "hot", "hot", "held", "broken")
	d.until("printer", how+" off")
	if d.chance(400) {
		d.hand("printer", how+" on")
		return nil
	}
	within := []scenario.Step{{Verb: scenario.Hand, Who: "printer", What: how + " on", On: scenario.Event{Kind: scenario.Printing, N: d.between(1, 45)}}}
	if d.chance(500) {
		within = append(within, scenario.Step{Verb: scenario.Hand, Who: "printer", What: how + " off",
			On: scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(2, 40)) * time.Second}})
	}
	return within
}
