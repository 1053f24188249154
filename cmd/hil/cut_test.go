//go:build linux && amd64

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// A sale is made again and again, and each time the real terminal program is killed at the next system call that the
// world could notice: every write to a line, every write and sync of the store, every piece of paper. It is started
// again, and both sides' books and the paper are compared.
func TestNoCutOfASaleLosesMoney(t *testing.T) {
	for _, bearer := range []string{"tcp", "dial"} {
		t.Run(bearer, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			cuts, ended := 0, map[txn.State]int{}
			t.Run("rigs", func(t *testing.T) {
				for first := 1; first <= rigsAtOnce; first++ {
					t.Run(fmt.Sprint(first), func(t *testing.T) {
						t.Parallel()
						r := bench(t, settings{Bearers: []string{bearer}, Answer: patience, Guard: 20 * time.Millisecond,
							Retry: 50 * time.Millisecond, Lookalike: 5 * time.Minute})
						for n := first; ; n += rigsAtOnce {
							require.Less(t, n, 1000, "the sale never ends")
							state, cut := r.saleCutAt(t, n)
							mu.Lock()
							ended[state]++
							mu.Unlock()
							if !cut {
								break
							}
							mu.Lock()
							cuts++
							mu.Unlock()
						}
						require.Empty(t, r.audit(t))
					})
				}
			})
			t.Logf("%d cuts over %s: after recovery %v (\"\" is a sale that was never begun)", cuts, bearer, ended)
			require.Positive(t, ended[""], "cuts before the commit")
			require.Positive(t, ended[txn.Reversed], "cuts between the commit and the outcome")
			require.Positive(t, ended[txn.Approved], "cuts after the outcome")
		})
	}
}

// rigsAtOnce share the calls of one sweep: mostly they wait for guard times and restarts.
const rigsAtOnce = 4

// saleCutAt makes one sale under the knife, recovers, and returns how it ended and whether the knife fell.
func (r *rig) saleCutAt(t *testing.T, n int) (txn.State, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testWithin)
	defer cancel()
	arm := r.bootUnderKnife(t, n, false)
	require.NoError(t, r.awaitSocket(ctx), "cut %d", n)
	_, err := r.tell("devices", "reader present visa-4242")
	require.NoError(t, err)
	arm()
	reference := fmt.Sprintf("cut-%d", n)
	_, err = r.ask(ctx, agent.Request{Op: "sale", Reference: reference, Amount: fmt.Sprintf("%d.%02d", 1+n/100, n%100)}, nil)
	gone := errors.Is(err, agent.ErrGone)
	if !gone {
		require.NoError(t, err, "cut %d", n)
		gone = !r.quiet(ctx)
	}
	r.cutPower()
	if gone {
		t.Logf("cut before call %s", r.terminal.said)
		_, err = r.tell("devices", "reader remove")
		require.NoError(t, err)
	}
	return r.stateOf(t, ctx, reference, n), gone
}

// A sale is left unanswered and the power fails. The start after that, which owes a reversal, is then itself cut at every
// call, from opening the store to the notice on paper.
func TestNoCutOfARecoveryLosesMoney(t *testing.T) {
	t.Parallel()
	r := bench(t, settings{Bearers: []string{"tcp"}, Answer: patience, Guard: 20 * time.Millisecond,
		Retry: 50 * time.Millisecond, Lookalike: 5 * time.Minute})
	n := 1
	for r.recoveryCutAt(t, n) {
		n++
		require.Less(t, n, 1000, "the recovery never ends")
	}
	require.Empty(t, r.audit(t))
	require.Greater(t, n, 20)
	t.Logf("%d cuts of a recovery: each time reversed in the end", n-1)
}

func (r *rig) recoveryCutAt(t *testing.T, n int) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testWithin)
	defer cancel()
	require.NoError(t, r.boot(ctx))
	_, err := r.tell("acquirer", "fault silent")
	require.NoError(t, err)
	_, err = r.tell("devices", "reader present visa-4242")
	require.NoError(t, err)
	reference := fmt.Sprintf("owed-%d", n)
	_, err = r.ask(ctx, agent.Request{Op: "sale", Reference: reference, Amount: fmt.Sprintf("%d.%02d", 1+n/100, n%100)}, func(e agent.Event) {
		if e.Stage == words.Waiting && e.Txn != nil {
			r.terminal.kill()
		}
	})
	require.ErrorIs(t, err, agent.ErrGone)

	r.bootUnderKnife(t, n, true)
	cut := r.awaitSocket(ctx) != nil || !r.quiet(ctx)
	r.cutPower()
	if cut {
		t.Logf("cut before call %s", r.terminal.said)
	}
	require.Equal(t, txn.Reversed, r.stateOf(t, ctx, reference, n))
	return cut
}

// quiet waits for the round that follows a sale and tidies the store; the knife may fall there too. It reports whether
// the terminal is still alive.
func (r *rig) quiet(ctx context.Context) bool {
	select {
	case <-r.terminal.done:
		return false
	case <-time.After(time.Second):
		return r.settled(ctx) == nil
	}
}

// bootUnderKnife starts the terminal traced, and counting at once or when the returned func is called.
func (r *rig) bootUnderKnife(t *testing.T, n int, atOnce bool) (arm func()) {
	t.Helper()
	log, err := os.OpenFile(r.at("posagent.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	require.NoError(t, err)
	defer log.Close()
	cmd := exec.Command(filepath.Join(r.bin, "hil"), "knife", "-at", fmt.Sprint(n), fmt.Sprintf("-at-once=%t", atOnce),
		filepath.Join(r.bin, "posagent"), "run", "-config", r.at("posagent.toml"))
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	r.terminal = &process{cmd: cmd, done: make(chan struct{})}
	traced := r.terminal
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			traced.said = lines.Text()
		}
		_ = cmd.Wait()
		close(traced.done)
	}()
	return func() { _, _ = io.WriteString(in, "arm\n") }
}
