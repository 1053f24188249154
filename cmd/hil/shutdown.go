package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// Abrupt shutdowns of a real file system. The real store trades in a process of its own on ext4 or xfs (volume.go), and
// repeats on a pipe what a call has promised once the call has returned (crash_life.go). At a drawn moment the kernel is
// told to shut the file system down. What is on its disk then is mounted again, which replays its journal; sometimes it is
// shut down a second time while the store starts. Then another process opens the store and holds every record against what
// was promised, undoes what is owed, sells twice and starts once more (crash_check.go); and the trade goes on with what
// is there (shutdown_round.go). The first life of a store begins with its birth.
//
// What this shows is that the kernel's own file systems, with their delayed allocation, journals and replay, keep what
// the store asks them to keep. "At once" aborts the journal: the transaction it was gathering is never written, and the
// files' dirty pages are refused from then on. What was handed to the disk stays, flushed or not; only a volume "on a disk
// with a cache" loses that too, and loses all that was not flushed, never a part of it. What is mounted again is a copy of
// the disk, made before the unmount: nothing that a kernel tidies away on that way counts.
//
// What it does not show: parts of what is in flight, writes in another order, torn sectors and shorn blocks, which are
// the crash prover's (crash.go); a disk that lies about a flush; and a kernel that dies in the middle of writing to the
// disk, for this one lets finish what it has begun to write.
//
// A file system that its kernel cannot mount again has no store to examine. Ext4 with fast_commit does that now and then,
// soon after it was mounted: the journal's superblock is on the disk with a wrong checksum (seen with Linux 6.18), and
// e2fsck then drops the journal with all that was synced into it. That is counted, and not held against the store: a
// terminal's file system should not have fast_commit.
//
// What is wrong on purpose must be found to be wrong, on each kind of file system (shutdown_control.go).
//
// The draw of the moments follows from the seed. Where the processes are at these moments does not.

type shutdownSettings struct {
	cuts, workers int
	seed          uint64
	only          string // file systems whose name has this in it; empty is all
	keep          string // where the first wrong stores are laid out; empty is nowhere
}

func shutdownCommand(ctx context.Context, f *flag.FlagSet, args []string, out, log io.Writer) error {
	var s shutdownSettings
	f.IntVar(&s.cuts, "cuts", 1000, "abrupt shutdowns of the real store at work, at least")
	f.IntVar(&s.workers, "workers", runtime.NumCPU(), "file systems that are shut down side by side")
	f.Uint64Var(&s.seed, "seed", 1, "of the trade and of the moments")
	f.StringVar(&s.only, "only", "", "only file systems whose name has this in it")
	f.StringVar(&s.keep, "keep", "", "keep the first wrong stores in this directory, as they were found")
	inside := f.String("inside", "", "of a child: its directory, in its own mount namespace")
	at := f.String("at", "", "of a child: the store's directory")
	first := f.Int("first", 0, "of a child: number of its first sale")
	sales := f.Int("live", -1, "be the child that makes so many sales")
	checking := f.Bool("check", false, "be the child that examines a store")
	_ = f.Parse(args)
	switch {
	case *sales >= 0:
		return liveOn(*at, out, *first, *sales, s.seed)
	case *checking:
		return answer(os.Stdin, out)
	case s.cuts < 1 || s.workers < 1 || f.NArg() > 0:
		return errors.New(usage)
	case *inside == "":
		return inOwnMounts(ctx, "shutdown", args, out, log)
	}
	p := newShutdowns(s, *inside, log)
	return p.run(ctx, out)
}

func newShutdowns(s shutdownSettings, dir string, log io.Writer) *shutdowns {
	return &shutdowns{shutdownSettings: s, dir: dir, log: log, began: time.Now(), tallies: map[string]*cutTally{},
		controls: map[string]*controlTally{}, kinds: map[string]int{}, unclean: map[string]int{}}
}

// shutdowns is one run.
type shutdowns struct {
	shutdownSettings
	self, dir string
	log       io.Writer
	began     time.Time
	pocket    script // what the wrong little store says

	mu       sync.Mutex // around all below
	tallies  map[string]*cutTally
	controls map[string]*controlTally
	kinds    map[string]int // of what is wrong
	words    []string       // of the first wrong ones
	unclean  map[string]int // file systems that could not be mounted again, by name
	held     int            // of them, against the run
	next     time.Time      // when to say how far it is
}

// run does chains of rounds side by side until each class has its share.
func (p *shutdowns) run(ctx context.Context, out io.Writer) (err error) {
	if p.self, err = os.Executable(); err != nil {
		return err
	}
	if err := ownPlace(p.dir); err != nil {
		return err
	}
	classes, absent, err := p.possible(ctx)
	if err != nil {
		return err
	}
	said, err := exec.CommandContext(ctx, p.self, "crash", "-pocket", pocketRight, "-at", p.dir).Output()
	if err == nil {
		p.pocket, err = scriptOf(said)
	}
	if err != nil {
		return fmt.Errorf("the little store: %w", err)
	}
	jobs := p.planned(classes)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for n := range p.workers {
		all.Go(func() {
			for ctx.Err() == nil {
				p.mu.Lock()
				if len(jobs) == 0 {
					p.mu.Unlock()
					return
				}
				do := jobs[0]
				jobs = jobs[1:]
				p.mu.Unlock()
				if err := do(ctx, filepath.Join(p.dir, strconv.Itoa(n))); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return p.report(out, classes, absent)
}

type chainJob func(ctx context.Context, dir string) error

// chainCuts is how many times one store is shut down at work before the next one is born on a new file system.
const chainCuts = 8

// planned is everything that there is to do, in a drawn order, so that a run that is stopped early has seen of everything.
func (p *shutdowns) planned(classes []cutClass) (jobs []chainJob) {
	dice := rand.New(rand.NewPCG(p.seed, 0))
	weights := 0
	for _, c := range classes {
		weights += c.weight
	}
	number := uint64(0)
	for _, c := range classes {
		for left := (p.cuts*c.weight + weights - 1) / weights; left > 0; left -= chainCuts {
			number++
			seed := number
			jobs = append(jobs, func(ctx context.Context, dir string) error {
				return p.chain(ctx, c, dir, seed, min(left, chainCuts))
			})
		}
		for _, control := range controlsOf(c) {
			number++
			seed := number
			jobs = append(jobs, func(ctx context.Context, dir string) error { return p.control(ctx, control, c, dir, seed) })
		}
	}
	dice.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
	return jobs
}

// say tells, now and then, how far it is. It is called with mu held.
func (p *shutdowns) say() {
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	p.next = now.Add(sayEvery)
	cuts := 0
	for t := range maps.Values(p.tallies) {
		cuts += t.working
	}
	fmt.Fprintf(p.log, "%6.1f s  %d shutdowns of the store at work\n", time.Since(p.began).Seconds(), cuts)
}
