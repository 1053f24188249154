package link

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slowly is a dial that takes its time, as one over a telephone line does.
type slowly struct {
	*farEnd
	takes time.Duration
}

func (s slowly) Dial(ctx context.Context) (Conn, error) {
	time.Sleep(s.takes)
	return s.farEnd.Dial(ctx)
}

func TestWhatIsForbiddenIsNotSent(t *testing.T) {
	in(t, func(t *testing.T, start starter) {
		forbidden := errors.New("the power fails")
		var held atomic.Bool
		heard := 0
		far := &farEnd{t: t, talk: func(c *call) {
			for m := c.hear(); m != nil; m = c.hear() {
				heard++
				c.say(answer(m))
			}
		}}
		o := Options{Bearers: []Bearer{{Name: "telephone", Dialer: slowly{far, 15 * time.Second}}, {Name: "mobile", Dialer: far}}}
		o.Held = func() error {
			if held.Load() {
				return forbidden
			}
			return nil
		}
		r := start(o)

		time.AfterFunc(5*time.Second, func() { held.Store(true) }) // in the middle of the dial
		require.ErrorIs(t, r.fail(ctx, sale("000001")), forbidden)
		require.Zero(t, heard)
		require.Equal(t, 1, far.dialled(), "no other way is tried")
		require.ErrorIs(t, r.Connect(ctx, time.Minute), forbidden)
		require.Equal(t, 1, far.dialled())

		held.Store(false)
		_, err := r.Exchange(ctx, sale("000002"))
		require.NoError(t, err)
		held.Store(true)
		require.ErrorIs(t, r.fail(ctx, message("0820", map[int]string{41: tid, 42: mid, 60: "00000024301"})), forbidden, "an open line takes nothing either")
		held.Store(false)
		_, err = r.Exchange(ctx, sale("000003"))
		require.NoError(t, err)
		require.Equal(t, 2, heard)
		require.Equal(t, 2, far.dialled(), "the line that was open is still good")
	})
}
