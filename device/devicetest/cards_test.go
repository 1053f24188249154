package devicetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const cardsFile = "../../testdata/cards/cards.toml"

func TestTheProjectsCards(t *testing.T) {
	cards, err := LoadCards(cardsFile)
	require.NoError(t, err)
	for name, entry := range map[string]string{
		"visa-4242": "contactless", "unionpay-0005": "swiped", "unionpay-0113": "contactless",
		"mastercard-4444": "contactless", "visa-1111": "tapped", "poor-0002": "contactless",
	} {
		require.Contains(t, cards, name)
		require.Equal(t, entry, cards[name].Entry)
		require.Equal(t, name, cards[name].Name)
		require.True(t, luhn(cards[name].PAN), "%s: check digit", name)
	}
	require.Equal(t, "1.00", cards["poor-0002"].Balance)
	require.Equal(t, "A000000333010101", cards["unionpay-0113"].AID)
}

// luhn checks a number's last digit (ISO/IEC 7812-1, annex B).
func luhn(pan string) bool {
	sum := 0
	for i := range pan {
		d := int(pan[len(pan)-1-i] - '0')
		if i%2 == 1 {
			d = d*2/10 + d*2%10
		}
		sum += d
	}
	return sum%10 == 0
}

const goodCard = `[card.one]
pan = "4242424242424242"
expiry = "3012"
service = "201"
entry = "contactless"
balance = "5.00"
label = "VISA"
aid = "A0000000031010"
`

func TestACardFileIsReadStrictly(t *testing.T) {
	_, err := parseCards(goodCard)
	require.NoError(t, err)
	for says, text := range map[string]string{
		"has 0 cards":                   "",
		"line 1 is not TOML":            "[card.one",
		"wrong type":                    "[card.one]\npan = 1",
		"key card.one.cvv is not known": goodCard + `cvv = "123"`,
		"pin must have 4 to 12 digits":  goodCard + `pin = "123"`,
		"key cards is not known":        goodCard + "[cards]\n",
		"pan must have 12 to 19 digits": strings.Replace(goodCard, "4242424242424242", "4242", 1),
		"expiry must be YYMM":           strings.Replace(goodCard, "3012", "1230", 1),
		"service must have three":       strings.Replace(goodCard, "201", "20", 1),
		"entry must be swiped":          strings.Replace(goodCard, "contactless", "inserted", 1),
		"balance must be an amount":     strings.Replace(goodCard, "5.00", "-5.00", 1),
		"label must have 1 to 16":       strings.Replace(goodCard, "VISA", "A LABEL FAR TOO LONG", 1),
		"aid must have 10 to 32":        strings.Replace(goodCard, "A0000000031010", "A00", 1),
		"aid is missing":                strings.Replace(goodCard, "A0000000031010", "", 1),
		"cards one and two have the":    goodCard + strings.Replace(goodCard, "card.one", "card.two", 1),
	} {
		_, err := parseCards(text)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "4242424242424242")
	}
}

func TestAllFaultsOfAFileAreTold(t *testing.T) {
	_, err := parseCards(`[card.bad]`)
	for _, key := range []string{"pan", "expiry", "service", "entry", "balance", "label"} {
		require.ErrorContains(t, err, "card bad: "+key)
	}
}

func TestASyntaxErrorDoesNotQuoteANumber(t *testing.T) {
	_, err := parseCards(strings.Replace(goodCard, `"4242424242424242"`, `4242424242424242x`, 1))
	require.ErrorContains(t, err, "line 2")
	require.NotContains(t, err.Error(), "4242")
	_, err = parseCards(strings.Replace(goodCard, `"4242424242424242"`, `4242424242424242`, 1))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "4242")
}

func TestACardDoesNotPrintItsNumber(t *testing.T) {
	cards, err := parseCards(goodCard)
	require.NoError(t, err)
	text := fmt.Sprintf("%v %+v %#v %s", cards["one"], cards["one"], cards["one"], cards["one"])
	require.NotContains(t, text, "4242424242424242")
}

func TestLoadCardsNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cards.toml")
	_, err := LoadCards(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, make([]byte, maxCardFile+1), 0o600))
	_, err = LoadCards(path)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "longer than")
}

func FuzzParseCards(f *testing.F) {
	text, err := os.ReadFile(cardsFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(goodCard)
	f.Add("[card]\none = 1")
	f.Fuzz(func(t *testing.T, text string) {
		cards, err := parseCards(text)
		if (err == nil) == (len(cards) == 0) {
			t.Fatalf("%d cards and error %v", len(cards), err)
		}
		for name, card := range cards {
			if card.Name != name || len(card.faults()) > 0 {
				t.Fatalf("accepted a card with faults: %v", card.faults())
			}
		}
	})
}
