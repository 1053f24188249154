package linktest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

const oneCard = `
[card.visa]
pan = "4242424242424242"
expiry = "3012"
service = "201"
entry = "contactless"
balance = "5000.00"
label = "VISA CREDIT"
aid = "A0000000031010"
`

func TestTheCardsOfTheRepository(t *testing.T) {
	accounts, err := LoadCards("../../testdata/cards/cards.toml")
	require.NoError(t, err)
	assert.NotEmpty(t, accounts)
}

func TestCardsAreReadStrictly(t *testing.T) {
	accounts, err := parseCards(oneCard)
	require.NoError(t, err)
	assert.Equal(t, txn.Amount(500_000), accounts["visa"].Balance)
	assert.Equal(t, "3012", accounts["visa"].Expiry)
	assert.True(t, accounts["visa"].PAN.Equal(testPAN(t, "4242424242424242")))

	accounts, err = parseCards(strings.Replace(oneCard, "5000.00", "0.00", 1))
	require.NoError(t, err)
	assert.Zero(t, accounts["visa"].Balance)

	for name, c := range map[string]struct{ text, why string }{
		"no card":         {"", "0 cards"},
		"unknown key":     {oneCard + `cvv = "123"`, "cvv"},
		"PIN":             {oneCard + `pin = "12E4"`, "a PIN has 4 to 12 digits"},
		"short number":    {strings.Replace(oneCard, "4242424242424242", "42424242424", 1), "card visa"},
		"no expiry":       {strings.Replace(oneCard, "3012", "", 1), "YYMM"},
		"words of money":  {strings.Replace(oneCard, "5000.00", "plenty", 1), "balance"},
		"number as value": {strings.Replace(oneCard, `"4242424242424242"`, "4242424242424242", 1), "wrong type"},
		"torn":            {oneCard + "[card.", "line"},
		"torn number":     {strings.Replace(oneCard, `4242"`, "4242", 1), "line 3"},
		"number twice":    {oneCard + strings.Replace(oneCard, "card.visa", "card.twin", 1), "cards twin and visa"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseCards(c.text)
			require.ErrorContains(t, err, c.why)
			assert.NotContains(t, err.Error(), "424242424")
		})
	}
}

func FuzzCards(f *testing.F) {
	f.Add(oneCard)
	f.Add("[card.a]\npan=\"400000000000\"\nexpiry=\"3012\"")
	f.Fuzz(func(t *testing.T, text string) {
		accounts, err := parseCards(text)
		if err != nil {
			return
		}
		for name, account := range accounts {
			require.False(t, account.PAN.IsZero(), name)
			require.GreaterOrEqual(t, account.Balance, txn.Amount(0), name)
		}
	})
}
