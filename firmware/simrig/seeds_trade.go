package simrig

import (
	"fmt"
	"time"

	"posagent/firmware/scenario"
)

// mix is how often what is no sale comes, out of a thousand sales, how many of a thousand cards with a chip are inserted, how many
// of a thousand sales are paid with a payment code, and how often the printer or the lines have trouble, where that is not as often
// as on other days.
type mix struct{ void, refund, close, hold, offline, balance, chip, scan, printer, lines int }

// Most days are ordinary. On a busy one seven of ten requests are sales; on a hotel's six, and most others hold money for later
// or charge what was held.
var (
	ordinaryDay = mix{void: 20, refund: 20, close: 6, hold: 3, offline: 3, balance: 1, chip: 300, scan: 15}
	busyDay     = mix{void: 180, refund: 180, close: 70, chip: 300, scan: 15}
	hotelDay    = mix{void: 20, refund: 40, close: 60, hold: 240, offline: 120, balance: 30, chip: 300, scan: 15}
)

// Days out of a thousand.
const (
	oftenBusy  = 70
	oftenHotel = 20
)

// Out of a thousand of these.
const (
	oftenWrong    = 200 // the acquirer or the line goes wrong
	oftenTrouble  = 60  // each of the machines
	oftenCutTrade = 250 // the power fails
	oftenAgain    = 250 // the cashier asks again with the same reference
	oftenNextDay  = 100 // of the closings: the acquirer's business day changes before it
	oftenStranger = 50  // not the card that paid
	oftenDoubtful = 250 // of the closings: something in doubt before it, which the acquirer has
)

// sold is a sale that somebody may bring back.
type sold struct{ name, card, amount string } // card is empty where it was paid with a payment code

// back is a customer who brings something back, mostly what was sold last.
func (d *day) back() {
	if d.chance(d.mix.void) {
		s := d.earlier(d.batch)
		d.numbered++
		d.bring(s, scenario.Step{Verb: scenario.Ask, Op: "void", Of: s.name, Name: fmt.Sprintf("v%d", d.numbered)}, "void", d.voidMoment)
	}
	if d.chance(d.mix.refund) {
		s := d.earlier(0)
		amount := s.amount
		if d.chance(700) {
			amount = fmt.Sprintf("%d.%02d", d.between(0, 6), d.between(1, 99))
		}
		d.numbered++
		d.bring(s, scenario.Step{Verb: scenario.Ask, Op: "refund", Amount: amount, Of: s.name, Name: fmt.Sprintf("r%d", d.numbered)}, "refund", d.refundMoment)
	}
	d.rooms()
	if d.chance(d.mix.close) {
		d.shut()
	}
}

// earlier is one of the sales since a place in the list, and the last where there is none.
func (d *day) earlier(since int) sold {
	if since >= len(d.sold) || d.chance(600) {
		return d.sold[len(d.sold)-1]
	}
	return d.sold[since+d.dice.IntN(len(d.sold)-since)]
}

func (d *day) bring(s sold, ask scenario.Step, aim string, moment func() scenario.Event) {
	if s.card == "" { // a payment code, of which nothing is asked
		d.trade(nil, ask, moment, aim, aim, "reversal")
		return
	}
	card := s.card
	if d.chance(oftenStranger) {
		card = d.card()
	}
	d.trade(&card, ask, moment, aim, aim, "reversal")
}

// shut closes the batch.
func (d *day) shut() {
	if d.chance(oftenDoubtful) {
		d.doubtful()
	}
	if d.chance(oftenNextDay) {
		d.hand("acquirer", "day next")
	}
	d.trade(nil, scenario.Step{Verb: scenario.Ask, Op: "batch close"}, d.closeMoment, "settle", "upload", "end", "any")
	d.batch = len(d.sold)
}

// doubtful is a transaction that the acquirer has booked and that the terminal can prove neither way.
func (d *day) doubtful() {
	d.numbered++
	s, ask := d.earlier(d.batch), scenario.Step{Verb: scenario.Ask, Name: fmt.Sprintf("d%d", d.numbered)}
	switch ask.Op = one(d, "sale", "sale", "void", "refund", "offline-sale", "preauth"); ask.Op {
	case "offline-sale":
		ask.Auth = "123456"
		fallthrough
	case "sale", "preauth":
		ask.Amount = fmt.Sprintf("%d.%02d", d.between(30, 40), d.between(1, 99)) // more than any other
	case "refund":
		ask.Of, ask.Amount = s.name, fmt.Sprintf("0.%02d", d.between(1, 99))
	default:
		ask.Of = s.name
	}
	d.hand("acquirer", "fault silent for "+ask.Op)
	if ask.Op == "refund" || ask.Op == "offline-sale" {
		d.hand("acquirer", "fault decline 61 for "+ask.Op)
	} else {
		d.hand("acquirer", "fault lost for reversal times 3")
	}
	if s.card == "" {
		s.card = d.card() // for what asks for one
	}
	d.do(scenario.Step{Verb: scenario.Present, Card: s.card})
	d.do(ask)
	d.wait(5 * time.Minute)
}

// trade asks for something while one of the messages that it takes may go wrong, and the machines, and the power.
func (d *day) trade(card *string, ask scenario.Step, moment func() scenario.Event, aims ...string) {
	var within []scenario.Step
	if d.chance(oftenWrong) {
		d.hand("acquirer", "fault "+one(d, "silent", "silent", "lost", "drop", "dropbefore", "dropafter", "cut", "garbage", "badmac", "nomac", "wrongstan",
			"wrongterminal", "late 31s", "slow 3ms", "twice", "decline 05", "decline 61", "decline 96", "decline 77", "order 3")+
			" for "+one(d, aims...)+one(d, "", "", "", " times 2", " times 4"))
	}
	if d.chance(oftenTrouble) {
		within = append(within, d.dialUp()...)
	}
	if d.chance(oftenTrouble) && card != nil {
		within = append(within, d.reader()...)
	}
	if d.chance(oftenTrouble) {
		within = append(within, d.printer()...)
	}
	if d.lines && d.service == 0 && d.chance(oftenTrouble) {
		within = append(within, scenario.Step{Verb: scenario.Hand, Who: "supply", What: "failing", On: moment()})
		d.until("supply", "steady")
	}
	if d.chance(oftenWrong / 4) {
		within = append(within, scenario.Step{Verb: scenario.Hand, Who: "line", What: one(d, "drop", "drop", "down"), On: moment()})
		d.until("line", "up")
	}
	takeOut := func() {}
	if card != nil {
		var more []scenario.Step
		more, _, takeOut = d.bringIn(*card)
		within = append(within, more...)
	}
	cut := d.chance(oftenCutTrade)
	if cut {
		within = append(within, scenario.Step{Verb: scenario.Cut, On: moment()})
	}
	d.do(ask)
	d.steps = append(d.steps, within...)
	if cut {
		d.recovery()
	}
	if d.chance(oftenAgain) {
		d.do(ask)
	}
	takeOut()
}

func (d *day) voidMoment() scenario.Event {
	return one(d, d.message("0200", "0210"), d.message("0400", "0410"), d.slip(),
		d.commit("pending", "approved", "approved", "declined", "reversing", "try", "reversed", "room", "suspense"))
}

func (d *day) refundMoment() scenario.Event {
	return one(d, d.message("0220", "0230"), d.message("0220", "0230"), d.slip(),
		d.commit("advising", "try", "approved", "approved", "declined", "suspense", "abandoned", "room"))
}

func (d *day) closeMoment() scenario.Event {
	e := one(d, d.message("0500", "0510"), d.message("0320", "0330"), d.slip(), d.commit("closing", "closing", "stan"), d.commit("closing"),
		scenario.Event{Kind: scenario.Stage, What: one(d, "settling", "uploading", "ending-batch", "printing"), Nth: 1},
		scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(1, 4000)) * time.Millisecond})
	switch {
	case e.What == "closing" && d.chance(700):
		e.Nth = d.between(2, 7)
	case (e.What == "0320" || e.What == "0330") && d.chance(500):
		e.Nth = d.between(2, 4)
	}
	return e
}

// slip is in the middle of what is printed.
func (d *day) slip() scenario.Event {
	return scenario.Event{Kind: scenario.Printing, N: d.between(1, 50)}
}

// message is the end of a request or of its answer, or a byte in the middle.
func (d *day) message(request, answer string) scenario.Event {
	return one(d, scenario.Event{Kind: scenario.Send, What: request, Nth: 1}, scenario.Event{Kind: scenario.Recv, What: answer, Nth: 1},
		scenario.Event{Kind: scenario.SendByte, What: request, N: d.between(1, 200), Nth: 1},
		scenario.Event{Kind: scenario.RecvByte, What: answer, N: d.between(1, 150), Nth: 1})
}

func (d *day) commit(what ...string) scenario.Event {
	return scenario.Event{Kind: one(d, scenario.Before, scenario.Inside, scenario.Inside, scenario.After), What: one(d, what...), Nth: 1}
}
