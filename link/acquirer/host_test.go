package acquirer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

func TestSignInBringsKeysAndTheBatch(t *testing.T) {
	inWorld(t, settings{bank: func(o *linktest.AcquirerOpts) { o.Batch = 42 }}, func(w *world) {
		assert.False(t, w.host.SignedIn())
		require.NoError(t, w.host.SignIn(w.ctx))
		assert.True(t, w.host.SignedIn())
		assert.Equal(t, uint32(42), w.batch)
		seen := w.lastSeen("0800")
		assert.Equal(t, "00000001003", seen.Private)
		assert.Equal(t, []int{11, 41, 42, 60, 62, 63}, seen.Fields)
	})
}

func TestAWrongCheckValueKeepsTheOldKeys(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		w.fault("badkcv")
		err := w.host.SignIn(w.ctx)
		require.ErrorIs(t, err, acquirer.ErrCheckValue)
		assert.ErrorContains(t, err, "MAC key")
		assert.False(t, w.host.SignedIn())

		require.NoError(t, w.host.SignIn(w.ctx))
		w.fault("badkcv")
		require.ErrorIs(t, w.host.SignIn(w.ctx), acquirer.ErrCheckValue)
		assert.True(t, w.host.SignedIn(), "the old keys stay until the acquirer disowns them")

		sale, card := w.sale("visa", txn.Keyed, 1250)
		answer, _, err := w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		assert.Equal(t, "A0", answer.Code, "the acquirer has gone on to the new ones")
		assert.False(t, w.host.SignedIn())
	})
}

func TestSignInRefusedOrUnanswered(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		w.fault("decline 97 for signin")
		var refused *acquirer.RefusedError
		require.ErrorAs(t, w.host.SignIn(w.ctx), &refused)
		assert.Equal(t, "97", refused.Code)
		assert.ErrorContains(t, refused, "terminal not registered")

		w.fault("silent for signin")
		assert.ErrorIs(t, w.host.SignIn(w.ctx), link.ErrTimeout)
		assert.False(t, w.host.SignedIn())

		failing := w.newHost(func(o *acquirer.Options) { o.AdoptBatch = func(uint32) error { return errors.New("store is full") } })
		assert.ErrorContains(t, failing.SignIn(w.ctx), "store is full")
		assert.False(t, failing.SignedIn())
		failing = w.newHost(func(o *acquirer.Options) { o.STAN = func() (uint32, error) { return 0, errors.New("store is full") } })
		assert.ErrorContains(t, failing.SignIn(w.ctx), "store is full")
	})
}

func TestSignInWithAnotherMasterKey(t *testing.T) {
	inWorld(t, settings{host: func(o *acquirer.Options) { o.TMK = []byte("not the same key") }}, func(w *world) {
		err := w.host.SignIn(w.ctx)
		require.ErrorIs(t, err, acquirer.ErrCheckValue)
		assert.ErrorContains(t, err, "PIN key")
	})
}

func TestUnusableOptionsSendNothing(t *testing.T) {
	inWorld(t, settings{host: func(o *acquirer.Options) { o.TMK = nil; o.Terminal = "short" }}, func(w *world) {
		assert.ErrorIs(t, w.host.SignIn(w.ctx), acquirer.ErrMasterKey)
		assert.ErrorContains(t, w.host.Echo(w.ctx), "want 8")
		sale, card := w.sale("visa", txn.Keyed, 1250)
		_, _, err := w.host.Request(w.ctx, sale, card)
		assert.ErrorIs(t, err, txn.ErrNotSent)
		assert.Empty(t, w.acquirer.Seen())
	})
}

func TestEchoNeedsNoKeys(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		require.NoError(t, w.host.Echo(w.ctx))
		assert.False(t, w.host.SignedIn())
		assert.Equal(t, []int{41, 42, 60}, w.lastSeen("0820").Fields)
		w.fault("decline 96 for any")
		assert.ErrorContains(t, w.host.Echo(w.ctx), "echo refused with 96")
		w.fault("silent for any")
		assert.ErrorIs(t, w.host.Echo(w.ctx), link.ErrTimeout)
	})
}

func TestASaleIsApproved(t *testing.T) {
	for _, framing := range []link.Framing{link.LengthPrefixed, link.SelfDelimited} {
		inWorld(t, settings{framing: framing}, func(w *world) {
			sale, card := w.sale("visa", txn.Contactless, 1250)
			answer, sent, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			row, found := w.row(sale)
			require.True(t, found)
			assert.Equal(t, txn.Answer{
				Code: "00", Approved: true, RRN: row.RRN, AuthCode: row.Auth, Issuer: "03050000", Acquirer: "48021000",
				HostTime: time.Now().Format("150405"), HostDate: time.Now().Format("0102"),
				SettledOn: time.Now().Format("0102"), Scheme: "VIS", Text: "交易成功 欢迎使用银联卡",
			}, answer)
			assert.Equal(t, "pipe", sent.Bearer)
			assert.Equal(t, sent.Total, sent.Written)
			assert.Positive(t, sent.Total)
			assert.Equal(t, linktest.Held, row.State)
			assert.Equal(t, txn.Amount(1250), row.Held)
			assert.Equal(t, "424242******4242", row.PAN)
		})
	}
}

func TestFieldsOfEveryEntryMode(t *testing.T) {
	for _, c := range []struct {
		entry    txn.Entry
		mode     string
		sale     []int
		reversal []int
	}{
		{txn.Keyed, "012", []int{2, 3, 4, 11, 14, 22, 25, 41, 42, 49, 60, 64}, []int{2, 3, 4, 11, 14, 22, 25, 39, 41, 42, 49, 60, 64}},
		{txn.Swiped, "022", []int{3, 4, 11, 22, 25, 35, 41, 42, 49, 60, 64}, []int{2, 3, 4, 11, 14, 22, 25, 39, 41, 42, 49, 60, 64}},
		{txn.Fallback, "022", []int{3, 4, 11, 22, 25, 35, 41, 42, 49, 60, 64}, []int{2, 3, 4, 11, 14, 22, 25, 39, 41, 42, 49, 60, 64}},
		{txn.Tapped, "912", []int{3, 4, 11, 22, 25, 35, 41, 42, 49, 60, 64}, []int{2, 3, 4, 11, 14, 22, 25, 39, 41, 42, 49, 60, 64}},
		{txn.Contactless, "072", []int{2, 3, 4, 11, 14, 22, 23, 25, 35, 41, 42, 49, 55, 60, 64}, []int{2, 3, 4, 11, 14, 22, 23, 25, 38, 39, 41, 42, 49, 55, 60, 64}},
		{txn.Inserted, "052", []int{2, 3, 4, 11, 14, 22, 23, 25, 35, 41, 42, 49, 55, 60, 64}, []int{2, 3, 4, 11, 14, 22, 23, 25, 39, 41, 42, 49, 55, 60, 64}},
	} {
		t.Run(string(c.entry), func(t *testing.T) {
			inWorld(t, settings{}, func(w *world) {
				sale, card := w.sale("long", c.entry, 99)
				answer, _, err := w.host.Request(w.ctx, sale, card)
				require.NoError(t, err)
				require.True(t, answer.Approved, answer.Code)
				seen := w.lastSeen("0200")
				assert.Equal(t, c.mode, seen.Entry)
				assert.Equal(t, c.sale, seen.Fields)
				condition := "0"
				if c.entry == txn.Fallback {
					condition = "2"
				}
				assert.Equal(t, "220000010006"+condition+"0", seen.Private)
				assert.Equal(t, "000000000099", seen.Amount)
				assert.True(t, answer.Chip.IsZero(), "only a card in the slot is answered, and this one's data holds no cryptogram")

				sale.Reason = txn.NotDone
				if c.entry == txn.Contactless {
					sale.Answer = answer // seen and recorded, so its authorisation code is repeated
				}
				undone, _, err := w.host.Reverse(w.ctx, sale)
				require.NoError(t, err)
				assert.True(t, undone.Approved)
				seen = w.lastSeen("0400")
				assert.Equal(t, c.reversal, seen.Fields)
				assert.Equal(t, "96", seen.Reason)
				assert.Equal(t, fmt.Sprintf("%06d", sale.STAN), seen.STAN)
				assert.Equal(t, linktest.Reversed, w.rowState(sale))
			})
		})
	}
}

// What the issuer says to a card in the slot comes back with the answer, and with no other entry mode.
func TestTheIssuersWordForTheCard(t *testing.T) {
	for _, entry := range []txn.Entry{txn.Inserted, txn.Contactless} {
		inWorld(t, settings{}, func(w *world) {
			sale, card := w.sale("long", entry, 99)
			card.Chip = txn.NewChip([]byte{0x95, 5, 0, 0, 0, 0, 0, 0x9F, 0x26, 8, 1, 2, 3, 4, 5, 6, 7, 8})
			answer, _, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			if entry == txn.Contactless {
				assert.True(t, answer.Chip.IsZero())
				return
			}
			issuer := answer.Chip.BytesInTheClear()
			require.Len(t, issuer, 12)
			assert.Equal(t, []byte{0x91, 10}, issuer[:2])
			assert.Equal(t, "00", string(issuer[10:]))
			kept, forCard := answer.Kept()
			assert.True(t, kept.Chip.IsZero())
			assert.Equal(t, issuer, forCard.BytesInTheClear())
		})
	}
}

func TestTheAcquirerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		fault, card string
		amount      txn.Amount
		code        string
	}{
		"not enough money":      {"", "poor", 101, "51"},
		"unknown card":          {"", "unknown", 100, "14"},
		"keep the card":         {"decline 04", "visa", 100, "04"},
		"an undefined code":     {"decline ZZ", "visa", 100, "ZZ"},
		"late at the issuer":    {"decline 68", "visa", 100, "68"},
		"all but one fen of it": {"", "poor", 100, "00"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, settings{}, func(w *world) {
				if c.fault != "" {
					w.fault(c.fault)
				}
				sale, card := w.sale(c.card, txn.Swiped, c.amount)
				answer, sent, err := w.host.Request(w.ctx, sale, card)
				require.NoError(t, err)
				assert.Equal(t, c.code, answer.Code)
				assert.Equal(t, c.code == "00", answer.Approved)
				assert.Equal(t, sent.Total, sent.Written)
				assert.Equal(t, answer.Approved, w.rowState(sale) == linktest.Held, "approved here means held there")
				assert.True(t, w.host.SignedIn())
			})
		})
	}
}

func TestApprovalsWithANote(t *testing.T) {
	for _, code := range []string{"11", "A2", "A4", "A5", "A6"} {
		inWorld(t, settings{}, func(w *world) {
			w.fault("approve " + code)
			sale, card := w.sale("visa", txn.Swiped, 100)
			answer, _, err := w.host.Request(w.ctx, sale, card)
			require.NoError(t, err)
			assert.True(t, answer.Approved)
			assert.Equal(t, code, answer.Code)
			assert.Equal(t, linktest.Held, w.rowState(sale))
		})
	}
}

func TestABatchOpenedBehindOurBackIsNotCharged(t *testing.T) {
	inWorld(t, settings{bank: func(o *linktest.AcquirerOpts) { o.Batch = 7 }}, func(w *world) {
		sale, card := w.sale("visa", txn.Swiped, 100) // recorded under batch 1, before the first sign-in
		_, sent, err := w.host.Request(w.ctx, sale, card)
		require.ErrorIs(t, err, txn.ErrNotSent)
		assert.ErrorContains(t, err, "begin again")
		assert.Zero(t, sent)
		assert.Zero(t, w.acquirer.Counts()["0200"])

		sale, card = w.sale("visa", txn.Swiped, 100)
		answer, _, err := w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		assert.True(t, answer.Approved)

		sale, card = w.sale("visa", txn.Swiped, 100)
		sale.Batch = 6
		answer, _, err = w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		assert.Equal(t, "77", answer.Code)
		assert.False(t, w.host.SignedIn(), "77 asks for a sign-in")
	})
}

func TestKeysTakenOverByAnotherSignIn(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		require.NoError(t, w.newHost(nil).SignIn(w.ctx))

		sale, card := w.sale("visa", txn.Swiped, 100)
		answer, _, err := w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		assert.Equal(t, "A0", answer.Code)
		assert.False(t, answer.Approved)
		assert.False(t, w.host.SignedIn())

		sale, card = w.sale("visa", txn.Swiped, 100)
		answer, _, err = w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		assert.True(t, answer.Approved, "signed in again by itself")
	})
}

func TestNothingLeavesWithoutALine(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		w.line.SetDown(true)
		sale, card := w.sale("visa", txn.Swiped, 100)
		_, sent, err := w.host.Request(w.ctx, sale, card)
		require.ErrorIs(t, err, txn.ErrNotSent, "not even signed in")
		assert.Zero(t, sent.Written)

		w.line.SetDown(false)
		require.NoError(t, w.host.SignIn(w.ctx))
		w.line.SetDown(true)
		synctest.Wait()
		_, sent, err = w.host.Request(w.ctx, sale, card)
		require.ErrorIs(t, err, txn.ErrNotSent)
		assert.Zero(t, sent.Written)
		_, _, err = w.host.Reverse(w.ctx, sale)
		require.ErrorIs(t, err, txn.ErrNotSent)
		assert.Zero(t, w.acquirer.Counts()["0200"])

		w.fault("silent for signin")
		w.line.SetDown(false)
		_, _, err = w.newHost(nil).Request(w.ctx, sale, card)
		require.ErrorIs(t, err, txn.ErrNotSent, "the sign-in was sent, the sale was not")
	})
}

func TestARecordThatCannotBeSentIsNot(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		for name, spoil := range map[string]func(*txn.Txn, *txn.Presented){
			"entry mode": func(x *txn.Txn, _ *txn.Presented) { x.Card.Entry = "by telepathy" },
			"kind":       func(x *txn.Txn, _ *txn.Presented) { x.Kind = "gift" },
			"amount":     func(x *txn.Txn, _ *txn.Presented) { x.Amount = -1 },
			"STAN":       func(x *txn.Txn, _ *txn.Presented) { x.STAN = 0 },
			"STAN wide":  func(x *txn.Txn, _ *txn.Presented) { x.STAN = 1_000_000 },
			"terminal":   func(x *txn.Txn, _ *txn.Presented) { x.Terminal = "10000002" },
			"merchant":   func(x *txn.Txn, _ *txn.Presented) { x.Merchant = "short" },
			"currency":   func(x *txn.Txn, _ *txn.Presented) { x.Currency.Number = "" },
			"track":      func(_ *txn.Txn, p *txn.Presented) { p.Track = txn.Track{} },
			"chip data":  func(x *txn.Txn, p *txn.Presented) { x.Card.Entry = txn.Inserted; p.Chip = txn.Chip{} },
		} {
			sale, card := w.sale("visa", txn.Swiped, 100)
			spoil(&sale, &card)
			_, sent, err := w.host.Request(w.ctx, sale, card)
			require.ErrorIs(t, err, txn.ErrNotSent, name)
			assert.Zero(t, sent, name)
		}
		assert.Zero(t, w.acquirer.Counts()["0200"])
	})
}

func TestNothingThatIsShownHoldsACardNumber(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		sale, card := w.sale("long", txn.Contactless, 100)
		w.fault("badmac")
		_, _, first := w.host.Request(w.ctx, sale, card)
		w.fault("silent for reversal")
		_, _, second := w.host.Reverse(w.ctx, sale)
		books, err := json.Marshal(w.acquirer.Ledger())
		require.NoError(t, err)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			shown := fmt.Sprintf(verb, first) + fmt.Sprintf(verb, second) + fmt.Sprintf(verb, w.host) +
				fmt.Sprintf(verb, w.acquirer.Seen()) + fmt.Sprintf(verb, w.acquirer.Ledger()) + string(books)
			assert.NotContains(t, shown, "6224242900000113", verb)
			assert.NotContains(t, shown, "2424290000", verb)
		}
	})
}
