package words

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"

	"posagent/txnstore/txn"
)

func inBothLanguages(t *testing.T, what string, p Pair) {
	t.Helper()
	assert.True(t, strings.ContainsFunc(p.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }), "%s: %q", what, p.ZH)
	assert.NotEmpty(t, p.EN, what)
	assert.False(t, strings.ContainsFunc(p.EN, func(r rune) bool { return r > unicode.MaxASCII }), "%s: %q", what, p.EN)
}

func TestEverythingIsSaidInBothLanguages(t *testing.T) {
	for _, s := range []Stage{Recovering, SigningIn, Present, CardRead, EnterPIN, Recorded, Connecting, Sending, Waiting, Unknown, Held, Printing, PaperOwed, Settling, Uploading, EndingBatch, Enquired, Queued} {
		for _, k := range txn.Kinds() {
			inBothLanguages(t, string(s), OfStageIn(k, s))
		}
	}
	for _, k := range txn.Kinds() {
		name, known := OfKind(k)
		assert.True(t, known, k)
		inBothLanguages(t, string(k), name)
		for _, o := range []Outcome{OutcomeApproved, OutcomeDeclined, OutcomeNotDone, OutcomeReversed, OutcomeUnknown, OutcomeResolved, OutcomeRefused, OutcomeQueued} {
			inBothLanguages(t, string(o), OfEnding(k, o))
			inBothLanguages(t, string(o), OfEnquiry(o))
			if byCode, differs := OfCodeEnding(k, o); differs {
				inBothLanguages(t, string(o), byCode)
				assert.NotEqual(t, OfEnding(k, o), byCode)
				assert.NotContains(t, byCode.ZH, "卡")
				assert.NotContains(t, byCode.EN, "card")
			}
		}
		failed, stands := OfReversed(k)
		inBothLanguages(t, string(k), failed)
		inBothLanguages(t, string(k), stands)
		inBothLanguages(t, string(k), OfAmount(k))
		means, special := OfMeaning(k)
		assert.Equal(t, k != txn.Sale, special, k)
		if special {
			inBothLanguages(t, string(k), means)
		}
	}
	for _, s := range txn.States() {
		inBothLanguages(t, string(s), OfState(s))
		inBothLanguages(t, string(s), OfOutcome(OutcomeOf(s)))
	}
	inBothLanguages(t, "refused", OfOutcome(OutcomeRefused))
	for _, s := range []txn.Step{"", txn.Asking, txn.Details, txn.Advices, txn.Ending, txn.Closed, txn.Refused, "of a later version"} {
		inBothLanguages(t, string(s), OfStep(s))
		for _, v := range []txn.Verdict{"", txn.Balanced, txn.Unbalanced, txn.Mistaken} {
			inBothLanguages(t, string(v), OfVerdict(v))
			inBothLanguages(t, string(s), OfClosing(txn.Closing{Batch: 1, Step: s, Domestic: v, Foreign: v}))
		}
	}
	inBothLanguages(t, "no PIN", NoPIN)
	inBothLanguages(t, "no PIN pad", NoPINPad)
	for _, p := range []Pair{OverLimit, CardLimit, CardBlocked, CardNotTaken, CardOnline, CardMasked, ReaderSetUp, NeverMet(3)} {
		inBothLanguages(t, p.EN, p)
	}
	inBothLanguages(t, "given back", GivenBackSale)
	inBothLanguages(t, "none", OfClosing(txn.Closing{}))
	for _, p := range []Pair{ReportTitle, DebitSide, CreditSide, DomesticCards, ForeignCards, AllCards, NetTotal, HostTotals, OwnTotals, DifferenceLabel,
		RecordsTold, RecordsUnread, RecordsRefused, NextBatch, ExplainsIt, AlsoDoubtful, NothingExplains, DoNotClaim, BalanceTitle, AvailableLabel, LedgerLabel, OtherBalance, NoMoneyMoved, ToBeTold} {
		inBothLanguages(t, p.EN, p)
	}
	inBothLanguages(t, "01", OfMode("01"))
	for _, kind := range []string{"other-merchant", "other-terminal", "repeated", "over-limit", "blocked-card", "wrong-password", "locked-out", "new"} {
		inBothLanguages(t, kind, OfAlarm(kind))
	}
	inBothLanguages(t, "02", OfMode("02"))
	assert.Equal(t, Pair{}, OfMode(""))
	for _, kind := range []string{"01", "02", "40"} {
		inBothLanguages(t, kind, OfBalance(txn.Balance{Type: kind}))
	}
	for _, s := range append(PrinterStates(), "of a later version") {
		what, do := OfPrinter(s)
		inBothLanguages(t, string(s), what)
		if s != PrinterReady {
			inBothLanguages(t, string(s), do)
		}
	}
	seen := map[string]bool{}
	for _, w := range codes {
		inBothLanguages(t, w.code, Advice(w.code))
		assert.Equal(t, w.do.ZH == "", w.do.EN == "", w.code)
		assert.False(t, seen[w.code], w.code)
		seen[w.code] = true
	}
}

// The third outcome has its own words, and no state that may hold money is called a decline.
func TestUnknownIsNeverCalledDeclined(t *testing.T) {
	for _, s := range append(txn.States(), "from a later version") {
		if s.Owes() != txn.Nothing {
			assert.Equal(t, OutcomeUnknown, OutcomeOf(s), s)
		}
	}
	assert.Contains(t, OfOutcome(OutcomeUnknown).ZH, "结果未知，请勿重刷，正在确认")
	for _, k := range txn.Kinds() {
		unknown := OfEnding(k, OutcomeUnknown)
		for _, word := range []string{"拒绝", "失败", "未扣款", "未退"} {
			assert.NotContains(t, unknown.ZH, word)
		}
		assert.NotContains(t, strings.ToLower(unknown.EN), "declined")
	}
}
