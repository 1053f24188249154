package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"posagent/firmware/scenario"
)

// storyWithin keeps a broken bench from hanging; nothing is measured by it.
const storyWithin = 30 * time.Minute

// scenarioCommand plays stories on real processes, one rig for each. A story that a bench of processes cannot play is
// named with what it needs, and is no failure.
func scenarioCommand(ctx context.Context, f *flag.FlagSet, args []string, out io.Writer) error {
	p := places{}
	f.StringVar(&p.bin, "bin", filepath.Dir(os.Args[0]), "where posagent, acquirersim and devicesim are")
	f.StringVar(&p.cards, "cards", filepath.Join("testdata", "cards", "cards.toml"), "test cards and their accounts")
	_ = f.Parse(args)
	if f.NArg() == 0 {
		return errors.New("no story named; write hil scenario testdata/scenarios/power/*.txt")
	}
	var failed []error
	played, unable := 0, 0
	for _, file := range f.Args() {
		began := time.Now()
		switch err := playFile(ctx, p, file); {
		case errors.Is(err, scenario.ErrUnable):
			unable++
			fmt.Fprintf(out, "-     %s\n", err)
		case err != nil:
			failed = append(failed, err)
			fmt.Fprintf(out, "WRONG %s\n", err)
		default:
			played++
			fmt.Fprintf(out, "good  %s, %.1f s\n", file, time.Since(began).Seconds())
		}
	}
	fmt.Fprintf(out, "%d stories as they should be, %d not, %d that this bench cannot play\n", played, len(failed), unable)
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d stories ended otherwise", len(failed), f.NArg())
	}
	return ctx.Err()
}

// playFile plays one story on a rig of its own. The rig's directory is kept where the story fails.
func playFile(ctx context.Context, p places, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := scenario.Parse(file, string(text))
	if err != nil {
		return err
	}
	s = hurried(s)
	if err := errors.Join(scenario.Able(s, (*processRig)(nil)), ableAs(s)); err != nil {
		return err // before anything is started
	}
	if p.dir, err = os.MkdirTemp("", "story"); err != nil { // short enough for unix sockets
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storyWithin)
	defer cancel()
	r, err := newProcessRig(ctx, p, filepath.Base(filepath.Dir(file)) == sealedStories)
	if err != nil {
		return err
	}
	if err := errors.Join(scenario.Run(s, r), r.Close()); err != nil {
		return fmt.Errorf("%w\n\tthe bench is kept in %s", err, p.dir)
	}
	return os.RemoveAll(p.dir)
}
