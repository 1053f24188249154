package acquirer_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/iso8583"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

const (
	terminal = "10000001"
	merchant = "898310148160001"
)

// began is when every transaction of these tests was begun, by the terminal's clock.
var began = time.Date(2026, 11, 21, 9, 34, 58, 0, time.UTC)

// cards are test numbers that the schemes publish.
var cards = map[string]struct{ number, expiry string }{
	"visa":     {"4242424242424242", "3012"},
	"unionpay": {"6200000000000005", "3012"},
	"long":     {"6224242900000113", "2911"},
	"poor":     {"4000000000009995", "3012"},
	"unknown":  {"5555555555554444", "2912"}, // has no account
}

// world is a terminal's host, a real link, and an acquirer with books at the far end, in virtual time.
type world struct {
	t        *testing.T
	ctx      context.Context
	profile  *profile.Profile
	acquirer *linktest.Acquirer
	line     *linktest.Line
	link     *link.Link
	host     *acquirer.Host
	stan     uint32
	batch    uint32

	mu     sync.Mutex
	strays []string // type, STAN and code of what nobody waited for
}

type settings struct {
	framing link.Framing
	profile *profile.Profile // nil is profile.UnionPay()
	host    func(*acquirer.Options)
	bank    func(*linktest.AcquirerOpts)
}

func master(t *testing.T) []byte {
	raw, err := hex.DecodeString("CA5D92598DCA48CE8A4C76361A9269E9")
	require.NoError(t, err)
	return raw
}

func pan(t *testing.T, digits string) txn.PAN {
	t.Helper()
	p, err := txn.ParsePAN(digits)
	require.NoError(t, err)
	return p
}

// inWorld tells one story and then proves that the acquirer's books balance.
func inWorld(t *testing.T, s settings, story func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if s.profile == nil {
			s.profile = profile.UnionPay()
		}
		w := &world{t: t, ctx: t.Context(), batch: 1, profile: s.profile}
		accounts := map[string]linktest.Account{}
		for name, card := range cards {
			if name != "unknown" {
				accounts[name] = linktest.Account{PAN: pan(t, card.number), Expiry: card.expiry, Balance: 500_000}
			}
		}
		accounts["poor"] = linktest.Account{PAN: pan(t, cards["poor"].number), Expiry: "3012", Balance: 100}
		bank := linktest.AcquirerOpts{Accounts: accounts, TMK: master(t), Terminals: map[string]string{terminal: merchant}, Profile: s.profile}
		if s.bank != nil {
			s.bank(&bank)
		}
		w.acquirer = linktest.NewAcquirer(bank)
		w.line = w.acquirer.Line(w.ctx, s.framing)
		w.link = link.New(link.Options{
			Dialect: s.profile.Dialect,
			Header:  w.header(),
			Bearers: []link.Bearer{{Name: "pipe", Dialer: w.line, Framing: s.framing}},
			Stray: func(m *iso8583.Message) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.strays = append(w.strays, fmt.Sprintf("%s %s %s", m.MTI(), m.Get(11), m.Get(39)))
			},
		})
		w.host = w.newHost(s.host)
		story(w)
		require.NoError(t, w.link.Close())
		synctest.Wait()
		assert.NoError(t, w.acquirer.Ledger().Check())
	})
}

func mustHeader(t *testing.T) link.Header {
	h, err := link.ParseHeader("6000060000", "603100310000")
	require.NoError(t, err)
	return h
}

func (w *world) header() link.Header {
	h := mustHeader(w.t)
	h.Frame = w.profile.Frame
	return h
}

func (w *world) newHost(change func(*acquirer.Options)) *acquirer.Host {
	o := acquirer.Options{
		Terminal: terminal, Merchant: merchant, Operator: "01", TMK: master(w.t),
		STAN:       func() (uint32, error) { w.stan++; return w.stan, nil },
		Batch:      func() uint32 { return w.batch },
		AdoptBatch: func(batch uint32) error { w.batch = batch; return nil },
		Profile:    w.profile, Zone: time.UTC,
	}
	if change != nil {
		change(&o)
	}
	return acquirer.New(w.link, o)
}

// sale records a transaction as the store would, and the card as the reader would show it.
func (w *world) sale(card string, entry txn.Entry, amount txn.Amount) (txn.Txn, txn.Presented) {
	w.t.Helper()
	w.stan++
	number := pan(w.t, cards[card].number)
	t := txn.Txn{
		Terminal: terminal, Merchant: merchant, Kind: txn.Sale, State: txn.Pending, Batch: w.batch, STAN: w.stan,
		Amount: amount, Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}, Reason: txn.NoAnswer,
		Profile: w.profile.Mark, Began: began,
		Card: txn.Card{PAN: number, Expiry: cards[card].expiry, Entry: entry},
	}
	p := txn.Presented{Card: t.Card}
	if entry != txn.Keyed {
		track, err := txn.ParseTrack(cards[card].number + "=" + cards[card].expiry + "2011234567890")
		require.NoError(w.t, err)
		p.Track = track
	}
	if entry == txn.Contactless || entry == txn.Inserted {
		t.Card.Sequence = "001"
		t.Card.Chip = txn.NewChip([]byte{0x95, 0x05, 0, 0, 0, 0, 0, 0x9F, 0x36, 0x02, 0x00, 0x01})
		p.Chip = txn.NewChip([]byte{0x82, 0x02, 0x20, 0x00, 0x95, 0x05, 0, 0, 0, 0, 0, 0x9F, 0x36, 0x02, 0x00, 0x01})
	}
	return t, p
}

func (w *world) fault(text string) {
	w.t.Helper()
	_, err := w.acquirer.Command("fault " + text)
	require.NoError(w.t, err)
}

// strayed waits until nothing moves any more and tells what nobody waited for.
func (w *world) strayed() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.strays)
}

func (w *world) row(t txn.Txn) (linktest.Row, bool) {
	return w.acquirer.Ledger().Find(terminal, t.STAN)
}

// rowState is what became of a sale at the acquirer, "" where it knows nothing of it.
func (w *world) rowState(t txn.Txn) linktest.Standing {
	row, _ := w.row(t)
	return row.State
}

// questions are what an engine that knows neither link nor acquirer asks of an error.
type questions interface {
	ReversalReason() txn.Reason
	Evidence() txn.Evidence
}

func (w *world) reasonOf(err error) txn.Reason {
	w.t.Helper()
	var asked questions
	require.True(w.t, errors.As(err, &asked), "%v", err)
	return asked.ReversalReason()
}

// lastSeen is the newest message of a type at the acquirer.
func (w *world) lastSeen(mti string) linktest.Sighting {
	w.t.Helper()
	seen := w.acquirer.Seen()
	for i := len(seen) - 1; i >= 0; i-- {
		if seen[i].MTI == mti {
			return seen[i]
		}
	}
	require.Fail(w.t, "never seen", mti)
	return linktest.Sighting{}
}
