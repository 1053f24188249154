package simrig

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"posagent/firmware/scenario"
)

// Random writes the story of one day at a counter that nobody would want to have: so many sales, what comes back of them and
// the closing of batches, with everything that package doc lists going wrong in between. It is a function of the seed, and every step of it stands in the language of
// stories, so that a day that fails can be shortened to what matters and read.
func Random(seed uint64, sales int) scenario.Story { return randomStory(seed, sales, nil, nil) }

// randomStory is Random where the acquirer has the given faults every third sale, besides its own, and where the day may be
// said to be of a certain kind.
func randomStory(seed uint64, sales int, favourite []string, kind *mix) scenario.Story {
	d := &day{dice: stream(seed, "story"), favourite: favourite, mix: ordinaryDay, pinpad: hasPINPad(seed), lines: hasLines(seed)}
	d.steps = make([]scenario.Step, 0, sales*stepsASale)
	switch n := d.dice.IntN(1000); {
	case n < oftenBusy:
		d.mix = busyDay
	case n < oftenBusy+oftenHotel:
		d.mix = hotelDay
	}
	if kind != nil {
		d.mix = *kind
		d.lines = d.lines || d.mix.lines > 0
	}
	codes := stream(seed, "codes")
	for n := range sales {
		if codes.IntN(1000) < d.mix.scan {
			d.scan(n + 1)
		} else {
			d.sale(n + 1)
		}
	}
	return scenario.Story{Name: fmt.Sprintf("seed %d", seed), Steps: d.steps}
}

// stepsASale is how many most stories come to.
const stepsASale = 8

// day is a story in the making.
type day struct {
	dice  *rand.Rand
	steps []scenario.Step
	ended []scenario.Step // what puts right what is wrong now

	favourite []string // faults of the acquirer
	mix       mix
	pinpad    bool // the terminal has one
	lines     bool // and those
	service   int  // sales until a technician comes; 0 while nobody is waited for
	sold      []sold
	shown     []string // payment codes
	holds     []hold   // not used up yet, as far as anybody knows
	batch     int      // sales before those of the open batch
	numbered  int      // of what is no sale
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
	oftenCut       = 172
	oftenCutAgain  = 250 // of the cuts: another one while the terminal recovers
	oftenCutIdle   = 30  // between two customers
	oftenAcquirer  = 90
	oftenLine      = 45
	oftenDial      = 30
	oftenReader    = 35
	oftenPrinter   = 50
	oftenPINPad    = 100 // where there is one
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
	if d.chance(cmp.Or(d.mix.printer, oftenPrinter)) {
		within = append(within, d.printer()...)
	}
	if d.pinpad && d.chance(oftenPINPad) {
		within = append(within, d.typing()...)
	}
	if d.chance(oftenClock) {
		d.hand("clock", one(d, "+1h", "-1h", "+3h30m0s", "-26h", "+30h", "-5m", "+4m"))
	}
	card, chip, takeOut := d.card(), false, func() {}
	if !d.chance(oftenNoCard) {
		var more []scenario.Step
		more, chip, takeOut = d.bringIn(card)
		within = append(within, more...)
	}
	if d.chance(oftenCancel) {
		within = append(within, scenario.Step{Verb: scenario.Cancel, On: scenario.Event{Kind: scenario.Stage, What: "present-card", Nth: 1}})
	}
	cut, failed := d.chance(oftenCut), false
	if d.lines && d.service == 0 && d.chance(cmp.Or(d.mix.lines, oftenSwitch)) {
		var more []scenario.Step
		more, failed = d.switches()
		within = append(within, more...)
	}
	switch {
	case failed:
		cut = true
	case cut && chip && d.chance(oftenChipCut):
		within = append(within, scenario.Step{Verb: scenario.Cut, On: d.chipMoment()})
	case cut:
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
	takeOut()
	if d.chance(oftenLookalike) {
		sale.Name, sale.Again = name+"b", d.chance(500)
		d.do(sale)
	}
	if d.chance(oftenAsk) {
		d.do(scenario.Step{Verb: scenario.Ask, Op: one(d, "status", "list", "recover", "recount", "batch totals", "batch report")})
	}
	d.sold = append(d.sold, sold{name, card, sale.Amount})
	d.back()
	if d.service > 0 {
		d.serviced()
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
	case n < 999:
		d.wait(time.Duration(d.between(60, 400)) * time.Second)
	default:
		d.wait(time.Duration(d.between(1, 18)) * time.Hour)
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
	case who == "pinpad" && what == "off":
		return "pinpad off"
	case who == "acquirer" && what == "day next":
		return "day changed"
	case who == "scanner" && words[0] == "show":
		return ""
	case who == "reader" && last == "none":
		return ""
	case who == "acquirer" || slices.Contains([]string{"off", "ok", "up", "plug", "clean", "clear", "closed", "remove", "status", "given", "steady", "serviced"}, last):
		return ""
	case who == "reader" && slices.Contains([]string{"present", "insert", "swipe"}, words[0]), who == "pinpad" && last == "on":
		return ""
	case who == "reader" && words[0] == "at":
		return who + " " + what
	case who == "wire":
		return who + " " + words[0] + " " + words[1]
	case what == "paper near":
		return "printer paper near"
	case who == "printer" && words[0] == "paper":
		return "printer paper out"
	}
	return who + " " + words[0]
}
