package acquirer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"posagent/link"
	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/link/profile"
)

// Options say who the terminal is and how its acquirer wants to be spoken to.
type Options struct {
	Terminal string      // field 41, 8 characters
	Merchant string      // field 42, 15 characters
	Operator string      // up to 3 characters, field 63 of a sign-in; empty means "01"
	Serial   string      // 12 characters, field 62 of a sign-in: network licence 4, machine's serial number 8; empty means zeros
	TMK      keys.Secret // terminal master key, 16 bytes

	STAN       func() (uint32, error) // the next one, for a sign-in; the store makes it durable
	Batch      func() uint32          // the open batch
	AdoptBatch func(uint32) error     // told of the acquirer's batch at sign-in; nil keeps the terminal's own

	// Misrouted is told of an answer that names another terminal or merchant: which of them, field 11 and what it names. It must
	// not call back. nil is told nothing.
	Misrouted func(what, stan, got string)

	// Ordered is told of digit D of the header of every answer, link.OrderNone too. It must not call back. nil is told nothing.
	Ordered func(digit byte)

	BlocklistSlot int // characters that a card number takes up in a downloaded list; 0 is 14

	MAC           keys.MAC         // how field 64 is computed; "" is as the profile has it
	EncryptTracks bool             // sign in for a track key as well, and encrypt fields 35 and 36 with it; the profile may ask for it too
	DUKPT         *keys.Family     // for a profile that has tracks under DUKPT; nil elsewhere
	MACOnDeclines bool             // a refusal counts only with a MAC that verifies
	Profile       *profile.Profile // nil is profile.UnionPay()

	Now  func() time.Time // for what a message says of its time; nil is time.Now
	Zone *time.Location   // of the terminal; nil is time.Local
}

// Check refuses options with which no sign-in can succeed, all faults at once.
func (o Options) Check() error {
	var faults []error
	if len(o.Terminal) != 8 {
		faults = append(faults, fmt.Errorf("terminal number has %d characters, want 8", len(o.Terminal)))
	}
	if len(o.Merchant) != 15 {
		faults = append(faults, fmt.Errorf("merchant number has %d characters, want 15", len(o.Merchant)))
	}
	if len(o.Operator) > operatorLength {
		faults = append(faults, fmt.Errorf("operator has %d characters, at most %d", len(o.Operator), operatorLength))
	}
	if o.Serial != "" && len(o.Serial) != serialLength {
		faults = append(faults, fmt.Errorf("serial has %d characters, want %d", len(o.Serial), serialLength))
	}
	if o.STAN == nil || o.Batch == nil {
		faults = append(faults, errors.New("no source of STAN and batch"))
	}
	master, err := keys.NewMaster(o.TMK)
	master.Destroy()
	return errors.Join(append(faults, err, o.MAC.Check(), o.checkTracks())...)
}

// Format keeps the master key out of every print.
func (o Options) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "[acquirer options of terminal %s, merchant %s]", o.Terminal, o.Merchant)
}

// LogValue keeps the master key out of the log.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(o)) }

// Host is the acquirer as one terminal sees it. Financial messages are sent one at a time by one goroutine; SignedIn,
// Echo, SignIn and Hangup may be called from any.
type Host struct {
	link   *link.Link
	o      Options  // without the master key
	master keys.Key // destroyed under mu
	fault  error    // of the options; nothing is sent while there is one

	mu      sync.Mutex
	working keys.Working // of the last sign-in; without a MAC key it is signed out
	since   time.Time    // of the working keys
}

// New makes a Host over a link. Nothing is sent; options that Check refuses make every call fail with what Check said,
// unsent.
func New(l *link.Link, o Options) *Host {
	h := &Host{link: l, fault: o.Check()}
	if h.fault == nil {
		h.master, h.fault = keys.NewMaster(o.TMK)
	}
	o.TMK = nil
	if o.Profile == nil {
		o.Profile = profile.UnionPay()
	}
	if o.MAC == "" {
		o.MAC = keys.MAC(o.Profile.MAC)
	}
	o.EncryptTracks = o.EncryptTracks || o.Profile.Tracks == profile.TDKTracks
	h.o = o
	return h
}

func (h *Host) now() time.Time {
	if h.o.Now == nil {
		return time.Now()
	}
	return h.o.Now()
}

func (h *Host) zone() *time.Location {
	if h.o.Zone == nil {
		return time.Local
	}
	return h.o.Zone
}

func (h *Host) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "acquirer of terminal "+h.o.Terminal)
}

// SignedIn reports whether there are working keys that the acquirer has not disowned.
func (h *Host) SignedIn() bool { return !h.current().MAC.IsZero() }

// Hangup ends the line. The next message dials.
func (h *Host) Hangup() error { return h.link.Hangup() }

// SignIn asks for new working keys and verifies each by its check value. On any failure the old keys, if there are some,
// stay. Errors: ErrCheckValue, ErrKeyField, ErrMasterKey, *RefusedError, *link.ExchangeError, or what STAN or AdoptBatch
// said.
func (h *Host) SignIn(ctx context.Context) error {
	_, err := h.signIn(ctx)
	return err
}

func (h *Host) signIn(ctx context.Context) (batch uint32, err error) {
	if h.fault != nil {
		return 0, h.fault
	}
	if h.master.IsZero() {
		return 0, fmt.Errorf("sign-in: %w: %w", ErrMasterKey, keys.ErrDestroyed)
	}
	stan, err := h.o.STAN()
	if err != nil {
		return 0, fmt.Errorf("sign-in: no STAN: %w", err)
	}
	request, err := h.write(h.o.Profile.Form(profile.SignIn), h.managing("sign-in", stan))
	if err != nil {
		return 0, fmt.Errorf("sign-in: %w", err)
	}
	reply, err := h.exchange(ctx, request)
	if err != nil {
		return 0, fmt.Errorf("sign-in: %w", err)
	}
	answer := reply.Message
	if why := foreign(request, answer); why != "" {
		return 0, fmt.Errorf("sign-in: %s", why)
	}
	if code := answer.Get(39); code != approvedCode {
		return 0, &RefusedError{"sign-in", code}
	}
	fresh, err := h.openWorking(answer.Bytes(h.o.Profile.Keys))
	if err != nil {
		return 0, fmt.Errorf("sign-in: %w", err)
	}
	if batch, err = h.batchOf(answer); err != nil {
		return 0, fmt.Errorf("sign-in: %w", err)
	}
	if h.o.AdoptBatch != nil {
		if err := h.o.AdoptBatch(batch); err != nil {
			return 0, fmt.Errorf("sign-in: batch %06d: %w", batch, err)
		}
	}
	h.adopt(fresh)
	return batch, nil
}

// batchOf reads the acquirer's batch from a sign-in answer, where the request has the terminal's. A host that leaves the
// field out, or fills in zeros, keeps no batch of its own; the terminal's stays.
func (h *Host) batchOf(answer *iso8583.Message) (uint32, error) {
	own := h.o.Batch()
	field, at := h.o.Profile.Form(profile.SignIn).Place("batch")
	if field == 0 || !answer.Has(field) {
		return own, nil
	}
	private := answer.Get(field)
	if len(private) < at+6 {
		return 0, fmt.Errorf("the answer names no batch in field %d", field)
	}
	batch, err := strconv.ParseUint(private[at:at+6], 10, 32)
	switch {
	case err != nil:
		return 0, fmt.Errorf("field %d of the answer names no batch", field)
	case batch == 0:
		return own, nil
	}
	return uint32(batch), nil
}

// Echo asks whether the acquirer is there. It needs no keys, and takes a STAN only where the profile has one in it.
func (h *Host) Echo(ctx context.Context) error {
	if h.fault != nil {
		return h.fault
	}
	form, stan := h.o.Profile.Form(profile.Echo), uint32(0)
	if field, _ := form.Place("stan"); field != 0 {
		var err error
		if stan, err = h.o.STAN(); err != nil {
			return fmt.Errorf("echo: no STAN: %w", err)
		}
	}
	request, err := h.write(form, h.managing("echo", stan))
	if err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	reply, err := h.exchange(ctx, request)
	if err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	if why := foreign(request, reply.Message); why != "" {
		return fmt.Errorf("echo: %s", why)
	}
	if code := reply.Message.Get(39); code != approvedCode {
		return &RefusedError{"echo", code}
	}
	return nil
}
