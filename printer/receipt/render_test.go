package receipt_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/printer/receipt"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

var (
	shanghai = time.FixedZone("CST", 8*3600)
	small    = receipt.Layout{Columns: 32, MerchantName: "城南便利店", Thanks: "谢谢惠顾 THANK YOU", Zone: shanghai}
	wide     = receipt.Layout{Columns: 48, MerchantName: "城南便利店", Thanks: "谢谢惠顾 THANK YOU", Zone: shanghai}
)

// layouts are both papers in every language, with the directory of their golden slips.
func layouts() map[string][]receipt.Layout {
	all := map[string][]receipt.Layout{}
	for dir, language := range map[string]words.Language{"": words.Bilingual, "zh": words.Chinese, "en": words.English} {
		for _, l := range []receipt.Layout{small, wide} {
			l.Language = language
			switch language {
			case words.Chinese:
				l.Thanks = "谢谢惠顾"
			case words.English:
				l.MerchantName, l.Thanks = "SOUTH GATE STORE", "THANK YOU"
			}
			all[dir] = append(all[dir], l)
		}
	}
	return all
}

func aSale(t *testing.T) txn.Txn {
	t.Helper()
	pan, err := txn.ParsePAN("6224242900000113")
	require.NoError(t, err)
	yuan, err := txn.CurrencyOf("CNY")
	require.NoError(t, err)
	return txn.Txn{
		ID: 12, Terminal: "10000042", Merchant: "898440354110001", Operator: "01",
		Kind: txn.Sale, State: txn.Approved, Reference: "till-3/20261121-0007", Batch: 1, STAN: 12,
		Amount: 1250, Currency: yuan,
		Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Contactless, Label: "UnionPay Debit", AID: "A000000333010101"},
		// The terminal's clock is some seconds off the acquirer's, and stands in another zone.
		Began: time.Date(2026, 11, 21, 14, 40, 58, 0, time.UTC),
		Answer: txn.Answer{Code: "00", Approved: true, RRN: "112214412345", AuthCode: "A1B2C3", Acquirer: "银联商务", Issuer: "工商银行",
			HostTime: "224105", HostDate: "1121"},
	}
}

func aChipSale(t *testing.T) txn.Txn {
	sale := aSale(t)
	sale.Card.Entry, sale.Card.Sequence = txn.Inserted, "001"
	sale.Card.Chip = txn.NewChip([]byte("\x9F\x26\x08\xA1\xB2\xC3\xD4\xE5\xF6\x07\x18\x9F\x27\x01\x40\x95\x05\x08\x80\x04\x80\x00\x9F\x36\x02\x00\x17"))
	return sale
}

func aSaleByCode(t *testing.T) txn.Txn {
	sale := aSale(t)
	sale.Card, sale.Code = txn.Card{Entry: txn.Scanned}, txn.NewCode("wechat", "13************6789", txn.Fingerprint{1})
	sale.Answer.Issuer = ""
	return sale
}

func aVoidByCode(t *testing.T) txn.Txn {
	void := aVoid(t)
	void.Card, void.Code = txn.Card{Entry: txn.Scanned}, txn.NewCode("unionpay", "62*************4567", txn.Fingerprint{})
	return void
}

func aReversal(t *testing.T) txn.Txn {
	sale := aSale(t)
	sale.State, sale.Reason, sale.Answer = txn.Reversed, txn.NoAnswer, txn.Answer{}
	return sale
}

func aSuspense(t *testing.T) txn.Txn {
	sale := aReversal(t)
	sale.State, sale.Tries = txn.Suspense, txn.Tries{Made: 8, Code: "25"}
	return sale
}

func aVoid(t *testing.T) txn.Txn {
	void := aSale(t)
	void.Original = void.Of()
	void.Kind, void.STAN, void.Approver, void.Reference = txn.Void, 19, "00", "till-3/20261121-0011"
	void.Answer.RRN = "112214499999"
	return void
}

func aReversedVoid(t *testing.T) txn.Txn {
	void := aVoid(t)
	void.State, void.Reason, void.Answer = txn.Reversed, txn.NoAnswer, txn.Answer{}
	return void
}

func aVoidInDoubt(t *testing.T) txn.Txn {
	void := aReversedVoid(t)
	void.State, void.Tries = txn.Suspense, txn.Tries{Made: 3}
	return void
}

func aRefund(t *testing.T) txn.Txn {
	refund := aVoid(t)
	refund.Kind, refund.Amount, refund.Batch, refund.Original.Date = txn.Refund, 250, 2, "1120"
	return refund
}

func aRefundInDoubt(t *testing.T) txn.Txn {
	refund := aRefund(t)
	refund.State, refund.Tries, refund.Answer = txn.Suspense, txn.Tries{Made: 3, Code: "96"}, txn.Answer{}
	return refund
}

func aPreAuth(t *testing.T) txn.Txn {
	hold := aSale(t)
	hold.Kind, hold.Amount = txn.PreAuth, 50000
	return hold
}

// after is what ends a pre-authorisation two batches later.
func after(t *testing.T, kind txn.Kind, amount txn.Amount) txn.Txn {
	x := aPreAuth(t)
	x.Original = x.Of()
	x.Kind, x.Batch, x.STAN, x.Amount, x.Reference = kind, 3, 44, amount, "till-3/20261123-0002"
	if kind.TakesBack() {
		x.Approver = "00"
	}
	x.Answer.RRN, x.Answer.HostDate = "112414477777", "1123"
	return x
}

func aPreAuthCancel(t *testing.T) txn.Txn    { return after(t, txn.PreAuthCancel, 50000) }
func aCompletion(t *testing.T) txn.Txn       { return after(t, txn.Completion, 57500) }
func aCompletionCancel(t *testing.T) txn.Txn { return after(t, txn.CompletionCancel, 57500) }

func aQueuedNotice(t *testing.T) txn.Txn {
	notice := after(t, txn.CompletionNotice, 48000)
	notice.State, notice.Answer = txn.Advising, txn.Answer{}
	return notice
}

// anOfflineSale was authorised by telephone, and the acquirer has not heard of it.
func anOfflineSale(t *testing.T) txn.Txn {
	sale := aSale(t)
	sale.Kind, sale.State, sale.Answer = txn.OfflineSale, txn.Advising, txn.Answer{}
	sale.Original = txn.Original{AuthCode: "654321", Mode: txn.ByTelephone, Unit: "00001030000"}
	return sale
}

func aRefusedOfflineSale(t *testing.T) txn.Txn {
	sale := anOfflineSale(t)
	sale.State, sale.Tries = txn.Suspense, txn.Tries{Made: 1, Code: "61"}
	return sale
}

// undone is what became of a transaction whose reversal was acknowledged.
func undone(of func(*testing.T) txn.Txn) func(*testing.T) txn.Txn {
	return func(t *testing.T) txn.Txn {
		x := of(t)
		x.State, x.Reason, x.Answer = txn.Reversed, txn.NoAnswer, txn.Answer{}
		return x
	}
}

// doubted is what became of one that nobody could prove.
func doubted(of func(*testing.T) txn.Txn) func(*testing.T) txn.Txn {
	return func(t *testing.T) txn.Txn {
		x := undone(of)(t)
		x.State, x.Tries = txn.Suspense, txn.Tries{Made: 3}
		return x
	}
}

func TestSlipsLookAsTheyShould(t *testing.T) {
	for _, c := range []struct {
		name    string
		of      func(*testing.T) txn.Txn
		copy    txn.Copy
		reprint bool
	}{
		{"sale-merchant", aSale, txn.MerchantCopy, false},
		{"sale-customer", aSale, txn.CustomerCopy, false},
		{"sale-duplicate", aSale, txn.MerchantCopy, true},
		{"chip-sale-merchant", aChipSale, txn.MerchantCopy, false},
		{"chip-sale-customer", aChipSale, txn.CustomerCopy, false},
		{"reversal-merchant", aReversal, txn.MerchantCopy, false},
		{"reversal-customer", aReversal, txn.CustomerCopy, false},
		{"suspense-merchant", aSuspense, txn.MerchantCopy, false},
		{"suspense-customer", aSuspense, txn.CustomerCopy, false},
		{"code-merchant", aSaleByCode, txn.MerchantCopy, false},
		{"code-customer", aSaleByCode, txn.CustomerCopy, false},
		{"code-reversal-customer", undone(aSaleByCode), txn.CustomerCopy, false},
		{"code-suspense-merchant", doubted(aSaleByCode), txn.MerchantCopy, false},
		{"code-void-merchant", aVoidByCode, txn.MerchantCopy, false},
		{"void-merchant", aVoid, txn.MerchantCopy, false},
		{"void-customer", aVoid, txn.CustomerCopy, false},
		{"void-reversal-merchant", aReversedVoid, txn.MerchantCopy, false},
		{"void-suspense-merchant", aVoidInDoubt, txn.MerchantCopy, false},
		{"refund-merchant", aRefund, txn.MerchantCopy, false},
		{"refund-customer", aRefund, txn.CustomerCopy, false},
		{"refund-suspense-merchant", aRefundInDoubt, txn.MerchantCopy, false},
		{"preauth-merchant", aPreAuth, txn.MerchantCopy, false},
		{"preauth-customer", aPreAuth, txn.CustomerCopy, false},
		{"preauth-reversal-merchant", undone(aPreAuth), txn.MerchantCopy, false},
		{"preauth-suspense-merchant", doubted(aPreAuth), txn.MerchantCopy, false},
		{"preauth-cancel-merchant", aPreAuthCancel, txn.MerchantCopy, false},
		{"preauth-cancel-customer", aPreAuthCancel, txn.CustomerCopy, false},
		{"preauth-cancel-reversal-merchant", undone(aPreAuthCancel), txn.MerchantCopy, false},
		{"completion-merchant", aCompletion, txn.MerchantCopy, false},
		{"completion-customer", aCompletion, txn.CustomerCopy, false},
		{"completion-reversal-merchant", undone(aCompletion), txn.MerchantCopy, false},
		{"completion-suspense-merchant", doubted(aCompletion), txn.MerchantCopy, false},
		{"completion-cancel-merchant", aCompletionCancel, txn.MerchantCopy, false},
		{"completion-cancel-customer", aCompletionCancel, txn.CustomerCopy, false},
		{"completion-cancel-reversal-merchant", undone(aCompletionCancel), txn.MerchantCopy, false},
		{"offline-sale-merchant", anOfflineSale, txn.MerchantCopy, false},
		{"offline-sale-customer", anOfflineSale, txn.CustomerCopy, false},
		{"offline-sale-suspense-merchant", aRefusedOfflineSale, txn.MerchantCopy, false},
		{"completion-notice-queued-merchant", aQueuedNotice, txn.MerchantCopy, false},
		{"completion-notice-queued-customer", aQueuedNotice, txn.CustomerCopy, false},
	} {
		looksRight(t, c.name, func(t *testing.T, l receipt.Layout) (receipt.Slip, error) {
			return receipt.Render(c.of(t), c.copy, l, c.reprint)
		})
	}
}

func anEnquiry(t *testing.T) txn.Enquiry {
	sale := aSale(t)
	return txn.Enquiry{Terminal: sale.Terminal, Merchant: sale.Merchant, Operator: sale.Operator, Batch: 1, STAN: 33, Card: sale.Card, At: sale.Began,
		Answer: sale.Answer, Balances: []txn.Balance{
			{Account: "00", Type: "02", Currency: sale.Currency, Amount: 498750}, {Account: "00", Type: "01", Currency: sale.Currency, Amount: -1250}}}
}

func TestTheBalanceIsPrintedForItsCardholder(t *testing.T) {
	looksRight(t, "balance", func(t *testing.T, l receipt.Layout) (receipt.Slip, error) { return receipt.Balance(anEnquiry(t), l) })
	declined := anEnquiry(t)
	declined.Answer.Approved = false
	_, err := receipt.Balance(declined, small)
	require.ErrorContains(t, err, "no balance to print")
	_, err = receipt.Balance(anEnquiry(t), receipt.Layout{})
	require.Error(t, err)
}

var foreignWords = regexp.MustCompile(`[A-Z]{3,}`)

// A slip in one language says nothing in the other. Only names that come from outside do.
func TestASlipKeepsToItsLanguage(t *testing.T) {
	for _, of := range []func(*testing.T) txn.Txn{aSale, aSaleByCode, aVoidByCode, aReversal, aSuspense, aVoid, aReversedVoid, aVoidInDoubt, aRefund, aRefundInDoubt, aPreAuth,
		aPreAuthCancel, aCompletion, aCompletionCancel, aQueuedNotice, anOfflineSale, aRefusedOfflineSale} {
		for _, c := range []txn.Copy{txn.MerchantCopy, txn.CustomerCopy} {
			x := of(t)
			x.Answer.Issuer, x.Answer.Acquirer, x.Card.AID, x.Tries.Code = "", "", "", ""
			l := small
			l.Thanks, l.Language = "", words.Chinese
			slip, err := receipt.Render(x, c, l, true)
			require.NoError(t, err)
			for _, word := range foreignWords.FindAllString(slip.Text(), -1) {
				require.Contains(t, []string{"POS", "RMB"}, word, slip.Text())
			}
			l.MerchantName, l.Language = "SOUTH GATE STORE", words.English
			slip, err = receipt.Render(x, c, l, true)
			require.NoError(t, err)
			require.Equal(t, len(slip.Text()), receipt.Width(slip.Text()), "ASCII alone:\n%s", slip.Text())
		}
	}
}

func requireFits(t *testing.T, s receipt.Slip) {
	t.Helper()
	for i, l := range s.Lines {
		require.LessOrEqual(t, l.Columns(), s.Columns, "line %d: %q", i+1, l.Text)
		require.Equal(t, receipt.Printable(l.Text), l.Text, "line %d", i+1)
	}
	require.Equal(t, receipt.Cut, s.Lines[len(s.Lines)-1].Op)
}

func TestOnlyThreeStatesHaveASlip(t *testing.T) {
	for _, state := range append(txn.States(), "unheard-of", "") {
		sale := aSale(t)
		sale.State = state
		_, err := receipt.Render(sale, txn.CustomerCopy, small, false)
		switch state {
		case txn.Approved, txn.Reversed, txn.Suspense:
			assert.NoError(t, err, state)
		default:
			assert.ErrorContains(t, err, "no slip", "state %q", state)
		}
	}
}

func TestWhatCannotBePrintedIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*txn.Txn, *txn.Copy, *receipt.Layout){
		"no such copy":       func(_ *txn.Txn, c *txn.Copy, _ *receipt.Layout) { *c = "third" },
		"no such kind":       func(s *txn.Txn, _ *txn.Copy, _ *receipt.Layout) { s.Kind = "barter" },
		"no currency":        func(s *txn.Txn, _ *txn.Copy, _ *receipt.Layout) { s.Currency = txn.Currency{} },
		"no amount":          func(s *txn.Txn, _ *txn.Copy, _ *receipt.Layout) { s.Amount = 0 },
		"amount of thirteen": func(s *txn.Txn, _ *txn.Copy, _ *receipt.Layout) { s.Amount = txn.MaxAmount + 1 },
		"paper too narrow":   func(_ *txn.Txn, _ *txn.Copy, l *receipt.Layout) { l.Columns = 16 },
		"paper too wide":     func(_ *txn.Txn, _ *txn.Copy, l *receipt.Layout) { l.Columns = 400 },
	} {
		for _, state := range []txn.State{txn.Approved, txn.Reversed, txn.Suspense} {
			sale, c, l := aSale(t), txn.CustomerCopy, small
			sale.State = state
			spoil(&sale, &c, &l)
			_, err := receipt.Render(sale, c, l, false)
			assert.Error(t, err, "%s, %s", name, state)
		}
	}
}

func TestTheAmountIsAlwaysWhole(t *testing.T) {
	for columns := receipt.MinColumns; columns <= receipt.MaxColumns; columns++ {
		for _, state := range []txn.State{txn.Approved, txn.Reversed, txn.Suspense} {
			sale, l := aSale(t), small
			sale.State, sale.Amount, l.Columns = state, txn.MaxAmount, columns
			slip, err := receipt.Render(sale, txn.MerchantCopy, l, true)
			require.NoError(t, err)
			requireFits(t, slip)
			var found []receipt.Line
			for _, line := range slip.Lines {
				if strings.Contains(line.Text, "RMB") {
					found = append(found, line)
				}
			}
			require.Len(t, found, 1)
			require.Equal(t, "RMB 9999999999.99", found[0].Text)
			require.Equal(t, state == txn.Approved && columns >= 34, found[0].Size == receipt.Big, "%s at %d columns", state, columns)
		}
	}
}

// A notice that could be shown as proof of payment would be a fraud tool.
func TestANoticeIsNoProofOfPayment(t *testing.T) {
	for _, of := range []func(*testing.T) txn.Txn{aReversal, aSuspense} {
		for _, c := range []txn.Copy{txn.MerchantCopy, txn.CustomerCopy} {
			slip, err := receipt.Render(of(t), c, small, false)
			require.NoError(t, err)
			text := slip.Text()
			for _, word := range []string{"签购单", "SALES SLIP", "签名", "SIGNATURE", "授权码", "谢谢"} {
				assert.NotContains(t, text, word)
			}
			assert.Contains(t, text, "NOT A RECEIPT OF PAYMENT")
			assert.Equal(t, receipt.Big, slip.Lines[0].Size, "the title is the first and the biggest thing on the slip")
			for _, line := range slip.Lines {
				if strings.Contains(line.Text, "RMB") {
					assert.Equal(t, receipt.Normal, line.Size)
				}
			}
		}
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	for reason, wording := range map[txn.Reason]string{
		txn.NoAnswer: "NO ANSWER", txn.NotDone: "COULD NOT FINISH", txn.BadMAC: "FAILED ITS CHECK", txn.OtherCause: "FAULT",
		"": "NOT RECORDED", "Z9": "Z9",
	} {
		r := aReversal(t)
		r.Reason = reason
		slip, err := receipt.Render(r, txn.CustomerCopy, wide, false)
		require.NoError(t, err)
		assert.Contains(t, slip.Text(), wording)
	}
}

func TestEveryEntryHasItsLetter(t *testing.T) {
	for entry, letter := range map[txn.Entry]string{
		txn.Swiped: "/S", txn.Inserted: "/I", txn.Contactless: "/C", txn.Tapped: "/C", txn.Keyed: "/K",
	} {
		sale := aSale(t)
		sale.Card.Entry = entry
		slip, err := receipt.Render(sale, txn.CustomerCopy, small, false)
		require.NoError(t, err)
		assert.Contains(t, slip.Text(), "622424******0113 "+letter)
	}
}

func TestNoSlipShowsTheWholeNumber(t *testing.T) {
	for _, state := range []txn.State{txn.Approved, txn.Reversed, txn.Suspense} {
		sale := aSale(t)
		sale.State = state
		slip, err := receipt.Render(sale, txn.MerchantCopy, wide, true)
		require.NoError(t, err)
		assert.NotContains(t, fmt.Sprintf("%+v", slip), "6224242900000113")
		assert.NotContains(t, fmt.Sprintf("%+v", slip), "3012", "the expiry date is nobody's business")

		sale.Card.PAN = txn.PAN{}
		slip, err = receipt.Render(sale, txn.MerchantCopy, wide, true)
		require.NoError(t, err, "a number that could not be unsealed does not keep the slip back")
		assert.Contains(t, slip.Text(), "****")
	}
}

func TestHostileTextsStayOnTheirLines(t *testing.T) {
	sale := aSale(t)
	long := strings.Repeat("超长的名称与 a very long name\x1b@\x10\x04\x01\n\t", 20)
	sale.Answer.Issuer, sale.Answer.Text, sale.Operator, sale.Card.Label, sale.Merchant = long, "笑😀é€\xff", long, long, long
	l := small
	l.MerchantName = long
	for _, state := range []txn.State{txn.Approved, txn.Reversed, txn.Suspense} {
		sale.State = state
		slip, err := receipt.Render(sale, txn.MerchantCopy, l, true)
		require.NoError(t, err)
		requireFits(t, slip)
		assert.Less(t, len(slip.Lines), 100)
	}
	slip, err := receipt.Render(func() txn.Txn { sale.State = txn.Approved; return sale }(), txn.CustomerCopy, small, false)
	require.NoError(t, err)
	assert.Contains(t, slip.Text(), "笑□é□□", "what the ROM lacks shows as a box")
}

func TestTheMerchantsOwnSlips(t *testing.T) {
	slip, err := receipt.Note(small, "结算总计单", "笔数 COUNT 3", "", "合计 TOTAL RMB 37.50")
	require.NoError(t, err)
	requireFits(t, slip)
	assert.Contains(t, slip.Text(), "结算总计单")
	_, err = receipt.Note(receipt.Layout{}, "x")
	assert.Error(t, err)
	requireFits(t, receipt.Interrupted(24))
}
