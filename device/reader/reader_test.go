package reader_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader"
	"posagent/txnstore/txn"
)

var cards = map[string]devicetest.TestCard{
	"visa":       {PAN: "4242424242424242", Expiry: "3012", Service: "101", Entry: "swiped", Label: "VISA"},
	"unionpay":   {PAN: "6224242900000113", Expiry: "3011", Service: "220", Entry: "contactless", Label: "UnionPay Credit", AID: "A000000333010102"},
	"mastercard": {PAN: "5555555555554444", Expiry: "2902", Service: "201", Entry: "contactless", Label: "Mastercard", AID: "A0000000041010"},
	"long":       {PAN: "6200000000000000003", Expiry: "3103", Service: "220", Entry: "contactless", Label: "UnionPay Debit", AID: "A000000333010101"},
	"stripe-tap": {PAN: "4111111111111111", Expiry: "2912", Service: "201", Entry: "tapped", Label: "VISA", AID: "A0000000031010"},
}

var (
	yuan  = txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}
	order = reader.Request{Amount: 1234, Currency: yuan, Timeout: 30 * time.Second, Country: "0156"}
)

// counter is a shop counter: a simulated reader at the far end of a wire, and the driver at this one.
type counter struct {
	t      *testing.T
	sim    *devicetest.Reader
	drive  *reader.Reader
	line   net.Conn
	events []reader.Prompt // written by Activate's goroutine, read after it returned
}

// atCounter runs a story in virtual time.
func atCounter(t *testing.T, story func(t *testing.T, c *counter)) {
	atCounterWith(t, reader.Opts{}, story)
}

func atCounterWith(t *testing.T, opts reader.Opts, story func(t *testing.T, c *counter)) {
	atCounterOf(t, devicetest.ReaderOpts{Cards: cards}, opts, story)
}

func atCounterOf(t *testing.T, sim devicetest.ReaderOpts, opts reader.Opts, story func(t *testing.T, c *counter)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := &counter{t: t, sim: devicetest.NewReader(sim), line: near}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- c.sim.Serve(ctx, far) }()
		var err error
		opts.Events = func(e reader.Event) { c.events = append(c.events, e.Prompt) }
		c.drive, err = reader.New(near, &opts)
		require.NoError(t, err)
		story(t, c)
		stop()
		assert.NoError(t, <-served)
		near.Close()
		far.Close()
	})
}

func (c *counter) do(command string) {
	c.t.Helper()
	_, err := c.sim.Command(command)
	require.NoError(c.t, err)
}

type result struct {
	card txn.Presented
	err  error
}

// begin starts Activate and returns when it waits for a card.
func (c *counter) begin(ctx context.Context, q reader.Request) <-chan result {
	c.t.Helper()
	done := make(chan result, 1)
	go func() {
		card, err := c.drive.Activate(ctx, q)
		done <- result{card, err}
	}()
	time.Sleep(time.Second) // virtual: the line is emptied, the ping answered, the command sent
	select {
	case r := <-done:
		c.t.Fatalf("did not wait for a card: %v", r.err)
	default:
	}
	return done
}

func TestACardIsSwiped(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		c.do("present visa")
		got := <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Swiped, got.card.Card.Entry)
		assert.Equal(t, "4242424242424242", got.card.Card.PAN.DigitsInTheClear())
		assert.Equal(t, "3012", got.card.Card.Expiry)
		assert.Equal(t, "4242424242424242=3012101", got.card.Track.DataInTheClear()[:24])
		assert.NotContains(t, got.card.Track.DataInTheClear(), ";")
		assert.NotContains(t, got.card.Track.DataInTheClear(), "?")
		assert.True(t, got.card.Chip.IsZero())
		assert.Equal(t, []reader.Prompt{reader.PresentCard, reader.Processing}, c.events)
	})
}

func TestACardIsTapped(t *testing.T) {
	for _, name := range []string{"unionpay", "mastercard", "long"} {
		t.Run(name, func(t *testing.T) {
			atCounter(t, func(t *testing.T, c *counter) {
				done := c.begin(t.Context(), order)
				c.do("present " + name)
				got := <-done
				require.NoError(t, got.err)
				want := cards[name]
				card := got.card.Card
				assert.Equal(t, txn.Contactless, card.Entry)
				assert.Equal(t, want.PAN, card.PAN.DigitsInTheClear())
				assert.Equal(t, want.Expiry, card.Expiry)
				assert.Equal(t, "001", card.Sequence)
				assert.Equal(t, want.Label, card.Label)
				assert.Equal(t, want.AID, card.AID)
				assert.Equal(t, want.PAN+"="+want.Expiry+want.Service, got.card.Track.DataInTheClear()[:len(want.PAN)+8])
				assert.Equal(t, []reader.Prompt{reader.PresentCard, reader.CardFound, reader.Processing}, c.events)
				assertChip(t, want, got.card)
			})
		})
	}
}

func TestAStripeModeCardIsTapped(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("present stripe-tap") // it lies there already
		card, err := c.drive.Activate(t.Context(), order)
		require.NoError(t, err)
		assert.Equal(t, txn.Tapped, card.Card.Entry)
		assert.Equal(t, "4111111111111111=2912201", card.Track.DataInTheClear()[:24])
		assert.Equal(t, "A0000000031010", card.Card.AID)
		assert.True(t, card.Chip.IsZero())
	})
}

func TestNobodyComes(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		began := time.Now()
		_, err := c.drive.Activate(t.Context(), order)
		assert.ErrorIs(t, err, reader.ErrTimeout)
		assert.Equal(t, order.Timeout, time.Since(began), "the reader's own timer ends it")
	})
}

func TestTheCashierCancels(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		ctx, cancel := context.WithCancel(t.Context())
		done := c.begin(ctx, order)
		cancel()
		got := <-done
		assert.ErrorIs(t, got.err, reader.ErrCancelled)
		assert.ErrorIs(t, got.err, context.Canceled)

		done = c.begin(t.Context(), order) // and again, from elsewhere
		require.NoError(t, c.drive.Cancel(t.Context()))
		assert.ErrorIs(t, (<-done).err, reader.ErrCancelled)

		done = c.begin(t.Context(), order)
		require.NoError(t, c.drive.Halt())
		assert.ErrorIs(t, (<-done).err, reader.ErrCancelled)
		require.NoError(t, c.drive.Halt())

		c.do("present visa") // too late for all of them: it belongs to the next sale
		card, err := c.drive.Activate(t.Context(), order)
		require.NoError(t, err)
		assert.Equal(t, txn.Swiped, card.Card.Entry)
	})
}

func TestADeadlineOfTheCallerCancelsToo(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.drive.Activate(ctx, order)
		assert.ErrorIs(t, err, reader.ErrCancelled)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 5*time.Second, time.Since(began))
		_, err = c.drive.Activate(ctx, order)
		assert.ErrorIs(t, err, reader.ErrCancelled, "a context that is done sends nothing")
	})
}

func TestOthersAreToldThatACardIsAwaited(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		assert.ErrorIs(t, c.drive.Ping(t.Context()), reader.ErrBusy)
		_, err := c.drive.Version(t.Context())
		assert.ErrorIs(t, err, reader.ErrBusy)
		_, err = c.drive.Activate(t.Context(), order)
		assert.ErrorIs(t, err, reader.ErrBusy)
		c.do("present visa")
		require.NoError(t, (<-done).err)
		require.NoError(t, c.drive.Ping(t.Context()))
	})
}

func TestTheReaderRestarts(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		c.do("restart")
		got := <-done
		assert.ErrorIs(t, got.err, reader.ErrRestarted)
		assert.ErrorContains(t, got.err, "NEO 2.0 v1.00")

		c.do("restart") // while nobody asks: the next command passes over it
		version, err := c.drive.Version(t.Context())
		require.NoError(t, err)
		assert.Contains(t, version, "NEO 2.0")
		c.do("restart")
		c.do("present visa")
		_, err = c.drive.Activate(t.Context(), order)
		assert.NoError(t, err, "a restart before the transaction is none of its business")
	})
}

func TestTampering(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		c.do("tamper on")
		assert.ErrorIs(t, (<-done).err, reader.ErrTampered)
		assert.ErrorIs(t, c.drive.Ping(t.Context()), reader.ErrTampered)
		_, err := c.drive.Activate(t.Context(), order)
		assert.ErrorIs(t, err, reader.ErrTampered)
		c.do("tamper off")
		assert.NoError(t, c.drive.Ping(t.Context()))
	})
}

func TestASilentReaderIsFoundInOneAnswerTime(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("silent on")
		began := time.Now()
		assert.ErrorIs(t, c.drive.Ping(t.Context()), reader.ErrNoAnswer)
		assert.Equal(t, 2*time.Second, time.Since(began))
		began = time.Now()
		_, err := c.drive.Activate(t.Context(), order)
		assert.ErrorIs(t, err, reader.ErrNoAnswer)
		assert.Less(t, time.Since(began), 5*time.Second, "not a customer's patience")
		c.do("silent off")
		c.do("present visa")
		_, err = c.drive.Activate(t.Context(), order)
		assert.NoError(t, err)
	})
}

func TestAReaderThatDiesWhileItWaitsIsNoticed(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		c.do("silent on")
		got := <-done
		assert.ErrorIs(t, got.err, reader.ErrNoAnswer)
	})
}

func TestAReaderThatTalksNonsense(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("nonsense on")
		for range 7 {
			err := c.drive.Ping(t.Context())
			assert.ErrorIs(t, err, reader.ErrGarbage)
			_, err = c.drive.Activate(t.Context(), order)
			assert.ErrorIs(t, err, reader.ErrGarbage)
		}
		c.do("nonsense off")
		c.do("present unionpay")
		_, err := c.drive.Activate(t.Context(), order)
		assert.NoError(t, err)
	})
}

func TestADamagedAnswer(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.do("garbage")
		assert.NoError(t, c.drive.Ping(t.Context()), "a ping is asked again")

		done := c.begin(t.Context(), order)
		c.do("garbage")
		c.do("present unionpay")
		began := time.Now()
		got := <-done
		assert.ErrorIs(t, got.err, reader.ErrGarbage)
		assert.ErrorContains(t, got.err, "present the card again")
		assert.Less(t, time.Since(began), 2*time.Second)
		assert.True(t, got.card.Card.PAN.IsZero())

		c.do("present unionpay")
		_, err := c.drive.Activate(t.Context(), order)
		assert.NoError(t, err)
	})
}

func TestALineThatIsPulled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		sim := devicetest.NewReader(devicetest.ReaderOpts{Cards: cards})
		go func() { _ = sim.Serve(t.Context(), far) }()
		drive, err := reader.New(near, nil)
		require.NoError(t, err)
		time.AfterFunc(5*time.Second, func() { far.Close() })
		_, err = drive.Activate(t.Context(), order)
		require.Error(t, err)
		assert.NotErrorIs(t, err, reader.ErrNoAnswer)
		assert.ErrorContains(t, err, "line")
		assert.Error(t, drive.Ping(t.Context()))
	})
}

func TestRequestsThatCannotBeSentAreRefused(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		for name, spoil := range map[string]func(*reader.Request){
			"no amount":       func(q *reader.Request) { q.Amount = 0 },
			"negative amount": func(q *reader.Request) { q.Amount = -1 },
			"too much":        func(q *reader.Request) { q.Amount = txn.MaxAmount + 1 },
			"no currency":     func(q *reader.Request) { q.Currency = txn.Currency{} },
			"odd currency":    func(q *reader.Request) { q.Currency.Number = "15x" },
			"no timeout":      func(q *reader.Request) { q.Timeout = 0 },
			"long timeout":    func(q *reader.Request) { q.Timeout = 256 * time.Second },
			"odd country":     func(q *reader.Request) { q.Country = "CN" },
		} {
			q := order
			spoil(&q)
			_, err := c.drive.Activate(t.Context(), q)
			assert.Error(t, err, name)
			assert.False(t, errors.Is(err, reader.ErrGarbage) || errors.Is(err, reader.ErrNoAnswer), name)
		}
	})
}

func TestNothingThatIsPrintedShowsACardNumber(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		for name, card := range cards {
			c.do("present " + name)
			got, err := c.drive.Activate(t.Context(), order)
			require.NoError(t, err)
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				for _, value := range []any{got, &got, got.Track, got.Chip, got.Card} {
					text := fmt.Sprintf(verb, value)
					assert.NotContains(t, text, card.PAN)
					assert.NotContains(t, text, card.PAN[5:13], "more than the mask allows")
				}
			}
		}
		assert.NotEmpty(t, c.drive.String())
	})
}
