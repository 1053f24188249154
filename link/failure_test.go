package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

var errRefused = errors.New("connection refused")

func TestSilenceEndsWithTheAllowanceAndAfterTwoTheLineIsLetGo(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: (*call).listen}
		o := over(far)
		o.Answer = 20 * time.Second
		r := start(o)
		for range 5 {
			began := time.Now()
			failed := r.fail(ctx, sale("000024"))
			require.ErrorIs(t, failed, ErrTimeout)
			require.ErrorContains(t, failed, "no answer within 20s")
			r.took(began, 20*time.Second)
		}
		require.Equal(t, 3, far.dialled())
	})
}

func TestAHangUpEndsTheWaitAtOnce(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		for name, c := range map[string]struct {
			talk    func(*call)
			garbage bool
		}{
			"after the request":      {func(c *call) { c.hear() }, false},
			"after another answer":   {func(c *call) { c.hear(); c.say(approval("000099")) }, false},
			"one byte into it":       {func(c *call) { c.hear(); c.raw(c.frame(approval("000024"))[:1]) }, true},
			"one byte short of it":   {func(c *call) { c.hear(); f := c.frame(approval("000024")); c.raw(f[:len(f)-1]) }, true},
			"in the second of two":   {func(c *call) { c.hear(); f := c.frames(approval("000099"), approval("000024")); c.raw(f[:len(f)-9]) }, true},
			"by a reset of the line": {func(c *call) { c.hear(); _ = c.Conn.Close() }, false},
		} {
			t.Run(name, func(t *testing.T) {
				in(t, func(t *testing.T, start starter) {
					r := start(over(&farEnd{t: t, framing: framing, talk: c.talk}))
					began := time.Now()
					failed := r.fail(ctx, sale("000024"))
					require.ErrorIs(t, failed, ErrHungUp)
					require.NotErrorIs(t, failed, ErrTimeout)
					require.Equal(t, c.garbage, errors.Is(failed, ErrGarbage), "%v", failed)
					require.Equal(t, failed.Sent.Total, failed.Sent.Written)
					r.took(began, 0)
				})
			})
		}
	})
}

func TestALineThatStopsInsideAnAnswerIsLetGo(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: func(c *call) {
			c.hear()
			c.raw(c.frame(approval("000024"))[:30])
			c.listen()
		}}
		r := start(over(far))
		failed := r.fail(ctx, sale("000024"))
		require.ErrorIs(t, failed, ErrTimeout)
		require.ErrorIs(t, failed, ErrGarbage)
		require.ErrorContains(t, failed, "broke off after 30 bytes")
		far.talk = approve
		_, err := r.Exchange(ctx, sale("000025"))
		require.NoError(t, err)
		require.Equal(t, 2, far.dialled())
	})
}

// A length of zero keeps the line alive. It is no answer, and no rubbish either: silence behind it is silence.
func TestAKeepAliveMeansNothing(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		r := start(over(&farEnd{t: t, talk: func(c *call) {
			c.hear()
			c.raw(append(make([]byte, 2*lengthLen), c.frame(approval("000024"))...))
			c.hear()
			c.raw(make([]byte, lengthLen))
			c.listen()
		}}))
		_, err := r.Exchange(ctx, sale("000024"))
		require.NoError(t, err)
		failed := r.fail(ctx, sale("000024"))
		require.ErrorIs(t, failed, ErrTimeout)
		require.NotErrorIs(t, failed, ErrGarbage)
	})
}

func TestABadFrameIsRememberedAndTheWaitGoesOn(t *testing.T) {
	body := func(c *call) []byte { return c.frame(approval("000024"))[lengthLen:] }
	framed := func(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }
	for name, bad := range map[string]func(*call) []byte{
		"shorter than heads": func(c *call) []byte { return framed(body(c)[:10]) },
		"no TPDU":            func(c *call) []byte { b := body(c); b[0] = 0x61; return framed(b) },
		"cut short":          func(c *call) []byte { b := body(c); return framed(b[:len(b)-1]) },
		"a byte too many":    func(c *call) []byte { return framed(append(body(c), 0)) },
		"type not BCD":       func(c *call) []byte { b := body(c); b[headerLen] = 0xFF; return framed(b) },
		"unknown field":      func(c *call) []byte { b := body(c); b[headerLen+2] |= 0x01; return framed(b) },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, start starter) {
				r := start(over(&farEnd{t: t, talk: func(c *call) {
					c.hear()
					c.raw(bad(c))
					time.Sleep(10 * time.Second)
					c.say(approval("000024"))
					c.hear()
					c.raw(bad(c))
					c.listen()
				}}))
				_, err := r.Exchange(ctx, sale("000024"))
				require.NoError(t, err)
				began := time.Now()
				failed := r.fail(ctx, sale("000024"))
				require.ErrorIs(t, failed, ErrGarbage)
				require.ErrorIs(t, failed, ErrTimeout)
				r.took(began, time.Minute)
				require.NotErrorIs(t, r.fail(ctx, sale("000024")), ErrGarbage, "an old fault is not told twice")
			})
		})
	}
}

func TestAStreamOutOfStepIsHungUpAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		framing Framing
		noise   []byte
	}{
		"a length beyond all messages": {LengthPrefixed, []byte{0x10, 0x0C}},
		"text on the line":             {LengthPrefixed, []byte("HTTP/1.1 400")},
		"the first of it":              {SelfDelimited, []byte("\r\n")},
		"modem talk":                   {SelfDelimited, []byte("\r\nNO CARRIER\r\n")},
		"a field that cannot be":       {SelfDelimited, []byte("\x60\x12\x34\x00\x06\x60\x31\x00\x31\x00\x00\x02\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, start starter) {
				far := &farEnd{t: t, framing: c.framing, talk: func(far *call) {
					far.hear()
					far.raw(c.noise)
					far.listen()
				}}
				r := start(over(far))
				began := time.Now()
				failed := r.fail(ctx, sale("000024"))
				require.ErrorIs(t, failed, ErrGarbage)
				require.Equal(t, failed.Sent.Total, failed.Sent.Written)
				r.took(began, 0)
				far.talk = approve
				_, err := r.Exchange(ctx, sale("000025"))
				require.NoError(t, err)
				require.Equal(t, 2, far.dialled())
			})
		})
	}
}

// TestEvidenceIsWhatTheFarEndGot stalls the line after each number of bytes.
func TestEvidenceIsWhatTheFarEndGot(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		frame := (&call{farEnd: &farEnd{t: t, framing: framing}}).frame(sale("000024"))
		for took := 0; took < len(frame); took++ {
			for name, hangUp := range map[string]bool{"stalls": false, "hangs up": true} {
				in(t, func(t *testing.T, start starter) {
					far := &farEnd{t: t, framing: framing, talk: func(c *call) {
						_, _ = io.ReadFull(c, make([]byte, took))
						if !hangUp {
							time.Sleep(stalled)
						}
					}}
					second := &farEnd{t: t, framing: framing, talk: approve}
					o := over(far)
					o.Bearers = append(o.Bearers, Bearer{Name: "dial-up", Dialer: second, Framing: framing})
					r := start(o)
					began := time.Now()
					if took == 0 {
						reply, err := r.Exchange(ctx, sale("000024"))
						require.NoError(t, err, "not a byte left, so the second line may carry it")
						require.Equal(t, "dial-up", reply.Sent.Bearer)
						return
					}
					failed := r.fail(ctx, sale("000024"))
					require.Equal(t, txn.Evidence{Written: took, Total: len(frame), Bearer: "ethernet"}, failed.Sent)
					require.Zero(t, second.dialled(), "a byte left: no other line may carry it")
					if hangUp {
						require.ErrorIs(t, failed, ErrHungUp, name)
						r.took(began, 0)
					} else {
						require.ErrorIs(t, failed, ErrTimeout, name)
						r.took(began, sendTime)
					}
				})
			}
		}
	})
}

func TestTheNextBearerIsTriedInOrder(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		first := &farEnd{t: t, refuse: errRefused}
		second := &farEnd{t: t, never: true}
		third := &farEnd{t: t, framing: SelfDelimited, talk: approve}
		r := start(Options{Bearers: []Bearer{
			{Name: "ethernet", Dialer: first},
			{Name: "mobile", Dialer: second, Connect: 7 * time.Second},
			{Name: "dial-up", Dialer: third, Framing: SelfDelimited},
		}})
		began := time.Now()
		reply, err := r.Exchange(ctx, sale("000024"))
		require.NoError(t, err)
		require.Equal(t, "dial-up", reply.Sent.Bearer)
		r.took(began, 7*time.Second)
		require.Equal(t, []string{"dialling ethernet", "ethernet not connected: connection refused",
			"dialling mobile", "mobile not connected: time ran out: not connected within 7s: context deadline exceeded",
			"dialling dial-up", "connected dial-up"}, r.stages[:6])
	})
}

func TestWithNoBearerLeftNothingWasSent(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		r := start(Options{Bearers: []Bearer{
			{Name: "ethernet", Dialer: &farEnd{t: t, refuse: errRefused}},
			{Name: "mobile", Dialer: &farEnd{t: t, never: true}},
		}})
		began := time.Now()
		failed := r.fail(ctx, sale("000024"))
		require.ErrorIs(t, failed, ErrNotSent)
		require.ErrorIs(t, failed, errRefused)
		require.NotErrorIs(t, failed, context.DeadlineExceeded, "the caller's time is not up")
		require.ErrorContains(t, failed, "mobile: time ran out: not connected within 10s")
		r.took(began, 10*time.Second)

		r = start(Options{})
		require.ErrorContains(t, r.fail(ctx, sale("000024")), "no bearer is configured")
	})
}

// liar is a line whose own errors claim that nothing was sent.
type liar struct {
	Conn
	written int
}

func (l liar) Write(b []byte) (int, error) {
	return l.written, fmt.Errorf("modem: %w", ErrNotSent)
}

type liarDialer struct {
	*farEnd
	written int
}

func (d liarDialer) Dial(ctx context.Context) (Conn, error) {
	conn, err := d.farEnd.Dial(ctx)
	return liar{conn, d.written}, err
}

func TestOnlyTheCountDecidesWhatNotSentMeans(t *testing.T) {
	for _, written := range []int{-1, 0, 1, 10_000} {
		in(t, func(t *testing.T, start starter) {
			r := start(Options{Answer: time.Second, Bearers: []Bearer{
				{Name: "modem", Dialer: liarDialer{&farEnd{t: t, talk: (*call).listen}, written}}}})
			failed := r.fail(ctx, sale("000024"))
			require.Equal(t, written <= 0, errors.Is(failed, ErrNotSent))
		})
	}
	whole := &ExchangeError{Sent: txn.Evidence{Written: 1, Total: 2}, Cause: fmt.Errorf("read: %w", ErrNotSent)}
	require.NotErrorIs(t, whole, ErrNotSent)
}
