package linktest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// A sale by payment code names no account: who shows a code pays out of the wallet behind it. Here there is one wallet, which
// anybody may draw on, with money enough for any test. What the books never forget is the code: it pays once, whatever
// became of the sale that it came with.
const (
	walletName    = "wallet"
	walletOpening = txn.Amount(100_000_000_00)
)

// codeUsed refuses a payment code that came before.
const codeUsed = "40"

// scanned reports whether a message says that a payment code was read (03, bar code, of field 22).
func scanned(m *iso8583.Message) bool { return strings.HasPrefix(m.Get(22), "03") }

// readCode reads a payment code: tag A3 of field 59, three digits of length, the digits. What undoes a sale has none.
func (e *entry) readCode(m *iso8583.Message) error {
	e.scanned = true
	if (e.kind == Sale) != m.Has(59) {
		return fmt.Errorf("field 59: a sale by payment code has one, and nothing else has")
	}
	if e.kind != Sale && e.kind != Void {
		return fmt.Errorf("a %s takes no payment code", e.kind)
	}
	if e.kind == Void {
		return nil
	}
	said := string(m.Bytes(59))
	code, tagged := strings.CutPrefix(said, "A3")
	if !tagged || len(code) < 3+txn.MinPayCode || code[:3] != fmt.Sprintf("%03d", len(code)-3) || strings.Trim(code, "0123456789") != "" {
		return fmt.Errorf("field 59: want tag A3 with a length and a payment code")
	}
	e.code = code[3:]
	return nil
}

// payer is what a row calls the card, or the code.
func (e entry) payer() string {
	if e.code == "" {
		return e.pan.Masked()
	}
	if code, err := txn.NewPayCode(e.code, "", txn.Fingerprint{}); err == nil {
		return code.Masked()
	}
	return e.pan.Masked()
}

func (e entry) scheme() string {
	if e.scanned {
		return ownScheme
	}
	return schemeOf(e.pan)
}

// paid is how the books remember a code: they are safe to print.
func paid(code string) string {
	if code == "" {
		return ""
	}
	digest := sha256.Sum256([]byte(code))
	return hex.EncodeToString(digest[:8])
}

// draw finds the account of what was paid by code, and why it cannot pay: a code that stands in the books pays for nothing
// else, whatever became of the sale it came with.
func (b *books) draw(e entry) (name, verdict string) {
	if _, open := b.Accounts[walletName]; !open {
		b.Accounts[walletName] = AccountBook{Opening: walletOpening, Balance: walletOpening}
	}
	if e.code == "" {
		return walletName, codeApproved
	}
	mark := paid(e.code)
	for _, book := range b.Terminals {
		for i := len(book.Rows) - 1; i >= 0; i-- {
			if book.Rows[i].Paid == mark {
				return walletName, codeUsed
			}
		}
	}
	return walletName, codeApproved
}
