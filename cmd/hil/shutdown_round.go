package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// stand is one volume with one store, and what is known of it. It belongs to one goroutine.
type stand struct {
	*shutdowns
	class  cutClass
	volume *volume
	dice   *rand.Rand
	dir    string // for rehearsals
	lives  int
	known  inquiry // Before, Boot, Batch: as the last examination left the store

	keeping bool // what is wrong here is wrong
}

const (
	liveSales  = 40     // that a life would make, if it were left alone
	numbering  = 10_000 // between the sales of one life and the next
	afterTry   = 700 * time.Microsecond
	afterStart = 6 * time.Millisecond // a birth takes so long, an opening less
	storeDir   = "store"
)

func (p *shutdowns) newStand(ctx context.Context, c cutClass, dir string, seed uint64) (*stand, error) {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, err
	}
	v, err := newVolume(ctx, c.volumeKind, filepath.Join(dir, "volume"))
	if err != nil {
		return nil, err
	}
	s := &stand{shutdowns: p, class: c, volume: v, dice: rand.New(rand.NewPCG(p.seed, seed)), dir: dir, keeping: true}
	if err := v.mount(); err != nil {
		return nil, errors.Join(err, v.remove())
	}
	return s, nil
}

func (s *stand) store() string { return filepath.Join(s.volume.point, storeDir) }

// chain shuts one store down again and again, and examines it each time; or several, one after the other, where the file
// system itself does not last.
func (p *shutdowns) chain(ctx context.Context, c cutClass, dir string, seed uint64, cuts int) error {
	for tries := range uint64(5) {
		done, err := p.oneStore(ctx, c, dir, seed+tries<<32, cuts)
		if err == nil {
			return nil
		}
		if cuts -= done; !errors.Is(err, errUnclean) {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		p.countUnclean(c)
	}
	return nil // the shutdowns that are missing are in the report
}

func (p *shutdowns) oneStore(ctx context.Context, c cutClass, dir string, seed uint64, cuts int) (done int, err error) {
	s, err := p.newStand(ctx, c, dir, seed)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.volume.remove()) }()
	for tries := 0; done < cuts; tries++ {
		if tries > 4*chainCuts {
			return done, errors.New("the store is never at work when it is shut down")
		}
		r, err := s.round(ctx, false)
		if err != nil {
			return done, err
		}
		if !r.over {
			done++
		}
		p.count(c, r)
		if r.Kind != "" {
			return cuts, nil // nothing can be said of what follows
		}
	}
	return done, nil
}

// round is one life, its end, and what was found after it.
type round struct {
	played
	finding
	commits  int  // promised in this life, that are to be found
	writing  bool // the call in flight writes a record
	starting int  // further shutdowns, while the store started
}

// round lives and dies once. Sooner takes the call in flight for one that was promised, which it must not be.
func (s *stand) round(ctx context.Context, sooner bool) (r round, err error) {
	first, seed := s.lives*numbering, s.dice.Uint64()
	s.lives++
	told, err := s.rehearse(first, seed)
	if err != nil {
		return r, err
	}
	r.played, err = s.volume.play(ctx, told, s.moment(told), s.class.how, s.self, "shutdown",
		"-live", strconv.Itoa(liveSales), "-at", s.store(), "-first", strconv.Itoa(first), "-seed", strconv.FormatUint(seed, 10))
	if err != nil {
		return r, err
	}
	r.commits = commitsIn(told.promises[:r.acked])
	r.writing = commitsIn(told.promises[r.acked:min(r.acked+1, len(told.promises))]) > 0
	if err := s.volume.cutPower(); err != nil {
		return r, err
	}
	q := s.known
	q.Dir, q.Life, q.Acked = s.store(), told.promises, r.acked
	if sooner && r.flying {
		q.Acked++
	}
	for s.dice.IntN(4) == 0 {
		if err := s.startAndCut(ctx, &q); err != nil {
			return r, err
		}
		r.starting++
	}
	kept, err := s.keepBefore()
	if err != nil {
		return r, err
	}
	if r.finding, err = s.ask(ctx, q); err != nil {
		return r, err
	}
	if r.Kind == "" && kept != "" {
		err = os.RemoveAll(kept)
	}
	s.known = inquiry{Before: r.Found, Boot: r.Boot, Batch: r.Batch}
	return r, err
}

// rehearse lives the life on a copy in memory, and is told all that it promises.
func (s *stand) rehearse(first int, seed uint64) (script, error) {
	dir := filepath.Join(s.dir, "rehearsal")
	if err := os.RemoveAll(dir); err != nil {
		return script{}, err
	}
	if _, err := os.Stat(s.store()); err == nil {
		if err := copyStore(s.store(), dir); err != nil {
			return script{}, err
		}
	}
	var said bytes.Buffer
	if err := liveOn(dir, &said, first, liveSales, seed); err != nil {
		return script{}, fmt.Errorf("rehearsal: %w", err)
	}
	return scriptOf(said.Bytes())
}

// moment draws one: mostly in the trade, and often enough in the start.
func (s *stand) moment(told script) moment {
	if s.dice.IntN(10) == 0 {
		return moment{0, s.upTo(afterStart)}
	}
	return moment{s.dice.IntN(len(told.deeds)), s.upTo(afterTry)}
}

func (s *stand) upTo(most time.Duration) time.Duration {
	return time.Duration(s.dice.Int64N(int64(most)))
}

// startAndCut shuts the volume down while the store starts. It is not rehearsed: the store might not bear it, which is for
// the examination to find.
func (s *stand) startAndCut(ctx context.Context, q *inquiry) error {
	told := script{lines: []string{"TRY open", "ACK open", "TRY close", "ACK close"}, deeds: []int{0, 2}, free: true}
	p, err := s.volume.play(ctx, told, moment{0, s.upTo(afterStart)}, s.class.how, s.self, "shutdown", "-live", "0", "-at", s.store())
	if err != nil {
		return err
	}
	if told, err = scriptOf([]byte(strings.Join(p.said, "\n"))); err != nil {
		return err
	}
	for _, promised := range told.promises {
		q.Boot = max(q.Boot, promised.Boot)
	}
	return s.volume.cutPower()
}

// keepBefore copies the store where somebody wants to see what is wrong.
func (s *stand) keepBefore() (string, error) {
	if s.keep == "" || !s.keeping {
		return "", nil
	}
	dir := filepath.Join(s.keep, fmt.Sprintf("%s-%d-%d", filepath.Base(s.dir), s.lives, time.Now().UnixNano()))
	if _, err := os.Stat(s.store()); err != nil {
		return dir, os.MkdirAll(dir, 0o700)
	}
	return dir, copyStore(s.store(), dir)
}

// commitsIn counts the promises that a commit stands behind.
func commitsIn(promises []promise) (n int) {
	for _, p := range promises {
		if p.Txn != nil && p.Rides == "" || p.STAN > 0 || p.Deed == "batch" {
			n++
		}
	}
	return n
}
