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

	mu      sync.Mutex // guards everything below
	all     Result
	seeds   []uint64 // of what went wrong
	stopped bool
}

// patience is how long, in real time, one world may take: the slowest that was seen took three seconds.
const patience = 2 * time.Minute

// worker runs one process until enough was sold. A process that dies or hangs is a world that went wrong.
func (c *campaign) worker(first, of uint64) {
	self, err := os.Executable()
	if err != nil {
		c.add(first, Result{Wrong: []string{err.Error()}})
		return
	}
	cmd := exec.Command(self, "-test.run", "^TestWorker$", "-test.timeout", "0", "-worker-of", fmt.Sprint(of), "-first", fmt.Sprint(first))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
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
	watchdog := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	seed, over := first, false
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		watchdog.Reset(patience)
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
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for {
		select {
		case <-ended:
			return
		case <-look.C:
			c.mu.Lock()
			fmt.Fprintf(os.Stderr, "%8s  %d sales of %d, %d cuts, %d violations\n", time.Since(began).Round(time.Second), c.all.Sales, c.wanted,
				c.all.PowerCuts(), len(c.all.Wrong))
			c.mu.Unlock()
		}
	}
}
