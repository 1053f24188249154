package simrig

import (
	"fmt"

	"posagent/firmware/scenario"
)

// Out of a thousand sales by payment code.
const (
	oftenStale   = 250 // the customer shows a code that was shown before, whatever became of it
	oftenNoCode  = 60  // what is shown is no code that is taken, or nothing is
	oftenScanner = 100 // the scanner or its line goes wrong
)

// scan is one customer who pays with a payment code. Where the dice of these say so it stands in place of an ordinary sale, so
// that a world has as many sales as before, and one without codes is what it was.
func (d *day) scan(n int) {
	var within []scenario.Step
	name := fmt.Sprintf("t%d", n)
	sale := scenario.Step{Verb: scenario.Ask, Op: "sale", Amount: fmt.Sprintf("%d.%02d", d.between(0, 24), d.between(1, 99)), Scanned: true, Name: name}
	if d.chance(oftenAcquirer) {
		d.acquirer()
	}
	for _, fault := range d.favourite {
		if d.chance(333) {
			d.hand("acquirer", "fault "+fault)
		}
	}
	if d.chance(oftenLine) {
		within = append(within, d.line()...)
	}
	if d.chance(oftenDial) {
		within = append(within, d.dialUp()...)
	}
	if d.chance(oftenPrinter) {
		within = append(within, d.printer()...)
	}
	if d.chance(oftenScanner) {
		within = append(within, d.scanner()...)
	}
	code := fmt.Sprintf("%s-%d", one(d, "wechat", "wechat", "alipay", "unionpay"), n)
	switch {
	case d.chance(oftenNoCode):
		code = fmt.Sprintf("%s-%d", one(d, "goods", "stranger"), n)
	case len(d.shown) > 0 && d.chance(oftenStale):
		code = d.shown[d.dice.IntN(len(d.shown))]
	}
	d.shown = append(d.shown, code)
	d.do(scenario.Step{Verb: scenario.Show, Card: code})
	if d.chance(oftenCancel) {
		within = append(within, scenario.Step{Verb: scenario.Cancel, On: scenario.Event{Kind: scenario.Stage, What: "show-code", Nth: 1}})
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
		d.do(sale) // the cashier asks what became of it, and a code may have to be shown after all
	}
	d.hand("scanner", "remove")
	d.sold = append(d.sold, sold{name, "", sale.Amount})
	d.back()
	d.after()
}

// scanner is what goes wrong with the scanner.
func (d *day) scanner() []scenario.Step {
	at := scenario.Event{Kind: one(d, scenario.ByteTo, scenario.ByteFrom), What: "scanner", N: d.between(1, 40)}
	switch d.dice.IntN(4) {
	case 0:
		d.hand("scanner", "fault "+one(d, "damage", "cut", "twice", "refuse", "bad-answer"))
	case 1:
		d.hand("scanner", "silent on")
		d.until("scanner", "silent off")
	case 2:
		d.until("wire", "scanner plug")
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: one(d, "scanner unplug", "scanner replug"), On: at}}
	default:
		d.hand("wire", "scanner "+one(d, "lose", "flip", "split", "double")+" "+one(d, "300", "3000"))
		d.until("wire", "scanner clean")
	}
	return nil
}
