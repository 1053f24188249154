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

// agreeing is two days on which everything went as it should: sales held, one reversed, one refused, one never sent, one
// that people must look at, and one in the next batch with the number of an older one.
func agreeing() Books {
	sale := func(batch, stan uint32, amount txn.Amount, s txn.State, merchant, customer txn.Slip) Sale {
		return Sale{Batch: batch, STAN: stan, Amount: amount, State: s, Merchant: merchant, Customer: customer}
	}
	row := func(batch, stan uint32, amount, held txn.Amount, s Standing) Row {
		return Row{Batch: batch, STAN: stan, Amount: amount, Held: held, Standing: s, Account: "visa-4242"}
	}
	b := Books{
		Here: []Sale{
			sale(1, 2, 1250, txn.Approved, txn.SlipPrinted, txn.SlipPrinted),
			sale(1, 3, 8800, txn.Approved, txn.SlipPrinted, txn.SlipPrinted),
			sale(1, 4, 3330, txn.Reversed, txn.SlipPrinted, txn.NoSlip),
			sale(1, 5, 777, txn.Declined, txn.NoSlip, txn.NoSlip),
			sale(1, 6, 100, txn.Abandoned, txn.NoSlip, txn.NoSlip),
			sale(1, 7, 4200, txn.Suspense, txn.SlipPrinted, txn.NoSlip),
			sale(2, 3, 500, txn.Approved, txn.SlipPrinted, txn.SlipPrinted),
		},
		There: []Row{
			row(1, 2, 1250, 1250, Held), row(1, 3, 8800, 8800, Held), row(1, 4, 3330, 0, Reversed), row(1, 5, 777, 0, Refused),
			row(1, 7, 4200, 4200, Held), row(2, 3, 500, 500, Held),
		},
		Accounts: []Account{{Name: "visa-4242", Opening: 500_000, Balance: 485_250, Held: 14_750}},
		Batches: []Batch{
			{Number: 1, Here: Sum{2, 10_050}, There: Sum{3, 14_250}},
			{Number: 2, Here: Sum{1, 500}, There: Sum{1, 500}},
		},
		Slips: []Slip{
			saleSlip(1, 1, 2, "商户存根"), saleSlip(2, 1, 2, "持卡人存根"), saleSlip(3, 1, 3, "商户存根"), saleSlip(4, 1, 3, "持卡人存根"),
			notice("冲正通知", 5, 4, "33.30"), notice("结果未知", 6, 7, "42.00"),
			saleSlip(7, 2, 3, "商户存根"), saleSlip(8, 2, 3, "持卡人存根"),
		},
		Tries: 3,
	}
	b.Here[3].Code = "51"
	b.Here[5].Tries, b.Here[5].Journal = 3, []string{"no answer", "tries spent, people must look"}
	return b
}

func saleSlip(file int, batch, stan uint32, copyName string, marks ...string) Slip {
	amount := map[Voucher]string{{1, 2}: "12.50", {1, 3}: "88.00", {1, 4}: "33.30", {1, 5}: "7.77", {1, 7}: "42.00", {2, 3}: "5.00"}[Voucher{batch, stan}]
	return ReadSlip(fmt.Sprintf("%03d.txt", file), fmt.Sprintf("POS签购单\n%s\n批次号 BATCH NO           %06d\n凭证号 VOUCHER NO         %06d\n金额 AMOUNT\n              RMB %s\n%s\n",
		copyName, batch, stan, amount, strings.Join(marks, "\n")))
}

func notice(title string, file int, stan uint32, amount string) Slip {
	return ReadSlip(fmt.Sprintf("%03d.txt", file), fmt.Sprintf("%s\n批次号 BATCH NO           000001\n原凭证号 ORIGINAL VOUCHER %06d\n原交易金额 ORIGINAL AMOUNT\n   RMB %s\n冲正原因 REASON\n本单不是付款凭证\n", title, stan, amount))
}

func TestAnAgreeingWorldGivesNoDisagreement(t *testing.T) {
	require.Empty(t, Judge(agreeing()))
	assert.Empty(t, Judge(Books{}), "a terminal that never traded")
}

// What may stand beside an agreement without spoiling it.
func TestTheJudgeLetsHonestThingsPass(t *testing.T) {
	for name, alter := range map[string]func(*Books){
		"a marked duplicate":                func(b *Books) { b.Slips = append(b.Slips, saleSlip(9, 1, 2, "商户存根", "重打印凭证")) },
		"a slip torn, then whole":           func(b *Books) { b.Slips = append(b.Slips, saleSlip(9, 1, 2, "商户存根", "-- torn --")) },
		"a torn slip of no number":          func(b *Books) { b.Slips = append(b.Slips, ReadSlip("009.txt", "北风便利店\n-- torn --")) },
		"a reversal of what never arrived":  func(b *Books) { b.There[2].Standing = Absent },
		"an unknown outcome, then reversed": func(b *Books) { b.Slips = append(b.Slips, notice("结果未知", 9, 4, "33.30")) },
		"suspense that is not held": func(b *Books) {
			b.There[4].Standing, b.There[4].Held = Absent, 0
			b.Accounts[0] = Account{"visa-4242", 500_000, 489_450, 10_550}
			b.Batches[0].There = Sum{2, 10_050}
		},
		"suspense over a day change": func(b *Books) {
			b.Here[5].Tries, b.Here[5].Reversal, b.Here[5].Journal = 1, "25", []string{"25 after a day change proves nothing"}
		},
		"a side that keeps no totals":        func(b *Books) { b.Batches = nil },
		"an acquirer that shows no accounts": func(b *Books) { b.Accounts = nil },
	} {
		b := agreeing()
		alter(&b)
		assert.Empty(t, Judge(b), name)
	}
}

// What is owed is unfinished, and no disagreement.
func TestWhatIsOnItsWayIsNoDisagreement(t *testing.T) {
	for name, alter := range map[string]func(*Books){
		"paper still owed": func(b *Books) {
			b.Here[0].Merchant, b.Here[0].Customer = txn.SlipOwed, txn.SlipOwed
			b.Slips = b.Slips[2:]
		},
		"a notice still owed": func(b *Books) { b.Here[2].Merchant, b.Slips = txn.SlipOwed, slices.Delete(b.Slips, 4, 5) },
		"a reversal on its way": func(b *Books) {
			b.Here[2].State, b.Slips = txn.Reversing, slices.Delete(b.Slips, 4, 5)
		},
	} {
		b := agreeing()
		alter(&b)
		assert.Empty(t, Disagreements(b), name)
		assert.NotEmpty(t, Judge(b), name)
	}
}

// A judge that cannot find against anybody proves nothing. Each planted wrong is found in these words, and nothing else is.
func TestTheJudgeReportsEveryDisagreement(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*Books)
		says  []string
	}{
		"held there and unknown here": {func(b *Books) { b.Here, b.Slips, b.Batches[0].Here = b.Here[1:], b.Slips[2:], Sum{1, 8800} },
			[]string{"000001/000002: the acquirer holds money for a sale that the terminal does not know", "the totals differ: 1 over 88.00 here, 2 over 100.50 there"}},
		"approved here and not held": {func(b *Books) { b.There, b.Accounts, b.Batches = b.There[1:], nil, nil },
			[]string{"000001/000002: approved here and not held by the acquirer", "the totals differ"}},
		"approved here and given back there": {func(b *Books) { b.There[0].Standing, b.There[0].Held, b.Accounts, b.Batches = Reversed, 0, nil, nil },
			[]string{"000001/000002: approved here and not held by the acquirer", "the totals differ"}},
		"another amount": {func(b *Books) { b.There[0].Amount, b.There[0].Held, b.Accounts, b.Batches = 1251, 1251, nil, nil },
			[]string{"000001/000002: the acquirer holds 12.51 and the terminal says 12.50", "the totals differ: 2 over 100.50 here, 2 over 100.51 there"}},
		"held there and reversed here": {func(b *Books) { b.There[2].Standing, b.There[2].Held, b.Accounts, b.Batches = Held, 3330, nil, nil },
			[]string{"000001/000004: the acquirer holds money and the terminal says reversed", "the totals differ: 2 over 100.50 here, 3 over 133.80 there"}},
		"held there and declined here": {func(b *Books) { b.There[3].Standing, b.There[3].Held, b.Accounts, b.Batches = Held, 777, nil, nil },
			[]string{"000001/000005: the acquirer holds money and the terminal says declined", "the totals differ"}},
		"held there and never sent, says the terminal": {func(b *Books) {
			b.There, b.Accounts, b.Batches = append(b.There, Row{Batch: 1, STAN: 6, Amount: 100, Held: 100, Standing: Held}), nil, nil
		}, []string{"000001/000006: the acquirer holds money and the terminal says abandoned",
			"000001/000006: not sent, says the terminal, and in the acquirer's books it is held", "the totals differ"}},
		"refused there and never sent, says the terminal": {func(b *Books) { b.There = append(b.There, Row{Batch: 1, STAN: 6, Amount: 100, Standing: Refused}) },
			[]string{"000001/000006: not sent, says the terminal, and in the acquirer's books it is declined"}},
		"declined by nobody": {func(b *Books) { b.Here[3].Code = "" },
			[]string{"000001/000005: declined here and no answer said so"}},
		"the customer has no slip": {func(b *Books) { b.Slips = slices.Delete(b.Slips, 1, 2) },
			[]string{"000001/000002: the customer's copy is printed and not on paper"}},
		"the merchant has no slip": {func(b *Books) { b.Slips = slices.Delete(b.Slips, 0, 1) },
			[]string{"000001/000002: the merchant's copy is printed and not on paper"}},
		"the slip of another batch": {func(b *Books) { b.Slips = slices.Delete(b.Slips, 6, 7) },
			[]string{"000002/000003: the merchant's copy is printed and not on paper"}},
		"a torn slip only": {func(b *Books) { b.Slips[0] = saleSlip(1, 1, 2, "商户存根", "-- torn --") },
			[]string{"000001/000002: the merchant's copy is printed and not on paper"}},
		"two unmarked copies": {func(b *Books) { b.Slips = append(b.Slips, saleSlip(9, 1, 3, "持卡人存根")) },
			[]string{"000001/000003: 2 unmarked copies for the customer"}},
		"a sale slip for money given back": {func(b *Books) { b.Slips = append(b.Slips, saleSlip(9, 1, 4, "持卡人存根")) },
			[]string{"000001/000004: slip 009.txt looks like a sale and the terminal says reversed"}},
		"a torn sale slip for money never held": {func(b *Books) { b.Slips = append(b.Slips, saleSlip(9, 1, 5, "持卡人存根", "-- torn --")) },
			[]string{"000001/000005: slip 009.txt looks like a sale and the terminal says declined"}},
		"a sale slip for money in doubt": {func(b *Books) { b.Slips = append(b.Slips, saleSlip(9, 1, 7, "持卡人存根")) },
			[]string{"000001/000007: slip 009.txt looks like a sale and the terminal says suspense"}},
		"no notice of a reversal": {func(b *Books) { b.Slips = slices.Delete(b.Slips, 4, 5) },
			[]string{"000001/000004: reversed, its notice is printed and not on paper"}},
		"no notice of suspense": {func(b *Books) { b.Slips = slices.Delete(b.Slips, 5, 6) },
			[]string{"000001/000007: waiting for people, its notice is printed and not on paper"}},
		"a notice for money that is held": {func(b *Books) { b.Slips = append(b.Slips, notice("冲正通知", 9, 2, "12.50")) },
			[]string{"000001/000002: slip 009.txt speaks of a reversal and the terminal says approved"}},
		"a doubt about money that is held": {func(b *Books) { b.Slips = append(b.Slips, notice("结果未知", 9, 2, "12.50")) },
			[]string{"000001/000002: slip 009.txt says that the outcome is unknown and the terminal says approved"}},
		"a slip over another amount": {func(b *Books) { b.Slips[1].Amount = "125.00" },
			[]string{`000001/000002: slip 002.txt is over "125.00" and the terminal says 12.50`}},
		"a notice over another amount": {func(b *Books) { b.Slips[4] = notice("冲正通知", 5, 4, "33.31") },
			[]string{`000001/000004: slip 005.txt is over "33.31" and the terminal says 33.30`}},
		"a voucher number twice": {func(b *Books) { b.Here, b.Batches = append(b.Here, b.Here[4]), nil },
			[]string{"000001/000006 stands in the terminal's books twice"}},
		"a voucher number twice there": {func(b *Books) { b.There = append(b.There, b.There[3]) },
			[]string{"000001/000005 stands in the acquirer's books twice"}},
		"a slip of no sale": {func(b *Books) { b.Slips = append(b.Slips, saleSlip(9, 1, 42, "商户存根")) },
			[]string{`slip 009.txt (voucher 000001/000042) belongs to no sale`}},
		"a slip without a number": {func(b *Books) { b.Slips = append(b.Slips, ReadSlip("009.txt", "北风便利店")) },
			[]string{`slip 009.txt (voucher 000000/000000) belongs to no sale`}},
		"still in the air": {func(b *Books) {
			b.Here[2].State, b.Here[2].Merchant, b.Slips = txn.Reversing, txn.NoSlip, slices.Delete(b.Slips, 4, 5)
		},
			[]string{"000001/000004 is reversing: still owed (reverse)"}},
		"pending for ever": {func(b *Books) { b.Here[4].State = txn.Pending },
			[]string{"000001/000006 is pending: still owed (reverse)"}},
		"a state of another version": {func(b *Books) { b.Here[4].State = "refunded" },
			[]string{"000001/000006 is refunded: still owed (human)"}},
		"suspense without a reason": {func(b *Books) { b.Here[5].Journal = nil },
			[]string{"000001/000007 waits for people and nothing in its record says why"}},
		"suspense before the tries are spent": {func(b *Books) { b.Here[5].Tries = 2 },
			[]string{"000001/000007 waits for people and nothing in its record says why"}},
		"a day change that nobody answered": {func(b *Books) { b.Here[5].Journal = []string{"25 after a day change proves nothing"} },
			[]string{"000001/000007 waits for people and nothing in its record says why"}},
		"the merchant's paper owed": {func(b *Books) { b.Here[0].Merchant = txn.SlipOwed },
			[]string{"000001/000002: the merchant's slip is still owed"}},
		"the customer's paper owed": {func(b *Books) { b.Here[0].Customer = txn.SlipOwed },
			[]string{"000001/000002: the customer's slip is still owed"}},
		"a total kept wrong here": {func(b *Books) { b.Batches[1].Here.Amount++ },
			[]string{"batch 000002: the terminal's total is 1 over 5.01 and its records say 1 over 5.00"}},
		"a total kept wrong there": {func(b *Books) { b.Batches[0].There.Count-- },
			[]string{"batch 000001: the acquirer's total is 2 over 142.50 and its rows say 3 over 142.50"}},
		"a cent moved between two batches": {func(b *Books) {
			b.There[0].Held, b.There[0].Amount, b.There[5].Held, b.Batches = 1251, 1251, 499, nil
		}, []string{"000001/000002: the acquirer holds 12.51 and the terminal says 12.50", "000002/000003: the acquirer holds 4.99 and the terminal says 5.00",
			"batch 000001: the totals differ", "batch 000002: the totals differ"}},
		"money made": {func(b *Books) { b.Accounts[0].Balance++ },
			[]string{"account visa-4242 opened with 5000.00, has 4852.51 and 147.50 held"}},
		"money lost": {func(b *Books) { b.Accounts[0].Held, b.Accounts[0].Balance = 14_749, 485_251 },
			[]string{"account visa-4242 has 147.49 held and the rows say 147.50"}},
		"money of nobody": {func(b *Books) { b.Accounts[0].Name = "other" },
			[]string{"account other has 147.50 held and the rows say 0.00", `account "visa-4242" is not in the acquirer's books and has 147.50 held`}},
		"a reversed row that holds": {func(b *Books) { b.There[2].Held, b.Accounts = 1, nil },
			[]string{"000001/000004 is reversed in the acquirer's books and holds 0.01, gave back 0.00, of 33.30"}},
		"a card number in the log": {func(b *Books) { b.Leaks = []string{"the number of visa-4242 stands in posagent.log at byte 17"} },
			[]string{"the number of visa-4242 stands in posagent.log"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := agreeing()
			c.plant(&b)
			found := Judge(b)
			for _, says := range c.says {
				assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, says) }), "%q is not among %q", says, found)
			}
			assert.Len(t, found, len(c.says), "%q", found)
		})
	}
}

// givingBack is a day on which a sale was voided, another partly refunded, and a void was reversed.
func givingBack() Books {
	done := func(stan uint32, kind txn.Kind, amount txn.Amount, s txn.State) Sale {
		x := Sale{Batch: 1, STAN: stan, Kind: kind, Amount: amount, State: s}
		if s == txn.Approved {
			x.Merchant, x.Customer = txn.SlipOwed, txn.SlipOwed // the paper is no matter here
		}
		return x
	}
	return Books{
		Here: []Sale{done(1, txn.Sale, 1250, txn.Approved), done(2, txn.Void, 1250, txn.Approved), done(3, txn.Sale, 8800, txn.Approved),
			done(4, txn.Refund, 800, txn.Approved), done(5, txn.Void, 8800, txn.Declined)},
		There: []Row{
			{Batch: 1, STAN: 1, Kind: txn.Sale, Amount: 1250, Back: 1250, Standing: Voided},
			{Batch: 1, STAN: 2, Kind: txn.Void, Of: Voucher{1, 1}, Amount: 1250, Back: 1250, Standing: Given},
			{Batch: 1, STAN: 3, Kind: txn.Sale, Amount: 8800, Held: 8000, Back: 800, Standing: Held},
			{Batch: 1, STAN: 4, Kind: txn.Refund, Of: Voucher{1, 3}, Amount: 800, Back: 800, Standing: Given},
			{Batch: 1, STAN: 5, Kind: txn.Void, Of: Voucher{1, 3}, Amount: 8800, Standing: Refused},
		},
		Batches: []Batch{{Number: 1, Here: Sum{2, 10_050}, There: Sum{2, 10_050}}, {Number: 1, Credit: true, Here: Sum{2, 2050}, There: Sum{2, 2050}}},
	}
}

func TestWhatIsGivenBackIsJudgedToo(t *testing.T) {
	declined := givingBack()
	declined.Here[4].Code = "12"
	require.Empty(t, Disagreements(declined))
	for name, c := range map[string]struct {
		plant func(*Books)
		says  []string
	}{
		"a refund that the terminal does not know": {func(b *Books) { b.Here = slices.Delete(b.Here, 3, 4) },
			[]string{"000001/000004: the acquirer gave money back for a refund that the terminal does not know", "batch 000001, given back: the totals differ: 1 over 12.50 here, 2 over 20.50 there",
				"batch 000001, given back: the terminal's total is 2 over 20.50 and its records say 1 over 12.50"}},
		"a void here alone": {func(b *Books) {
			b.Here[4].State, b.Here[4].Merchant, b.Here[4].Customer = txn.Approved, txn.SlipOwed, txn.SlipOwed
		},
			[]string{"000001/000005: approved here and not held by the acquirer", "batch 000001, given back: the totals differ", "batch 000001, given back: the terminal's total is"}},
		"a void that says reversed and stands there": {func(b *Books) { b.Here[1].State, b.Here[1].Merchant, b.Batches = txn.Reversed, txn.SlipOwed, nil },
			[]string{"000001/000002: the acquirer gave money back and the terminal says reversed", "batch 000001, given back: the totals differ"}},
		"a sale that became a refund": {func(b *Books) { b.Here[0].Kind, b.Batches = txn.Refund, nil },
			[]string{"000001/000001: the acquirer has a sale and the terminal a refund", "batch 000001: the totals differ", "batch 000001, given back: the totals differ"}},
		"a refund over another amount": {func(b *Books) { b.Here[3].Amount, b.Batches = 801, nil },
			[]string{"000001/000004: the acquirer holds 8.00 and the terminal says 8.01", "batch 000001, given back: the totals differ: 2 over 20.51 here, 2 over 20.50 there"}},
		"given back twice": {func(b *Books) { b.There[0].Standing, b.There[0].Held, b.There[0].Back = Held, 1250, 0 },
			[]string{"000001/000001: 0.00 of it were given back, and its voids and refunds gave 12.50"}},
		"given back of nothing": {func(b *Books) { b.There[3].Of = Voucher{9, 9}; b.There[2].Held, b.There[2].Back = 8800, 0 },
			[]string{"000009/000009: 8.00 were given back, and the acquirer has no such sale"}},
		"a total of the other side": {func(b *Books) { b.Batches[1].There.Amount-- },
			[]string{"batch 000001, given back: the acquirer's total is 2 over 20.49 and its rows say 2 over 20.50"}},
		"a void that holds": {func(b *Books) {
			b.There[4].Standing, b.There[4].Held = Given, 8800
			b.Here, b.Batches = b.Here[:4], nil
		},
			[]string{"000001/000005 is given in the acquirer's books and holds 88.00", "000001/000005: the acquirer gave money back for a void that the terminal does not know", "batch 000001, given back: the totals differ"}},
	} {
		b := givingBack()
		b.Here[4].Code = "12"
		c.plant(&b)
		found := Disagreements(b)
		for _, says := range c.says {
			assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, says) }), "%s: %q is not among %q", name, says, found)
		}
		assert.Len(t, found, len(c.says), "%s: %q", name, found)
	}
}

// What a noisy line made of a slip is nobody's fault, and it is one slip, or as many as no cut has parted.
func TestASmudgedSlipStandsInForOne(t *testing.T) {
	b := agreeing()
	b.Slips[0] = ReadSlip("001.txt", "P0S?商")
	b.Slips[0].Smudged = true
	require.Empty(t, Judge(b))
	b.Slips = slices.Delete(b.Slips, 1, 2)
	assert.Equal(t, []string{"voucher 000001/000002: the customer's copy is printed and not on paper"}, Judge(b))
	joined := ReadSlip("001.txt", b.Slips[0].Text+"\n批次号 BATCH NO 000001\n凭证号 VOUCHER NO 000002\n批次号 BATCH NO 000001")
	joined.Smudged = true
	b.Slips[0] = joined
	assert.Empty(t, Judge(b), "the cut between two was lost")
	b = agreeing()
	whole := b.Slips[0]
	whole.Smudged = true
	b.Slips = append(b.Slips, whole)
	assert.Empty(t, Judge(b), "its mark may have been lost")
	settled := backAndForth()
	settled.Slips[len(settled.Slips)-1].Smudged = true
	assert.Empty(t, Judge(settled))
	settled.Slips = settled.Slips[:len(settled.Slips)-1]
	assert.NotEmpty(t, Judge(settled))
}

// The judge reads paper as a person does.
func TestASlipIsReadByItsWords(t *testing.T) {
	whole := saleSlip(1, 1, 2, "商户存根")
	assert.Equal(t, Voucher{1, 2}, whole.key())
	assert.Equal(t, "12.50", whole.Amount)
	assert.True(t, whole.Merchant)
	assert.False(t, whole.Reversal || whole.Duplicate || whole.Torn || whole.Unknown)
	customers := saleSlip(2, 1, 2, "持卡人存根", "重打印凭证", "-- torn --")
	assert.False(t, customers.Merchant)
	assert.True(t, customers.Duplicate && customers.Torn)
	undone := notice("冲正通知", 3, 5, "7.77")
	assert.True(t, undone.Reversal)
	assert.Equal(t, Voucher{1, 5}, undone.key())
	assert.True(t, notice("结果未知", 3, 5, "7.77").Unknown)
}

func TestEverySuspenseHasACause(t *testing.T) {
	s := agreeing().Here[5]
	assert.Equal(t, "reversal never answered", Cause(s, 3))
	s.Reversal = "96"
	assert.Equal(t, "reversal refused 96", Cause(s, 3))
	s.Reversal, s.Journal = "25", []string{"25 after a day change proves nothing"}
	assert.Equal(t, "not found after a day change", Cause(s, 3))
	s.State = txn.Approved
	assert.Empty(t, Cause(s, 3))
}
