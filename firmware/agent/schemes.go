package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"posagent/device/reader"
	"posagent/link/acquirer"
	"posagent/txnstore/txn"
)

// What chip cards are proven and chosen by is downloaded into files here, and lives in the card reader. The way between the two is
// the terminal's own business:
//
//	order ─► downloaded whole ─► kept, one file replaced ─► acquirer told ─► wanted ─► put into the reader ─► done
//	                                                                          ▲
//	     a start · a line to the reader that was opened anew · a new set ─────┘
//
// The file is the truth. Nobody notes what the reader holds: it is asked, and given what it lacks, so that a power cut at any
// moment, a reader that was exchanged and one that was unplugged all come to the same. It is done while nobody trades, and a
// customer ends it between two commands.
//
// Until it is done the reader holds old and new beside each other, or another reader's keys, and chips are taken all the same. It
// is said in the status and, after the third failure, as an alarm. Refusing them would stop the trade for what the acquirer judges
// itself: every chip goes online here, a card that could not be proven says so in field 55, and one whose application the reader
// does not know is not read.

// schemeKind is one of the two kinds of what is kept.
type schemeKind struct {
	file  string // the name under which Files keeps it
	order byte
}

var schemeKinds = [...]schemeKind{acquirer.SchemeKeys: {"capk", orderKeys}, acquirer.SchemeApplications: {"aid", orderApps}}

// SchemeSet is what the acquirer has sent, as it lies on disk.
type SchemeSet struct {
	Origin
	Expired []string        `json:"expired,omitempty"` // names of keys that were left out
	Rows    []txn.SchemeRow `json:"rows"`
}

// ReadSchemes reads a set that is kept. Without one the error wraps fs.ErrNotExist.
func ReadSchemes(f Files, which acquirer.Schemes) (set SchemeSet, err error) {
	content, err := f.Read(schemeKinds[which].file)
	if err == nil {
		err = openFile(schemeKinds[which].file, content, &set)
	}
	if err != nil {
		return set, err
	}
	for _, row := range set.Rows {
		if which == acquirer.SchemeKeys && (len(row.Name) != txn.KeyName || len(row.Says) <= txn.KeyModulus) {
			return set, errDamaged
		}
	}
	return set, nil
}

// Keep makes the set the one that is read from now on, whole or not at all.
func (s SchemeSet) Keep(f Files, which acquirer.Schemes) error {
	content, err := sealFile(schemeKinds[which].file, s)
	if err != nil {
		return err
	}
	return f.Keep(schemeKinds[which].file, content)
}

// schemes are both sets as they are kept.
type schemes struct {
	mu   sync.Mutex
	sets [len(schemeKinds)]SchemeSet
}

// rows are what the reader shall hold; nil is not to be touched.
func (s *schemes) rows() (keys, apps []txn.SchemeRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sets[acquirer.SchemeKeys].Rows, s.sets[acquirer.SchemeApplications].Rows
}

func (s *schemes) kept() bool {
	keys, apps := s.rows()
	return len(keys)+len(apps) > 0
}

// openSchemes takes up what is kept. A set that is damaged, or another terminal's, is asked for again; the reader keeps what it
// holds until then.
func (a *Agent) openSchemes() {
	if a.wires.Files == nil || !keepsSchemes(a.o.ReaderKind) {
		return
	}
	for which, kind := range schemeKinds {
		set, err := ReadSchemes(a.wires.Files, acquirer.Schemes(which))
		if err == nil && (set.Terminal != a.o.Terminal || set.Merchant != a.o.Merchant) {
			err = errOthers
		}
		if err == nil {
			a.chips.sets[which] = set
		} else if !errors.Is(err, fs.ErrNotExist) {
			a.log.Error("what was downloaded for chip cards is not used, and will be asked for again", "cause", err)
			a.orders.want(kind.order, time.Now())
		}
	}
	a.wantInstall()
}

var errOthers = errors.New("what is kept belongs to another terminal or merchant")

// fetchSchemes downloads a set whole, makes it durable, tells the acquirer, and has it put into the reader. Power lost before it is
// durable leaves the old set and an order that stands; after it the new one, which the next start puts into the reader.
func (a *Agent) fetchSchemes(ctx context.Context, which acquirer.Schemes) error {
	if a.wires.Files == nil {
		return errNowhere
	}
	got, err := a.host.FetchSchemes(ctx, which)
	if err != nil {
		return err
	}
	set := SchemeSet{a.origin(got.From), got.Expired, got.Rows}
	if err := set.Keep(a.wires.Files, which); err != nil {
		return fmt.Errorf("the %s could not be kept, and the old ones stay: %w", which, err)
	}
	a.chips.mu.Lock()
	a.chips.sets[which] = set
	a.chips.mu.Unlock()
	a.card.settled.Store(false)
	a.orders.anew(orderInstall, time.Now())
	return a.host.EndSchemes(ctx, which)
}

// wantInstall asks for an installation where there may be something to install.
func (a *Agent) wantInstall() {
	if a.chips.kept() && (a.card == nil || !a.card.settled.Load()) {
		a.orders.want(orderInstall, time.Now())
	}
}

// install makes the reader hold what is kept.
func (a *Agent) install(ctx context.Context) error {
	return a.terminal.Alone(ctx, func(ctx context.Context) error {
		changed, err := a.card.install(ctx, &a.chips)
		if changed > 0 {
			a.log.Info("keys and applications in the card reader", "changed", changed)
		}
		return err
	})
}

// install puts both into the reader on a line that answers. The caller has the engine's turn. As with a card, a line that was open
// from before and is gone now is opened once more.
func (c *cardReader) install(ctx context.Context, s *schemes) (changed int, err error) {
	for old := c.drive != nil; ; old = false {
		if err := c.attach(); err != nil {
			return changed, err
		}
		drive, has := c.drive.(schemeDrive)
		if !has {
			return changed, reader.ErrNoSchemes
		}
		keys, apps := s.rows()
		changed, err = drive.Install(ctx, keys, apps)
		if err == nil || errors.Is(err, reader.ErrNoSchemes) {
			c.settled.Store(true)
			return changed, err
		}
		if ctx.Err() != nil || errors.Is(err, reader.ErrFull) || ordinary(err) {
			return changed, err
		}
		c.detach()
		if !old || !hungUp(err) {
			return changed, err
		}
	}
}

// meet finds a line that is gone, and so a reader that was put in the place of another. The caller has the engine's turn.
func (c *cardReader) meet(ctx context.Context) {
	if drive, has := c.drive.(schemeDrive); has {
		if err := drive.Ping(ctx); err != nil && !ordinary(err) {
			c.detach()
		}
	}
}

// schemeStatus tells what is kept and whether the reader holds it.
func (a *Agent) schemeStatus(s *Status) {
	a.chips.mu.Lock()
	for which := range a.chips.sets {
		if set := &a.chips.sets[which]; len(set.Rows) > 0 {
			s.Chips = append(s.Chips, ChipStatus{DownloadStatus{Origin: set.Origin, Entries: len(set.Rows)}, acquirer.Schemes(which).String(), set.Expired})
		}
	}
	a.chips.mu.Unlock()
	if len(s.Chips) == 0 {
		return
	}
	a.orders.mu.Lock()
	o := &a.orders.list[orderInstall]
	switch s.Installed, s.InstallFault = InstallDone, o.fault; {
	case o.fault != "" && !o.wanted:
		s.Installed = InstallLeft
	case o.fault != "" || !a.card.settled.Load():
		s.Installed = InstallWaits
	}
	a.orders.mu.Unlock()
}
