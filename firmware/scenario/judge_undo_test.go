package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// backAndForth is two settled batches. In the first a sale was voided, another refunded in part, and a void came to nothing;
// it balanced. The second did not, for the acquirer holds a sale that is in suspense here, and was told record by record.
func backAndForth() Books {
	done := func(batch, stan uint32, k txn.Kind, of Voucher, amount txn.Amount) Sale {
		return Sale{Batch: batch, STAN: stan, Kind: k, Of: of, Amount: amount, State: txn.Approved, Merchant: txn.SlipPrinted, Customer: txn.SlipPrinted}
	}
	row := func(batch, stan uint32, k txn.Kind, of Voucher, amount, held, back txn.Amount, s Standing) Row {
		return Row{Batch: batch, STAN: stan, Kind: k, Of: of, Amount: amount, Held: held, Back: back, Standing: s, Account: "visa-4242"}
	}
	first, second, none := Voucher{1, 2}, Voucher{1, 3}, Voucher{}
	b := Books{
		Here: []Sale{
			done(1, 2, txn.Sale, none, 1250), done(1, 3, txn.Sale, none, 8800), done(1, 4, txn.Void, first, 1250), done(1, 5, txn.Refund, second, 4400),
			{Batch: 1, STAN: 6, Kind: txn.Void, Of: second, Amount: 8800, State: txn.Reversed, Merchant: txn.SlipPrinted},
			done(2, 7, txn.Refund, second, 100),
			{Batch: 2, STAN: 8, Amount: 3330, State: txn.Suspense, Merchant: txn.SlipPrinted, Tries: 3, Journal: []string{"tries spent, people must look"}},
		},
		There: []Row{
			row(1, 2, txn.Sale, none, 1250, 0, 1250, Voided), row(1, 3, txn.Sale, none, 8800, 4300, 4500, Held), row(1, 4, txn.Void, first, 1250, 0, 1250, Given),
			row(1, 5, txn.Refund, second, 4400, 0, 4400, Given), row(1, 6, txn.Void, second, 8800, 0, 0, Reversed),
			row(2, 7, txn.Refund, second, 100, 0, 100, Given), row(2, 8, txn.Sale, none, 3330, 3330, 0, Held),
		},
		Accounts: []Account{{Name: "visa-4242", Opening: 500_000, Balance: 492_370, Held: 7630}},
		Batches: []Batch{
			{Number: 1, Here: Sum{2, 10_050}, There: Sum{2, 10_050}}, {Number: 1, Credit: true, Here: Sum{2, 5650}, There: Sum{2, 5650}},
			{Number: 2, There: Sum{1, 3330}}, {Number: 2, Credit: true, Here: Sum{1, 100}, There: Sum{1, 100}},
		},
		Closings: []Closing{
			{Batch: 1, Step: txn.Closed, Own: foreign(twoSides(2, 10_050, 2, 5650)), Host: foreign(twoSides(2, 10_050, 2, 5650)), Agrees: true, Report: txn.SlipPrinted},
			{Batch: 2, Step: txn.Closed, Own: foreign(twoSides(0, 0, 1, 100)), Host: foreign(twoSides(1, 3330, 1, 100)), Explains: []Voucher{{2, 8}}, Told: 1, Report: txn.SlipPrinted},
		},
		Settled: []Settled{
			{Batch: 1, Own: foreign(twoSides(2, 10_050, 2, 5650)), Said: foreign(twoSides(2, 10_050, 2, 5650)), Equal: true, Ended: true},
			{Batch: 2, Own: foreign(twoSides(1, 3330, 1, 100)), Said: foreign(twoSides(0, 0, 1, 100)), Details: []Detail{{7, 100, true}}, Ended: true, Told: 1},
		},
		Open: 3, OpenAt: 3, Tries: 3,
	}
	for _, s := range b.Here[:6] {
		if s.State == txn.Approved {
			b.Slips = append(b.Slips, slipFor(s, "商户存根"), slipFor(s, "持卡人存根"))
		}
	}
	b.Slips = append(b.Slips, slipFor(b.Here[4], "商户存根", "冲正通知"), slipFor(b.Here[6], "商户存根", "结果未知"), reportOf(1), reportOf(2))
	return b
}

func twoSides(debits int, debit txn.Amount, credits int, credit txn.Amount) txn.Sums {
	return txn.Sums{Debit: txn.Sum{Count: debits, Amount: debit}, Credit: txn.Sum{Count: credits, Amount: credit}}
}

func foreign(s txn.Sums) txn.Totals { return txn.Totals{Foreign: s} }

func slipFor(s Sale, copyName string, marks ...string) Slip {
	kind := map[txn.Kind]string{txn.Void: "消费撤销", txn.Refund: "退货"}[s.Kind]
	return ReadSlip("s"+s.key().String()+copyName, fmt.Sprintf("%s\n%s\n交易类型 %s\n批次号 BATCH NO %06d\n凭证号 VOUCHER NO %06d\n原凭证号 ORIGINAL VOUCHER %06d\n RMB %s\n",
		strings.Join(marks, "\n"), copyName, kind, s.Batch, s.STAN, s.Of.STAN, money(s.Amount)))
}

func reportOf(batch uint32, marks ...string) Slip {
	return ReadSlip(fmt.Sprintf("report of %d", batch), fmt.Sprintf("批结算单\n批次号 BATCH NO %06d\n结果未知\n凭证号 000002\n RMB 5.00\n下一批次号 %06d\n%s", batch, batch+1, strings.Join(marks, "\n")))
}

func TestTheJudgeUnderstandsVoidsRefundsAndSettlements(t *testing.T) {
	require.Empty(t, Judge(backAndForth()))
	for name, alter := range map[string]func(*Books){
		"a bench that shows no closings of the terminal": func(b *Books) { b.Closings = nil },
		"a sale in doubt of which the acquirer holds a part": func(b *Books) {
			half := foreign(twoSides(1, 1665, 1, 100))
			b.There[6].Held, b.Accounts, b.Batches[2].There.Amount = 1665, nil, 1665
			b.Closings[1].Host, b.Settled[1].Own = half, half
			b.Closings[1].Explains, b.Closings[1].Doubts = nil, []Voucher{{2, 8}}
		},
		"a marked copy of a report":              func(b *Books) { b.Slips = append(b.Slips, reportOf(1, "重打印凭证")) },
		"a refund of a sale of another terminal": func(b *Books) { b.Here[5].Of = Voucher{} },
		"a refund in suspense that stands": func(b *Books) {
			b.Here[5].State, b.Here[5].Tries, b.Here[5].Reversal, b.Here[5].Journal = txn.Suspense, 2, "61", []string{"a copy was refused 61"}
			b.Batches, b.Closings, b.Settled = nil, nil, nil
			b.Slips = slices.DeleteFunc(b.Slips, func(s Slip) bool { return s.STAN == 7 })
			b.Slips = append(b.Slips, slipFor(b.Here[5], "商户存根", "结果未知"))
		},
	} {
		b := backAndForth()
		alter(&b)
		assert.Empty(t, Judge(b), name)
	}
}

// Each is found in these words, and nothing else is.
func TestTheJudgeFindsWhatIsWrongWithVoidsRefundsAndSettlements(t *testing.T) {
	const void, refund, other = 2, 3, 4 // of Here and There
	apart := func(b *Books) { b.Accounts, b.Batches, b.Closings, b.Settled = nil, nil, nil, nil }
	for name, c := range map[string]struct {
		plant func(*Books)
		says  []string
	}{
		"a void that the terminal does not know": {func(b *Books) {
			apart(b)
			b.Here = slices.Delete(b.Here, void, void+1)
			b.Slips = slices.DeleteFunc(b.Slips, func(s Slip) bool { return s.STAN == 4 })
		}, []string{"000001/000004: the acquirer gave money back for a void that the terminal does not know", "batch 000001, given back: the totals differ: 1 over 44.00 here, 2 over 56.50 there"}},
		"a void that was undone there": {func(b *Books) {
			apart(b)
			b.There[void].Standing, b.There[void].Back = Reversed, 0
			b.There[0].Standing, b.There[0].Held, b.There[0].Back = Held, 1250, 0
		}, []string{"000001/000004: approved here and not held by the acquirer", "the totals differ"}},
		"a void that stands there and was undone here": {func(b *Books) {
			apart(b)
			b.There[other].Standing, b.There[other].Back = Given, 8800
			b.There[1].Standing, b.There[1].Held, b.There[1].Back, b.There[1].Amount = Voided, 0, 13_300, 13_300
			b.Here[1].Amount = 13_300
			b.Slips[2].Amount, b.Slips[3].Amount = "133.00", "133.00"
		}, []string{"000001/000006: the acquirer gave money back and the terminal says reversed", "the totals differ"}},
		"a kind that both call otherwise": {func(b *Books) { apart(b); b.There[void].Kind = txn.Refund },
			[]string{"000001/000004: the acquirer has a refund and the terminal a void"}},
		"the slip of another kind": {func(b *Books) { b.Slips[4].Kind = txn.Sale },
			[]string{"000001/000004: slip s000001/000004商户存根 is that of a sale and the terminal made a void"}},
		"a void of another sale": {func(b *Books) {
			b.There[void].Of, b.There[0].Back, b.There[0].Held, b.There[0].Standing = Voucher{1, 3}, 0, 1250, Held
			b.There[1].Back, b.There[1].Held = 5750, 3050
			b.Batches = nil
		}, []string{"000001/000004: it undoes 000001/000003 at the acquirer and 000001/000002 here"}},
		"another amount given back": {func(b *Books) {
			apart(b)
			b.There[refund].Amount, b.There[refund].Back, b.There[1].Back, b.There[1].Held = 4399, 4399, 4499, 4301
		}, []string{"000001/000005: the acquirer holds 43.99 and the terminal says 44.00", "the totals differ"}},
		"more given back of a sale than its refunds say": {func(b *Books) { apart(b); b.There[1].Back, b.There[1].Held = 4501, 4299 },
			[]string{"000001/000003: 45.01 of it were given back, and its voids and refunds gave 45.00"}},
		"given back of no sale": {func(b *Books) {
			b.Here[5].Of, b.There[5].Of, b.There[1].Back, b.There[1].Held = Voucher{}, Voucher{}, 4400, 4400
			b.Accounts, b.Batches = nil, nil
		},
			[]string{"000000/000000: 1.00 were given back, and the acquirer has no such sale"}},
		"a voided sale that holds": {func(b *Books) {
			apart(b)
			b.There[0].Held, b.There[0].Amount, b.Here[0].Amount = 1, 1251, 1251
			b.Slips[0].Amount, b.Slips[1].Amount = "12.51", "12.51"
		},
			[]string{"000001/000002 is voided in the acquirer's books and holds 0.01, gave back 12.50, of 12.51"}},
		"a credit counted as a sale": {func(b *Books) { b.Batches[2].Here, b.Batches[3].Here = Sum{1, 100}, Sum{} },
			[]string{"batch 000002: the terminal's total is 1 over 1.00 and its records say 0 over 0.00",
				"batch 000002, given back: the terminal's total is 0 over 0.00 and its records say 1 over 1.00"}},
		"a refund that is still being told": {func(b *Books) {
			apart(b)
			b.Here[5].State = txn.Advising
			b.Slips = slices.DeleteFunc(b.Slips, func(s Slip) bool { return s.STAN == 7 })
		}, []string{"000002/000007 is advising: still owed (repeat)"}},
		"a refund in suspense after one copy": {func(b *Books) {
			apart(b)
			b.Here[5].State, b.Here[5].Tries, b.Here[5].Reversal, b.Here[5].Journal = txn.Suspense, 1, "61", []string{"a copy was refused 61"}
			b.Slips = slices.DeleteFunc(b.Slips, func(s Slip) bool { return s.STAN == 7 })
			b.Slips = append(b.Slips, slipFor(b.Here[5], "商户存根", "结果未知"))
		}, []string{"000002/000007 waits for people and nothing in its record says why"}},
		"a notice for a void that stands": {func(b *Books) { b.Slips = append(b.Slips, slipFor(b.Here[void], "商户存根", "冲正通知")) },
			[]string{"000001/000004: slip s000001/000004商户存根 speaks of a reversal and the terminal says approved"}},
		"a slip for a void that does not": {func(b *Books) { b.Slips = append(b.Slips, slipFor(b.Here[other], "持卡人存根")) },
			[]string{"000001/000006: slip s000001/000006持卡人存根 looks like a void and the terminal says reversed"}},

		"a batch still being closed": {func(b *Books) { b.Closings[1].Step = txn.Ending }, []string{"batch 000002 is being closed: ending"}},
		"a report still owed":        {func(b *Books) { b.Closings[1].Report = txn.SlipOwed; b.Slips = b.Slips[:len(b.Slips)-1] }, []string{"batch 000002: its report is still owed"}},
		"no report":                  {func(b *Books) { b.Slips = b.Slips[:len(b.Slips)-1] }, []string{"batch 000002: its report is printed and not on paper"}},
		"two reports":                {func(b *Books) { b.Slips = append(b.Slips, reportOf(2)) }, []string{"batch 000002: 2 unmarked reports"}},
		"closed here alone":          {func(b *Books) { b.Settled[1].Ended = false }, []string{"batch 000002 is closed here and the acquirer has not ended it"}},
		"settled twice":              {func(b *Books) { b.Settled = append(b.Settled, b.Settled[1]) }, []string{"batch 000002 was settled twice"}},
		"another batch open":         {func(b *Books) { b.OpenAt = 4 }, []string{"batch 000003 is open here and batch 000004 at the acquirer"}},
		"settled over what the terminal did not say": {func(b *Books) { b.Closings[0].Own.Foreign.Debit.Amount++ },
			[]string{"batch 000001: the terminal settled over 2 over 100.51 less 2 over 56.50 and the acquirer was told 2 over 100.50", "batch 000001 differs"}},
		"heard what the acquirer did not say": {func(b *Books) { b.Closings[1].Host.Foreign.Debit.Count++ },
			[]string{"batch 000002: the acquirer came to 1 over 33.30 less 1 over 1.00 and the terminal heard 2 over 33.30", "batch 000002 differs"}},
		"ended there alone": {func(b *Books) { b.Closings = b.Closings[:1] }, []string{"batch 000002 was ended at the acquirer and is not closed here"}},
		"an unexplained difference": {func(b *Books) { b.Closings[1].Explains, b.Closings[1].Doubts = nil, []Voucher{{2, 8}} },
			[]string{"batch 000002 differs, 0 over 0.00 less 1 over 1.00 here and 1 over 33.30 less 1 over 1.00 there, and what is in doubt explains only 0 over 0.00"}},
		"in doubt and not named": {func(b *Books) { b.Closings[1].Explains = nil },
			[]string{"batch 000002: voucher 000002/000008 is in doubt and not named", "batch 000002 differs"}},
		"explained by what is certain": {func(b *Books) {
			b.Closings[0].Explains = []Voucher{{1, 2}}
			b.Closings[0].Host.Foreign.Debit = txn.Sum{Count: 3, Amount: 11_300}
			b.Settled[0].Own.Foreign.Debit = txn.Sum{Count: 3, Amount: 11_300}
		}, []string{"batch 000001: voucher 000001/000002 is named as in doubt and is approved", "batch 000001: settled by the acquirer over 3 over 113.00", "the acquirer says equal=true"}},
		"explained by another batch": {func(b *Books) { b.Closings[1].Explains = append(b.Closings[1].Explains, Voucher{1, 6}) },
			[]string{"batch 000002: voucher 000001/000006 is named as in doubt and is none of the batch"}},
		"one says equal": {func(b *Books) { b.Closings[0].Agrees = false; b.Closings[0].Told = 0 }, []string{"agrees=false here and equal=true at the acquirer", "0 of 4 records were told"}},
		"equal and not": {func(b *Books) {
			b.Settled[1].Equal, b.Settled[1].Details, b.Settled[1].Told, b.Closings = true, nil, 0, nil
		}, []string{"the acquirer says equal=true of 1 over 33.30"}},
		"settled over other records": {func(b *Books) {
			b.Settled[0].Said.Foreign.Credit.Count--
			b.Settled[0].Own.Foreign.Credit.Count--
			b.Closings[0].Own.Foreign.Credit.Count--
			b.Closings[0].Host.Foreign.Credit.Count--
		}, []string{"batch 000001: settled over 2 over 100.50 less 1 over 56.50 and the terminal's records say", "settled by the acquirer over"}},
		"a record told twice": {func(b *Books) {
			b.Settled[1].Details = append(b.Settled[1].Details, b.Settled[1].Details[0])
			b.Closings = nil
		}, []string{"batch 000002: record 000007 was told twice"}},
		"a record not told":            {func(b *Books) { b.Settled[1].Details, b.Settled[1].Told, b.Closings[1].Told = nil, 0, 0 }, []string{"0 of 1 records were told, 0 refused; the acquirer has 0", "batch 000002: 1 records were not told, and the acquirer refused 0"}},
		"a record told wrongly":        {func(b *Books) { b.Settled[1].Details[0].Amount = 101 }, []string{"record 000007 was told over 1.01 and the terminal says 1.00"}},
		"a record that did not arrive": {func(b *Books) { b.Settled[1].Told, b.Closings[1].Told = 2, 2 }, []string{"2 of 1 records were told, 0 refused; the acquirer has 1 and was told of 2"}},
		"a record that does not stand": {func(b *Books) { b.Settled[1].Details[0] = Detail{8, 3330, false} }, []string{"record 000008 over 33.30 was told, and the acquirer has it otherwise", "record 000008 was told and does not stand here", "1 records were not told"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := backAndForth()
			c.plant(&b)
			found := Judge(b)
			for _, says := range c.says {
				assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, says) }), "%q is not among %q", says, found)
			}
			assert.Len(t, found, len(c.says), "%q", found)
		})
	}
}

func TestWhatWaitsForPeopleSaysOfWhichKind(t *testing.T) {
	s := Sale{Kind: txn.Refund, State: txn.Suspense, Tries: 3, Reversal: "96", Journal: []string{"refund refused 96", "tries spent, people must look"}}
	assert.Equal(t, "refund refused 96", Cause(s, 3))
	s.Reversal = ""
	assert.Equal(t, "refund never answered", Cause(s, 3))
	s.Reversal, s.Journal = "61", []string{"a copy was refused 61"}
	assert.Equal(t, "copy of a refund refused 61", Cause(s, 3))
	s.Kind, s.Reversal, s.Journal = txn.Void, "51", []string{"tries spent, people must look"}
	assert.Equal(t, "reversal of a void refused 51", Cause(s, 3))
}

func TestAReportIsNobodysSlip(t *testing.T) {
	r := reportOf(2, "重打印凭证")
	assert.True(t, r.Report && r.Duplicate)
	assert.Equal(t, uint32(2), r.Batch)
	assert.Equal(t, txn.Void, slipFor(Sale{Kind: txn.Void}, "商户存根").Kind)
	assert.Equal(t, txn.Refund, slipFor(Sale{Kind: txn.Refund}, "商户存根").Kind)
	assert.Equal(t, txn.Sale, slipFor(Sale{}, "商户存根").Kind)
}
