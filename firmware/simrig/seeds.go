package simrig

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"posagent/firmware/scenario"
)

// Random writes the story of one day at a counter that nobody would want to have: so many sales, with everything that
// package doc lists going wrong in between. It is a function of the seed, and every step of it stands in the language of
// stories, so that a day that fails can be shortened to what matters and read.
func Random(seed uint64, sales int) scenario.Story { return randomStory(seed, sales, nil) }

// randomStory is Random where the acquirer has the given faults every third sale, besides its own.
func randomStory(seed uint64, sales int, favourite []string) scenario.Story {
	d := &day{dice: stream(seed, "story"), favourite: favourite}
	for n := range sales {
		d.sale(n + 1)
	}
	return scenario.Story{Name: fmt.Sprintf("seed %d", seed), Steps: d.steps}
}

// day is a story in the making.
type day struct {
	dice  *rand.Rand
	steps []scenario.Step
	ended []scenario.Step // what puts right what is wrong now

	favourite []string // faults of the acquirer
}

// chance is true so many times in a thousand.
func (d *day) chance(inThousand int) bool { return d.dice.IntN(1000) < inThousand }

func (d *day) between(low, high int) int { return low + d.dice.IntN(high-low+1) }

func one[T any](d *day, of ...T) T { return of[d.dice.IntN(len(of))] }

func (d *day) do(s scenario.Step) { d.steps = append(d.steps, s) }

func (d *day) hand(who, what string) {
	d.do(scenario.Step{Verb: scenario.Hand, Who: who, What: what})
}

func (d *day) wait(t time.Duration) { d.do(scenario.Step{Verb: scenario.Wait, Time: t}) }

// until is undone after the sale, or some sales later.
func (d *day) until(who, what string) {
	d.ended = append(d.ended, scenario.Step{Verb: scenario.Hand, Who: who, What: what})
}

// Out of a thousand sales.
const (
	oftenCut       = 215
	oftenCutAgain  = 250 // of the cuts: another one while the terminal recovers
	oftenCutIdle   = 60  // between two customers
	oftenAcquirer  = 90
	oftenLine      = 45
	oftenDial      = 30
	oftenReader    = 35
	oftenPrinter   = 50
	oftenClock     = 8
	oftenCancel    = 8
	oftenNoCard    = 3
	oftenRepeat    = 40
	oftenLookalike = 10
	oftenAsk       = 20
)

// sale is one customer.
func (d *day) sale(n int) {
	var within []scenario.Step // what happens in the course of it
	name := fmt.Sprintf("t%d", n)
	sale := scenario.Step{Verb: scenario.Ask, Op: "sale", Amount: fmt.Sprintf("%d.%02d", d.between(0, 24), d.between(1, 99)), Name: name}
	if d.chance(oftenAcquirer) {
		d.acquirer()
	}
	if len(d.favourite) > 0 && d.chance(333) {
		for _, fault := range d.favourite {
			d.hand("acquirer", "fault "+fault)
		}
	}
	if d.chance(oftenLine) {
		within = append(within, d.line()...)
	}
	if d.chance(oftenDial) {
		within = append(within, d.dialUp()...)
	}
	if d.chance(oftenReader) {
		within = append(within, d.reader()...)
	}
	if d.chance(oftenPrinter) {
		within = append(within, d.printer()...)
	}
	if d.chance(oftenClock) {
		d.hand("clock", one(d, "+1h", "-1h", "+3h30m0s", "-26h", "+30h", "-5m", "+4m"))
	}
	if !d.chance(oftenNoCard) {
		d.do(scenario.Step{Verb: scenario.Present, Card: d.card()})
	}
	if d.chance(oftenCancel) {
		within = append(within, scenario.Step{Verb: scenario.Cancel, On: scenario.Event{Kind: scenario.Stage, What: "present-card", Nth: 1}})
	}
	cut := d.chance(oftenCut)
	if cut {
		within = append(within, scenario.Step{Verb: scenario.Cut, On: d.moment()})
	}
	d.do(sale)
	d.steps = append(d.steps, within...)
	if cut {
		d.recovery()
	}
	if cut && d.chance(700) || d.chance(oftenRepeat) {
		d.do(sale) // the cashier asks what became of it
	}
	if d.chance(oftenLookalike) {
		sale.Name, sale.Again = name+"b", d.chance(500)
		d.do(sale)
	}
	if d.chance(oftenAsk) {
		d.do(scenario.Step{Verb: scenario.Ask, Op: one(d, "status", "list", "recover", "recount")})
	}
	d.after()
}

// after puts right what is wrong, sooner or later, and lets time pass.
func (d *day) after() {
	if len(d.ended) > 0 && d.chance(800) {
		d.steps = append(d.steps, d.ended...)
		d.ended = nil
	}
	switch n := d.dice.IntN(1000); {
	case n < 700:
		d.wait(time.Duration(d.between(1, 8)) * time.Second)
	case n < 960:
		d.wait(time.Duration(d.between(9, 50)) * time.Second)
	case n < 998:
		d.wait(time.Duration(d.between(60, 400)) * time.Second)
	default:
		d.wait(time.Duration(d.between(1, 14)) * time.Hour)
	}
	if d.chance(oftenCutIdle) {
		d.do(scenario.Step{Verb: scenario.Cut, On: d.recoveryMoment()})
		d.recovery()
	}
}

func (d *day) card() string {
	return one(d, "visa-4242", "visa-4242", "unionpay-0005", "unionpay-0005", "unionpay-0113", "unionpay-0113",
		"mastercard-4444", "mastercard-4444", "visa-1111", "poor-0002")
}

// recovery gives the power back, and takes it away again now and then before everything is settled.
func (d *day) recovery() {
	if d.chance(300) {
		d.wait(time.Duration(d.between(1, 90)) * time.Second)
	}
	for {
		d.do(scenario.Step{Verb: scenario.Restore})
		if !d.chance(oftenCutAgain) {
			return
		}
		d.do(scenario.Step{Verb: scenario.Cut, On: d.recoveryMoment()})
		d.wait(time.Duration(d.between(1, 70)) * time.Second)
	}
}

// moment is when the power fails during a sale.
func (d *day) moment() scenario.Event {
	nth := 1
	if d.chance(50) {
		nth = 2
	}
	switch d.dice.IntN(12) {
	case 0, 1, 2:
		return scenario.Event{Kind: one(d, scenario.Before, scenario.Inside, scenario.Inside, scenario.After), Nth: nth,
			What: one(d, "pending", "pending", "approved", "approved", "mark", "room", "tidy", "declined", "reversing", "try", "stan", "batch")}
	case 3:
		return scenario.Event{Kind: scenario.Send, What: "0200", Nth: nth}
	case 4:
		return scenario.Event{Kind: scenario.Recv, What: "0210", Nth: nth}
	case 5:
		return scenario.Event{Kind: one(d, scenario.Send, scenario.Recv), What: one(d, "0200", "0210", "0400", "0410", "0800", "0810"), Nth: 1}
	case 6:
		return scenario.Event{Kind: scenario.SendByte, What: "0200", N: d.between(1, 230), Nth: 1}
	case 7:
		return scenario.Event{Kind: scenario.RecvByte, What: "0210", N: d.between(1, 190), Nth: 1}
	case 8:
		return scenario.Event{Kind: one(d, scenario.ByteTo, scenario.ByteFrom), What: "reader", N: d.between(1, 120)}
	case 9:
		return scenario.Event{Kind: scenario.ByteTo, What: "printer", N: d.between(1, 1900)}
	case 10:
		return scenario.Event{Kind: scenario.Printing, N: d.between(1, 50)}
	default:
		return one(d, scenario.Event{Kind: scenario.CardRead, Nth: 1},
			scenario.Event{Kind: scenario.ByteFrom, What: "printer", N: d.between(1, 25)},
			scenario.Event{Kind: scenario.Stage, What: one(d, "present-card", "recorded", "waiting", "printing"), Nth: 1},
			scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(1, 3000)) * time.Millisecond},
			scenario.Event{Kind: scenario.ByteTo, What: "modem", N: d.between(1, 300)})
	}
}

// recoveryMoment is when it fails again while the terminal recovers.
func (d *day) recoveryMoment() scenario.Event {
	switch d.dice.IntN(5) {
	case 0, 1:
		return scenario.Event{Kind: one(d, scenario.Before, scenario.Inside, scenario.After), Nth: 1,
			What: one(d, "reversing", "try", "reversed", "mark", "stan", "batch", "tidy", "room", "suspense")}
	case 2:
		return scenario.Event{Kind: one(d, scenario.Send, scenario.Recv), What: one(d, "0400", "0410", "0800", "0810"), Nth: 1}
	case 3:
		return scenario.Event{Kind: scenario.ByteTo, What: one(d, "printer", "line"), N: d.between(1, 400)}
	default:
		return scenario.Event{Kind: scenario.Printing, N: d.between(1, 20)}
	}
}

// acquirer has a bad moment.
func (d *day) acquirer() {
	what := one(d, "silent", "lost", "late 5s", "late 31s", "late 50s", "twice", "twice", "badmac", "nomac", "dropbefore", "drop",
		"dropafter", "cut", "garbage", "wrongstan", "wrongamount", "wrongterminal", "wrongmerchant", "slow 3ms", "slow 20ms",
		"forge 51", "forge 05", "order 3", "order 3", "decline 05", "decline 91", "decline 77", "decline A0", "approve 10", "approve 11",
		"silent for reversal", "lost for reversal", "drop for reversal", "dropbefore for reversal", "badmac for reversal",
		"garbage for reversal", "cut for reversal", "decline 77 for reversal", "late 35s for reversal", "twice for any",
		"badkcv", "lost for signin", "drop for signin", "silent for signin", "cut for signin")
	d.hand("acquirer", "fault "+what)
	if d.chance(200) { // and its reversal goes wrong too
		d.hand("acquirer", "fault "+one(d, "silent", "lost", "drop", "garbage", "decline 96", "badmac")+" for reversal"+one(d, "", "", "", " times 3"))
	}
}

// line is the network.
func (d *day) line() []scenario.Step {
	at := one(d, scenario.Event{Kind: scenario.Send, What: "0200", Nth: 1}, scenario.Event{Kind: scenario.Recv, What: "0210", Nth: 1},
		scenario.Event{Kind: scenario.CardRead, Nth: 1}, scenario.Event{Kind: scenario.SendByte, What: "0200", N: d.between(1, 230), Nth: 1},
		scenario.Event{Kind: scenario.RecvByte, What: "0210", N: d.between(1, 190), Nth: 1})
	what := one(d, "down", "drop", "drop", "stall")
	if what == "stall" {
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: fmt.Sprintf("line stall %ds", d.between(1, 9)), On: at}}
	}
	step := scenario.Step{Verb: scenario.Hand, Who: "line", What: what, On: at}
	if what == "drop" {
		return []scenario.Step{step}
	}
	if d.chance(600) {
		return []scenario.Step{step, {Verb: scenario.Hand, Who: "line", What: "up",
			On: scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(5, 60)) * time.Second}}}
	}
	d.until("line", "up")
	return []scenario.Step{step}
}

// dialUp is a sale over the telephone, which is not at its best either.
func (d *day) dialUp() []scenario.Step {
	d.hand("line", "down")
	d.until("line", "up")
	switch d.dice.IntN(12) {
	case 0:
		d.hand("modem", one(d, "busy", "nodialtone", "noanswer"))
		d.until("modem", "ok")
	case 1:
		d.hand("modem", "garbage")
	case 2:
		how := one(d, "silent", "nonsense")
		d.hand("modem", how+" on")
		d.until("modem", how+" off")
	case 3:
		d.hand("wire", "modem split 5000")
		d.until("wire", "modem clean")
	case 4:
		d.hand("wire", "modem unplug")
		d.until("wire", "modem plug")
	case 5, 6:
		return []scenario.Step{{Verb: scenario.Hand, Who: "modem", What: one(d, "nocarrier", "drop"),
			On: one(d, scenario.Event{Kind: scenario.Send, What: "0200", Nth: 1}, scenario.Event{Kind: scenario.Recv, What: "0210", Nth: 1},
				scenario.Event{Kind: scenario.SendByte, What: "0200", N: d.between(1, 200), Nth: 1})}}
	case 7:
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: "modem unplug", On: scenario.Event{Kind: scenario.ByteTo, What: "modem", N: d.between(1, 350)}},
			{Verb: scenario.Hand, Who: "wire", What: "modem plug", On: scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(5, 70)) * time.Second}}}
	}
	return nil
}

func (d *day) reader() []scenario.Step {
	switch d.dice.IntN(8) {
	case 0:
		d.hand("reader", "garbage")
	case 1, 2:
		how := one(d, "nonsense", "silent", "tamper")
		d.hand("reader", how+" on")
		d.until("reader", how+" off")
	case 3:
		return []scenario.Step{{Verb: scenario.Hand, Who: "reader", What: "restart",
			On: scenario.Event{Kind: scenario.Stage, What: "present-card", Nth: 1}}}
	case 4:
		d.hand("wire", "reader "+one(d, "flip 300", "lose 300", "double 300", "split 5000", "late 500 800ms", "flip 1500"))
		d.until("wire", "reader clean")
	case 5:
		d.hand("wire", "reader unplug")
		d.until("wire", "reader plug")
	case 6:
		d.until("wire", "reader plug")
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: "reader unplug",
			On: scenario.Event{Kind: one(d, scenario.ByteTo, scenario.ByteFrom), What: "reader", N: d.between(1, 200)}}}
	default:
		d.hand("wire", fmt.Sprintf("reader stall %ds", d.between(1, 4)))
	}
	return nil
}

func (d *day) printer() []scenario.Step {
	switch d.dice.IntN(11) {
	case 0, 1:
		d.hand("printer", fmt.Sprintf("paper out after %d", d.between(1, 60)))
		d.until("printer", "paper ok")
	case 2:
		d.hand("printer", "cover open")
		d.until("printer", "cover closed")
	case 3:
		d.hand("printer", one(d, "jam", "jam cut"))
		d.until("printer", "jam clear")
	case 4, 5:
		how := one(d, "silent", "mute", "nonsense", "mingle")
		d.hand("printer", how+" on")
		d.until("printer", how+" off")
	case 6:
		d.hand("wire", "printer unplug")
		d.until("wire", "printer plug")
	case 7:
		d.until("wire", "printer plug")
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: "printer unplug",
			On: scenario.Event{Kind: scenario.ByteTo, What: "printer", N: d.between(1, 1900)}}}
	case 8:
		d.hand("wire", "printer "+one(d, "split 5000", "late 500 800ms"))
		d.until("wire", "printer clean")
	case 9:
		d.until("printer", "cover closed")
		return []scenario.Step{{Verb: scenario.Hand, Who: "printer", What: "cover open", On: scenario.Event{Kind: scenario.Printing, N: d.between(1, 45)}}}
	default:
		d.hand("wire", fmt.Sprintf("printer stall %ds", d.between(1, 4)))
	}
	return nil
}

// faultName is the kind of what a hand does, for a report: without numbers, and nothing for what puts things right.
func faultName(who, what string) string {
	words := strings.Fields(what)
	if len(words) == 0 {
		return ""
	}
	last := words[len(words)-1]
	switch {
	case who == "clock":
		return "clock set"
	case who == "acquirer" || slices.Contains([]string{"off", "ok", "up", "plug", "clean", "clear", "closed", "remove", "status", "near"}, last):
		return ""
	case who == "reader" && words[0] == "present":
		return ""
	case who == "wire":
		return who + " " + words[0] + " " + words[1]
	case who == "printer" && words[0] == "paper":
		return "printer paper out"
	}
	return who + " " + words[0]
}
