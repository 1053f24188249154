package line_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/line"
)

var errStopped = errors.New("stopped")

func TestADeviceIsHeldByOneAndTakenBackByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turn line.Turn
		require.NoError(t, turn.Cancel(t.Context()))
		within, over, ok := turn.Begin(t.Context(), errStopped)
		require.True(t, ok)
		_, _, ok = turn.Begin(t.Context(), errStopped)
		require.False(t, ok)

		impatient, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		require.ErrorIs(t, turn.Cancel(impatient), context.DeadlineExceeded, "whoever has it has not given it back")
		require.ErrorIs(t, context.Cause(within), errStopped)

		time.AfterFunc(3*time.Second, over)
		began := time.Now()
		require.NoError(t, turn.Cancel(t.Context()))
		assert.Equal(t, 3*time.Second, time.Since(began))

		ctx, end := context.WithCancel(t.Context())
		within, over, ok = turn.Begin(ctx, errStopped)
		require.True(t, ok, "and it is free again")
		end()
		require.ErrorIs(t, context.Cause(within), context.Canceled)
		over()
	})
}
