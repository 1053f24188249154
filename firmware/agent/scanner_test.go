package agent

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/scanner"
	"posagent/firmware/terminal"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

const (
	aCode     = "134567890123456789"
	otherCode = "2812345678901234"
)

// withCodes is a world whose terminal has a scanner of a kind.
func withCodes(t *testing.T, kind scanner.Kind, change func(*Options), story func(w *world)) {
	routes, err := scanner.NewRoutes([]scanner.Route{{Name: "wechat", Min: 18, Max: 18, First: "10", Last: "15"}, {Name: "alipay", Min: 16, Max: 24, First: "25", Last: "30"}})
	require.NoError(t, err)
	inWorld(t, func(w *world) {
		w.cutPower()
		w.codes = devicetest.NewScanner(devicetest.ScannerOpts{Host: kind == scanner.GM72})
		w.options.ScannerKind, w.options.Routes, w.options.ScanWait = kind, routes, 30*time.Second
		change(&w.options)
		w.boot()
		story(w)
		assert.NotContains(w.t, w.log.String(), aCode)
		assert.NotContains(w.t, w.log.String(), otherCode)
	})
}

// scan asks for a sale and shows a code once it is waited for.
func (w *world) scan(reference, amount, code string) ([]words.Stage, Event) {
	w.t.Helper()
	if code != "" {
		time.AfterFunc(3*time.Second, func() { _, _ = w.codes.Command("show " + code) })
	}
	return w.ask(Request{Op: "sale", Reference: reference, Amount: amount, Scan: true})
}

func TestASaleByPaymentCode(t *testing.T) {
	for _, kind := range []scanner.Kind{scanner.Plain, scanner.GM72} {
		t.Run(string(kind), func(t *testing.T) {
			withCodes(t, kind, func(o *Options) { o.OtherBins, o.MaxCardCount = terminal.BinRefuse, 1 }, func(w *world) {
				stages, e := w.scan("till-1", "12.50", aCode)
				approved(t, e)
				assert.Contains(t, stages, words.ShowCode)
				assert.NotContains(t, stages, words.Present)
				assert.Equal(t, "wechat", e.Txn.Platform)
				assert.Equal(t, "13************6789", e.Txn.Card)
				assert.Equal(t, txn.Scanned, e.Txn.Entry)
				assert.Equal(t, 2, w.paper("微信支付", "13************6789"))

				_, e = w.scan("till-1", "12.50", otherCode)
				approved(t, e)
				w.after(10 * time.Second) // that code was shown to nobody's order
				_, _ = w.codes.Command("remove")
				_, e = w.scan("till-2", "3.00", aCode)
				require.Equal(t, words.OutcomeRefused, e.Outcome)
				assert.Equal(t, words.CodeUsed, *e.Text)
				assert.Equal(t, "till-1", e.Txn.Reference)
				assert.Equal(t, txn.Approved, e.Txn.State)
				_, e = w.scan("till-2", "3.00", otherCode)
				approved(t, e)
				w.cutPower()
				w.boot()
				_, e = w.scan("till-3", "3.00", otherCode)
				assert.Equal(t, words.CodeUsed, *e.Text, "over a restart too")
				assert.Equal(t, 2, w.acquirer.Counts()["0200"])
			})
		})
	}
}

// The line is dialled while the code is awaited, as while a card is.
func TestTheLineIsDialledWhileACodeIsAwaited(t *testing.T) {
	withCodes(t, scanner.Plain, func(o *Options) { o.Preconnect = true }, func(w *world) {
		connected := int64(0)
		time.AfterFunc(2*time.Second, func() { connected = w.agent.connected.Load() })
		_, e := w.scan("till-1", "12.50", aCode)
		approved(t, e)
		assert.Equal(t, int64(1), connected, "before the code was shown")
	})
}

func TestNoPaymentCodeMeansNothingWasBegun(t *testing.T) {
	withCodes(t, scanner.Plain, func(*Options) {}, func(w *world) {
		for code, text := range map[string]words.Pair{"": words.NoCode, "6901234567892": words.NotPayCode} {
			_, e := w.scan("till-1", "12.50", code)
			require.Equal(t, words.OutcomeRefused, e.Outcome)
			assert.Equal(t, text, *e.Text)
			assert.Nil(t, e.Txn)
		}
		assert.Zero(t, w.acquirer.Counts()["0200"])
	})
	without, err := profile.Read("own.toml", "base = \"unionpay\"\nname = \"own\"\n[sale.code]\n59 = \"\"\n")
	require.NoError(t, err)
	for name, change := range map[string]func(*world){
		"no scanner":                  func(*world) {},
		"an acquirer that takes none": func(w *world) { w.codes = devicetest.NewScanner(devicetest.ScannerOpts{}) },
	} {
		inWorldOf(t, without, func(w *world) {
			w.cutPower()
			change(w)
			w.boot()
			_, e := w.ask(Request{Op: "sale", Reference: "till-1", Amount: "12.50", Scan: true})
			assert.Equal(t, words.NoCodes, *e.Text, name)
		})
	}
}

// What the cashier reads of a code that may have paid speaks of the customer, not of a card.
func TestTheFateOfAPaymentCodeIsNotKnown(t *testing.T) {
	withCodes(t, scanner.Plain, func(*Options) {}, func(w *world) {
		w.fault("silent for sale")
		_, e := w.scan("till-1", "12.50", aCode)
		require.Equal(t, words.OutcomeReversed, e.Outcome)
		assert.Contains(t, e.Text.ZH, "刷新付款码")
		w.fault("silent for sale")
		w.fault("silent for reversal")
		_, e = w.scan("till-2", "12.50", otherCode)
		require.Equal(t, words.OutcomeUnknown, e.Outcome)
		assert.Contains(t, e.Text.EN, "Do not let the customer pay again")
		assert.NotContains(t, e.Text.ZH, "卡")
		w.after(10 * time.Minute)
	})
}

// Nothing of the customer is asked for a void or a refund, and both go back to the wallet.
func TestASaleByPaymentCodeIsGivenBack(t *testing.T) {
	withCodes(t, scanner.GM72, func(*Options) {}, func(w *world) {
		_, e := w.scan("till-1", "12.50", aCode)
		approved(t, e)
		stages, e := w.ask(Request{Op: "refund", Reference: "till-2", Amount: "2.50", OriginalReference: "till-1", Supervisor: "00"})
		approved(t, e)
		assert.NotContains(t, stages, words.Present)
		assert.Equal(t, "wechat", e.Txn.Platform)
		assert.Contains(t, e.Text.ZH, "原路退回顾客的付款账户")
		assert.Contains(t, e.Text.EN, "customer's payment app")
		_, e = w.scan("till-3", "5.00", otherCode)
		approved(t, e)
		stages, e = w.ask(Request{Op: "void", Reference: "till-4", OriginalReference: "till-3", Supervisor: "00"})
		approved(t, e)
		assert.NotContains(t, stages, words.Present)
		assert.Contains(t, e.Text.EN, "customer's payment app")
		stan, err := strconv.ParseUint(e.Txn.STAN, 10, 32)
		require.NoError(t, err)
		row, _ := w.acquirer.Ledger().Find(testTerminal, uint32(stan))
		assert.Equal(t, linktest.Given, row.State)
		_, e = w.scan("till-5", "5.00", otherCode)
		assert.Equal(t, words.CodeUsed, *e.Text, "a voided sale has used its code")
	})
}

// A slip names its sale by the acquirer's number and date as well. Where these books hold that sale the refund is of it: there
// is no card to present, and no more goes back than is left.
func TestASaleByPaymentCodeIsGivenBackByItsReferenceNumber(t *testing.T) {
	withCodes(t, scanner.GM72, func(*Options) {}, func(w *world) {
		_, sale := w.scan("till-1", "12.50", aCode)
		approved(t, sale)
		back := func(till, amount string) Request {
			return Request{Op: "refund", Reference: till, Amount: amount, OriginalRRN: sale.Txn.RRN, OriginalDate: sale.Txn.HostDate, Supervisor: "00"}
		}
		stages, first := w.ask(back("till-2", "2.50"))
		approved(t, first)
		assert.NotContains(t, stages, words.Present)
		assert.Equal(t, "wechat", first.Txn.Platform)
		assert.Equal(t, sale.Txn.STAN, first.Txn.Original.STAN)
		_, again := w.ask(back("till-2", "2.50"))
		approved(t, again)
		assert.Equal(t, first.Txn.ID, again.Txn.ID, "the same reference is the same refund")
		_, e := w.ask(back("till-3", "10.01"))
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "10.00")
	})
}
