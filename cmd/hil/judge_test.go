package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

// agreeing is a day on which everything went as it should: two sales held, one reversed, one refused, one never sent.
func agreeing() books {
	sale := func(stan, amount string, s txn.State, merchant, customer txn.Slip) agent.Record {
		return agent.Record{Batch: "000001", STAN: stan, Amount: amount, State: s, Merchant: merchant, Customer: customer}
	}
	row := func(stan uint32, amount, held txn.Amount, s linktest.Standing) linktest.Row {
		return linktest.Row{Batch: 1, STAN: stan, Amount: amount, Held: held, State: s}
	}
	return books{
		terminal: []agent.Record{
			sale("000006", "1.00", txn.Abandoned, txn.NoSlip, txn.NoSlip),
			sale("000005", "7.77", txn.Declined, txn.NoSlip, txn.NoSlip),
			sale("000004", "33.30", txn.Reversed, txn.SlipPrinted, txn.NoSlip),
			sale("000003", "88.00", txn.Approved, txn.SlipPrinted, txn.SlipPrinted),
			sale("000002", "12.50", txn.Approved, txn.SlipPrinted, txn.SlipPrinted),
		},
		acquirer: linktest.TerminalBook{Rows: []linktest.Row{
			row(2, 1250, 1250, linktest.Held), row(3, 8800, 8800, linktest.Held),
			row(4, 3330, 0, linktest.Reversed), row(5, 777, 0, linktest.Refused),
		}},
		slips: []slip{
			saleSlip(1, "000002", "商户存根"), saleSlip(2, "000002", "持卡人存根"),
			saleSlip(3, "000003", "商户存根"), saleSlip(4, "000003", "持卡人存根"),
			notice(5, "000004", "33.30"),
		},
	}
}

func saleSlip(file int, stan, copyName string, marks ...string) slip {
	amount := map[string]string{"000002": "12.50", "000003": "88.00", "000004": "33.30", "000005": "7.77"}[stan]
	return readSlip(fmt.Sprintf("%03d.txt", file), fmt.Sprintf("POS签购单\n%s\n凭证号 VOUCHER NO         %s\n金额 AMOUNT\n              RMB %s\n%s\n",
		copyName, stan, amount, strings.Join(marks, "\n")))
}

func notice(file int, stan, amount string) slip {
	return readSlip(fmt.Sprintf("%03d.txt", file), fmt.Sprintf("冲正通知\n原凭证号 ORIGINAL VOUCHER %s\n原交易金额 ORIGINAL AMOUNT\n   RMB %s\n本单不是付款凭证\n", stan, amount))
}

func TestAnAgreeingWorldGivesNoDisagreement(t *testing.T) {
	require.Empty(t, agreeing().judge())
	assert.Empty(t, books{}.judge(), "a terminal that never traded")
}

// What may stand beside an agreement without spoiling it.
func TestTheJudgeLetsHonestThingsPass(t *testing.T) {
	for name, alter := range map[string]func(*books){
		"a marked duplicate": func(b *books) { b.slips = append(b.slips, saleSlip(9, "000002", "商户存根", "重打印凭证")) },
		"paper still owed": func(b *books) {
			b.terminal[4].Merchant, b.terminal[4].Customer = txn.SlipOwed, txn.SlipOwed
			b.slips = b.slips[2:]
		},
		"a notice still owed":      func(b *books) { b.terminal[2].Merchant, b.slips = txn.SlipOwed, b.slips[:4] },
		"a slip torn, then whole":  func(b *books) { b.slips = append(b.slips, saleSlip(9, "000002", "商户存根", "-- torn --")) },
		"a torn slip of no number": func(b *books) { b.slips = append(b.slips, readSlip("009.txt", "北风便利店\n-- torn --")) },
		"a reversal of what never arrived": func(b *books) {
			b.acquirer.Rows[2].State = linktest.Absent
		},
	} {
		b := agreeing()
		alter(&b)
		assert.Empty(t, b.judge(), name)
	}
}

// backAndForth is agreeing, with a void of the first sale and a refund of half the second.
func backAndForth() books {
	b := agreeing()
	undo := func(stan, amount string, k txn.Kind) agent.Record {
		return agent.Record{Batch: "000001", STAN: stan, Kind: k, Amount: amount, State: txn.Approved, Merchant: txn.SlipPrinted, Customer: txn.SlipPrinted}
	}
	b.terminal = append([]agent.Record{undo("000008", "44.00", txn.Refund), undo("000007", "12.50", txn.Void)}, b.terminal...)
	rows := b.acquirer.Rows
	rows[0].State, rows[0].Held, rows[0].Back = linktest.Voided, 0, 1250
	rows[1].Held, rows[1].Back = 4400, 4400
	b.acquirer.Rows = append(rows, linktest.Row{Batch: 1, STAN: 7, Kind: linktest.Void, Of: linktest.Voucher{Batch: 1, STAN: 2}, Amount: 1250, Back: 1250, State: linktest.Given},
		linktest.Row{Batch: 1, STAN: 8, Kind: linktest.Refund, Of: linktest.Voucher{Batch: 1, STAN: 3}, Amount: 4400, Back: 4400, State: linktest.Given})
	for i, copyName := range []string{"商户存根", "持卡人存根"} {
		for _, s := range [][3]string{{"000007", "消费撤销", "12.50"}, {"000008", "退货", "44.00"}} {
			b.slips = append(b.slips, readSlip(fmt.Sprintf("%03d.txt", 10+i), fmt.Sprintf("POS签购单\n%s\n%s\n凭证号 VOUCHER NO  %s\n原凭证号 000002\n RMB %s\n",
				copyName, s[1], s[0], s[2])))
		}
	}
	return b
}

func TestTheJudgeUnderstandsVoidsAndRefunds(t *testing.T) {
	require.Empty(t, backAndForth().judge())
	reported := backAndForth()
	reported.slips = append(reported.slips, readSlip("020.txt", "批结算单\n凭证号 VOUCHER NO 000002\nRMB 5.00\n"))
	require.Empty(t, reported.judge(), "a settlement report is nobody's slip")
	for says, plant := range map[string]func(*books){
		"the acquirer holds money for a sale that the terminal does not know": func(b *books) { b.terminal, b.slips = b.terminal[1:], b.slips[:7] },
		"000001/000007: approved here and not held": func(b *books) {
			b.acquirer.Rows[4].State, b.acquirer.Rows[4].Back = linktest.Reversed, 0
		},
		"a void at the acquirer and a refund here": func(b *books) { b.terminal[1].Kind = txn.Refund },
		"is that of a sale and the terminal made":  func(b *books) { b.slips[5].kind = txn.Sale },
		"the acquirer holds 4400 minor units":      func(b *books) { b.terminal[0].Amount = "43.00" },
	} {
		b := backAndForth()
		plant(&b)
		assert.Contains(t, strings.Join(b.judge(), "\n"), says)
	}
}

// A judge that cannot find against anybody proves nothing.
func TestTheJudgeReportsEveryDisagreement(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*books)
		says  []string // each in a finding of its own, and no other findings
	}{
		"held there and unknown here": {func(b *books) { b.terminal, b.slips = b.terminal[:4], b.slips[2:] },
			[]string{"000001/000002: the acquirer holds money for a sale that the terminal does not know", "the totals differ: 8800 here, 10050 there"}},
		"approved here and not held": {func(b *books) { b.acquirer.Rows = b.acquirer.Rows[1:] },
			[]string{"000001/000002: approved here and not held by the acquirer"}},
		"approved here and given back there": {func(b *books) { b.acquirer.Rows[0].State, b.acquirer.Rows[0].Held = linktest.Reversed, 0 },
			[]string{"000001/000002: approved here and not held by the acquirer"}},
		"another amount": {func(b *books) { b.acquirer.Rows[0].Held = 1251 },
			[]string{"000001/000002: the acquirer holds 1251 minor units and the terminal says 12.50", "the totals differ: 8800 here, 10051 there"}},
		"held there and reversed here": {func(b *books) { b.acquirer.Rows[2].State, b.acquirer.Rows[2].Held = linktest.Held, 3330 },
			[]string{"000001/000004: the acquirer holds money and the terminal says reversed", "the totals differ: 10050 here, 13380 there"}},
		"held there and declined here": {func(b *books) { b.acquirer.Rows[3].State, b.acquirer.Rows[3].Held = linktest.Held, 777 },
			[]string{"000001/000005: the acquirer holds money and the terminal says declined", "the totals differ"}},
		"held there and never sent, says the terminal": {func(b *books) {
			b.acquirer.Rows = append(b.acquirer.Rows, linktest.Row{Batch: 1, STAN: 6, Held: 100, State: linktest.Held})
		}, []string{"000001/000006: the acquirer holds money and the terminal says abandoned", "the totals differ"}},
		"the customer has no slip": {func(b *books) { b.slips = slices.Delete(b.slips, 1, 2) },
			[]string{"000001/000002: the customer's copy is printed and not on paper"}},
		"the merchant has no slip": {func(b *books) { b.slips = slices.Delete(b.slips, 0, 1) },
			[]string{"000001/000002: the merchant's copy is printed and not on paper"}},
		"a torn slip only": {func(b *books) { b.slips[0] = saleSlip(1, "000002", "商户存根", "-- torn --") },
			[]string{"000001/000002: the merchant's copy is printed and not on paper"}},
		"two unmarked copies": {func(b *books) { b.slips = append(b.slips, saleSlip(9, "000003", "持卡人存根")) },
			[]string{"000001/000003: 2 unmarked copies for the customer"}},
		"a sale slip for money given back": {func(b *books) { b.slips = append(b.slips, saleSlip(9, "000004", "持卡人存根")) },
			[]string{"000001/000004: slip 009.txt looks like a sale and the terminal says reversed"}},
		"a torn sale slip for money never held": {func(b *books) { b.slips = append(b.slips, saleSlip(9, "000005", "持卡人存根", "-- torn --")) },
			[]string{"000001/000005: slip 009.txt looks like a sale and the terminal says declined"}},
		"no notice of a reversal": {func(b *books) { b.slips = b.slips[:4] },
			[]string{"000001/000004: reversed, its notice is printed and not on paper"}},
		"a notice for money that is held": {func(b *books) { b.slips = append(b.slips, notice(9, "000002", "12.50")) },
			[]string{"000001/000002: slip 009.txt speaks of a reversal and the terminal says approved"}},
		"a slip over another amount": {func(b *books) { b.slips[1].amount = "125.00" },
			[]string{`000001/000002: slip 002.txt is over "125.00" and the terminal says 12.50`}},
		"a notice over another amount": {func(b *books) { b.slips[4] = notice(5, "000004", "33.31") },
			[]string{`000001/000004: slip 005.txt is over "33.31" and the terminal says 33.30`}},
		"a voucher number twice": {func(b *books) { b.terminal = append(b.terminal, b.terminal[4]) },
			[]string{"000001/000002 stands in the terminal's books twice"}},
		"a slip of no sale": {func(b *books) { b.slips = append(b.slips, saleSlip(9, "000042", "商户存根")) },
			[]string{`slip 009.txt (voucher "000042") belongs to no sale`}},
		"a slip without a number": {func(b *books) { b.slips = append(b.slips, readSlip("009.txt", "北风便利店")) },
			[]string{`slip 009.txt (voucher "") belongs to no sale`}},
		"still in the air": {func(b *books) { b.terminal[2].State, b.slips = txn.Reversing, b.slips[:4] },
			[]string{"000001/000004 is reversing: still owed (reverse)"}},
		"still waiting for people": {func(b *books) { b.terminal[2].State, b.slips = txn.Suspense, b.slips[:4] },
			[]string{"000001/000004 is suspense: still owed (human)"}},
		"pending for ever": {func(b *books) { b.terminal[0].State = txn.Pending },
			[]string{"000001/000006 is pending: still owed (reverse)"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := agreeing()
			c.plant(&b)
			found := b.judge()
			for _, says := range c.says {
				assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, says) }), "%q is not among %q", says, found)
			}
			assert.Len(t, found, len(c.says), "%q", found)
		})
	}
}

// The judge reads paper as a person does.
func TestASlipIsReadByItsWords(t *testing.T) {
	whole := saleSlip(1, "000002", "商户存根")
	assert.Equal(t, "000002", whole.stan)
	assert.Equal(t, "12.50", whole.amount)
	assert.True(t, whole.merchant)
	assert.False(t, whole.reversal || whole.duplicate || whole.torn)
	customers := saleSlip(2, "000002", "持卡人存根", "重打印凭证", "-- torn --")
	assert.False(t, customers.merchant)
	assert.True(t, customers.duplicate && customers.torn)
	undone := notice(3, "000005", "7.77")
	assert.True(t, undone.reversal)
	assert.Equal(t, "000005", undone.stan)
}
