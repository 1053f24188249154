package simrig

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/firmware/scenario"
	"posagent/link/profile"
)

// What make sim asks for, behind -args.
var (
	salesWanted = flag.Int("sales", 0, "random worlds with so many sales in all, on every CPU; the report goes to standard output")
	seedWanted  = flag.Uint64("seed", 0, "replays one world with its trace, and shortens its story if it fails")
	firstSeed   = flag.Uint64("first", 1, "the campaign's first seed")
	workerOf    = flag.Uint64("worker-of", 0, "plays every so-many-th seed from the first one, a line of JSON each, until standard input ends")
)

const (
	salesAWorld = 100
	bootCuts    = 1500
)

func randomOptions(seed uint64, dir string, cards *Cards) Options {
	o := Options{Seed: seed, Dir: filepath.Join(dir, fmt.Sprint(seed)), Cards: cards, BootCuts: bootCuts, PINPad: hasPINPad(seed), Lines: hasLines(seed)}
	if hasDUKPT(seed) {
		o.Profile = underDUKPT()
	}
	if hasSealed(seed) {
		o.Profile = underReader()
	}
	return o
}

// underDUKPT is the profile of a terminal whose tracks travel under DUKPT.
func underDUKPT() *profile.Profile {
	p, err := profile.Open(filepath.Join("..", "..", "testdata", "profiles", "dukpt.toml"))
	if err != nil {
		panic(err)
	}
	return p
}

// playRandom plays one seed's world.
func playRandom(t *testing.T, o Options, s scenario.Story) (r Result) {
	err := inWorld(t, o, func(w *World) error {
		wrong := scenario.RunLoose(s, w)
		r = w.result(o.Seed, wrong)
		return nil
	})
	if err != nil {
		r.Wrong = append(r.Wrong, fmt.Sprintf("seed %d: %v", o.Seed, err))
	}
	return r
}

// Random worlds in which terminal and acquirer speak ISO 8583:1987 in characters.
func TestRandomWorldsUnderTheGenericProfileKeepTheirBooks(t *testing.T) {
	cards, dir := testCards(t), fastDir(t)
	var all Result
	for seed := uint64(1); all.Sales < 300; seed++ {
		o := randomOptions(seed, dir, cards)
		o.Profile = profile.ISO87()
		all.Add(playRandom(t, o, Random(seed, salesAWorld)))
	}
	require.Empty(t, all.Wrong)
}

func TestRandomWorldsKeepTheirBooks(t *testing.T) {
	if *salesWanted > 0 || *seedWanted > 0 || *workerOf > 0 {
		t.SkipNow() // something else was asked for
	}
	cards, dir := testCards(t), fastDir(t)
	var all Result
	for seed := uint64(1); all.Sales < 500; seed++ {
		all.Add(playRandom(t, randomOptions(seed, dir, cards), Random(seed, salesAWorld)))
	}
	require.Empty(t, all.Wrong)
	require.Greater(t, all.PowerCuts()*100, all.Sales*12, "cuts of %d sales: 16 in a hundred are cut in many worlds, in a few worlds fewer may be", all.Sales)
}

// Worlds in which every other customer pays with a payment code, many of them with one that was shown before, under both profiles.
func TestRandomWorldsFullOfPaymentCodesKeepTheirBooks(t *testing.T) {
	cards, dir := testCards(t), fastDir(t)
	var all Result
	for seed := uint64(1); all.Sales < 300; seed++ {
		o := randomOptions(seed, dir, cards)
		if seed%2 == 0 {
			o.Profile = profile.ISO87()
		}
		all.Add(playRandom(t, o, randomStory(seed, salesAWorld, nil, &mix{void: 100, refund: 100, close: 40, chip: 300, scan: 500})))
	}
	require.Empty(t, all.Wrong)
}

// A world that goes wrong is shortened to a story that a person can read, and that goes wrong in the same way.
func TestAFailingWorldIsShortened(t *testing.T) {
	cards, dir := testCards(t), fastDir(t)
	var s scenario.Story
	var wrong string
	o := Options{}
	for seed := uint64(1); wrong == ""; seed++ {
		o = randomOptions(seed, dir, cards)
		o.PlantStore = func(s agent.Store) agent.Store { return timeoutDeclines{s} }
		s = Random(seed, 20)
		if r := playRandom(t, o, s); len(r.Wrong) > 0 {
			wrong = r.Wrong[0]
		}
	}
	short := scenario.Shrink(s, 150, func(s scenario.Story) bool {
		r := playRandom(t, o, s)
		return len(r.Wrong) > 0 && manner(r.Wrong[0]) == manner(wrong)
	})
	t.Logf("%d steps became\n%s", len(s.Steps), short)
	require.LessOrEqual(t, len(short.Steps), 12)
	require.NotEmpty(t, playRandom(t, o, short).Wrong)
}

// TestWorker is the inside of a campaign: one process, one thread, one world after the other.
func TestWorker(t *testing.T) {
	if *workerOf == 0 {
		t.SkipNow()
	}
	debug.SetGCPercent(800)
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	cards, dir := testCards(t), fastDir(t)
	out := bufio.NewWriter(os.Stdout)
	for seed := *firstSeed; ; seed += *workerOf {
		select {
		case <-ended:
			return
		default:
		}
		fmt.Fprintf(out, "\nworld %d\n", seed)
		require.NoError(t, out.Flush())
		line, err := json.Marshal(playRandom(t, randomOptions(seed, dir, cards), Random(seed, salesAWorld)))
		require.NoError(t, err)
		fmt.Fprintf(out, "result %s\n", line)
		require.NoError(t, out.Flush())
	}
}

// TestReplay is make sim SEED=n.
func TestReplay(t *testing.T) {
	if *seedWanted == 0 {
		t.SkipNow()
	}
	cards, dir := testCards(t), fastDir(t)
	o := randomOptions(*seedWanted, dir, cards)
	o.Trace = true
	s := Random(o.Seed, salesAWorld)
	wrong := ""
	require.NoError(t, inWorld(t, o, func(w *World) error {
		if err := scenario.RunLoose(s, w); err != nil {
			wrong = err.Error()
		}
		fmt.Print(w.trace.text())
		return nil
	}))
	if wrong == "" {
		fmt.Printf("seed %d: the books agree\n", o.Seed)
		return
	}
	fmt.Printf("\n%s\n\nlooking for a shorter story that goes wrong in the same way…\n", wrong)
	o.Trace = false
	shortest := scenario.Shrink(s, 2000, func(s scenario.Story) bool {
		r := playRandom(t, o, s)
		return len(r.Wrong) > 0 && manner(r.Wrong[0]) == manner(fmt.Sprintf("seed %d: %s", o.Seed, wrong))
	})
	fmt.Printf("\n%s\n", shortest)
	for _, w := range playRandom(t, o, shortest).Wrong {
		fmt.Println("# " + strings.ReplaceAll(w, "\n", "\n# "))
	}
	t.FailNow()
}

// manner is what went wrong without the numbers.
func manner(wrong string) string {
	lines := strings.SplitN(wrong, "\n", 3)
	last := lines[min(1, len(lines)-1)]
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, last)
}
