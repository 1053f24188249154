package simrig

import (
	"fmt"
	"time"

	"posagent/firmware/scenario"
)

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
		what := "reader"
		if d.pinpad && d.chance(500) {
			what = "pinpad"
		}
		return scenario.Event{Kind: one(d, scenario.ByteTo, scenario.ByteFrom), What: what, N: d.between(1, 120)}
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
			What: one(d, "reversing", "try", "reversed", "mark", "stan", "batch", "tidy", "room", "suspense", "closing", "approved")}
	case 2:
		return scenario.Event{Kind: one(d, scenario.Send, scenario.Recv), Nth: 1,
			What: one(d, "0400", "0410", "0400", "0410", "0800", "0810", "0220", "0230", "0500", "0510", "0320", "0330")}
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
		"forge 51", "forge 05", "order 3", "order 3", "order 1", "order 2", "order 7", "decline 05", "decline 91", "decline 77", "decline A0", "approve 10", "approve 11",
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
	switch d.dice.IntN(16) {
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
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: "modem " + one(d, "unplug", "replug"), On: scenario.Event{Kind: scenario.ByteTo, What: "modem", N: d.between(1, 350)}},
			{Verb: scenario.Hand, Who: "wire", What: "modem plug", On: scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(5, 70)) * time.Second}}}
	case 8, 9:
		d.hand("wire", "modem "+one(d, "flip 100", "flip 1500", "lose 300", "lose 1500", "double 300", "double 1500", "late 500 800ms"))
		d.until("wire", "modem clean")
	case 10:
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: fmt.Sprintf("modem stall %ds", d.between(1, 90)),
			On: one(d, scenario.Event{Kind: scenario.Send, What: one(d, "0200", "0800"), Nth: 1}, scenario.Event{Kind: scenario.ByteTo, What: "modem", N: d.between(1, 350)})}}
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
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: "reader " + one(d, "unplug", "replug"),
			On: scenario.Event{Kind: one(d, scenario.ByteTo, scenario.ByteFrom), What: "reader", N: d.between(1, 200)}}}
	default:
		d.hand("wire", fmt.Sprintf("reader stall %ds", d.between(1, 4)))
	}
	return nil
}

func (d *day) printer() []scenario.Step {
	switch d.dice.IntN(17) {
	case 13, 14, 15:
		return d.slipTrouble()
	case 16:
		d.hand("printer", "paper near")
		d.until("printer", "paper ok")
	case 10, 11:
		d.hand("wire", "printer "+one(d, "flip 100", "flip 1000", "lose 100", "lose 1000", "double 100", "double 1000"))
		d.until("wire", "printer clean")
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
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: "printer " + one(d, "unplug", "replug"),
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

// hasPINPad says whether the terminal of a random world has a PIN pad. Few do: one card in five of theirs asks for a PIN, and
// each costs time.
func hasPINPad(seed uint64) bool { return seed%16 == 3 }

// typing is what goes wrong at the PIN pad.
func (d *day) typing() []scenario.Step {
	later := scenario.Event{Kind: scenario.Elapsed, Time: time.Duration(d.between(1, 80)) * time.Second}
	at := scenario.Event{Kind: one(d, scenario.ByteTo, scenario.ByteFrom), What: "pinpad", N: d.between(1, 80)}
	switch d.dice.IntN(8) {
	case 0, 1:
		d.hand("pinpad", "pin "+one(d, "wrong", "none", "cancelled"))
		d.until("pinpad", "pin given")
	case 2, 3:
		d.hand("pinpad", "pin awaited")
		d.until("pinpad", "pin given")
		return []scenario.Step{{Verb: scenario.Hand, Who: "pinpad", What: "pin " + one(d, "given", "given", "wrong"), On: later}}
	case 4:
		d.hand("pinpad", "off")
		d.until("pinpad", "on")
	case 5:
		d.hand("wire", "pinpad "+one(d, "flip 300", "lose 300", "double 300", "split 5000", "late 500 800ms", "flip 1500"))
		d.until("wire", "pinpad clean")
	case 6:
		d.until("wire", "pinpad plug")
		return []scenario.Step{{Verb: scenario.Hand, Who: "wire", What: "pinpad " + one(d, "unplug", "replug"), On: at}}
	default:
		d.hand("wire", fmt.Sprintf("pinpad stall %ds", d.between(1, 4)))
	}
	return nil
}
