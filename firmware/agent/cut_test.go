package agent

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/stretchr/testify/require"

	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// cutAt cuts the power at the moment in which the engine shows a stage: the files are taken as they then are, and the old
// run of the program is held where it is until the story has ended. The next run starts from those files.
func (w *world) cutAt(stage words.Stage, do func(context.Context, terminal.Order) (txn.Txn, error), o terminal.Order) {
	w.t.Helper()
	frozen, dir := make(chan struct{}), w.nextDir()
	var once sync.Once
	o.Progress = func(e terminal.Event) {
		if e.Stage != stage {
			return
		}
		once.Do(func() {
			w.copyStore(dir)
			close(frozen)
			<-w.ctx.Done()
		})
	}
	go func() { _, _ = do(w.ctx, o) }()
	<-frozen
	w.restartFrom(dir)
}

// cutWaiting makes a request and cuts the power while the acquirer is waited for.
func (w *world) cutWaiting(q Request) {
	w.t.Helper()
	c := w.till()
	c.send(q)
	for c.next().Stage != words.Waiting {
	}
	go func() {
		for c.lines.Scan() {
		}
	}()
	dir := w.nextDir()
	w.copyStore(dir)
	w.restartFrom(dir)
	_ = c.conn.Close()
}

// nextDir is a new directory for the next run's store.
func (w *world) nextDir() string {
	dir := w.dir + "+"
	require.NoError(w.t, os.Mkdir(dir, 0o700))
	return dir
}

func (w *world) copyStore(to string) {
	for _, name := range []string{"hot.db", "archive.db", "shadow"} {
		raw, err := os.ReadFile(filepath.Join(w.dir, name))
		require.NoError(w.t, err)
		require.NoError(w.t, os.WriteFile(filepath.Join(to, name), raw, 0o600))
	}
}

func (w *world) restartFrom(dir string) {
	w.cutPower()
	w.dir = dir
	w.boot()
}

// cutClosing cuts the power at the nth step that a closing shows, and reports whether it came so far.
func (w *world) cutClosing(nth int) (reached bool) {
	w.t.Helper()
	frozen, dir, ended := make(chan struct{}), w.nextDir(), make(chan struct{})
	seen := 0
	go func() {
		defer close(ended)
		_, _ = w.agent.terminal.CloseBatch(w.ctx, func(terminal.Event) {
			if seen++; seen-1 != nth {
				return
			}
			w.copyStore(dir)
			close(frozen)
			<-w.ctx.Done()
		})
	}()
	select {
	case <-frozen:
		w.restartFrom(dir)
		return true
	case <-ended:
		return false
	}
}
