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

	MAC           keys.MAC         // how field 64 is computed
	EncryptTracks bool             // sign in for a track key as well, and encrypt fields 35 and 36 with it
	MACOnDeclines bool             // a refusal counts only with a MAC that verifies
	Dialect       *iso8583.Dialect // nil is iso8583.UnionPay()
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
	return errors.Join(append(faults, err, o.MAC.Check())...)
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
	if o.Dialect == nil {
		o.Dialect = iso8583.UnionPay()
	}
	h.o = o
	return h
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
	request := signInMessage(h.o, stan)
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
	fresh, err := h.openWorking(answer.Bytes(62))
	if err != nil {
		return 0, fmt.Errorf("sign-in: %w", err)
	}
	if batch, err = batchOf(answer, h.o.Batch()); err != nil {
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

// batchOf reads the acquirer's batch from field 60 of a sign-in answer. A host that leaves the field out, or fills in
// zeros, keeps no batch of its own; the terminal's stays.
func batchOf(answer *iso8583.Message, own uint32) (uint32, error) {
	if !answer.Has(60) {
		return own, nil
	}
	private := answer.Get(60)
	if len(private) < 8 {
		return 0, errors.New("the answer names no batch in field 60")
	}
	batch, err := strconv.ParseUint(private[2:8], 10, 32)
	switch {
	case err != nil:
		return 0, errors.New("field 60 of the answer names no batch")
	case batch == 0:
		return own, nil
	}
	return uint32(batch), nil
}

// Echo asks whether the acquirer is there. It needs no keys and takes no STAN.
func (h *Host) Echo(ctx context.Context) error {
	if h.fault != nil {
		return h.fault
	}
	request := echoMessage(h.o)
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
