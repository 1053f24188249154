package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// traced is a program under the knife that never falls (knife.go): its noticed system calls are listed, none is cut.
type traced struct {
	*process

	mu    sync.Mutex
	calls []call
	bad   error // a line that is no call
}

// trace starts a program traced from its first call on. Its standard error goes to log.
func trace(log io.Writer, argv ...string) (*traced, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, append([]string{"knife", "-at-once"}, argv...)...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := &traced{process: &process{cmd: cmd, done: make(chan struct{})}}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			t.add(lines.Text())
		}
		_ = cmd.Wait()
		close(t.done)
	}()
	return t, nil
}

func (t *traced) add(line string) {
	c, err := readCall(line)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls, t.bad = append(t.calls, c), errors.Join(t.bad, err)
}

// listed is the list so far.
func (t *traced) listed() ([]call, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]call(nil), t.calls...), t.bad
}

// ended waits for a program that ends by itself.
func (t *traced) ended(ctx context.Context) error {
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		t.kill()
		return ctx.Err()
	}
}

// call is one noticed system call: "17 pwrite hot.db 4096". Bytes is 0 for those that have none.
type call struct {
	name, on string
	bytes    int64
}

func readCall(line string) (call, error) {
	words := strings.Fields(line)
	if len(words) < 3 || len(words) > 4 {
		return call{}, fmt.Errorf("the tracer said %q, which is no call", line)
	}
	c := call{name: words[1], on: words[2]}
	if len(words) == 4 {
		n, err := strconv.ParseInt(words[3], 10, 64)
		if err != nil {
			return call{}, fmt.Errorf("the tracer said %q, which has no size", line)
		}
		c.bytes = n
	}
	return c, nil
}

// Names of what is counted. The knife tells files by their base names.
const (
	hotFile     = "hot.db"
	archiveFile = "archive.db"
	shadowFile  = "shadow" // opened O_DSYNC: each of its writes is a flush too
)

// cost is what a list of calls wrote and flushed.
type cost struct {
	bytes, writes int64
	syncs         map[string]int // fsync and fdatasync, by file
	shadows       int            // writes of the shadow
}

func costOf(calls []call) cost {
	c := cost{syncs: map[string]int{}}
	for _, one := range calls {
		switch one.name {
		case "pwrite":
			c.bytes += one.bytes
			c.writes++
			if one.on == shadowFile {
				c.shadows++
			}
		case "fsync", "fdatasync":
			c.syncs[one.on]++
		}
	}
	return c
}

// flushes counts every call that returns only when the disk has the bytes.
func (c cost) flushes() int {
	n := c.shadows
	for _, syncs := range c.syncs {
		n += syncs
	}
	return n
}

// commits counts bbolt's: one sync after the pages and one after the meta page.
func (c cost) commits() (int, error) {
	hot, archive := c.syncs[hotFile], c.syncs[archiveFile]
	if hot%2 != 0 || archive%2 != 0 {
		return 0, fmt.Errorf("%d syncs of %s and %d of %s are no whole commits", hot, hotFile, archive, archiveFile)
	}
	return (hot + archive) / 2, nil
}

// customersPath cuts a list in two: from the first byte to the card reader to the last byte to the printer, which is what
// a customer waits for, and what follows.
func customersPath(calls []call, reader, printer string) (path, rest []call, err error) {
	first, last := -1, -1
	for i, c := range calls {
		if c.name != "write" {
			continue
		}
		if c.on == reader && first < 0 {
			first = i
		}
		if c.on == printer {
			last = i
		}
	}
	if first < 0 || last < first {
		return nil, nil, fmt.Errorf("of %d traced calls none writes to the reader %s and a later one to the printer %s", len(calls), reader, printer)
	}
	return calls[first : last+1], calls[last+1:], nil
}

// betweenMarks is what a loop did between its two marks.
func betweenMarks(calls []call) ([]call, error) {
	var marks []int
	for i, c := range calls {
		if c.name == "write" && c.on == loopMark {
			marks = append(marks, i)
		}
	}
	if len(marks) != 2 {
		return nil, fmt.Errorf("the loop left %d marks instead of 2: it did not end well", len(marks))
	}
	return calls[marks[0]+1 : marks[1]], nil
}
