//go:build linux && amd64

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/txnstore/txn/words"
)

// The disk under a trading terminal fails, in each of the ways it can say so, at each of a few calls. Sales are refused
// with the reason, status shows it, the books can still be read; and when the fault ends trade goes on, in the same
// process. At the end of it all the books agree.
func TestADiskFaultRefusesSalesAndEndsWithoutARestart(t *testing.T) {
	t.Parallel()
	r := bench(t, settings{Bearers: []string{"tcp"}, Answer: patience, Guard: 20 * time.Millisecond,
		Retry: 50 * time.Millisecond, Lookalike: 5 * time.Minute})
	said := map[string]agent.StoreFault{"EIO": agent.DiskFails, "ENOSPC": agent.DiskFull, "EROFS": agent.DiskReadOnly}
	for i, number := range []string{"EIO", "ENOSPC", "EROFS"} {
		for _, n := range []int{1, 3, 6, 9, 12} {
			r.tradesThroughFault(t, n, number, said[number], 100*i+n)
		}
	}
	require.Empty(t, r.audit(t))
}

func (r *rig) tradesThroughFault(t *testing.T, n int, number string, said agent.StoreFault, salt int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testWithin)
	defer cancel()
	where := fmt.Sprintf("%s from call %d", number, n)
	order := r.bootFailing(t, n, number)
	require.NoError(t, r.awaitSocket(ctx), where)
	amounts := 0
	sell := func() agent.Event {
		_, err := r.tell("devices", "reader present visa-4242")
		require.NoError(t, err)
		amounts++
		e, err := r.ask(ctx, agent.Request{Op: "sale", Reference: fmt.Sprintf("fault-%d-%d", salt, amounts),
			Amount: fmt.Sprintf("%d.%02d", 10+salt, amounts)}, nil)
		require.NoError(t, err, where)
		return e
	}
	require.Equal(t, words.OutcomeApproved, sell().Outcome, where)
	require.NoError(t, r.settled(ctx), where)
	order("arm")
	var e agent.Event
	for range 8 {
		if e = sell(); e.Outcome == words.OutcomeRefused {
			break
		}
	}
	require.Equal(t, words.OutcomeRefused, e.Outcome, "%s: %s", where, e.Error)
	assert.Equal(t, said, e.Fault, "%s: %s", where, e.Error)

	status, err := r.ask(ctx, agent.Request{Op: "status"}, nil)
	require.NoError(t, err, where)
	assert.NotEmpty(t, status.Status.StoreFault, where)
	assert.Equal(t, uint32(1), status.Status.Batch, "%s: the last known figures", where)
	list := exec.Command(filepath.Join(r.bin, "posagent"), "txn", "list", "-config", r.at("posagent.toml"))
	out, err := list.CombinedOutput()
	require.NoError(t, err, "%s: %s", where, out)
	assert.Contains(t, string(out), fmt.Sprintf("fault-%d-1", salt), where)

	order("heal")
	for e.Outcome != words.OutcomeApproved {
		require.NoError(t, ctx.Err(), "%s: %s %s", where, e.Outcome, e.Error)
		e = sell()
	}
	require.NoError(t, r.settled(ctx), where)
	status, err = r.ask(ctx, agent.Request{Op: "status"}, nil)
	require.NoError(t, err, where)
	assert.Empty(t, status.Status.StoreFault, where)
	r.cutPower()
	_, err = r.tell("devices", "reader remove")
	require.NoError(t, err)
}

// bootFailing starts the terminal under a knife that lets calls on the store fail once it is told to.
func (r *rig) bootFailing(t *testing.T, n int, number string) (order func(string)) {
	t.Helper()
	log, err := os.OpenFile(r.at("posagent.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	require.NoError(t, err)
	defer log.Close()
	cmd := exec.Command(filepath.Join(r.bin, "hil"), "knife", "-fail", fmt.Sprint(n), "-errno", number, "-forever",
		"-under", r.at("store"), filepath.Join(r.bin, "posagent"), "run", "-config", r.at("posagent.toml"))
	cmd.Stderr, cmd.Stdout = log, nil
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	started := &process{cmd: cmd, done: make(chan struct{})}
	r.terminal = started
	go func() {
		_ = cmd.Wait()
		close(started.done)
	}()
	return func(word string) { _, _ = io.WriteString(in, word+"\n") }
}
