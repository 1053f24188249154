package link

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

var ctx = context.Background()

type starter = func(Options) *rig

func TestASaleAndItsAnswer(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		in(t, func(t *testing.T, start starter) {
			var heard []byte
			r := start(over(&farEnd{t: t, framing: framing, orders: OrderSignIn, talk: func(c *call) {
				heard = append(heard, c.hearFrame()...)
				c.say(approval("000024"))
				c.listen()
			}}))
			reply, err := r.Exchange(ctx, sale("000024"))
			require.NoError(t, err)
			require.Equal(t, "00", reply.Message.Get(39))
			require.NotEmpty(t, reply.Message.Raw())
			require.Equal(t, OrderSignIn, reply.Orders)
			total := len(heard)
			if framing == LengthPrefixed {
				total += lengthLen
			}
			require.Equal(t, txn.Evidence{Written: total, Total: total, Bearer: "ethernet"}, reply.Sent)
			require.Equal(t, append(header.TPDU[:], header.Application[:]...), heard[:headerLen])
			want, err := unionPay.Pack(nil, sale("000024"))
			require.NoError(t, err)
			require.Equal(t, want, heard[headerLen:])
			require.Empty(t, r.strayed())
			require.Equal(t, []string{"dialling ethernet", "connected ethernet",
				Stage{Step: Sending, Bearer: "ethernet", Total: total}.String(),
				Stage{Step: Sent, Bearer: "ethernet", Sent: total, Total: total}.String()}, r.stages)
		})
	})
}

func TestALineServesManyExchanges(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		in(t, func(t *testing.T, start starter) {
			far := &farEnd{t: t, framing: framing, talk: approve}
			r := start(over(far))
			for _, m := range []*iso8583.Message{
				message("0800", map[int]string{11: "000001", 41: tid, 42: mid, 60: "00000024003"}),
				message("0820", map[int]string{41: tid, 42: mid, 60: "00000024301"}), // an echo has no STAN
				sale("000002"), reversal("000002"),
			} {
				reply, err := r.Exchange(ctx, m)
				require.NoError(t, err)
				require.Equal(t, "00", reply.Message.Get(39))
				time.Sleep(time.Hour)
			}
			require.Equal(t, 1, far.dialled())
			require.Empty(t, r.strayed())
		})
	})
}

func TestARepeatedAdviceIsAnsweredByTheSameType(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		r := start(over(&farEnd{t: t, talk: func(c *call) {
			c.hear()
			c.say(message("0230", map[int]string{11: "000007", 39: "00", 41: tid}))
			c.listen()
		}}))
		_, err := r.Exchange(ctx, message("0221", map[int]string{11: "000007", 41: tid, 42: mid}))
		require.NoError(t, err)
	})
}

func TestAnAnswerMaySplitAtAnyByte(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		size := len((&call{farEnd: &farEnd{t: t, framing: framing}}).frame(approval("000001")))
		for cut := 1; cut < size; cut++ {
			in(t, func(t *testing.T, start starter) {
				r := start(over(&farEnd{t: t, framing: framing, talk: func(c *call) {
					c.hear()
					frame := c.frame(approval("000001"))
					c.raw(frame[:cut])
					time.Sleep(50 * time.Second)
					c.raw(frame[cut:])
					c.listen()
				}}))
				reply, err := r.Exchange(ctx, sale("000001"))
				require.NoError(t, err, "cut at %d", cut)
				require.Equal(t, "00", reply.Message.Get(39))
			})
		}
	})
}

func TestTwoMessagesInOneSegment(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		for name, segment := range map[string][]*iso8583.Message{
			"the answer twice":               {approval("000009"), approval("000009")},
			"a foreign one, then the answer": {approval("000008"), approval("000009")},
		} {
			t.Run(name, func(t *testing.T) {
				in(t, func(t *testing.T, start starter) {
					r := start(over(&farEnd{t: t, framing: framing, talk: func(c *call) {
						c.hear()
						c.say(segment...)
						approve(c)
					}}))
					reply, err := r.Exchange(ctx, sale("000009"))
					require.NoError(t, err)
					require.Equal(t, "000009", reply.Message.Get(11))
					require.Len(t, r.strayed(), 1)
					_, err = r.Exchange(ctx, sale("000010"))
					require.NoError(t, err, "the stream is still in step")
				})
			})
		}
	})
}

// TestALateApprovalIsNotTheReversalsAnswer is why the type is part of matching: both carry the same STAN.
func TestALateApprovalIsNotTheReversalsAnswer(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		in(t, func(t *testing.T, start starter) {
			far := &farEnd{t: t, framing: framing, talk: func(c *call) {
				c.hear()
				m := c.hear()
				c.say(approval("000024"))
				time.Sleep(5 * time.Second)
				c.say(answer(m))
				c.listen()
			}}
			r := start(over(far))
			began := time.Now()
			failed := r.fail(ctx, sale("000024"))
			require.ErrorIs(t, failed, ErrTimeout)
			require.NotErrorIs(t, failed, ErrGarbage)
			require.Equal(t, failed.Sent.Total, failed.Sent.Written)
			r.took(began, time.Minute)

			reply, err := r.Exchange(ctx, reversal("000024"))
			require.NoError(t, err)
			require.Equal(t, "0410", reply.Message.MTI())
			require.Equal(t, []string{"0210 000024"}, r.strayed())
			require.Equal(t, 1, far.dialled())
		})
	})
}

func TestWhatIsNotTheAnswerDoesNotEndTheWait(t *testing.T) {
	for name, wrong := range map[string]*iso8583.Message{
		"another STAN":     approval("000025"),
		"another terminal": message("0210", map[int]string{11: "000024", 39: "00", 41: "10000002"}),
		"no terminal":      message("0210", map[int]string{11: "000024", 39: "00"}),
		"no STAN":          message("0210", map[int]string{39: "00", 41: tid}),
		"another class":    message("0410", map[int]string{11: "000024", 39: "00", 41: tid}),
		"another function": message("0230", map[int]string{11: "000024", 39: "00", 41: tid}),
		"another version":  message("1210", map[int]string{11: "000024", 39: "00", 41: tid}),
		"the request back": sale("000024"),
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, start starter) {
				r := start(over(&farEnd{t: t, talk: func(c *call) {
					c.hear()
					c.say(wrong)
					c.listen()
				}}))
				began := time.Now()
				require.ErrorIs(t, r.fail(ctx, sale("000024")), ErrTimeout)
				r.took(began, time.Minute)
				require.Len(t, r.strayed(), 1)
			})
		})
	}
}

func TestAnAnswerInTheLastMomentCounts(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		o := over(&farEnd{t: t, talk: func(c *call) {
			c.hear()
			time.Sleep(30*time.Second - 1)
			c.say(approval("000024"))
			c.hear()
			time.Sleep(30*time.Second + 1)
			c.say(approval("000025"))
			c.listen()
		}})
		o.Answer = 30 * time.Second
		r := start(o)
		_, err := r.Exchange(ctx, sale("000024"))
		require.NoError(t, err)
		require.ErrorIs(t, r.fail(ctx, sale("000025")), ErrTimeout)
		time.Sleep(time.Second)
		require.Equal(t, []string{"0210 000025"}, r.strayed())
	})
}

func TestAnAnswerIsDeliveredThoughTheLineEndsBehindIt(t *testing.T) {
	bothFramings(t, func(t *testing.T, framing Framing) {
		in(t, func(t *testing.T, start starter) {
			far := &farEnd{t: t, framing: framing, talk: func(c *call) { c.say(answer(c.hear())) }}
			r := start(over(far))
			for stan := range 3 {
				_, err := r.Exchange(ctx, sale([]string{"000001", "000002", "000003"}[stan]))
				require.NoError(t, err)
				r.strayed() // let the hang-up arrive
			}
			require.Equal(t, 3, far.dialled(), "a dead line is dialled again, not written into")
		})
	})
}

func TestAnAnswerCountsWhateverElseHasHappenedByThen(t *testing.T) {
	for name, end := range map[string]func(*call){
		"the line ended": func(*call) {},
		"time ran out":   (*call).listen,
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, start starter) {
				o := over(&farEnd{t: t, talk: func(c *call) {
					c.say(answer(c.hear()))
					end(c)
				}})
				r := start(o)
				r.o.Progress = func(s Stage) {
					if s.Step == Sent {
						time.Sleep(time.Second) // the answer and the end of the line are there before anybody waits
					}
				}
				r.o.Answer = 1 // nanosecond: over as soon as it is started
				for range 20 {
					_, err := r.Exchange(ctx, sale("000024"))
					require.NoError(t, err)
					_ = r.Hangup()
				}
			})
		})
	}
}

func TestARequestThatCannotBePackedDialsNothing(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: approve}
		r := start(over(far))
		m := sale("000024")
		m.Set(4, "12.50")
		failed := r.fail(ctx, m)
		var field *iso8583.FieldError
		require.ErrorAs(t, failed, &field)
		require.Equal(t, 4, field.Field)
		require.Zero(t, far.dialled())
	})
}

func TestExchangesQueueUp(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		far := &farEnd{t: t, talk: func(c *call) {
			for m := c.hear(); m != nil; m = c.hear() {
				time.Sleep(10 * time.Second)
				c.say(answer(m))
			}
		}}
		r := start(over(far))
		done := make(chan error, 3)
		for _, stan := range []string{"000001", "000002", "000003"} {
			go func() {
				reply, err := r.Exchange(ctx, sale(stan))
				if err == nil && reply.Message.Get(11) != stan {
					err = context.Canceled
				}
				done <- err
			}()
		}
		began := time.Now()
		for range 3 {
			require.NoError(t, <-done)
		}
		r.took(began, 30*time.Second)
		require.Equal(t, 1, far.dialled())
		require.Empty(t, r.strayed())
	})
}
