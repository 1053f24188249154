package pn532_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader"
	"posagent/device/reader/pn532"
	"posagent/txnstore/txn"
)

var cards = map[string]devicetest.TestCard{
	"ticket":     {PAN: "4242424242424242", Expiry: "3012", Service: "201", Entry: "swiped", Label: "VISA", AID: "A0000000031010"},
	"unionpay":   {PAN: "6224242900000113", Expiry: "3011", Service: "220", Entry: "contactless", Label: "UnionPay Credit", AID: "A000000333010102"},
	"long":       {PAN: "6200000000000000000", Expiry: "3103", Service: "220", Entry: "contactless", Label: "UnionPay Debit", AID: "A000000333010101"},
	"stripe-tap": {PAN: "4111111111111111", Expiry: "2912", Service: "201", Entry: "tapped", Label: "VISA", AID: "A0000000031010"},
}

var order = reader.Request{Amount: 1234, Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2},
	Timeout: 30 * time.Second, Country: "0156"}

type bench struct {
	t      *testing.T
	sim    *devicetest.Board
	drive  *pn532.Reader
	events []reader.Prompt // written by Activate's goroutine, read after it returned
}

// onBench runs a story in virtual time.
func onBench(t *testing.T, story func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		b := &bench{t: t, sim: devicetest.NewBoard(cards)}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- b.sim.Serve(ctx, far) }()
		var err error
		b.drive, err = pn532.New(near, &pn532.Opts{Development: true, Events: func(e reader.Event) { b.events = append(b.events, e.Prompt) }})
		require.NoError(t, err)
		story(t, b)
		stop()
		assert.NoError(t, <-served)
		near.Close()
		far.Close()
	})
}

func (b *bench) do(command string) {
	b.t.Helper()
	_, err := b.sim.Command(command)
	require.NoError(b.t, err)
}

// later does something while a card is awaited.
func (b *bench) later(commands ...string) {
	time.AfterFunc(5*time.Second, func() {
		for _, command := range commands {
			_, _ = b.sim.Command(command)
		}
	})
}

func TestOnlyForDevelopment(t *testing.T) {
	for _, o := range []*pn532.Opts{nil, {}} {
		_, err := pn532.New(nil, o)
		require.ErrorIs(t, err, pn532.ErrDevelopmentOnly)
	}
}

func TestACardIsTapped(t *testing.T) {
	for _, name := range []string{"unionpay", "long", "stripe-tap"} {
		onBench(t, func(t *testing.T, b *bench) {
			b.later("present " + name)
			got, err := b.drive.Activate(t.Context(), order)
			require.NoError(t, err)
			want := cards[name]
			assert.Equal(t, txn.Tapped, got.Card.Entry)
			assert.Equal(t, want.PAN, got.Card.PAN.DigitsInTheClear())
			assert.Equal(t, want.Expiry, got.Card.Expiry)
			assert.Equal(t, "001", got.Card.Sequence)
			assert.Equal(t, want.Label, got.Card.Label)
			assert.Equal(t, want.AID, got.Card.AID)
			assert.Equal(t, want.PAN+"="+want.Expiry+want.Service, got.Track.DataInTheClear()[:len(want.PAN)+8])
			assert.True(t, got.Chip.IsZero(), "nothing is claimed of a chip")
			assert.Equal(t, []reader.Prompt{reader.PresentCard, reader.CardFound, reader.CardRead}, b.events)
			assert.False(t, b.sim.FieldOn())
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				assert.NotContains(t, fmt.Sprintf(verb, got), want.PAN[5:13])
			}
			_, err = b.drive.Activate(t.Context(), order) // it still lies there
			require.NoError(t, err)
		})
	}
}

func TestWaitingEnds(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		began := time.Now()
		_, err := b.drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrTimeout)
		assert.Equal(t, order.Timeout, time.Since(began).Truncate(time.Second))
		assert.False(t, b.sim.FieldOn())

		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		_, err = b.drive.Activate(ctx, order)
		require.ErrorIs(t, err, reader.ErrCancelled)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.False(t, b.sim.FieldOn())

		time.AfterFunc(2*time.Second, func() {
			_, err := b.drive.Activate(context.Background(), order)
			assert.ErrorIs(t, err, reader.ErrBusy)
			assert.ErrorIs(t, b.drive.Ping(context.Background()), reader.ErrBusy)
			assert.NoError(t, b.drive.Halt())
		})
		_, err = b.drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrCancelled)

		b.do("present unionpay")
		_, err = b.drive.Activate(t.Context(), order)
		require.NoError(t, err, "an aborted search does not come back")

		for _, q := range []reader.Request{{}, {Timeout: time.Hour}, {Timeout: time.Second, Amount: -1}} {
			_, err = b.drive.Activate(t.Context(), q)
			require.Error(t, err)
		}
	})
}

// A damaged answer is asked for again, a command that was not heard is said again; a command to a card is not.
func TestDamageOnTheLine(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		for damage, want := range map[string]error{"garbage": nil, "garbage 2": nil, "garbage 9": reader.ErrGarbage, "deaf": nil,
			"deaf 2": nil, "deaf 9": reader.ErrNoAnswer} {
			b.do(damage)
			assert.ErrorIs(t, b.drive.Ping(t.Context()), want, damage)
			b.do("garbage 1")
			b.do("deaf 1")
			require.NoError(t, b.drive.Ping(t.Context()))
		}
		for _, fault := range []string{"garbage", "garbage 2", "deaf"} {
			b.later(fault, "present long")
			_, err := b.drive.Activate(t.Context(), order)
			if fault == "deaf" {
				require.ErrorIs(t, err, reader.ErrCardUnread, fault)
			} else {
				require.NoError(t, err, fault)
			}
			b.do("remove")
		}
	})
}

func TestTheCardIsTakenAway(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		for commands := 1; commands <= 4; commands++ {
			b.do(fmt.Sprintf("yank %d", commands))
			b.do("present unionpay")
			_, err := b.drive.Activate(t.Context(), order)
			require.ErrorIs(t, err, reader.ErrCardUnread, "after %d commands", commands)
			assert.False(t, b.sim.FieldOn())
		}
		b.do("present ticket")
		_, err := b.drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrCardRefused)
	})
}

func TestTheBoardFails(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench) {
		b.do("restart")
		b.do("present unionpay")
		_, err := b.drive.Activate(t.Context(), order)
		require.NoError(t, err, "a board that was off is woken again")
		version, err := b.drive.Version(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "1.6", version)

		b.do("silent on")
		began := time.Now()
		_, err = b.drive.Activate(t.Context(), order)
		require.ErrorIs(t, err, reader.ErrNoAnswer)
		assert.Less(t, time.Since(began), 2*time.Second, "not a customer's patience")
		b.do("silent off")
		require.NoError(t, b.drive.Ping(t.Context()))
	})
	synctest.Test(t, func(t *testing.T) { // a line at the wrong speed
		near, far := net.Pipe()
		heard := make(chan bool, 100)
		go func() {
			buffer := make([]byte, 64)
			for {
				if _, err := far.Read(buffer); err != nil {
					close(heard)
					return
				}
				heard <- true
			}
		}()
		go func() {
			for range heard {
				_, _ = far.Write([]byte("\xf8\x80\x00\xff\x07"))
			}
		}()
		_, err := pn532.New(near, &pn532.Opts{Development: true})
		require.ErrorIs(t, err, reader.ErrGarbage)
		require.ErrorContains(t, err, "115200")
		near.Close()
		far.Close()
	})
}
