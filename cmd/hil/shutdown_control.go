package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Controls are wrong on purpose, and each must be caught on every kind of file system where it is wrong: the wrong little
// store of the crash prover, which writes without syncing or promises before it commits; the real store on a disk with a
// cache that is never told to flush; and the real store's own trade, with the call that was in flight taken for promised.
// The little store, done right, must pass.
const (
	controlNoFlush = "the real store, on a disk that gets no flush"
	controlSooner  = "the real store, promised one call too early"
)

func cutControls() []string {
	return []string{controlUnsynced, controlEarly, controlSooner, controlNoFlush, controlRight}
}

const (
	controlTries = 8
	soonerTries  = 12 // where the cut comes late, the call in flight has reached the disk
)

// controlsOf are those that are wrong on a class of volumes. A sync before the shutdown also waits for what was promised
// too early, and so nothing but the right one is left of them there.
func controlsOf(c cutClass) (names []string) {
	names = []string{controlRight}
	if c.how != shutSynced {
		names = append(names, controlEarly, controlSooner)
	}
	if c.how == shutNoFlush {
		names = append(names, controlUnsynced)
	}
	if c.cached {
		names = append(names, controlNoFlush)
	}
	return names
}

// controlTally counts the tries of one control on one class.
type controlTally struct{ tried, caught int }

func (p *shutdowns) control(ctx context.Context, name string, c cutClass, dir string, seed uint64) error {
	tries := controlTries
	if name == controlSooner {
		tries = soonerTries
	}
	for n := range tries {
		kind, err := p.tryControl(ctx, name, c, dir, seed+uint64(n)<<32)
		switch {
		case errors.Is(err, errUnclean) && name == controlNoFlush:
			kind, err = lost, nil // and the file system with it
		case errors.Is(err, errUnclean):
			p.countUnclean(c)
			continue
		}
		if err != nil {
			return fmt.Errorf("control %q on %s: %w", name, c.name, err)
		}
		p.countControl(name, c, kind != "")
	}
	return nil
}

// tryControl tells what was found to be wrong.
func (p *shutdowns) tryControl(ctx context.Context, name string, c cutClass, dir string, seed uint64) (kind string, err error) {
	if name == controlNoFlush {
		c.options = "nobarrier" // ext4(5): it asks its disk for no flush
	}
	s, err := p.newStand(ctx, c, dir, seed)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.volume.remove()) }()
	s.keeping = false
	switch name {
	case controlSooner, controlNoFlush:
		r, err := s.round(ctx, name == controlSooner)
		return r.Kind, err
	case controlUnsynced:
		return s.pocketRound(ctx, pocketNoSync)
	case controlEarly:
		return s.pocketRound(ctx, pocketEarly)
	default:
		return s.pocketRound(ctx, pocketRight)
	}
}

// pocketRound is a round with the wrong little store.
func (s *stand) pocketRound(ctx context.Context, how string) (kind string, err error) {
	dir := filepath.Join(s.volume.point, "pocket-"+strconv.Itoa(s.lives))
	if err := errors.Join(os.Mkdir(dir, 0o700), unix.Syncfs(int(s.volume.held.Fd()))); err != nil {
		return "", err
	}
	told := s.pocket
	at := moment{2 + s.dice.IntN(len(told.deeds)-2), time.Duration(s.dice.Int64N(int64(afterTry)))}
	r, err := s.volume.play(ctx, told, at, s.class.how, s.self, "crash", "-pocket", how, "-at", dir)
	if err != nil {
		return "", err
	}
	if err := s.volume.cutPower(); err != nil {
		return "", err
	}
	f, err := s.ask(ctx, inquiry{Dir: dir, Pocket: true, Life: told.promises, Acked: r.acked})
	return f.Kind, err
}
