package txn

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryStateOwesSomethingDefinite(t *testing.T) {
	want := map[State]Duty{
		Pending: Reverse, Authorized: Reverse, Reversing: Reverse, Advising: Repeat, Suspense: Human,
		Abandoned: Nothing, Declined: Nothing, Approved: Nothing, Reversed: Nothing, Resolved: Nothing,
	}
	require.Len(t, want, len(States()))
	for _, s := range States() {
		assert.Equal(t, want[s], s.Owes(), s)
	}
	assert.Equal(t, Human, State("from a later version").Owes(), "what this version cannot read is never forgotten")
	assert.Equal(t, Human, State("").Owes())
}

func TestOnlyTheDrawnStepsAreLegal(t *testing.T) {
	drawn := map[State][]State{
		Pending:    {Abandoned, Declined, Authorized, Approved, Reversing},
		Authorized: {Approved, Reversing},
		Reversing:  {Reversed, Suspense},
		Suspense:   {Reversed, Resolved},
		Advising:   {Approved, Declined, Abandoned, Suspense},
	}
	for _, from := range append(States(), "unheard of") {
		for _, to := range append(States(), "unheard of") {
			assert.Equal(t, contains(drawn[from], to), from.CanBecome(to), "%s to %s", from, to)
		}
	}
}

func TestEveryKindHasItsClassAndItsSide(t *testing.T) {
	type class struct {
		begins                                  State
		charges, credits, approver, uses, final bool
	}
	want := map[Kind]class{
		Sale:             {Pending, true, false, false, false, false},
		Void:             {Pending, false, true, true, false, false},
		Refund:           {Advising, false, true, true, false, false},
		PreAuth:          {Pending, false, false, false, false, false},
		PreAuthCancel:    {Pending, false, false, true, true, false},
		Completion:       {Pending, true, false, false, true, false},
		CompletionCancel: {Pending, false, true, true, false, false},
		CompletionNotice: {Advising, true, false, false, true, true},
		OfflineSale:      {Advising, true, false, false, false, true},
	}
	require.Len(t, want, len(Kinds()))
	for k, c := range want {
		assert.Equal(t, c, class{k.Begins(), k.Charges(), k.Credits(), k.TakesBack(), k.Uses(), k.Final()}, k)
		assert.Equal(t, c.begins == Advising, k.Advice(), k)
		assert.Equal(t, c.charges || c.credits, k.Settled(), k)
		assert.True(t, k.Known(), k)
	}
	assert.False(t, Kind("barter").Known())
	assert.False(t, Kind("").Known())
}

func TestADraftNamesWhatTheAcquirerMustFind(t *testing.T) {
	pan, err := ParsePAN("6224242900000113")
	require.NoError(t, err)
	draft := func(k Kind, o Original) Draft {
		return Draft{Kind: k, Reference: "r", Approver: "00", Amount: 1, Currency: Currency{Number: "156"}, Card: Card{PAN: pan}, Original: o}
	}
	whole := Original{ID: 1, Batch: 1, STAN: 1, RRN: "1", AuthCode: "A", Date: "1121"}
	for _, k := range Kinds() {
		of := whole
		if k == Sale || k == PreAuth {
			of = Original{}
		}
		if k == OfflineSale {
			of = Original{AuthCode: "123456", Mode: ByTelephone}
		}
		assert.NoError(t, draft(k, of).Check(), k)
		d := draft(k, of)
		d.Approver = ""
		assert.Equal(t, k.TakesBack(), d.Check() != nil, k)
	}
	without := func(k Kind, change func(*Original)) error {
		o := whole
		change(&o)
		return draft(k, o).Check()
	}
	assert.Error(t, draft(PreAuth, whole).Check())
	for _, bad := range []Original{{Mode: "01"}, {AuthCode: "1"}, {AuthCode: "1", Mode: "x1"}, {AuthCode: "1", Mode: "01", Unit: "123456789012"}, {AuthCode: "1", Mode: "01", Unit: "a"}} {
		assert.Error(t, draft(OfflineSale, bad).Check())
	}
	for _, k := range []Kind{PreAuthCancel, Completion, CompletionNotice} {
		assert.Error(t, without(k, func(o *Original) { o.AuthCode = "" }), k)
		assert.Error(t, without(k, func(o *Original) { o.Date = "" }), k)
		assert.NoError(t, without(k, func(o *Original) { o.ID, o.STAN, o.Batch, o.RRN = 0, 0, 0, "" }), "%s of another terminal", k)
	}
	for _, change := range []func(*Original){func(o *Original) { o.RRN = "" }, func(o *Original) { o.AuthCode = "" }, func(o *Original) { o.Date = "" },
		func(o *Original) { o.ID = 0 }, func(o *Original) { o.STAN = 0 }} {
		assert.Error(t, without(CompletionCancel, change))
	}
}

func TestWhatIsHeldForLaterIsAddedNowhere(t *testing.T) {
	for _, k := range Kinds() {
		var totals Totals
		totals.Add(Txn{Kind: k, State: Approved, Amount: 7, Answer: Answer{Scheme: "CUP"}})
		var want Totals
		switch {
		case k.Charges():
			want.Domestic.Debit = Sum{1, 7}
		case k.Credits():
			want.Domestic.Credit = Sum{1, 7}
		}
		assert.Equal(t, want, totals, k)
	}
}

func TestADecisionToReverseIsNeverTakenBack(t *testing.T) {
	for _, s := range []State{Reversing, Suspense, Reversed} {
		assert.False(t, s.CanBecome(Approved), s)
		assert.False(t, s.CanBecome(Declined), s)
		assert.False(t, s.CanBecome(Abandoned), s)
	}
}

func contains(list []State, s State) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestAmountsAsPeopleTypeThem(t *testing.T) {
	cny, err := CurrencyOf("cny")
	require.NoError(t, err)
	jpy, err := CurrencyOf("392")
	require.NoError(t, err)
	good := []struct {
		c    Currency
		text string
		want Amount
	}{
		{cny, "12.50", 1250}, {cny, "12.5", 1250}, {cny, "12", 1200}, {cny, "0.01", 1}, {cny, "0012.50", 1250},
		{cny, "9999999999.99", MaxAmount}, {jpy, "500", 500},
	}
	for _, g := range good {
		got, err := g.c.ParseAmount(g.text)
		require.NoError(t, err, g.text)
		assert.Equal(t, g.want, got, g.text)
	}
	for _, bad := range []string{"", "0", "0.00", "-1", "+1", "1.234", "10000000000.00", "1e3", "1,000", ".5", "5.", "12.5.0", "１２", " 1", "1 ", "99999999999999999999"} {
		_, err := cny.ParseAmount(bad)
		assert.ErrorIs(t, err, ErrAmount, "%q", bad)
	}
	_, err = jpy.ParseAmount("1.5")
	assert.ErrorIs(t, err, ErrAmount)
	assert.Equal(t, "0.05", cny.Format(5))
	assert.Equal(t, "-12.50", cny.Format(-1250))
	assert.Equal(t, "500", jpy.Format(500))
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"12.50", "0", "-1", "9999999999.99", ".", "1.2.3"} {
		f.Add(s)
	}
	cny := Currency{"156", "CNY", 2}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := cny.ParseAmount(text)
		if err != nil {
			return
		}
		if !a.Valid() {
			t.Fatalf("%q gave %d", text, a)
		}
		if again, err := cny.ParseAmount(cny.Format(a)); err != nil || again != a {
			t.Fatalf("%d does not survive %q", a, cny.Format(a))
		}
	})
}

// No verb, encoder or logger may print a card number or a track, however deep it is buried.
func TestCardDataCannotBePrinted(t *testing.T) {
	const number = "6224242900000113"
	pan, err := ParsePAN(number)
	require.NoError(t, err)
	track, err := ParseTrack(number + "D30122011234567890")
	require.NoError(t, err)
	presented := Presented{Card: Card{PAN: pan, Expiry: "3012"}, Track: track, Chip: NewChip([]byte(number))}
	type buried struct {
		pan   PAN
		track Track
		chip  Chip
		all   Presented
		deep  *Presented
	}
	for _, v := range []any{pan, &pan, track, &track, presented, &presented, presented.Chip,
		buried{pan, track, presented.Chip, presented, &presented}, &buried{pan: pan, track: track, chip: presented.Chip}, []PAN{pan}, map[string]Track{"x": track}} {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%08b"} {
			fmt.Fprintf(&out, verb+" ", v)
		}
		if asJSON, err := json.Marshal(v); err == nil {
			out.Write(asJSON)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		assert.NotContains(t, out.String(), number, "%T", v)
		assert.NotContains(t, out.String(), number[6:12], "%T", v)
		assert.NotContains(t, out.String(), fmt.Sprintf("%x", number), "%T", v)
		assert.NotContains(t, out.String(), strings.Trim(fmt.Sprint([]byte(number)), "[]"), "%T", v)
	}
	assert.Equal(t, "622424******0113", pan.Masked())
	assert.Equal(t, "0113", pan.Last4())
	short, err := ParsePAN("400000000002")
	require.NoError(t, err)
	assert.Equal(t, "********0002", short.Masked(), "too short for six and four")
}

func TestTrackGivesTheCard(t *testing.T) {
	track, err := ParseTrack("6200000000000005=30122200000000000000")
	require.NoError(t, err)
	pan, expiry, err := track.Card()
	require.NoError(t, err)
	assert.Equal(t, "0005", pan.Last4())
	assert.Equal(t, "3012", expiry)
	for _, bad := range []string{"", "6200000000000005", "62=00=00", "6200000000000005=3012X", strings.Repeat("1", 30) + "=3012000"} {
		_, err := ParseTrack(bad)
		require.Error(t, err, bad)
		if bad != "" {
			assert.NotContains(t, err.Error(), bad)
		}
	}
}

func TestJournalKeepsTheFirstAndTheNewest(t *testing.T) {
	var x Txn
	for i := range 3 * MaxJournal {
		x.Note(x.Began, 1, fmt.Sprintf("event %d", i))
	}
	require.Len(t, x.Journal, MaxJournal)
	assert.Equal(t, "event 0", x.Journal[0].Event)
	assert.Equal(t, fmt.Sprintf("event %d", 3*MaxJournal-1), x.Journal[MaxJournal-1].Event)
	x.Note(x.Began, 1, strings.Repeat("长", 40))
	assert.LessOrEqual(t, len(x.Journal[MaxJournal-1].Event), MaxEvent)
}

func TestWhatAKindBeginsWithAndUndoes(t *testing.T) {
	sale := Txn{ID: 7, Kind: Sale, State: Approved, Batch: 2, STAN: 9, Answer: Answer{RRN: "1", AuthCode: "2", HostDate: "1121"}}
	assert.Equal(t, Original{7, 2, 9, "1", "2", "1121", "", "", ""}, sale.Of())
	for _, k := range []Kind{Sale, Void, Refund} {
		assert.NotEqual(t, Nothing, k.Begins().Owes(), "a record that was just begun owes something")
		for _, s := range append(States(), "from a later version") {
			x := Txn{Kind: k, State: s, Original: sale.Of()}
			certain := s == Abandoned || s == Declined || s == Reversed || s == Resolved
			assert.Equal(t, k != Sale && !certain, x.Undoes(7), "%s %s", k, s)
			assert.False(t, x.Undoes(8))
		}
	}
	assert.False(t, Txn{Kind: Refund, State: Approved}.Undoes(0), "a refund of a sale that is not in these books")
	assert.Equal(t, Repeat, Refund.Begins().Owes(), "a refund is told again, never reversed")
}

func TestADraftThatCouldNotBeReversedIsRefused(t *testing.T) {
	pan, _ := ParsePAN("4242424242424242")
	good := Draft{Kind: Sale, Reference: "r1", Amount: 1, Currency: Currency{"156", "CNY", 2}, Card: Card{PAN: pan}}
	require.NoError(t, good.Check())
	for name, spoil := range map[string]func(*Draft){
		"kind": func(d *Draft) { d.Kind = "" }, "amount": func(d *Draft) { d.Amount = 0 }, "currency": func(d *Draft) { d.Currency = Currency{} },
		"reference": func(d *Draft) { d.Reference = "" }, "long reference": func(d *Draft) { d.Reference = strings.Repeat("x", MaxReference+1) },
		"control": func(d *Draft) { d.Reference = "a\x1b[2J" }, "line": func(d *Draft) { d.Reference = "a\nb" }, "bytes": func(d *Draft) { d.Reference = "\xff" },
		"spaces":               func(d *Draft) { d.Reference = " a" },
		"card":                 func(d *Draft) { d.Card.PAN = PAN{} },
		"a sale of a sale":     func(d *Draft) { d.Original.ID = 1 },
		"a void of nothing":    func(d *Draft) { d.Kind, d.Approver = Void, "00" },
		"a refund of nothing":  func(d *Draft) { d.Kind, d.Approver = Refund, "00" },
		"a void without leave": func(d *Draft) { d.Kind, d.Original = Void, Original{ID: 1, Batch: 1, STAN: 1, RRN: "1"} },
		"a refund of no day":   func(d *Draft) { d.Kind, d.Approver, d.Original = Refund, "00", Original{RRN: "1"} },
	} {
		d := good
		spoil(&d)
		assert.Error(t, d.Check(), name)
	}
}

// What undoes another transaction, or is told and not asked, is nothing that a card could refuse.
func TestOnlyWhatIsAskedForAndChargedWaitsForACard(t *testing.T) {
	for _, k := range Kinds() {
		if k.Confirmed() {
			assert.False(t, k.Advice() || k.TakesBack(), k)
		}
	}
	assert.True(t, Sale.Confirmed() && PreAuth.Confirmed())
	a := Answer{Code: "00", Chip: NewChip([]byte{0x91, 0})}
	kept, chip := a.Kept()
	assert.Equal(t, Answer{Code: "00"}, kept)
	assert.Equal(t, []byte{0x91, 0}, chip.BytesInTheClear())
}
