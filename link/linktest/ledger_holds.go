package linktest

// What is held for later is a row of its own, in no settlement. It is found again, days and batches later, by
// authorisation code, date and card; its completion takes its place, and gives it back when that is undone.

// mostPercent is how much of a pre-authorisation a completion may come to.
const mostPercent = 115

// held finds a pre-authorisation that is in force; the code says why none was found.
func (b *books) held(e entry, name string) (Row, string) {
	for _, row := range b.Terminals[e.terminal].Rows {
		if row.Kind != PreAuth || row.Auth != e.auth || row.Day != e.date || row.Account != name {
			continue
		}
		if row.State != Held {
			return row, codeBadTerms
		}
		return row, codeApproved
	}
	return Row{}, codeNoOriginal
}

// cancelHold ends a pre-authorisation as a whole.
func (b *books) cancelHold(e entry, name, code string) Row {
	hold, found := b.held(e, name)
	e.of = Voucher{hold.Batch, hold.STAN}
	row := b.begin(e, name, code)
	switch {
	case !approves(code):
	case found != codeApproved:
		row.Code = found
	case hold.Amount != e.amount:
		row.Code = codeOtherAmount
	default:
		row.State, row.Auth = Done, hold.Auth
		b.end(e.terminal, hold, Cancelled)
	}
	if row.State == Refused {
		row.Of = Voucher{}
	}
	b.write(e.terminal, row)
	return row
}

// complete charges what was held, or a little more.
func (b *books) complete(e entry, name, code string) Row {
	hold, found := b.held(e, name)
	e.of = Voucher{hold.Batch, hold.STAN}
	row := b.begin(e, name, code)
	switch {
	case !approves(code):
	case found != codeApproved:
		row.Code = found
	case e.amount*100 > hold.Amount*mostPercent:
		row.Code = codeOtherAmount
	case e.amount > b.Accounts[name].Balance+hold.Held:
		row.Code = codeNoFunds
	default:
		b.end(e.terminal, hold, Completed)
		b.move(name, e.amount)
		row.State, row.Held, row.Auth = Held, e.amount, hold.Auth
	}
	if row.State == Refused {
		row.Of = Voucher{}
	}
	b.write(e.terminal, row)
	return row
}

// end takes a pre-authorisation out of force.
func (b *books) end(terminal string, hold Row, as Standing) {
	b.move(hold.Account, -hold.Held)
	hold.State, hold.Held = as, 0
	b.write(terminal, hold)
}

// holdAgain puts a pre-authorisation back into force after what ended it was undone, if its account still has that much.
func (b *books) holdAgain(terminal string, of Voucher) {
	hold, found := b.row(rowKey{terminal, of.Batch, of.STAN})
	if !found || hold.Kind != PreAuth {
		return
	}
	hold.State = Lapsed
	if b.Accounts[hold.Account].Balance >= hold.Amount {
		b.move(hold.Account, hold.Amount)
		hold.State, hold.Held = Held, hold.Amount
	}
	b.write(terminal, hold)
}

// release gives a completion its pre-authorisation back to use up.
func (b *books) release(terminal string, of Voucher) {
	if hold, found := b.row(rowKey{terminal, of.Batch, of.STAN}); found && hold.Kind == PreAuth {
		b.end(terminal, hold, Completed)
	}
}

// touched reports whether something was done to a row since, so that a reversal no longer finds it as it was.
func (r Row) touched() bool {
	switch r.State {
	case Voided, Refunded, Completed, Cancelled, Lapsed:
		return true
	}
	return r.Back > 0 && r.Kind.pays()
}

// post is what a type of transaction does to the books.
func (b *books) post(e entry, name, code string) Row {
	switch e.kind {
	case Void, CompletionCancel:
		return b.void(e, name, code)
	case PreAuthCancel:
		return b.cancelHold(e, name, code)
	case Completion, CompletionNotice:
		return b.complete(e, name, code)
	case Refund:
		return b.refund(e, name, code)
	default: // a sale, a pre-authorisation, an offline sale
		return b.sell(e, name, code)
	}
}
