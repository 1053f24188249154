package msr_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader"
	"posagent/device/reader/msr"
	"posagent/txnstore/txn"
)

var cards = map[string]devicetest.TestCard{
	"visa": {PAN: "4242424242424242", Expiry: "3012", Service: "201"},
	"long": {PAN: "6200000000000000000", Expiry: "3103", Service: "220"},
}

var order = reader.Request{Timeout: 30 * time.Second}

type counter struct {
	sim   *devicetest.Stripe
	drive *msr.Reader
	far   net.Conn
}

// atCounter runs a story in virtual time.
func atCounter(t *testing.T, simOpts devicetest.StripeOpts, o *msr.Opts, story func(t *testing.T, c counter)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		simOpts.Cards = cards
		c := counter{sim: devicetest.NewStripe(simOpts), far: far}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- c.sim.Serve(ctx, far) }()
		var err error
		c.drive, err = msr.New(near, o)
		require.NoError(t, err)
		story(t, c)
		stop()
		assert.NoError(t, <-served)
		near.Close()
		far.Close()
		time.Sleep(time.Second) // virtual: whoever still writes finds the line closed
	})
}

// swipe waits for a card and does what a person does, once the reader is waited for.
func (c counter) swipe(t *testing.T, commands ...string) (txn.Presented, error) {
	t.Helper()
	time.AfterFunc(5*time.Second, func() {
		for _, command := range commands {
			_, err := c.sim.Command(command)
			assert.NoError(t, err)
		}
	})
	return c.drive.Activate(t.Context(), order)
}

func TestACardIsSwiped(t *testing.T) {
	for _, o := range []devicetest.StripeOpts{{}, {SendsLRC: true}, {Joined: true}, {Joined: true, SendsLRC: true}} {
		for name, card := range cards {
			atCounter(t, o, &msr.Opts{SendsLRC: o.SendsLRC}, func(t *testing.T, c counter) {
				began := time.Now()
				got, err := c.swipe(t, "swipe "+name)
				require.NoError(t, err)
				assert.Less(t, time.Since(began), 5*time.Second+time.Millisecond, "three tracks are the end of a swipe")
				assert.Equal(t, card.PAN, got.Card.PAN.DigitsInTheClear())
				assert.Equal(t, card.Expiry, got.Card.Expiry)
				assert.Equal(t, txn.Swiped, got.Card.Entry)
				assert.True(t, strings.HasPrefix(got.Track.DataInTheClear(), card.PAN+"="+card.Expiry+card.Service))
				assert.True(t, got.Chip.IsZero())
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
					assert.NotContains(t, fmt.Sprintf(verb, got), card.PAN[5:13])
				}
			})
		}
	}
}

func TestASwipeThatWentWrong(t *testing.T) {
	for fault, want := range map[string]error{
		"no-track-2": msr.ErrBadSwipe, "unread-2": msr.ErrBadSwipe, "partial": msr.ErrBadSwipe, "wrong-digit": msr.ErrBadSwipe,
		"wrong-check": msr.ErrBadSwipe, "other-card": msr.ErrBadSwipe, "long": msr.ErrBadSwipe, "twice": msr.ErrBadSwipe,
		"no-track-1": nil, "unread-1": nil,
	} {
		for _, sends := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, check sent %t", fault, sends), func(t *testing.T) {
				atCounter(t, devicetest.StripeOpts{SendsLRC: sends}, &msr.Opts{SendsLRC: sends}, func(t *testing.T, c counter) {
					began := time.Now()
					_, err := c.swipe(t, "swipe visa "+fault)
					assert.ErrorIs(t, err, want)
					assert.Less(t, time.Since(began), 6*time.Second, "nobody is kept waiting")
					got, err := c.swipe(t, "swipe visa")
					require.NoError(t, err, "and swiped again it is read")
					assert.Equal(t, "4242", got.Card.PAN.Last4())
				})
			})
		}
	}
}

// A card that somebody drew through the slot before the sale never pays for it.
func TestAnEarlierSwipeIsDropped(t *testing.T) {
	atCounter(t, devicetest.StripeOpts{}, nil, func(t *testing.T, c counter) {
		_, err := c.sim.Command("swipe long")
		require.NoError(t, err)
		_, err = c.drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrTimeout)

		_, err = c.sim.Command("swipe long partial")
		require.NoError(t, err)
		got, err := c.swipe(t, "swipe visa")
		require.NoError(t, err)
		assert.Equal(t, "4242", got.Card.PAN.Last4())
	})
}

func TestWaitingEnds(t *testing.T) {
	atCounter(t, devicetest.StripeOpts{}, nil, func(t *testing.T, c counter) {
		began := time.Now()
		_, err := c.drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrTimeout)
		assert.Equal(t, order.Timeout, time.Since(began).Truncate(time.Second))

		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		_, err = c.drive.Activate(ctx, order)
		require.ErrorIs(t, err, reader.ErrCancelled)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		time.AfterFunc(2*time.Second, func() {
			_, err := c.drive.Activate(context.Background(), order)
			assert.ErrorIs(t, err, reader.ErrBusy)
			assert.NoError(t, c.drive.Halt())
		})
		_, err = c.drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrCancelled)
		require.NoError(t, c.drive.Halt())

		for _, timeout := range []time.Duration{0, -1, time.Hour} {
			_, err = c.drive.Activate(t.Context(), reader.Request{Timeout: timeout})
			require.Error(t, err)
		}
	})
}

func TestALineThatTalksNonsense(t *testing.T) {
	atCounter(t, devicetest.StripeOpts{}, nil, func(t *testing.T, c counter) {
		_, err := c.swipe(t, "noise")
		require.ErrorIs(t, err, reader.ErrGarbage)
		got, err := c.swipe(t, "noise", "swipe visa")
		require.NoError(t, err, "noise before a swipe does no harm")
		assert.Equal(t, "4242", got.Card.PAN.Last4())
	})
	synctest.Test(t, func(t *testing.T) { // a line that never stops, from before the beginning and from its middle on
		near, far := net.Pipe()
		go func() {
			time.Sleep(time.Second)
			_, err := far.Write([]byte(";"))
			for err == nil {
				_, err = far.Write([]byte("1"))
				time.Sleep(20 * time.Millisecond)
			}
		}()
		drive, err := msr.New(near, nil)
		require.NoError(t, err)
		began := time.Now()
		_, err = drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, msr.ErrBadSwipe)
		assert.Less(t, time.Since(began), 8*time.Second)
		_, err = drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrGarbage)
		far.Close()
		_, err = drive.Activate(t.Context(), order)
		require.ErrorContains(t, err, "stripe reader line")
		near.Close()
		time.Sleep(time.Second)
	})
}
