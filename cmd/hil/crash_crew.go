package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The crew gives jobs to workers. A worker that dies, or stays with one state for longer than its patience, is replaced;
// the state is blamed and the job done again without it. A slow machine is not a hang: it takes two tries, and a worker
// that was given no processor time is waited for starving times as long.
const (
	stateWithin = 2 * time.Second
	jobWithin   = 4 * time.Minute // to lay out the states of a job
	starving    = 15              // times as long for a worker that was given no processor time
	mostDeaths  = 25              // of workers in one job; then the job is given up
	busyName    = "busy"

	died = "death"
	hung = "hang"
)

type crew struct {
	self, plan, dir string
	command         string        // of the program, whose -worker it is
	patience        time.Duration // with one state

	mu   sync.Mutex // around both
	next func() (job, bool)
	done func(job, outcome)
	most int // KiB of memory that a worker used
}

// run does jobs side by side until there is no next one. It returns the prover's own trouble; what is wrong with states
// is in the outcomes.
func (c *crew) run(ctx context.Context, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() {
			h := &hand{crew: c, dir: filepath.Join(c.dir, "worker"+strconv.Itoa(n))}
			defer h.dismiss()
			for ctx.Err() == nil {
				c.mu.Lock()
				j, more := c.next()
				c.mu.Unlock()
				if !more {
					return
				}
				o, err := h.do(ctx, j)
				if err == nil && o.Broken != "" {
					err = errors.New(o.Broken)
				}
				if err != nil {
					cancel(err)
					return
				}
				c.mu.Lock()
				c.done(j, o)
				c.mu.Unlock()
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// hand is one worker process after the other. It belongs to one goroutine.
type hand struct {
	*crew
	dir  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	said chan outcome    // closed when the process has ended
	last bytes.Buffer    // its standard error; read after said is closed
	slow map[origin]bool // states that were too slow once
}

func (h *hand) hire() error {
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(h.dir, busyName), make([]byte, 8), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(h.self, h.command, "-worker", h.plan, "-at", h.dir)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=400", "GOMEMLIMIT=1GiB")
	h.last.Reset()
	cmd.Stderr = &h.last
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	said := make(chan outcome)
	h.cmd, h.in, h.said = cmd, in, said
	go func() {
		for answers := json.NewDecoder(out); ; {
			var o outcome
			if answers.Decode(&o) != nil {
				break
			}
			said <- o
		}
		_ = cmd.Wait()
		close(said)
	}()
	return nil
}

func (h *hand) dismiss() {
	if h.cmd == nil {
		return
	}
	used := mostMemory(h.cmd.Process.Pid)
	h.mu.Lock()
	h.most = max(h.most, used)
	h.mu.Unlock()
	_ = h.in.Close()
	_ = h.cmd.Process.Kill()
	for range h.said {
	}
	h.cmd = nil
}

// do brings one job to its end, whatever it costs in workers.
func (h *hand) do(ctx context.Context, j job) (outcome, error) {
	var blamed []blame
	for {
		if h.cmd == nil {
			if err := h.hire(); err != nil {
				return outcome{}, err
			}
		}
		o, fell, err := h.attempt(ctx, j)
		if err != nil {
			return outcome{}, err
		}
		if fell.Kind == "" {
			o.Faults, o.Failures = append(blamed, o.Faults...), o.Failures+len(blamed)
			return o, nil
		}
		if fell.Number < 0 {
			return outcome{}, fmt.Errorf("a worker ended in history %d step %d before the first state: %s", j.History, j.Step, fell.Words)
		}
		if fell.Kind == hung && !h.slow[fell.origin] {
			if h.slow == nil {
				h.slow = map[origin]bool{}
			}
			h.slow[fell.origin] = true
			continue
		}
		blamed = append(blamed, fell)
		j.Skip = append(slices.Clone(j.Skip), fell.Number)
		if j.Control != "" || len(blamed) >= mostDeaths {
			return outcome{Area: "given up", Faults: blamed, Failures: len(blamed)}, nil
		}
	}
}

// attempt gives the job to the worker and watches it. Fell tells in which state the worker fell, if it did.
func (h *hand) attempt(ctx context.Context, j job) (o outcome, fell blame, err error) {
	if err := h.idle(); err != nil {
		return o, fell, err
	}
	fell.History, fell.Step = j.History, j.Step
	_ = json.NewEncoder(h.in).Encode(j) // fails only for a worker that has ended, which is noticed below
	number, since, used := -1, time.Now(), h.processor()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return o, fell, context.Cause(ctx)
		case got, ok := <-h.said:
			if ok {
				return got, fell, nil
			}
			h.cmd = nil
			fell.Kind, fell.Number, fell.Words = died, h.busy(), firstLine(h.last.String())
			return o, fell, nil
		case now := <-look.C:
			if n := h.busy(); n != number {
				number, since, used = n, now, h.processor()
			}
			within := h.patience
			if number < 0 {
				within = jobWithin
			}
			waited := now.Sub(since)
			if waited > within && (waited > starving*within || h.processor()-used > within/2) {
				_ = h.cmd.Process.Signal(syscall.SIGQUIT) // Go's runtime then says where it was
				time.Sleep(100 * time.Millisecond)
				h.dismiss()
				fell.Kind, fell.Number = hung, number
				fell.Words = fmt.Sprintf("no end within %v: %s", waited, frames(h.last.String()))
				return o, fell, nil
			}
		}
	}
}

// processor is the time that the worker has used.
func (h *hand) processor() time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", h.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	var user, system time.Duration // in ticks of a hundredth of a second: the fields 14 and 15 of proc(5), two are cut off
	if list := strings.Fields(rest); len(list) > 12 {
		_, _ = fmt.Sscan(list[11]+" "+list[12], &user, &system)
	}
	return (user + system) * 10 * time.Millisecond
}

// busy is the state that the worker is busy with, or -1.
func (h *hand) busy() int {
	b, err := os.ReadFile(filepath.Join(h.dir, busyName))
	if err != nil || len(b) != 8 {
		return -1
	}
	return int(binary.NativeEndian.Uint64(b)) - 1
}

// idle clears the page in place: the worker has it mapped.
func (h *hand) idle() error {
	f, err := os.OpenFile(filepath.Join(h.dir, busyName), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, 8), 0)
	return errors.Join(err, f.Close())
}

// frames are the first of our own and bbolt's functions in a stack trace.
func frames(trace string) string {
	var own []string
	for line := range strings.Lines(trace) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "(0x")
		if len(own) < 4 && (strings.HasPrefix(name, "posagent/") || strings.HasPrefix(name, "go.etcd.io/") || strings.HasPrefix(name, "main.")) {
			own = append(own, name)
		}
	}
	return strings.Join(own, " < ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
