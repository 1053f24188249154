package linktest

import "posagent/txnstore/txn"

// undoes is what each kind of void takes back.
var undoes = map[Kind]Kind{Void: Sale, CompletionCancel: Completion}

// void takes a sale, or a completion, of the same batch back as a whole. Its sale must stand, untouched; the answer's code is 25 where it is
// not found, 12 where it does not stand any more, 64 where the amount is another. Any other code than an approval is a
// refusal that the caller wants.
func (b *books) void(e entry, name, code string) Row {
	row := b.begin(e, name, code)
	sale, found := b.row(rowKey{e.terminal, e.of.Batch, e.of.STAN})
	switch {
	case !approves(code):
	case !found, sale.Kind != undoes[e.kind], sale.RRN != e.rrn, sale.Batch != e.batch, sale.Account != name:
		row.Code = codeNoOriginal
	case sale.State != Held || sale.Back > 0:
		row.Code = codeBadTerms
	case sale.Amount != e.amount || sale.Held != e.amount:
		row.Code = codeOtherAmount
	default:
		row.State, row.Back = Given, e.amount
		row.Auth = sale.Auth
		b.giveBack(e.terminal, sale, e.amount, Voided)
		if sale.Kind == Completion {
			b.holdAgain(e.terminal, sale.Of)
		}
	}
	b.write(e.terminal, row)
	return row
}

// refund gives back a part of a sale or all of it, of whatever batch. The sale is found by its reference number and date;
// the answer's code is 25 where it is not, 12 where it does not stand any more, 64 where less of it is left.
func (b *books) refund(e entry, name, code string) Row {
	sale, found := b.byRRN(e.terminal, e.rrn)
	e.of = Voucher{sale.Batch, sale.STAN}
	row := b.begin(e, name, code)
	switch {
	case !approves(code):
	case !found, sale.Day != e.date, sale.Account != name:
		row.Code, row.Of = codeNoOriginal, Voucher{}
	case sale.State != Held:
		row.Code = codeBadTerms
	case e.amount > sale.Held:
		row.Code = codeOtherAmount
	default:
		row.State, row.Back = Given, e.amount
		b.giveBack(e.terminal, sale, e.amount, Refunded)
	}
	b.write(e.terminal, row)
	return row
}

func (b *books) byRRN(terminal, rrn string) (Row, bool) {
	for _, row := range b.Terminals[terminal].Rows {
		if row.Kind.pays() && row.RRN == rrn {
			return row, true
		}
	}
	return Row{}, false
}

// giveBack moves money of a sale to its card. What is left of it stays held.
func (b *books) giveBack(terminal string, sale Row, amount txn.Amount, empty Standing) {
	b.move(sale.Account, -amount)
	sale.Held, sale.Back = sale.Held-amount, sale.Back+amount
	if sale.Held == 0 {
		sale.State = empty
	}
	b.write(terminal, sale)
}

// revive reverses a void: what it took back stands again. A cardholder who has spent the money meanwhile makes that
// impossible.
func (b *books) revive(void Row, terminal string) (Row, string) {
	sale, _ := b.row(rowKey{terminal, void.Of.Batch, void.Of.STAN})
	b.release(terminal, sale.Of) // what a completion used comes out of force again, to pay for it
	if b.Accounts[void.Account].Balance < void.Back {
		b.holdAgain(terminal, sale.Of)
		return void, codeNoFunds
	}
	b.move(void.Account, void.Back)
	sale.State, sale.Held, sale.Back = Held, sale.Held+void.Back, sale.Back-void.Back
	b.write(terminal, sale)
	void.State, void.Back = Reversed, 0
	return void, codeApproved
}
