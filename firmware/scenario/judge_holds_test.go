package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// aHotel is a batch in which one guest was charged, another let go, a third charged wrongly and held again, and a sale made by
// telephone; a fourth guest's completion was told and not asked for, and a hold's fate is unknown.
func aHotel() Books {
	var b Books
	add := func(stan uint32, k txn.Kind, of uint32, amount txn.Amount, state txn.State, held, back txn.Amount, s Standing) {
		ofVoucher := Voucher{}
		if of != 0 {
			ofVoucher = Voucher{1, of}
		}
		x := Sale{Batch: 1, STAN: stan, Kind: k, Of: ofVoucher, Amount: amount, State: state, Merchant: txn.SlipPrinted}
		switch {
		case state == txn.Suspense:
			x.Tries, x.Journal = 3, []string{"tries spent, people must look"}
			b.Slips = append(b.Slips, holdSlip(x, "商户存根", "结果未知"))
		default:
			x.Customer = txn.SlipPrinted
			b.Slips = append(b.Slips, holdSlip(x, "商户存根"), holdSlip(x, "持卡人存根"))
		}
		b.Here = append(b.Here, x)
		b.There = append(b.There, Row{Batch: 1, STAN: stan, Kind: k, Of: ofVoucher, Amount: amount, Held: held, Back: back, Standing: s, Account: "visa-4242"})
	}
	add(2, txn.PreAuth, 0, 10_000, txn.Approved, 0, 0, Completed)
	add(3, txn.Completion, 2, 8000, txn.Approved, 8000, 0, Held)
	add(4, txn.PreAuth, 0, 5000, txn.Approved, 0, 0, Cancelled)
	add(5, txn.PreAuthCancel, 4, 5000, txn.Approved, 0, 0, Done)
	add(6, txn.PreAuth, 0, 3000, txn.Approved, 3000, 0, Held)
	add(7, txn.Completion, 6, 3100, txn.Approved, 0, 3100, Voided)
	add(8, txn.CompletionCancel, 7, 3100, txn.Approved, 0, 3100, Given)
	add(9, txn.OfflineSale, 0, 1200, txn.Approved, 1200, 0, Held)
	add(10, txn.PreAuth, 0, 2000, txn.Approved, 0, 0, Completed)
	add(11, txn.CompletionNotice, 10, 2000, txn.Approved, 2000, 0, Held)
	add(12, txn.PreAuth, 0, 700, txn.Suspense, 700, 0, Held)
	b.Accounts = []Account{{Name: "visa-4242", Opening: 100_000, Balance: 85_100, Held: 14_900}}
	b.Batches = []Batch{{Number: 1, Here: Sum{4, 14_300}, There: Sum{4, 14_300}}, {Number: 1, Credit: true, Here: Sum{1, 3100}, There: Sum{1, 3100}}}
	b.Tries = 3
	b.Slips = append(b.Slips, ReadSlip("balance", "余额查询\n凭证号 VOUCHER NO 000013\n RMB 851.00\n"))
	return b
}

func holdSlip(s Sale, copyName string, marks ...string) Slip {
	kind, _ := words.OfKind(s.Kind)
	return ReadSlip(fmt.Sprintf("%d%s", s.STAN, copyName), fmt.Sprintf("%s\n%s\n交易类型 TYPE\n%s\n批次号 BATCH NO %06d\n凭证号 VOUCHER NO %06d\n RMB %s\n",
		strings.Join(marks, "\n"), copyName, kind.Both(), s.Batch, s.STAN, money(s.Amount)))
}

func TestTheJudgeUnderstandsHolds(t *testing.T) {
	require.Empty(t, Judge(aHotel()))
	for name, alter := range map[string]func(*Books){
		"a hold that lapsed": func(b *Books) {
			b.There[4].Standing, b.There[4].Held, b.Accounts = Lapsed, 0, nil
		},
		"a completion that was refunded wholly": func(b *Books) {
			b.There[1].Standing, b.There[1].Held, b.There[1].Back, b.Accounts = Refunded, 0, 8000, nil
			b.Here = append(b.Here, Sale{Batch: 1, STAN: 14, Kind: txn.Refund, Of: Voucher{1, 3}, Amount: 8000, State: txn.Approved, Merchant: txn.SlipOwed, Customer: txn.SlipOwed})
			b.There = append(b.There, Row{Batch: 1, STAN: 14, Kind: txn.Refund, Of: Voucher{1, 3}, Amount: 8000, Back: 8000, Standing: Given})
			b.Batches = nil
		},
		"a completion named by its code alone": func(b *Books) { b.Here[1].Of = Voucher{} },
		"an offline sale refused once its slip was given out": func(b *Books) {
			b.Here[7].State, b.Here[7].Tries, b.Here[7].Reversal = txn.Suspense, 1, "51"
			b.Here[7].Journal = []string{"refused 51 after the slip was given out"}
			b.There[7].Standing, b.There[7].Held, b.Accounts, b.Batches = Refused, 0, nil, nil
			b.Slips = append(b.Slips, holdSlip(b.Here[7], "商户存根", "结果未知"))
		},
	} {
		b := aHotel()
		alter(&b)
		found := Judge(b)
		if name == "a completion that was refunded wholly" {
			found = slices.DeleteFunc(found, func(f string) bool { return strings.Contains(f, "still owed") })
		}
		assert.Empty(t, found, name)
	}
}

// Each is found in these words.
func TestTheJudgeFindsWhatIsWrongWithHolds(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*Books)
		says  string
	}{
		"a hold that the terminal does not know": {func(b *Books) { b.Here = slices.Delete(b.Here, 4, 5) },
			"000001/000006: the acquirer holds money for a preauth that the terminal does not know"},
		"a hold over another sum": {func(b *Books) { b.There[4].Held, b.There[4].Amount = 2900, 2900 },
			"000001/000006: the acquirer holds 29.00 and the terminal says 30.00"},
		"a used hold over another sum": {func(b *Books) { b.There[0].Amount = 9000 },
			"000001/000002: the acquirer holds 90.00 and the terminal says 100.00"},
		"a cancellation that is unknown here": {func(b *Books) { b.Here = slices.Delete(b.Here, 3, 4) },
			"000001/000005: the acquirer let money go for a preauth-cancel that the terminal does not know"},
		"a cancellation done here alone": {func(b *Books) {
			b.There[3].Standing, b.There[2].Standing, b.There[2].Held = Refused, Held, 5000
		}, "000001/000005: approved here and not held by the acquirer"},
		"a cancellation done there alone": {func(b *Books) { b.Here[3].State = txn.Reversed },
			"000001/000005: the acquirer let money go and the terminal says reversed"},
		"a completion whose hold is in force": {func(b *Books) { b.There[0].Standing, b.There[0].Held = Held, 10_000 },
			"000001/000002: the pre-authorisation is held, and what used it says [completed]"},
		"a hold that was used and by nothing": {func(b *Books) { b.There[1].Standing, b.There[1].Held = Reversed, 0 },
			"000001/000002: the pre-authorisation is completed, and what used it says []"},
		"a hold that was used twice": {func(b *Books) { b.There[3].Of, b.Here[3].Of = Voucher{1, 2}, Voucher{1, 2} },
			"000001/000002: the pre-authorisation is completed, and what used it says [c"},
		"a completion of nothing": {func(b *Books) { b.There[1].Of, b.Here[1].Of = Voucher{1, 99}, Voucher{1, 99} },
			"000001/000099 was used up as a pre-authorisation, and the acquirer has no such one"},
		"a sale that was completed": {func(b *Books) { b.There[7].Standing, b.There[7].Held = Completed, 0 },
			"000001/000009: an offline-sale is completed in the acquirer's books"},
		"a hold in a total": {func(b *Books) { b.Batches[0].Here = Sum{5, 17_300} },
			"batch 000001: the terminal's total is 5 over 173.00 and its records say 4 over 143.00"},
		"a cancellation that holds money": {func(b *Books) { b.There[3].Standing, b.There[3].Held = Held, 5000 },
			"000001/000005 is held in the acquirer's books and holds 50.00"},
		"the slip of another kind": {func(b *Books) { b.Slips[0].Kind = txn.Completion },
			"000001/000002: slip 2商户存根 is that of a completion and the terminal made a preauth"},
		"an offline sale that was declined and has a slip": {func(b *Books) { b.Here[7].State, b.Here[7].Code = txn.Declined, "51" },
			"000001/000009: slip 9商户存根 looks like an offline-sale and the terminal says declined"},
		"an unmarked slip too many": {func(b *Books) { b.Slips = append(b.Slips, b.Slips[0]) },
			"000001/000002: 2 unmarked copies for the merchant"},
		"a hold that is said to explain a difference": {func(b *Books) {
			b.Closings = []Closing{{Batch: 1, Step: txn.Closed, Explains: []Voucher{{1, 12}}}}
			b.Settled = []Settled{{Batch: 1, Ended: true}}
		}, "000001/000012 is said to explain a difference, and a preauth is in no settlement"},
	} {
		t.Run(name, func(t *testing.T) {
			b := aHotel()
			c.plant(&b)
			found := Judge(b)
			assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.says) }), "%q is not among %q", c.says, found)
		})
	}
}

func TestWhyOneWaitsForPeople(t *testing.T) {
	for want, s := range map[string]Sale{
		"not found after something undid it":                        {Reversal: "25", Journal: []string{"25 and a completion-cancel, voucher 000012, pr…"}},
		"not found after its batch was closed":                      {Kind: txn.PreAuth, Reversal: "25", Journal: []string{"25 after its batch was closed proves nothing"}},
		"reversal of a preauth-cancel never answered":               {Kind: txn.PreAuthCancel, Tries: 3, Journal: []string{"tries spent, people must look"}},
		"completion-notice never answered":                          {Kind: txn.CompletionNotice, Tries: 3, Journal: []string{"tries spent, people must look"}},
		"copy of an offline-sale refused 51":                        {Kind: txn.OfflineSale, Tries: 2, Reversal: "51", Journal: []string{"a copy was refused 51"}},
		"completion-notice refused 25 after its slip was given out": {Kind: txn.CompletionNotice, Tries: 1, Reversal: "25", Journal: []string{"refused 25 after the slip was given out"}},
		"": {Kind: txn.Refund, Tries: 1, Reversal: "25", Journal: []string{"refused 25 after the slip was given out"}},
	} {
		s.State = txn.Suspense
		assert.Equal(t, want, Cause(s, 3))
	}
}

func TestASlipSaysOfWhichKindItIs(t *testing.T) {
	for _, k := range txn.Kinds() {
		s := Sale{Batch: 1, STAN: 2, Kind: k, Amount: 100}
		assert.Equal(t, k, holdSlip(s, "商户存根").Kind)
		assert.False(t, holdSlip(s, "商户存根").Balance)
	}
}
