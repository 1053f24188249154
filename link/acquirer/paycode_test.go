package acquirer_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// byCode records a sale by payment code as the store would, and the code as the scanner read it.
func (w *world) byCode(digits string, amount txn.Amount) (txn.Txn, txn.Presented) {
	w.t.Helper()
	var print txn.Fingerprint
	copy(print[:], digits)
	code, err := txn.NewPayCode(digits, "wechat", print)
	require.NoError(w.t, err)
	t, _ := w.sale("visa", txn.Keyed, amount)
	t.Card, t.Code = txn.Card{Entry: txn.Scanned}, code.Kept()
	return t, txn.Presented{Card: t.Card, Code: code}
}

// voidByCode records the void of one.
func (w *world) voidByCode(sale txn.Txn, answer txn.Answer) txn.Txn {
	void, _ := w.void(sale, answer, txn.Presented{})
	void.Code = sale.Code.Undone()
	return void
}

const shown = "134567890123456789"

func codesOnTheWire(w *world) {
	require.NoError(w.t, w.host.SignIn(w.ctx))
	sale, p := w.byCode(shown, 1250)
	answer, _, err := w.host.Request(w.ctx, sale, p)
	require.NoError(w.t, err)
	require.True(w.t, answer.Approved)
	assert.Equal(w.t, linktest.Held, w.rowState(sale))

	again, p := w.byCode(shown, 1250) // as no terminal ever should: the acquirer refuses it too
	refusal, _, err := w.host.Request(w.ctx, again, p)
	require.NoError(w.t, err)
	assert.False(w.t, refusal.Approved)
	assert.Equal(w.t, linktest.Refused, w.rowState(again))

	void := w.voidByCode(sale, answer)
	answer, _, err = w.host.Request(w.ctx, void, txn.Presented{Card: void.Card})
	require.NoError(w.t, err)
	require.True(w.t, answer.Approved)
	assert.Equal(w.t, linktest.Given, w.rowState(void))

	sale, p = w.byCode("6212345678901234567", 250)
	answer, _, err = w.host.Request(w.ctx, sale, p)
	require.NoError(w.t, err)
	refund := w.voidByCode(sale, answer)
	refund.Kind, refund.Amount = txn.Refund, 100
	answer, _, err = w.host.Advise(w.ctx, refund)
	require.NoError(w.t, err)
	require.True(w.t, answer.Approved)

	unknown, p := w.byCode("2812345678901234", 100)
	_, _, err = w.host.Request(w.ctx, unknown, p)
	require.NoError(w.t, err)
	undone, _, err := w.host.Reverse(w.ctx, unknown)
	require.NoError(w.t, err)
	assert.Equal(w.t, "00", undone.Code)
	assert.Equal(w.t, linktest.Reversed, w.rowState(unknown))
}

func TestAPaymentCodeOnTheWire(t *testing.T) { traced(t, "paycode.trace", codesOnTheWire) }

func TestAPaymentCodeInISO87(t *testing.T) {
	tracedIn(t, profile.ISO87(), "iso87-paycode.trace", codesOnTheWire)
}

func TestACodeThatIsNotOnRecordIsNotSent(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		sale, _ := w.byCode(shown, 1250)
		_, other := w.byCode("130000000000000001", 1250)
		_, card := w.sale("visa", txn.Swiped, 1250)
		for name, p := range map[string]txn.Presented{"another code": other, "a card": card, "nothing": {}} {
			_, _, err := w.host.Request(w.ctx, sale, p)
			require.ErrorIs(t, err, txn.ErrNotSent, name)
			assert.NotContains(t, fmt.Sprintf("%+v", err), shown[2:14])
		}
		swiped, _ := w.sale("visa", txn.Swiped, 1250)
		_, _, err := w.host.Request(w.ctx, swiped, other)
		require.ErrorIs(t, err, txn.ErrNotSent, "a code for a card's record")
	})
	none, err := profile.Read("own.toml", "base = \"iso87\"\nname = \"own\"\n[sale.code]\n57 = \"\"\n")
	require.NoError(t, err, "an acquirer that takes no codes")
	inWorld(t, settings{profile: none}, func(w *world) {
		sale, p := w.byCode(shown, 1250)
		_, _, err := w.host.Request(w.ctx, sale, p)
		require.ErrorIs(t, err, txn.ErrNotSent)
	})
	_, err = profile.Read("own.toml", "base = \"iso87\"\nname = \"own\"\n[sale.code]\n57 = \"\"\n60 = \"{code}\"\n")
	require.ErrorContains(t, err, "is money")
	_, err = profile.Read("own.toml", "base = \"iso87\"\nname = \"own\"\n[sale]\n57 = \"{code}\"\n")
	require.ErrorContains(t, err, "not known to a message of this kind")
}
