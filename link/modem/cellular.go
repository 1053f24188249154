package modem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"posagent/link"
)

// Family is whose commands a cellular modem understands.
type Family string

const (
	Quectel Family = "quectel"
	SIMCom  Family = "simcom"
)

// Access is how the modem hands over what it receives.
type Access string

const (
	Buffered    Access = "buffer"      // it tells that something waits, and is asked for it: nothing can be lost on the line
	Pushed      Access = "push"        // it sends it at once, announced (Quectel)
	Transparent Access = "transparent" // the line becomes the connection, as in a telephone call (Quectel)
)

// CellularOpts says where to and through what.
type CellularOpts struct {
	Family  Family
	Address string // host:port; the modem resolves the name
	APN     string // of the SIM card's provider
	User    string // for the APN; mostly none
	Secret  string
	Access  Access // "" is Buffered

	Command  time.Duration // for an answer that needs no network; 0 means 3 s
	Register time.Duration // to be in a network; 0 means 30 s
	Attach   time.Duration // for the data connection; 0 means 150 s, as Quectel advises
	Open     time.Duration // for the far end to accept; 0 means 30 s
	Guard    time.Duration // silence around +++; 0 means 1 s

	// Ladder remembers failures from one dial to the next; nil forgets them, and nothing is ever reset.
	Ladder *Ladder

	// Progress is told, by Dial's goroutine, what a waiting person may want to read.
	Progress func(string)
}

// Cellular is a modem with a TCP of its own: it makes one connection at a time. Its methods may be called from any
// goroutine.
type Cellular struct {
	opts CellularOpts
	host string
	port string

	mu    sync.Mutex
	inUse bool

	at chat // belongs to whoever set inUse
}

var _ link.Dialer = (*Cellular)(nil)

// Check refuses options that no connection can be made with, all faults at once.
func (o CellularOpts) Check() error {
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	refuse(o.Family != Quectel && o.Family != SIMCom, "modem family %q: use quectel or simcom", o.Family)
	refuse(o.Access != "" && o.Access != Buffered && o.Access != Pushed && o.Access != Transparent,
		"modem mode %q: use buffer, push or transparent", o.Access)
	refuse(o.Family == SIMCom && o.Access != "" && o.Access != Buffered, "modem mode %q: a simcom modem has buffer only", o.Access)
	host, port, err := net.SplitHostPort(o.Address)
	refuse(err != nil || host == "" || port == "" || strings.Trim(port, "0123456789") != "" || len(port) > 5,
		"modem address %q is not host:port with a port number", o.Address)
	refuse(o.APN == "", "the provider's APN is missing")
	for name, s := range map[string]string{"address": host, "APN": o.APN, "user": o.User, "password": o.Secret} {
		refuse(!quotable(s), "modem %s: use at most 127 printable characters without quotes", name)
	}
	for name, d := range map[string]time.Duration{"command": o.Command, "register": o.Register, "attach": o.Attach, "open": o.Open, "guard": o.Guard} {
		refuse(d < 0 || d > 10*time.Minute, "modem %s time %v: use up to 10m", name, d)
	}
	return errors.Join(faults...)
}

// quotable reports whether s may stand between quotes in a command.
func quotable(s string) bool {
	return len(s) <= 127 && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' }) < 0
}

// NewCellular checks the options and takes the port over. It does not talk.
func NewCellular(port Port, o *CellularOpts) (*Cellular, error) {
	if port == nil || o == nil {
		return nil, errors.New("modem needs a port and options")
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	opts := *o
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&opts.Command, commandDefault}, {&opts.Register, registerDefault}, {&opts.Attach, attachDefault}, {&opts.Open, openDefault}, {&opts.Guard, guardDefault}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if opts.Access == "" {
		opts.Access = Buffered
	}
	if opts.Ladder == nil {
		opts.Ladder = &Ladder{}
	}
	if opts.Progress == nil {
		opts.Progress = func(string) {}
	}
	c := &Cellular{opts: opts}
	c.host, c.port, _ = net.SplitHostPort(opts.Address)
	var kind family = quectel{access: opts.Access}
	if opts.Family == SIMCom {
		kind = simcom{}
	}
	c.at = chat{engine: engine{port: port, allow: opts.Command}, kind: kind}
	return c, nil
}

const (
	registerDefault = 30 * time.Second
	attachDefault   = 150 * time.Second // Quectel note, 2.4.3
	openDefault     = 30 * time.Second
)

// String names the far end: "quectel acquirer.example:9000".
func (c *Cellular) String() string { return string(c.opts.Family) + " " + c.opts.Address }

// Dial connects: it brings the modem to command state, waits for SIM card and network, attaches to the provider and opens
// one connection. What failures before this one asked for is done first, see Ladder. When ctx ends Dial does, within the
// time that one command takes; a connection that was made in spite of it is closed by the next Dial.
//
// It fails with ErrNoSIM, ErrSIMLocked, ErrNotRegistered, ErrDenied, ErrNoContext, ErrUnreachable, ErrNoModem, ErrGarbage,
// ErrUnanswered, ErrInUse, a *ResultError, the context's error, or the port's.
func (c *Cellular) Dial(ctx context.Context) (link.Conn, error) {
	if err := c.acquire(); err != nil {
		return nil, err
	}
	conn, err := c.connect(ctx)
	if err != nil {
		c.opts.Ladder.failed(err, ctx.Err() != nil)
		c.release()
		return nil, fmt.Errorf("modem: %w", err)
	}
	c.opts.Ladder.worked()
	return conn, nil
}

func (c *Cellular) connect(ctx context.Context) (link.Conn, error) {
	began := time.Now()
	fresh, err := c.climb(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.at.hello(ctx, c.opts.Command, c.opts.Guard); err != nil {
		return nil, err
	}
	link.Report(ctx, link.Opened, began)
	began = time.Now()
	c.at.waiting, c.at.pushed, c.at.closed, c.at.lost, c.at.taken = false, nil, nil, nil, 0
	if err := c.at.present(ctx); err != nil {
		return nil, err
	}
	if err := c.at.registered(ctx, c.opts.Register); err != nil {
		return nil, err
	}
	c.opts.Progress("attaching to " + c.opts.APN)
	if err := c.at.kind.attach(ctx, &c.at, &c.opts, fresh); err != nil {
		return nil, err
	}
	link.Report(ctx, link.Attached, began)
	began = time.Now()
	c.opts.Progress("connecting to " + c.opts.Address)
	if err := c.at.kind.open(ctx, &c.at, c.host, c.port, c.opts.Open); err != nil {
		return nil, err
	}
	link.Report(ctx, link.Reached, began)
	if c.opts.Access == Transparent {
		return newCall(callOwner{port: c.at.port, guard: c.opts.Guard, hangUp: c.hangUp, release: c.release}, c.at.lex.unread()), nil
	}
	return newSocket(c), nil
}

// climb does what earlier failures ask for. fresh says that the data connection is to be made anew.
func (c *Cellular) climb(ctx context.Context) (fresh bool, err error) {
	switch rung := c.opts.Ladder.next(time.Now()); rung {
	case cycleRung:
		c.opts.Progress("switching the modem off and on")
		switch err := c.opts.Ladder.cycle(ctx); {
		case errors.Is(err, ErrBudget):
			return true, nil // whoever has the key counts over restarts of the program, and the dial goes on without it
		case err != nil:
			return true, fmt.Errorf("power cycle: %w", err)
		}
		return true, c.at.booted(ctx, c.opts.Command, c.opts.Guard)
	case resetRung:
		c.opts.Progress("restarting the modem")
		if err := c.at.hello(ctx, c.opts.Command, c.opts.Guard); err != nil {
			return true, err
		}
		if _, err := c.at.ask(ctx, query{line: restart, wait: queryWait}); err != nil {
			return true, err
		}
		return true, c.at.booted(ctx, c.opts.Command, c.opts.Guard)
	default:
		return rung == attachRung, nil
	}
}

// hangUp ends a transparent connection.
func (c *Cellular) hangUp(inData bool) error {
	ctx := context.Background()
	c.at.lex.expect("")
	if inData {
		if err := c.at.leave(ctx, c.opts.Guard); err != nil {
			return err
		}
	}
	return c.at.kind.shut(ctx, &c.at)
}

func (c *Cellular) acquire() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inUse {
		return ErrInUse
	}
	c.inUse = true
	return nil
}

func (c *Cellular) release() {
	c.mu.Lock()
	c.inUse = false
	c.mu.Unlock()
}
