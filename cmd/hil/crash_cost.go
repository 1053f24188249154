package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// expense is what examining states took of the machine.
type expense struct {
	cpu             time.Duration // of the prover and its workers
	prover, workers int           // KiB of memory at most; of one worker
}

func (c *expense) begin() { c.cpu = -processorTime() }

func (c *expense) end(workers int) {
	c.cpu += processorTime()
	c.prover, c.workers = mostMemory(os.Getpid()), workers
}

func (c *expense) of(states int) string {
	return fmt.Sprintf("%.0f s of processor time, %.2f ms a state with those of lies and controls; at most %d MiB of memory, and %d MiB a worker",
		c.cpu.Seconds(), c.cpu.Seconds()*1000/float64(max(states, 1)), c.prover>>10, c.workers>>10)
}

// processorTime is of this process and of its children that have ended.
func processorTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		if syscall.Getrusage(who, &used) == nil {
			sum += time.Duration(used.Utime.Nano() + used.Stime.Nano())
		}
	}
	return sum
}

// mostMemory reads the peak of a process's memory in KiB (proc(5), VmHWM): what getrusage says of a child counts the
// memory of the parent that it was forked from.
func mostMemory(pid int) (most int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &most); err == nil {
			return most
		}
	}
	return 0
}
