package linktest

import (
	"fmt"
	"os"
	"strings"

	"github.com/BurntSushi/toml"

	"posagent/txnstore/txn"
)

// Account is one cardholder's account at the acquirer.
type Account struct {
	PAN     txn.PAN
	Expiry  string     // YYMM; a request that says otherwise is answered 54. Empty accepts any
	Balance txn.Amount // opening balance, minor units of CNY
	PIN     string     // of a test card, 4 to 12 digits; a wrong one is answered 55. Empty accepts any
}

// maxCards is the number of cards that one file may hold.
const maxCards = 1000

// LoadCards reads a file of test cards as accounts, by the cards' names:
//
//	[card.visa-4242]
//	pan     = "4242424242424242"
//	expiry  = "3012"       # YYMM
//	service = "201"
//	entry   = "contactless"
//	balance = "5000.00"    # CNY
//	label   = "VISA CREDIT"
//	aid     = "A0000000031010"
//
// What a reader needs and a bank does not, service code, entry mode, label and AID, may be there and is not kept. Any
// other key is refused, and so are two cards with one number. Errors name the card, never its number.
func LoadCards(path string) (map[string]Account, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cards: %w", err)
	}
	accounts, err := parseCards(string(text))
	if err != nil {
		return nil, fmt.Errorf("cards %s: %w", path, err)
	}
	return accounts, nil
}

func parseCards(text string) (map[string]Account, error) {
	var file struct {
		Card map[string]struct {
			PAN, Expiry, Service, Entry, Balance, Label, AID, PIN string
		}
	}
	meta, err := toml.Decode(text, &file)
	if err != nil {
		return nil, fmt.Errorf("not TOML as expected: %w", hideLine(err))
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("key %s is not known", unknown[0])
	}
	if len(file.Card) == 0 || len(file.Card) > maxCards {
		return nil, fmt.Errorf("has %d cards, want 1 to %d", len(file.Card), maxCards)
	}
	accounts := map[string]Account{}
	owner := map[string]string{}
	for name, card := range file.Card {
		pan, err := txn.ParsePAN(card.PAN)
		if err != nil {
			return nil, fmt.Errorf("card %s: %w", name, err)
		}
		if other, taken := owner[card.PAN]; taken {
			return nil, fmt.Errorf("cards %s and %s have the same number", min(name, other), max(name, other))
		}
		owner[card.PAN] = name
		if len(card.Expiry) != 4 || strings.Trim(card.Expiry, "0123456789") != "" {
			return nil, fmt.Errorf("card %s: expiry must be YYMM", name)
		}
		if n := len(card.PIN); n != 0 && (n < 4 || n > 12 || strings.Trim(card.PIN, "0123456789") != "") {
			return nil, fmt.Errorf("card %s: a PIN has 4 to 12 digits", name)
		}
		account := Account{PAN: pan, Expiry: card.Expiry, PIN: card.PIN}
		if card.Balance != "" && strings.Trim(card.Balance, "0.") != "" {
			if account.Balance, err = yuan.ParseAmount(card.Balance); err != nil {
				return nil, fmt.Errorf("card %s: balance: %w", name, err)
			}
		}
		accounts[name] = account
	}
	return accounts, nil
}

// hideLine keeps a syntax error from quoting the line it found, which may hold a card number.
func hideLine(err error) error {
	if syntax, ok := err.(toml.ParseError); ok {
		return fmt.Errorf("line %d is not understood", syntax.Position.Line)
	}
	return fmt.Errorf("a value has the wrong type")
}

// yuan is the currency of the accounts.
var yuan = txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}
