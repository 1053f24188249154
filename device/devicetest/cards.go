package devicetest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"posagent/txnstore/txn"
)

// TestCard is a card of a scheme's test range, as a simulated reader presents it.
type TestCard struct {
	Name    string // the key of its table in the file, such as "visa-4242"
	PAN     string // 12 to 19 digits
	Expiry  string // YYMM
	Service string // three digits (ISO/IEC 7813)
	Entry   string // swiped, contactless or tapped
	Balance string // opening balance at the simulated acquirer, which reads the same file: "5000.00"
	Label   string // application label, at most 16 bytes
	AID     string // application identifier in hex, 10 to 32 digits; may be empty on a card that is swiped
	PIN     string // what its holder types where a PIN is asked for; the simulated acquirer knows it, too
}

// String leaves the number out, test card or not.
func (c TestCard) String() string { return "test card " + c.Name }

// GoString is String.
func (c TestCard) GoString() string { return c.String() }

// Limits of a card file, chosen by us; the simulated acquirer has the same limit of cards.
const (
	maxCardFile = 256 << 10
	maxCards    = 1000
)

// LoadCards reads a TOML file of test cards by name. It is strict: unknown keys, missing values and values that no card
// has are refused, all faults of the file in one error, which names cards and keys and never a number.
func LoadCards(path string) (map[string]TestCard, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cards: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxCardFile+1))
	if err != nil {
		return nil, fmt.Errorf("cards: %w", err)
	}
	cards, err := parseCards(string(text))
	if err != nil {
		return nil, fmt.Errorf("cards %s: %w", path, err)
	}
	return cards, nil
}

func parseCards(text string) (map[string]TestCard, error) {
	if len(text) > maxCardFile {
		return nil, fmt.Errorf("file is longer than %d bytes", maxCardFile)
	}
	var file struct {
		Card map[string]struct {
			PAN     string `toml:"pan"`
			Expiry  string `toml:"expiry"`
			Service string `toml:"service"`
			Entry   string `toml:"entry"`
			Balance string `toml:"balance"`
			Label   string `toml:"label"`
			AID     string `toml:"aid"`
			PIN     string `toml:"pin"`
		} `toml:"card"`
	}
	meta, err := toml.Decode(text, &file)
	if err != nil {
		return nil, withoutQuote(err)
	}
	var faults []error
	for _, key := range meta.Undecoded() {
		faults = append(faults, fmt.Errorf("key %s is not known", key))
	}
	if len(file.Card) == 0 || len(file.Card) > maxCards {
		faults = append(faults, fmt.Errorf("has %d cards, want 1 to %d tables [card.NAME]", len(file.Card), maxCards))
	}
	cards := make(map[string]TestCard, len(file.Card))
	owners := make(map[string]string, len(file.Card))
	for name, entry := range file.Card {
		card := TestCard{name, entry.PAN, entry.Expiry, entry.Service, entry.Entry, entry.Balance, entry.Label, entry.AID, entry.PIN}
		faults = append(faults, card.faults()...)
		if other, taken := owners[card.PAN]; taken {
			faults = append(faults, fmt.Errorf("cards %s and %s have the same number", min(name, other), max(name, other)))
		}
		owners[card.PAN] = name
		cards[name] = card
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(faults...)
	}
	return cards, nil
}

// yuan is the currency of balances.
var yuan = txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}

// faults lists what keeps c from being a card.
func (c TestCard) faults() (faults []error) {
	refuse := func(wrong bool, what string) {
		if wrong {
			faults = append(faults, fmt.Errorf("card %s: %s", c.Name, what))
		}
	}
	refuse(c.Name == "" || len(c.Name) > 40 || strings.ContainsAny(c.Name, " \t\r\n"), "name must have 1 to 40 characters and no space")
	_, err := txn.ParsePAN(c.PAN)
	refuse(err != nil, "pan must have 12 to 19 digits")
	refuse(!digits(c.Expiry, 4) || c.Expiry[2:] < "01" || c.Expiry[2:] > "12", "expiry must be YYMM, such as \"3012\"")
	refuse(!digits(c.Service, 3), "service must have three digits, such as \"201\"")
	refuse(!slices.Contains([]string{"swiped", "contactless", "tapped"}, c.Entry), "entry must be swiped, contactless or tapped")
	_, err = yuan.ParseAmount(c.Balance)
	refuse(err != nil && c.Balance != "0.00", "balance must be an amount such as \"5000.00\"")
	refuse(c.Label == "" || len(c.Label) > 16, "label must have 1 to 16 bytes")
	refuse(c.PIN != "" && (len(c.PIN) < 4 || len(c.PIN) > 12 || !digits(c.PIN, len(c.PIN))), "pin must have 4 to 12 digits")
	refuse(c.AID == "" && c.Entry == "contactless", "aid is missing: a contactless card has one")
	refuse(c.AID != "" && !applicationID(c.AID), "aid must have 10 to 32 hexadecimal digits, an even number")
	return faults
}

func digits(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }

// applicationID checks the length and alphabet of an AID (ISO/IEC 7816-5: 5 to 16 bytes).
func applicationID(s string) bool {
	return len(s) >= 10 && len(s) <= 32 && len(s)%2 == 0 && strings.Trim(s, "0123456789ABCDEFabcdef") == ""
}

// withoutQuote keeps the decoder from repeating a line of the file, which may hold a card number.
func withoutQuote(err error) error {
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d is not TOML: values are quoted, tables are written [card.NAME]", syntax.Position.Line)
	}
	return errors.New("a value has the wrong type: every value is a quoted string inside a table [card.NAME]")
}
