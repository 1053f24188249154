package link

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// towns is a link with two lines to each of two addresses, and what each line did.
type towns struct {
	*rig
	far [4]*farEnd
}

// Ranks 0 and 1 are ethernet to the primary and the secondary address, 2 and 3 mobile to the same.
func between(t *testing.T, back time.Duration, story func(t *testing.T, w *towns)) {
	in(t, func(t *testing.T, start starter) {
		w := &towns{}
		o := Options{Answer: 10 * time.Second, Return: back}
		for i, name := range []string{"ethernet", "ethernet", "mobile", "mobile"} {
			w.far[i] = &farEnd{t: t, talk: approve}
			o.Bearers = append(o.Bearers, Bearer{Name: name, Address: 1 + i%2, Dialer: w.far[i]})
		}
		w.rig = start(o)
		story(t, w)
	})
}

func (w *towns) dials() (n [4]int) {
	for i, f := range w.far {
		n[i] = f.dialled()
	}
	return n
}

func (w *towns) went(ctx context.Context, stan string) txn.Evidence {
	w.Helper()
	reply, err := w.Exchange(ctx, sale(stan))
	require.NoError(w, err)
	return reply.Sent
}

func TestABearerThatFailedIsPassedOverForAWhileAndThenTriedAgain(t *testing.T) {
	between(t, 5*time.Minute, func(t *testing.T, w *towns) {
		w.far[0].refuse = errRefused
		assert.Equal(t, 2, w.went(ctx, "000001").Address)
		require.NoError(t, w.Hangup())
		assert.Equal(t, 2, w.went(ctx, "000002").Address)
		assert.Equal(t, [4]int{1, 2, 0, 0}, w.dials(), "the second sale does not wait for the primary again")

		time.Sleep(5 * time.Minute)
		w.far[0].refuse = nil
		assert.Equal(t, 2, w.went(ctx, "000003").Address, "an open line is kept: no switch on a customer's time")
		require.NoError(t, w.Connect(ctx, time.Minute))
		assert.Equal(t, 1, w.went(ctx, "000004").Address, "the link goes back while nobody waits")
		assert.Equal(t, [4]int{2, 2, 0, 0}, w.dials())
	})
}

func TestALineIsNotLeftForABetterOneThatStillFails(t *testing.T) {
	between(t, time.Minute, func(t *testing.T, w *towns) {
		w.far[0].refuse = errRefused
		w.went(ctx, "000001")
		time.Sleep(time.Minute)
		require.NoError(t, w.Connect(ctx, time.Minute))
		assert.Equal(t, 2, w.went(ctx, "000002").Address)
		require.NoError(t, w.Connect(ctx, time.Minute))
		assert.Equal(t, [4]int{2, 2, 0, 0}, w.dials(), "it rests again after each failure")
	})
}

func TestAllThatFailedLatelyAreTriedWhenNothingElseIsLeft(t *testing.T) {
	between(t, time.Hour, func(t *testing.T, w *towns) {
		for _, f := range w.far {
			f.refuse = errRefused
		}
		require.ErrorIs(t, w.fail(ctx, sale("000001")), ErrNotSent)
		w.far[3].refuse = nil
		sent := w.went(ctx, "000002")
		assert.Equal(t, txn.Evidence{Written: sent.Total, Total: sent.Total, Bearer: "mobile", Address: 2}, sent)
		assert.Equal(t, [4]int{2, 2, 2, 2}, w.dials())
	})
}

func TestAReversalGoesFirstToTheAddressThatGotTheOriginal(t *testing.T) {
	between(t, time.Minute, func(t *testing.T, w *towns) {
		w.far[0].refuse = errRefused
		w.far[1].talk = (*call).listen // the secondary takes the sale and does not answer
		failed := w.fail(ctx, sale("000001"))
		assert.Equal(t, 2, failed.Sent.Address)
		require.NoError(t, w.Hangup())
		w.far[0].refuse, w.far[1].talk = nil, approve
		w.went(ctx, "000002")
		reply, err := w.Exchange(Prefer(ctx, failed.Sent.Address), reversal("000001"))
		require.NoError(t, err)
		assert.Equal(t, 2, reply.Sent.Address)
		assert.Equal(t, "mobile", reply.Sent.Bearer, "the same address over a line that did not fail")

		require.NoError(t, w.Hangup())
		w.far[1].refuse, w.far[3].refuse = errRefused, errRefused
		reply, err = w.Exchange(Prefer(ctx, failed.Sent.Address), reversal("000001"))
		require.NoError(t, err)
		assert.Equal(t, 1, reply.Sent.Address, "and where that is not to be reached, to the other")
		reply, err = w.Exchange(Prefer(ctx, 7), reversal("000001"))
		require.NoError(t, err, "an address that is no longer configured asks for nothing")
		assert.Equal(t, 1, reply.Sent.Address)
	})
}

func TestNoExchangeChangesItsLineAfterTheFirstByte(t *testing.T) {
	between(t, time.Minute, func(t *testing.T, w *towns) {
		w.far[0].talk = func(c *call) { c.hear() } // takes the sale and hangs up
		failed := w.fail(ctx, sale("000001"))
		assert.Equal(t, 1, failed.Sent.Address)
		assert.Equal(t, failed.Sent.Total, failed.Sent.Written)
		assert.Equal(t, [4]int{1, 0, 0, 0}, w.dials())
	})
}

func TestALineIsOpenedWhileTheCardIsRead(t *testing.T) {
	between(t, 0, func(t *testing.T, w *towns) {
		require.NoError(t, w.Connect(ctx, time.Minute))
		time.Sleep(30 * time.Second)
		w.went(ctx, "000001")
		assert.Equal(t, [4]int{1, 0, 0, 0}, w.dials())

		require.NoError(t, w.Hangup())
		w.far[0].never = true
		began := time.Now()
		opening := make(chan error, 1)
		stopped, stop := context.WithCancel(ctx)
		go func() { opening <- w.Connect(stopped, time.Minute) }()
		synctest.Wait()
		require.NoError(t, w.Connect(ctx, time.Minute), "another does not wait for it")
		stop()
		require.ErrorIs(t, <-opening, context.Canceled)
		w.took(began, 0)
	})
}

func TestAnOpenedLineThatNobodyUsesIsLetGo(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: approve}
		o := over(far)
		o.Idle = 10 * time.Second
		r := start(o)
		require.NoError(t, r.Connect(ctx, time.Minute))
		time.Sleep(59 * time.Second)
		require.NotNil(t, r.living())
		time.Sleep(2 * time.Second)
		require.Nil(t, r.living())
	})
}

func TestOneBearerAloneCanBeTried(t *testing.T) {
	between(t, time.Minute, func(t *testing.T, w *towns) {
		w.went(ctx, "000001")
		assert.Equal(t, "mobile", w.went(Through(ctx, 2), "000002").Bearer)
		w.far[3].refuse = errRefused
		failed := w.fail(Through(ctx, 3), sale("000003"))
		require.ErrorIs(t, failed, errRefused)
		require.ErrorIs(t, w.fail(Through(ctx, 9), sale("000003")), ErrNotSent)
		assert.Equal(t, [4]int{1, 0, 1, 1}, w.dials())
	})
}

// metered is a line whose far end has acknowledged some of what it got.
type metered struct {
	Conn
	handed, acked int64
	fails         error
}

func (m *metered) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.handed += int64(n)
	return n, err
}
func (m *metered) Handed() int64                { return m.handed }
func (m *metered) Acknowledged() (int64, error) { return m.acked, m.fails }

type meteredLine struct {
	*farEnd
	last *metered
}

func (m *meteredLine) Dial(ctx context.Context) (Conn, error) {
	c, err := m.farEnd.Dial(ctx)
	m.last = &metered{Conn: c, handed: 1000, acked: 1000} // a handshake before
	return m.last, err
}

func TestAFailureSaysWhatTheFarEndHasAcknowledged(t *testing.T) {
	for name, c := range map[string]struct {
		acked int64
		fails error
		want  func(total int) (handed, acked int)
	}{
		"nothing":       {1000, nil, func(n int) (int, int) { return n, 0 }},
		"a part":        {1040, nil, func(n int) (int, int) { return n, 40 }},
		"everything":    {5000, nil, func(n int) (int, int) { return n, n }},
		"less than ago": {900, nil, func(n int) (int, int) { return n, 0 }},
		"nobody knows":  {1040, errors.New("no answer"), func(int) (int, int) { return 0, 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, start starter) {
				line := &meteredLine{farEnd: &farEnd{t: t, talk: (*call).listen}}
				r := start(Options{Answer: time.Second, Bearers: []Bearer{{Name: "mobile", Dialer: line}}})
				require.NoError(t, r.Connect(ctx, time.Minute))
				line.last.acked, line.last.fails = c.acked, c.fails
				failed := r.fail(ctx, sale("000001"))
				handed, acked := c.want(failed.Sent.Total)
				assert.Equal(t, handed, failed.Sent.Handed)
				assert.Equal(t, acked, failed.Sent.Acked)
			})
		})
	}
}

func TestAHeartbeatThatIsNotAnsweredEndsTheLine(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: (*call).listen}
		r := start(over(far))
		began := time.Now()
		require.ErrorIs(t, r.fail(Heartbeat(ctx, 5*time.Second), sale("000001")), ErrTimeout)
		r.took(began, 5*time.Second)
		require.Nil(t, r.living(), "one silence is enough for a question that has no other purpose")
	})
}

func TestAnExchangeCanBeFollowed(t *testing.T) {
	between(t, 0, func(t *testing.T, w *towns) {
		var steps []Step
		w.went(Follow(ctx, func(s Stage) { steps = append(steps, s.Step) }), "000001")
		assert.Equal(t, []Step{Dialling, Connected, Sending, Sent}, steps)
		w.went(ctx, "000002")
		assert.Len(t, steps, 4)
	})
}
