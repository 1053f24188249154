package agent

import (
	"encoding/hex"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/link/acquirer"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// The holder of unionpay-0005 and somebody who guesses.
const (
	rightPIN = "2468"
	wrongPIN = "1357"
)

// withPINPad plugs one in, with the terminal's master key, and starts the terminal again.
func (w *world) withPINPad() {
	w.t.Helper()
	w.pad = devicetest.NewPinPad(devicetest.PinPadOpts{MasterKey: testTMK})
	w.options.PINPrompt, w.options.PINWait, w.options.PINReply = "ENTER PIN", time.Minute, time.Second
	w.cutPower()
	w.boot()
}

// atThePad runs a request until the PIN is awaited, lets the cardholder act, and returns how it ends.
func (w *world) atThePad(q Request, card string, act func(c *till)) Event {
	w.t.Helper()
	w.do(w.reader.Command("present " + card))
	c := w.till()
	defer c.conn.Close()
	c.send(q)
	for e := c.next(); e.Stage != words.EnterPIN; e = c.next() {
		require.False(w.t, e.Ends(), "%+v", e)
	}
	time.Sleep(500 * time.Millisecond) // the pad shows its prompt
	synctest.Wait()
	require.True(w.t, w.pad.Waiting())
	require.Equal(w.t, "ENTER PIN", w.pad.Screen())
	act(c)
	e := c.next()
	for ; !e.Ends(); e = c.next() {
	}
	require.False(w.t, w.pad.Waiting(), "the pad waits for nobody")
	require.Empty(w.t, w.pad.Wrong())
	return e
}

func (w *world) types(pin string) func(*till) {
	return func(*till) { require.NoError(w.t, w.pad.Type(pin)) }
}

func (w *world) newest(mti string) linktest.Sighting {
	w.t.Helper()
	seen := w.acquirer.Seen()
	for i := len(seen) - 1; i >= 0; i-- {
		if seen[i].MTI == mti {
			return seen[i]
		}
	}
	w.t.Fatalf("no %s was seen", mti)
	return linktest.Sighting{}
}

// A pad with a DUKPT key of its own: each PIN goes under another key, whose serial number travels beside it, and the acquirer
// meets none twice. A reversal names no key, and a power cut costs none: the counter is the pad's.
func TestAPINUnderDUKPT(t *testing.T) {
	p, err := profile.Read("dukpt.toml", `base = "iso87"
name = "south-gate"

[pin]
asked = ["sale"]
cipher = "dukpt"
serial = "59"

[fields]
59 = "b10 hex, key serial number"
`)
	require.NoError(t, err)
	base, initial, serial := bytesOf(t, baseKey), bytesOf(t, initialKey), bytesOf(t, "FFFF9876543210E00000")
	inWorldWith(t, p, func(bank *linktest.AcquirerOpts, _ *Options) {
		bank.DUKPT = map[string][]byte{"FFFF987654": base}
	}, func(w *world) {
		w.withPINPad()
		w.pad = devicetest.NewPinPad(devicetest.PinPadOpts{InitialKey: initial, KSN: serial})
		w.cutPower()
		w.boot()
		sale := func(name, pin string) Event {
			return w.atThePad(Request{Op: "sale", Reference: name, Amount: "88.00", Again: true}, "unionpay-0005", w.types(pin))
		}
		assert.Equal(t, words.OutcomeApproved, sale("right", rightPIN).Outcome)
		assert.Subset(t, w.newest("0200").Fields, []int{26, 52, 53, 59})
		assert.Equal(t, "55", sale("wrong", wrongPIN).Txn.Code)
		assert.Equal(t, words.OutcomeApproved, sale("none", "").Outcome)
		assert.NotContains(t, w.newest("0200").Fields, 59)
		w.fault("silent for sale")
		require.Equal(t, words.OutcomeReversed, sale("lost", rightPIN).Outcome)
		assert.NotContains(t, w.newest("0420").Fields, 59)
		w.cutPower()
		w.boot()
		assert.Equal(t, words.OutcomeApproved, sale("again", rightPIN).Outcome)
		assert.Empty(t, w.acquirer.UsedTwice())

		w.pad = devicetest.NewPinPad(devicetest.PinPadOpts{MasterKey: testTMK}) // one of the other kind
		w.cutPower()
		w.boot()
		w.do(w.reader.Command("present unionpay-0005"))
		_, e := w.ask(Request{Op: "sale", Reference: "other", Amount: "9.00"})
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "PIN pad")
	})
}

func bytesOf(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	require.NoError(t, err)
	return b
}

func TestAPurchaseWithAPIN(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withPINPad()
		e := w.atThePad(Request{Op: "sale", Reference: "right", Amount: "88.00"}, "unionpay-0005", w.types(rightPIN))
		require.Equal(t, words.OutcomeApproved, e.Outcome, "%+v", e.Txn)
		sent := w.newest("0200")
		assert.Equal(t, "021", sent.Entry)
		assert.Subset(t, sent.Fields, []int{26, 52, 53})
		x, err := w.store.Get(txn.ID(e.Txn.ID))
		require.NoError(t, err)
		assert.True(t, x.Card.PIN)

		e = w.atThePad(Request{Op: "sale", Reference: "wrong", Amount: "89.00"}, "unionpay-0005", w.types(wrongPIN))
		assert.Equal(t, words.OutcomeDeclined, e.Outcome, e.Error)
		assert.Equal(t, "55", e.Txn.Code)

		e = w.atThePad(Request{Op: "sale", Reference: "none", Amount: "90.00"}, "unionpay-0005", w.types(""))
		assert.Equal(t, words.OutcomeApproved, e.Outcome, "enter alone: the issuer decides about a card without a PIN")
		assert.Equal(t, "022", w.newest("0200").Entry)
		assert.NotContains(t, w.newest("0200").Fields, 52)

		stages, e := func() ([]words.Stage, Event) {
			w.do(w.reader.Command("present visa-4242"))
			return w.ask(Request{Op: "sale", Reference: "asks for none", Amount: "12.50"})
		}()
		assert.Equal(t, words.OutcomeApproved, e.Outcome)
		assert.NotContains(t, stages, words.EnterPIN)

		e = w.atThePad(Request{Op: "balance"}, "unionpay-0005", w.types(rightPIN))
		assert.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
		for _, secret := range []string{rightPIN + "F", wrongPIN + "F", "52:6", "pin=" + rightPIN} {
			assert.NotContains(t, w.log.String(), secret)
		}
	})
}

// The reversal says that there was a PIN and does not carry it: nobody has it any more.
func TestTheReversalOfAPurchaseWithAPIN(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withPINPad()
		w.fault("silent for sale")
		e := w.atThePad(Request{Op: "sale", Reference: "silent", Amount: "88.00"}, "unionpay-0005", w.types(rightPIN))
		require.Equal(t, words.OutcomeReversed, e.Outcome, e.Error)
		sent := w.newest("0400")
		assert.Equal(t, "021", sent.Entry)
		for _, field := range []int{26, 35, 52, 53} {
			assert.NotContains(t, sent.Fields, field)
		}
	})
}

func TestNoPINMeansNothingWasBegun(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withPINPad()
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "12.50").Outcome)
		sent := len(w.acquirer.Seen())
		nothing := func(e Event, text words.Pair) {
			t.Helper()
			assert.Equal(t, words.OutcomeRefused, e.Outcome, e.Error)
			assert.Equal(t, text, *e.Text)
			assert.Len(t, w.acquirer.Seen(), sent)
			assert.Zero(t, w.agent.Status().Owed)
			newest, err := w.store.List(10)
			require.NoError(t, err)
			assert.Len(t, newest, 1, "nothing was recorded")
		}
		sale := Request{Op: "sale", Reference: "pin", Amount: "88.00"}
		nothing(w.atThePad(sale, "unionpay-0005", func(*till) { w.pad.Press() }), words.NoPIN)
		nothing(w.atThePad(sale, "unionpay-0005", func(c *till) { c.send(Request{Op: "cancel"}) }), words.OfEnding(txn.Sale, words.OutcomeRefused))

		w.pad.Silence(true)
		nothing(w.sellAs("silent", "unionpay-0005", "88.00", false), words.NoPINPad)
		w.pad.Silence(false)
		e := w.atThePad(sale, "unionpay-0005", w.types(rightPIN))
		assert.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
	})
}

// A sign-in while the PIN is typed brings another PIN key: the acquirer could not read the block, so it is not sent.
func TestAPINUnderAKeyThatWasReplacedIsNotSent(t *testing.T) {
	inWorld(t, func(w *world) {
		w.withPINPad()
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "12.50").Outcome)
		e := w.atThePad(Request{Op: "sale", Reference: "late", Amount: "88.00"}, "unionpay-0005", func(*till) {
			require.NoError(t, w.agent.host.SignIn(w.ctx))
			w.types(rightPIN)(nil)
		})
		assert.Equal(t, words.OutcomeNotDone, e.Outcome, e.Error)
		assert.Equal(t, "072", w.newest("0200").Entry, "the newest request is still the one before")
		e = w.atThePad(Request{Op: "sale", Reference: "again", Amount: "88.00"}, "unionpay-0005", w.types(rightPIN))
		assert.Equal(t, words.OutcomeApproved, e.Outcome, e.Error)
	})
}

func TestWithoutAPINKeyNobodyIsAskedInVain(t *testing.T) {
	without := func(why error) (txn.PINBlock, error) {
		pad := pinPad{open: func() (Port, error) { return nil, io.ErrUnexpectedEOF }, key: func() ([]byte, [4]byte, error) { return nil, [4]byte{}, why }}
		return pad.Enter(t.Context(), txn.Presented{}, 0, txn.Currency{})
	}
	b, err := without(acquirer.ErrNoPINKey)
	require.NoError(t, err, "an acquirer that uses no PIN")
	assert.True(t, b.IsZero())
	_, err = without(acquirer.ErrSignedOut)
	require.ErrorIs(t, err, acquirer.ErrSignedOut, "a card that wants a PIN does not go without one by chance")
}
