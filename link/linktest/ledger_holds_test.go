package linktest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// kept is a book in which a pre-authorisation of 600 was approved as STAN 7.
func kept(t *testing.T) (books, func(stan uint32, kind Kind, amount txn.Amount) entry) {
	b := openTestBooks(t)
	hold := entryOf(t, 7, 600)
	hold.kind = PreAuth
	row := b.post(hold, "rich", "00")
	require.Equal(t, Held, row.State)
	return b, func(stan uint32, kind Kind, amount txn.Amount) entry {
		e := entryOf(t, stan, amount)
		e.kind, e.auth, e.date, e.rrn = kind, row.Auth, row.Day, row.RRN
		return e
	}
}

func (b *books) state(stan uint32) Standing {
	row, _ := b.row(rowKey{"10000001", 5, stan})
	return row.State
}

func TestAHoldIsEndedOnceAndComesBackWhenThatIsUndone(t *testing.T) {
	b, after := kept(t)
	completion := after(8, Completion, 690)
	require.Equal(t, "00", b.post(completion, "rich", "00").Code)
	assert.Equal(t, Completed, b.state(7))
	assert.Equal(t, txn.Amount(690), b.Accounts["rich"].Held)
	require.NoError(t, b.Ledger.Check())
	assert.Equal(t, "12", b.post(after(9, PreAuthCancel, 600), "rich", "00").Code)

	_, code := b.reverse(completion)
	assert.Equal(t, "00", code)
	assert.Equal(t, Held, b.state(7))
	require.NoError(t, b.Ledger.Check())

	again := after(10, Completion, 500)
	row := b.post(again, "rich", "00")
	cancel := after(11, CompletionCancel, 500)
	cancel.of, cancel.rrn = Voucher{5, 10}, row.RRN
	require.Equal(t, "00", b.post(cancel, "rich", "00").Code)
	assert.Equal(t, Voided, b.state(10))
	assert.Equal(t, txn.Amount(600), b.Accounts["rich"].Held, "held again")
	_, code = b.reverse(cancel)
	assert.Equal(t, "00", code)
	assert.Equal(t, Completed, b.state(7))
	assert.Equal(t, txn.Amount(500), b.Accounts["rich"].Held)
	require.NoError(t, b.Ledger.Check())
	totals := b.totals("10000001", 5)
	assert.Equal(t, Sums{Debit: Sum{1, 500}}, totals.Foreign, "what is held, reversed or ended is in no settlement")
	sum, count := b.HeldBy("10000001", 5)
	assert.Equal(t, txn.Amount(500), sum)
	assert.Equal(t, 1, count)
}

// A hold that comes back after the money was spent elsewhere is worth nothing, and the books still balance.
func TestAHoldMayLapse(t *testing.T) {
	b, after := kept(t)
	completion := after(8, Completion, 100)
	require.Equal(t, "00", b.post(completion, "rich", "00").Code)
	require.Equal(t, "00", b.post(entryOf(t, 9, 9_900), "rich", "00").Code)
	_, code := b.reverse(completion)
	assert.Equal(t, "00", code)
	assert.Equal(t, Lapsed, b.state(7))
	require.NoError(t, b.Ledger.Check())
	assert.Equal(t, "12", b.post(after(10, Completion, 100), "rich", "00").Code)
}

func TestHoldsThatDoNotBalance(t *testing.T) {
	for name, spoil := range map[string]func([]Row){
		"completed by nothing":      func(rows []Row) { rows[1].State, rows[1].Held = Refused, 0 },
		"completed and still held":  func(rows []Row) { rows[0].State, rows[0].Held = Held, 600 },
		"a sale that was completed": func(rows []Row) { rows[1].Kind, rows[1].State, rows[1].Held = Sale, Completed, 0 },
		"a cancellation that gave": func(rows []Row) {
			rows[1].Kind, rows[1].State, rows[1].Held, rows[1].Back = PreAuthCancel, Given, 0, 600
		},
		"a hold that gave back":      func(rows []Row) { rows[0].State, rows[0].Held, rows[0].Back = Held, 300, 300 },
		"a completion of two things": func(rows []Row) { rows[0].State = Cancelled },
	} {
		b, after := kept(t)
		require.Equal(t, "00", b.post(after(8, Completion, 600), "rich", "00").Code)
		require.NoError(t, b.Ledger.Check())
		spoil(b.Terminals["10000001"].Rows)
		assert.Error(t, b.Ledger.Check(), name)
	}
}

// What two types of transaction share is not taken for one of the other.
func TestEachTypeIsReadInItsOwnForm(t *testing.T) {
	s := speaker{t, newTestAcquirer(t)}
	require.Equal(t, "00", s.ask(signInFields()).Get(39))
	hold := func(change map[int]string) map[int]string {
		fields := saleFields()
		fields[0], fields[3], fields[25], fields[60] = "0100", "030000", "06", "10"+fields[60][2:]
		for f, value := range change {
			if fields[f] = value; value == "" {
				delete(fields, f)
			}
		}
		return fields
	}
	for name, c := range map[string]struct {
		change map[int]string
		code   string
	}{
		"as it should be":            {nil, "00"},
		"the condition of a sale":    {map[int]string{25: "00"}, "30"},
		"in a financial request":     {map[int]string{0: "0200"}, "30"},
		"with an original":           {map[int]string{61: "0000000000000501"}, "30"},
		"a completion of nothing":    {map[int]string{0: "0200", 3: "000000", 60: "20000001000600"}, "30"},
		"a completion of what it no": {map[int]string{0: "0200", 3: "000000", 60: "20000001000600", 38: "123456", 61: "0000000000000501"}, "25"},
		"a date that is none":        {map[int]string{0: "0200", 3: "000000", 60: "20000001000600", 38: "123456", 61: "000000000000"}, "30"},
	} {
		fields := hold(c.change)
		fields[11] = map[bool]string{true: "000071", false: "000072"}[c.code == "00"]
		assert.Equal(t, c.code, s.ask(fields).Get(39), name)
	}
}
