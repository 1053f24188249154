package simrig

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestCampaign is make sim. Each CPU gets a process of one thread: what a world does at one instant it does in turns anyway.
func TestCampaign(t *testing.T) {
	if *salesWanted == 0 {
		t.SkipNow()
	}
	began := time.Now()
	c := &campaign{wanted: *salesWanted, stop: make(chan struct{})}
	workers := runtime.NumCPU()
	var running sync.WaitGroup
	for n := range workers {
		running.Go(func() { c.worker(*firstSeed+uint64(n), uint64(workers)) })
	}
	ended := make(chan struct{})
	go c.progress(began, ended)
	running.Wait()
	close(ended)
	c.all.Print(os.Stdout, time.Since(began))
	for _, seed := range c.seeds {
		fmt.Printf("replay with: make sim SEED=%d\n", seed)
	}
	if len(c.all.Wrong) > 0 {
		t.FailNow()
	}
}

// campaign is many worlds in many processes.
type campaign struct {
	wanted int
	stop   chan struct{}

	mu      sync.Mutex        // guards everything below
	quiet   map[*exec.Cmd]int // looks since a worker's last word
	all     Result
	seeds   []uint64 // of what went wrong
	stopped bool
}

// A worker that says nothing for so many looks hangs: the slowest world that was seen took three seconds. Looks are
// counted, not time: a machine that stands still looks at nobody.
const (
	between  = 5 * time.Second
	patience = 60
)

// lean is the environment of a worker: one of several on a machine, with memory to spare, and with goroutines that are many and
// short-lived, so that they begin with the stack that others came to need. One thread that nobody interrupts takes what happens
// at one instant in the same turns each time, as far as a busy machine lets it.
var lean = []string{"GOMAXPROCS=1", "GOGC=1000", "GODEBUG=adaptivestackstart=1,asyncpreemptoff=1"}

// worker runs one process until enough was sold. A process that dies or hangs is a world that went wrong.
func (c *campaign) worker(first, of uint64) {
	self, err := os.Executable()
	if err != nil {
		c.add(first, Result{Wrong: []string{err.Error()}})
		return
	}
	cmd := exec.Command(self, "-test.run", "^TestWorker$", "-test.timeout", "0", "-worker-of", fmt.Sprint(of), "-first", fmt.Sprint(first))
	cmd.Env = append(os.Environ(), lean...)
	stdin, inErr := cmd.StdinPipe()
	stdout, outErr := cmd.StdoutPipe()
	complaints := &tail{}
	cmd.Stderr = complaints
	if inErr != nil || outErr != nil || cmd.Start() != nil {
		c.add(first, Result{Wrong: []string{"a worker cannot be started"}})
		return
	}
	go func() {
		<-c.stop
		_ = stdin.Close()
	}()
	c.heard(cmd, true)
	defer c.heard(cmd, false)
	seed, over := first, false
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c.heard(cmd, true)
		if rest, found := strings.CutPrefix(lines.Text(), "world "); found {
			_, _ = fmt.Sscan(rest, &seed)
			over = false
		}
		var r Result
		if rest, found := strings.CutPrefix(lines.Text(), "result "); found && json.Unmarshal([]byte(rest), &r) == nil {
			c.add(seed, r)
			over = true
		} else if !found && !strings.HasPrefix(lines.Text(), "world ") {
			_, _ = complaints.Write(append(lines.Bytes(), '\n')) // a panic goes to standard output, too
		}
	}
	if err := cmd.Wait(); err != nil || !over {
		c.add(seed, Result{Wrong: []string{fmt.Sprintf("seed %d: the world's process ended in the middle of it (%v):\n%s", seed, err, complaints)}})
	}
}

// heard begins the count of looks anew, or ends it.
func (c *campaign) heard(worker *exec.Cmd, lives bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.quiet == nil {
		c.quiet = map[*exec.Cmd]int{}
	}
	c.quiet[worker] = 0
	if !lives {
		delete(c.quiet, worker)
	}
}

// tail keeps the beginning of what a process complains about.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), max(0, 4000-len(t.text)))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

func (c *campaign) add(seed uint64, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.Add(r)
	if len(r.Wrong) > 0 {
		c.seeds = append(c.seeds, seed)
	}
	if !c.stopped && (c.all.Sales >= c.wanted || len(c.seeds) >= 20) {
		c.stopped = true
		close(c.stop)
	}
}

func (c *campaign) progress(began time.Time, ended chan struct{}) {
	look := time.NewTicker(between)
	defer look.Stop()
	for {
		select {
		case <-ended:
			return
		case <-look.C:
			c.mu.Lock()
			fmt.Fprintf(os.Stderr, "%8s  %d sales of %d, %d cuts, %d violations\n", time.Since(began).Round(time.Second), c.all.Sales, c.wanted,
				c.all.PowerCuts(), len(c.all.Wrong))
			for worker := range c.quiet {
				if c.quiet[worker]++; c.quiet[worker] > patience {
					_ = worker.Process.Kill()
				}
			}
			c.mu.Unlock()
		}
	}
}
