package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"posagent/device/reader"
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

// The names under which Files keeps both.
const (
	KeysFile         = "capk"
	ApplicationsFile = "aid"
)

// KeySet is what the acquirer has sent, as it lies on disk.
type KeySet struct {
	Origin
	Expired []string        `json:"expired,omitempty"` // names of keys that were left out
	Keys    []txn.SchemeKey `json:"keys"`
}

// AppSet is what the acquirer has sent, as it lies on disk.
type AppSet struct {
	Origin
	Applications []txn.Application `json:"applications"`
}

// checkable is what says of itself whether it holds.
type checkable interface{ Check() error }

// readSet reads one of the two. each visits what is in it.
func readSet(f Files, name string, body any, each func(func(checkable))) error {
	content, err := f.Read(name)
	if err != nil {
		return err
	}
	if err := openFile(name, content, body); err != nil {
		return err
	}
	count := 0
	each(func(c checkable) {
		count++
		err = errors.Join(err, c.Check())
	})
	if err == nil && count == 0 {
		err = errors.New("there is nothing in it")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

// ReadKeys reads the keys that are kept. Without any the error wraps fs.ErrNotExist.
func ReadKeys(f Files) (set KeySet, err error) {
	err = readSet(f, KeysFile, &set, func(visit func(checkable)) {
		for _, k := range set.Keys {
			visit(k)
		}
	})
	return set, err
}

// ReadApplications reads the applications that are kept. Without any the error wraps fs.ErrNotExist.
func ReadApplications(f Files) (set AppSet, err error) {
	err = readSet(f, ApplicationsFile, &set, func(visit func(checkable)) {
		for _, a := range set.Applications {
			visit(a)
		}
	})
	return set, err
}

// schemes are both sets as they are kept.
type schemes struct {
	mu   sync.Mutex
	keys KeySet
	apps AppSet
}

// wanted is what the reader shall hold.
func (s *schemes) wanted() reader.Schemes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return reader.Schemes{Keys: s.keys.Keys, Applications: s.apps.Applications}
}

func (s *schemes) kept() bool {
	w := s.wanted()
	return w.Keys != nil || w.Applications != nil
}

// openSchemes takes up what is kept. A set that is damaged, or another terminal's, is asked for again; the reader keeps what it
// holds until then.
func (a *Agent) openSchemes() {
	if a.wires.Files == nil || !keepsSchemes(a.o.ReaderKind) {
		return
	}
	keys, err := ReadKeys(a.wires.Files)
	if a.believed(KeysFile, keys.Origin, err, orderKeys) {
		a.chips.keys = keys
	}
	apps, err := ReadApplications(a.wires.Files)
	if a.believed(ApplicationsFile, apps.Origin, err, orderApps) {
		a.chips.apps = apps
	}
	a.wantInstall()
}

func (a *Agent) believed(name string, from Origin, err error, order byte) bool {
	if err == nil && (from.Terminal != a.o.Terminal || from.Merchant != a.o.Merchant) {
		err = fmt.Errorf("they are those of terminal %s, merchant %s", from.Terminal, from.Merchant)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Error("what was downloaded for chip cards is not used, and will be asked for again", "file", name, "cause", err)
		a.orders.want(order, time.Now())
	}
	return err == nil
}

// fetchKeys downloads a set whole, makes it durable, tells the acquirer, and has it put into the reader. Power lost before it is
// durable leaves the old set and an order that stands; after it the new one, which the next start puts into the reader.
func (a *Agent) fetchKeys(ctx context.Context) error {
	if a.wires.Files == nil {
		return errNowhere
	}
	got, sent, err := a.host.FetchKeys(ctx)
	if err != nil {
		return err
	}
	set := KeySet{Origin: a.origin(sent), Expired: got.Expired, Keys: got.Keys}
	if err := a.keepSet(KeysFile, set, func() { a.chips.keys = set }); err != nil {
		return err
	}
	a.log.Info("keys of card schemes kept", "from", set.Acquirer, "keys", len(set.Keys), "expired", len(set.Expired))
	return a.host.EndKeys(ctx)
}

// fetchApplications does the same for applications.
func (a *Agent) fetchApplications(ctx context.Context) error {
	if a.wires.Files == nil {
		return errNowhere
	}
	got, sent, err := a.host.FetchApplications(ctx)
	if err != nil {
		return err
	}
	set := AppSet{Origin: a.origin(sent), Applications: got}
	if err := a.keepSet(ApplicationsFile, set, func() { a.chips.apps = set }); err != nil {
		return err
	}
	a.log.Info("applications of chip cards kept", "from", set.Acquirer, "applications", len(set.Applications))
	return a.host.EndApplications(ctx)
}

func (a *Agent) keepSet(name string, set any, take func()) error {
	content, err := sealFile(name, set)
	if err != nil {
		return err
	}
	if err := a.wires.Files.Keep(name, content); err != nil {
		return fmt.Errorf("what was downloaded for chip cards could not be kept, and the old set stays: %w", err)
	}
	a.chips.mu.Lock()
	take()
	a.chips.mu.Unlock()
	a.card.settled.Store(false)
	a.orders.anew(orderInstall, time.Now())
	return nil
}

// wantInstall asks for an installation where there may be something to install.
func (a *Agent) wantInstall() {
	if a.chips.kept() && (a.card == nil || !a.card.settled.Load()) {
		a.orders.want(orderInstall, time.Now())
	}
}

var errNoSchemes = errors.New("this card reader keeps no keys or applications")

// install makes the reader hold what is kept.
func (a *Agent) install(ctx context.Context) error {
	var done reader.Installed
	err := a.terminal.Alone(ctx, func(ctx context.Context) (err error) {
		done, err = a.card.install(ctx, a.chips.wanted())
		return err
	})
	if done.Written+done.Removed > 0 {
		a.log.Info("the card reader was given keys and applications", "written", done.Written, "removed", done.Removed, "whole", err == nil)
	}
	return err
}

// install puts both into the reader on a line that answers. The caller has the engine's turn. As with a card, a line that was open
// from before and is gone now is opened once more.
func (c *cardReader) install(ctx context.Context, s reader.Schemes) (done reader.Installed, err error) {
	for old := c.drive != nil; ; old = false {
		if err := c.attach(); err != nil {
			return done, err
		}
		drive, has := c.drive.(schemeDrive)
		if !has {
			return done, errNoSchemes
		}
		done, err = drive.Install(ctx, s)
		if err == nil || errors.Is(err, reader.ErrNoSchemes) {
			c.settled.Store(true)
			return done, err
		}
		if ctx.Err() != nil || errors.Is(err, reader.ErrFull) || ordinary(err) {
			return done, err
		}
		c.detach()
		if !old || !hungUp(err) {
			return done, err
		}
	}
}

// meet finds a line that is gone, and a reader that was put in the place of another. The caller has the engine's turn.
func (c *cardReader) meet(ctx context.Context) {
	drive, has := c.drive.(schemeDrive)
	if !has {
		return
	}
	if err := drive.Ping(ctx); err != nil && !ordinary(err) {
		c.detach()
	}
}

// schemeStatus tells what is kept and whether the reader holds it.
func (a *Agent) schemeStatus(s *Status) {
	a.chips.mu.Lock()
	keys, apps := a.chips.keys, a.chips.apps
	a.chips.mu.Unlock()
	if len(keys.Keys) > 0 {
		s.Keys = &DownloadStatus{keys.Origin, len(keys.Keys)}
	}
	if len(apps.Applications) > 0 {
		s.Apps = &DownloadStatus{apps.Origin, len(apps.Applications)}
	}
	if s.Keys == nil && s.Apps == nil {
		return
	}
	s.Install = a.orders.installed()
	if a.card.settled.Load() && s.Install.Why == "" {
		s.Install.State = InstallDone
	}
}

// installed is how the installation stands.
func (b *orderBook) installed() *InstallStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := &b.list[orderInstall]
	s := &InstallStatus{State: InstallWaits, Why: o.fault}
	if o.fault != "" && !o.wanted {
		s.State = InstallLeft
	}
	if !o.done.IsZero() {
		done := o.done
		s.Done = &done
	}
	return s
}
