package receipt

import (
	"fmt"
	"strconv"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Report lays out the settlement report of a closed batch: this terminal's totals, and where they differ the acquirer's
// beside them, the difference, and what may explain it. doubts are the transactions that the closing names, as they stand
// now. A report is no receipt of anybody's payment and carries no card number but masked ones.
//
// It refuses a batch that is not closed, and a layout of impossible width.
func Report(c txn.Closing, doubts []txn.Txn, l Layout, reprint bool) (Slip, error) {
	if err := l.Check(); err != nil {
		return Slip{}, err
	}
	if c.Step != txn.Closed {
		return Slip{}, fmt.Errorf("receipt: no report of batch %06d: its closing is %q", c.Batch, c.Step)
	}
	w := reporter{page: l.page(), c: c}
	w.measure()
	w.mark(reprint)
	w.head(l)
	w.totals(words.OwnTotals, c.Own)
	if c.Unread > 0 {
		w.rowStyled(words.RecordsUnread, strconv.Itoa(c.Unread), true)
	}
	w.rule()
	w.title(words.OfVerdict(worse(c.Domestic, c.Foreign)))
	if !c.Agrees() {
		w.rule()
		w.totals(words.HostTotals, c.Host)
		w.rule()
		w.difference()
		w.row(words.RecordsTold, strconv.Itoa(c.Told))
		if c.Unaccepted > 0 {
			w.rowStyled(words.RecordsRefused, strconv.Itoa(c.Unaccepted), true)
		}
	}
	w.explanation(doubts)
	w.rule()
	w.row(words.NextBatch, sixDigits(c.Batch+1))
	w.sentence(words.NotAReceipt, strong)
	w.mark(reprint)
	return w.slip(), nil
}

// reporter writes one settlement report.
type reporter struct {
	page
	c    txn.Closing
	wide int // columns of the longest amount: counts stand in a column of their own before it; 0 where the paper is too narrow
}

func (w *reporter) measure() {
	counts := 0
	for _, t := range []txn.Totals{w.c.Own, w.c.Host} {
		for _, s := range []txn.Sums{t.Domestic, t.Foreign, t.All()} {
			for _, one := range []txn.Sum{s.Debit, s.Credit} {
				w.wide = max(w.wide, Width(w.money(one.Amount)))
				counts = max(counts, len(signed(one.Count)))
			}
		}
	}
	label := max(Width(words.DebitSide.Line(w.language)), Width(words.CreditSide.Line(w.language)))
	if label+1+counts+2+w.wide > w.columns {
		w.wide = 0
	}
}

// worse is the verdict that people must act on.
func worse(a, b txn.Verdict) txn.Verdict {
	if a == txn.Balanced {
		return b
	}
	return a
}

func (w *reporter) head(l Layout) {
	c := w.c
	w.title(words.ReportTitle)
	w.text(l.MerchantName, centred)
	w.rule()
	w.row(words.MerchantNo, c.Merchant)
	w.row(words.TerminalNo, c.Terminal)
	w.row(words.OperatorNo, c.Operator)
	w.rowStyled(words.BatchNo, sixDigits(c.Batch), true)
	ended := c.Ended
	if l.Zone != nil {
		ended = ended.In(l.Zone)
	}
	w.row(words.DateTime, stamp(ended))
	w.rule()
}

// totals writes debit and credit of each organisation that has some, and their sum.
func (w *reporter) totals(title words.Pair, t txn.Totals) {
	w.say(title, Line{Bold: true})
	if t.Foreign != (txn.Sums{}) {
		w.sums(words.DomesticCards, t.Domestic)
		w.sums(words.ForeignCards, t.Foreign)
	}
	all := t.All()
	w.sums(words.AllCards, all)
	w.rowStyled(words.NetTotal, w.money(all.Debit.Amount-all.Credit.Amount), true)
}

func (w *reporter) sums(title words.Pair, s txn.Sums) {
	w.say(title, Line{})
	w.row(words.DebitSide, w.sum(s.Debit))
	w.row(words.CreditSide, w.sum(s.Credit))
}

func (w *reporter) sum(s txn.Sum) string { return w.beside(strconv.Itoa(s.Count), s.Amount) }

// beside is a count and an amount, each in its column.
func (w *reporter) beside(count string, a txn.Amount) string {
	return fmt.Sprintf("%s  %*s", count, w.wide, w.money(a))
}

// signed is a difference of counts; none has no sign.
func signed(n int) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%+d", n)
}

func (w *reporter) money(a txn.Amount) string {
	return currencyMark(w.c.Currency) + " " + w.c.Currency.Format(a)
}

// difference is the acquirer's totals less the terminal's.
func (w *reporter) difference() {
	own, host := w.c.Own.All(), w.c.Host.All()
	w.say(words.DifferenceLabel, Line{Bold: true})
	for _, side := range []struct {
		name      words.Pair
		own, host txn.Sum
	}{{words.DebitSide, own.Debit, host.Debit}, {words.CreditSide, own.Credit, host.Credit}} {
		less := txn.Sum{Count: side.host.Count - side.own.Count, Amount: side.host.Amount - side.own.Amount}
		w.rowStyled(side.name, w.beside(signed(less.Count), less.Amount), less != (txn.Sum{}))
	}
}

// explanation names what is in doubt: first what makes up the difference exactly, then the rest.
func (w *reporter) explanation(doubts []txn.Txn) {
	c := w.c
	if !c.Agrees() || len(c.Doubts) > 0 {
		w.rule()
	}
	switch {
	case len(c.Explains) > 0:
		w.sentence(words.ExplainsIt, strong)
		w.list(doubts, c.Explains)
	case !c.Agrees():
		w.sentence(words.NothingExplains, strong)
	}
	if len(c.Doubts) > 0 {
		if !c.Agrees() {
			w.rule()
		}
		w.sentence(words.AlsoDoubtful, strong)
		w.list(doubts, c.Doubts)
	}
	if len(c.Explains)+len(c.Doubts) > 0 {
		w.sentence(words.DoNotClaim, Line{})
	}
}

func (w *reporter) list(doubts []txn.Txn, which []txn.ID) {
	for _, x := range doubts {
		for _, id := range which {
			if x.ID != id {
				continue
			}
			kind, known := words.OfKind(x.Kind)
			if !known {
				kind = words.Pair{ZH: string(x.Kind)}
			}
			w.rowStyled(kind, w.money(x.Amount), true)
			w.row(words.VoucherNo, sixDigits(x.STAN))
			w.row(words.CardNo, x.Card.PAN.Masked())
		}
	}
}
