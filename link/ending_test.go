package link

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errOperator = errors.New("cancelled by the operator")

// cancelAfter ends a context, with a cause, after a while of virtual time.
func cancelAfter(d time.Duration) context.Context {
	c, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(d, func() { cancel(errOperator) })
	return c
}

func TestAContextThatEndsBeforeTheFirstByteSendsNothing(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		ended, cancel := context.WithCancelCause(context.Background())
		cancel(errOperator)
		far := &farEnd{t: t, talk: approve}
		r := start(over(far))
		for range 20 { // whichever way the queue looks first
			failed := r.fail(ended, sale("000024"))
			require.ErrorIs(t, failed, ErrNotSent)
			require.ErrorIs(t, failed, errOperator)
		}
		require.Zero(t, far.dialled())
		_, err := r.Exchange(ctx, sale("000024"))
		require.NoError(t, err)
		require.ErrorIs(t, r.fail(ended, sale("000025")), ErrNotSent, "on an open line too")
	})
}

func TestAContextThatEndsWhileDiallingSendsNothing(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		second := &farEnd{t: t, talk: approve}
		r := start(Options{Bearers: []Bearer{
			{Name: "mobile", Dialer: &farEnd{t: t, never: true}}, {Name: "ethernet", Dialer: second}}})
		began := time.Now()
		failed := r.fail(cancelAfter(3*time.Second), sale("000024"))
		require.ErrorIs(t, failed, ErrNotSent)
		require.ErrorIs(t, failed, errOperator)
		r.took(began, 3*time.Second)
		require.Zero(t, second.dialled())
	})
}

func TestAContextThatEndsInTheQueueSendsNothing(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: func(c *call) {
			m := c.hear()
			time.Sleep(30 * time.Second)
			c.say(answer(m))
			require.Nil(t, c.hear(), "the queued request was not sent")
		}}
		r := start(over(far))
		first := make(chan error)
		go func() {
			_, err := r.Exchange(ctx, sale("000001"))
			first <- err
		}()
		synctest.Wait()
		began := time.Now()
		failed := r.fail(cancelAfter(5*time.Second), sale("000002"))
		require.ErrorIs(t, failed, ErrNotSent)
		require.ErrorIs(t, failed, errOperator)
		r.took(began, 5*time.Second)
		require.NoError(t, <-first)
	})
}

func TestAContextThatEndsWhileWritingTellsHowFarItGot(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: func(c *call) {
			_, _ = io.ReadFull(c, make([]byte, 40))
			time.Sleep(10 * time.Second)
			c.listen()
		}}
		r := start(over(far))
		began := time.Now()
		failed := r.fail(cancelAfter(2*time.Second), sale("000024"))
		require.ErrorIs(t, failed, errOperator)
		require.Equal(t, 40, failed.Sent.Written)
		r.took(began, 2*time.Second)
		time.Sleep(20 * time.Second)
		far.talk = approve
		_, err := r.Exchange(ctx, sale("000025"))
		require.NoError(t, err)
		require.Equal(t, 2, far.dialled(), "half a frame is on the old line")
	})
}

func TestAContextThatEndsWhileWaitingKeepsTheLine(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: func(c *call) {
			c.hear()
			time.Sleep(9 * time.Second)
			c.say(approval("000024"))
			approve(c)
		}}
		r := start(over(far))
		failed := r.fail(cancelAfter(2*time.Second), sale("000024"))
		require.ErrorIs(t, failed, errOperator)
		require.Equal(t, failed.Sent.Total, failed.Sent.Written)
		time.Sleep(9 * time.Second)
		require.Equal(t, []string{"0210 000024"}, r.strayed())
		_, err := r.Exchange(ctx, sale("000025"))
		require.NoError(t, err)
		require.Equal(t, 1, far.dialled())
	})
}

func TestTheLineIsKeptForAWhileAfterAnExchange(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: approve}
		o := over(far)
		o.Idle = 30 * time.Second
		r := start(o)
		for range 3 {
			_, err := r.Exchange(ctx, sale("000024"))
			require.NoError(t, err)
			time.Sleep(29 * time.Second)
		}
		require.Equal(t, 1, far.dialled())
		time.Sleep(2 * time.Second)
		_, err := r.Exchange(ctx, sale("000024"))
		require.NoError(t, err)
		require.Equal(t, 2, far.dialled())
	})
}

func TestTheIdleTimerLeavesAWaitingExchangeAlone(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: func(c *call) {
			for m := c.hear(); m != nil; m = c.hear() {
				time.Sleep(50 * time.Second)
				c.say(answer(m))
			}
		}}
		o := over(far)
		o.Idle = time.Second
		r := start(o)
		_, err := r.Exchange(ctx, sale("000024"))
		require.NoError(t, err)
		time.Sleep(time.Second - 1)
		_, err = r.Exchange(ctx, sale("000025"))
		require.NoError(t, err)
		require.Equal(t, 1, far.dialled())
	})
}

func TestHangupEndsTheWaitAndTheNextExchangeDials(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: (*call).listen}
		r := start(over(far))
		require.NoError(t, r.Hangup(), "with nothing to hang up")
		time.AfterFunc(4*time.Second, func() { _ = r.Hangup() })
		began := time.Now()
		failed := r.fail(ctx, sale("000024"))
		require.ErrorIs(t, failed, ErrHungUp)
		r.took(began, 4*time.Second)
		far.talk = approve
		_, err := r.Exchange(ctx, sale("000025"))
		require.NoError(t, err)
		require.NoError(t, r.Hangup())
		require.NoError(t, r.Hangup())
		require.Equal(t, 2, far.dialled())
	})
}

func TestCloseEndsEverythingForGood(t *testing.T) {
	for name, far := range map[string]func(*testing.T) *farEnd{
		"while waiting":  func(t *testing.T) *farEnd { return &farEnd{t: t, talk: (*call).listen} },
		"while dialling": func(t *testing.T) *farEnd { return &farEnd{t: t, never: true} },
		"before the first byte": func(t *testing.T) *farEnd {
			return &farEnd{t: t, talk: func(*call) { time.Sleep(stalled) }}
		},
		"while writing": func(t *testing.T) *farEnd {
			return &farEnd{t: t, talk: func(c *call) { _, _ = c.Read(make([]byte, 7)); time.Sleep(stalled) }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, start starter) {
				r := start(over(far(t)))
				ended := make(chan error, 2)
				for range 2 { // one at work, one in the queue
					go func() {
						_, err := r.Exchange(ctx, sale("000024"))
						ended <- err
					}()
				}
				synctest.Wait()
				began := time.Now()
				require.NoError(t, r.Close())
				r.took(began, 0)
				require.ErrorIs(t, <-ended, ErrClosed)
				require.ErrorIs(t, <-ended, ErrClosed)
				failed := r.fail(ctx, sale("000025"))
				require.ErrorIs(t, failed, ErrClosed)
				require.ErrorIs(t, failed, ErrNotSent)
				require.NoError(t, r.Close())
			})
		})
	}
}
