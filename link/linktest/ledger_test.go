package linktest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func testPAN(t testing.TB, digits string) txn.PAN {
	t.Helper()
	pan, err := txn.ParsePAN(digits)
	require.NoError(t, err)
	return pan
}

func openTestBooks(t testing.TB) books {
	accounts := map[string]Account{
		"rich": {PAN: testPAN(t, "4242424242424242"), Expiry: "3012", Balance: 10_000},
		// Masked alike, and two accounts all the same.
		"twin": {PAN: testPAN(t, "4242420000004242"), Expiry: "3012", Balance: 10_000},
	}
	return openBooks(Ledger{}, accounts, map[string]string{"10000001": "898310148160001", "10000002": "898310148160001"}, 5)
}

func entryOf(t testing.TB, stan uint32, amount txn.Amount) entry {
	return entry{rowKey: rowKey{"10000001", 5, stan}, amount: amount, currency: "156", pan: testPAN(t, "4242424242424242"),
		expiry: "3012", now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
}

func TestWhatAHostAnswersToAReversal(t *testing.T) {
	sale := entryOf(t, 7, 600)
	with := func(change func(*entry)) entry { e := sale; change(&e); return e }
	for name, c := range map[string]struct {
		before   func(*books)
		reversal entry
		code     string
		standing Standing
		held     txn.Amount // of the account, afterwards
	}{
		"held, and given back":     {func(b *books) { b.sell(sale, "rich", "00") }, sale, "00", Reversed, 0},
		"reversed before":          {func(b *books) { b.sell(sale, "rich", "00"); b.reverse(sale) }, sale, "25", Reversed, 0},
		"on another business date": {func(b *books) { b.sell(sale, "rich", "00") }, with(func(e *entry) { e.now = e.now.AddDate(0, 0, 1) }), "25", Held, 600},
		"refused":                  {func(b *books) { b.sell(sale, "rich", "51") }, sale, "01", Refused, 0},
		"another amount":           {func(b *books) { b.sell(sale, "rich", "00") }, with(func(e *entry) { e.amount = 599 }), "64", Held, 600},
		"never seen":               {func(*books) {}, sale, "00", Absent, 0},
		"never seen, twice":        {func(b *books) { b.reverse(sale) }, sale, "00", Absent, 0},
		"another batch":            {func(b *books) { b.sell(sale, "rich", "00") }, with(func(e *entry) { e.batch = 4 }), "00", Absent, 600},
		"another terminal":         {func(b *books) { b.sell(sale, "rich", "00") }, with(func(e *entry) { e.terminal = "10000002" }), "00", Absent, 600},
		"part was approved":        {func(b *books) { b.sell(sale, "rich", "10") }, sale, "00", Reversed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := openTestBooks(t)
			c.before(&b)
			row, code := b.reverse(c.reversal)
			assert.Equal(t, c.code, code)
			assert.Equal(t, c.standing, row.State)
			assert.Positive(t, row.Reversals)
			assert.Equal(t, c.held, b.Accounts["rich"].Held)
			assert.NoError(t, b.Check())
		})
	}
}

func TestASaleHoldsWhatThereIs(t *testing.T) {
	b := openTestBooks(t)
	assert.Equal(t, Held, b.sell(entryOf(t, 1, 9_999), "rich", "00").State)
	refused := b.sell(entryOf(t, 2, 2), "rich", "00")
	assert.Equal(t, "51", refused.Code)
	assert.Equal(t, Refused, refused.State)
	assert.Empty(t, refused.Auth)
	assert.Equal(t, Held, b.sell(entryOf(t, 3, 1), "rich", "00").State)
	assert.Equal(t, AccountBook{Card: "424242******4242", Opening: 10_000, Held: 10_000}, b.Accounts["rich"])
	assert.Equal(t, txn.Amount(10_000), b.Accounts["twin"].Balance)
	sum, count := b.HeldBy("10000001", 5)
	assert.Equal(t, txn.Amount(10_000), sum)
	assert.Equal(t, 2, count)
	assert.NoError(t, b.Check())
}

func TestBooksThatDoNotBalance(t *testing.T) {
	for name, spoil := range map[string]func(*Ledger){
		"money made": func(l *Ledger) { a := l.Accounts["rich"]; a.Balance++; l.Accounts["rich"] = a },
		"money lost": func(l *Ledger) { a := l.Accounts["rich"]; a.Opening++; l.Accounts["rich"] = a },
		"held by nobody": func(l *Ledger) {
			a := l.Accounts["rich"]
			a.Held, a.Balance = a.Held+1, a.Balance-1
			l.Accounts["rich"] = a
		},
		"reversed and held":    func(l *Ledger) { l.Terminals["10000001"].Rows[0].State = Reversed },
		"held for nobody":      func(l *Ledger) { l.Terminals["10000001"].Rows[0].Account = "stranger" },
		"more held than asked": func(l *Ledger) { l.Terminals["10000001"].Rows[0].Amount = 1 },
		"voided by nobody": func(l *Ledger) {
			l.Terminals["10000001"].Rows[0].State, l.Terminals["10000001"].Rows[0].Held, l.Terminals["10000001"].Rows[0].Back = Voided, 0, 600
			a := l.Accounts["rich"]
			a.Held, a.Balance = 0, a.Opening
			l.Accounts["rich"] = a
		},
		"a void of nothing": func(l *Ledger) {
			book := l.Terminals["10000001"]
			book.Rows = append(book.Rows, Row{Batch: 5, STAN: 9, Kind: Void, State: Given, Amount: 5, Back: 5})
			l.Terminals["10000001"] = book
		},
		"a row twice": func(l *Ledger) {
			book := l.Terminals["10000001"]
			book.Rows = append(book.Rows, book.Rows[0])
			l.Terminals["10000001"] = book
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := openTestBooks(t)
			b.sell(entryOf(t, 1, 600), "rich", "00")
			l := b.clone()
			require.NoError(t, l.Check())
			spoil(&l)
			require.Error(t, l.Check())
			assert.NoError(t, b.Check(), "a copy shares nothing")
		})
	}
}

func TestBooksOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.json")
	empty, err := LoadLedger(path)
	require.NoError(t, err)
	assert.Equal(t, Ledger{}, empty)

	b := openTestBooks(t)
	b.sell(entryOf(t, 1, 600), "rich", "00")
	b.reverse(entryOf(t, 2, 600))
	require.NoError(t, SaveLedger(path, b.Ledger))
	loaded, err := LoadLedger(path)
	require.NoError(t, err)
	assert.Equal(t, b.Ledger, loaded)

	again := openBooks(loaded, map[string]Account{"new": {PAN: testPAN(t, "5555555555554444"), Balance: 1}}, map[string]string{"10000003": "898310148160001"}, 9)
	assert.Contains(t, again.Accounts, "rich", "money does not vanish with a card file")
	assert.Equal(t, txn.Amount(1), again.Accounts["new"].Balance)
	assert.Equal(t, uint32(5), again.Terminals["10000001"].Batch)
	assert.Equal(t, uint32(9), again.Terminals["10000003"].Batch)
	_, code := again.reverse(entryOf(t, 1, 600))
	assert.Equal(t, "00", code, "found again by its key")

	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, damaged := range [][]byte{{}, raw[:len(raw)/2], append(raw, '{'), []byte("{}x"), []byte(`{"nxt":1}`)} {
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		_, err := LoadLedger(path)
		assert.ErrorContains(t, err, "damaged")
	}
}

func FuzzLedgerFile(f *testing.F) {
	b := openTestBooks(f)
	b.sell(entryOf(f, 1, 600), "rich", "00")
	good, err := json.Marshal(b.Ledger)
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"next":0,"accounts":{},"terminals":{"10000001":{"rows":[{"stan":1}]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parseLedger(raw)
		if err != nil {
			return
		}
		continued := openBooks(l, nil, nil, 1)
		require.NoError(t, continued.Check(), "what is read can be continued")
	})
}
