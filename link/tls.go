package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// TLSOptions say whom to believe and how many bytes that may cost.
type TLSOptions struct {
	// ServerName is the name that the far end's certificate must carry. It is also sent in the clear, as SNI. Needed with
	// Roots; without it no name is sent or compared.
	ServerName string

	// Roots are the authorities that may vouch for the far end. Pins are SHA-256 hashes of public keys (the
	// SubjectPublicKeyInfo, as in RFC 7469). With Roots, one key of the verified chain must match a pin if there are
	// pins; without Roots, the far end's own key must. One of the two is needed.
	Roots *x509.CertPool
	Pins  [][32]byte

	Certificate *tls.Certificate // ours, for a far end that wants to know us; nil shows none

	// Curves are the key exchanges offered, best first. Nil is Go's choice, a post-quantum hybrid before the classic
	// ones: it costs 2.3 kB more than X25519 alone, which at 9600 bit/s are more than two seconds.
	Curves []tls.CurveID

	// Resume keeps the last session's ticket in memory and offers it at the next handshake. Without a certificate of ours
	// that saves the certificates' bytes; with one, most far ends put it into the ticket and it saves nothing.
	Resume bool

	Handshake time.Duration // allowance for the whole handshake; 0 is 20 s

	// Settle is how long a new connection on which we showed a certificate waits for the far end's verdict upon it. In
	// TLS 1.3 that comes after the handshake is over at this end, and without waiting for it a refused certificate would
	// cost each sale a reversal. A ticket is a verdict, too; a far end that sends none costs the whole wait. 0 waits not.
	Settle time.Duration

	Clock Clock
	Now   func() time.Time // the terminal's clock; nil is time.Now

	// Notice is told what was tolerated, in a sentence; nil tells nobody. It returns soon.
	Notice func(string)
}

// Clock says what to make of a certificate that is not yet valid by the terminal's clock.
type Clock int

const (
	ClockStrict Clock = iota // refuse, with ErrClock
	ClockPinned              // believe a far end that matches a pin, and tell Notice: a flat battery must not stop a shop
)

// What a caller can act on when TLS fails; a dial error wraps one of them where it applies.
var (
	ErrClock    = errors.New("the certificate's dates and the terminal's clock disagree")
	ErrIdentity = errors.New("the far end is not who it should be")
	ErrUnknown  = errors.New("the far end refuses this terminal's certificate")
)

// alertTime is how long a far end that is not believed may take to hear it.
const alertTime = time.Second

// handshakeTime is the default for one handshake: 4.5 kB at 9600 bit/s take five seconds, and mobile networks stall.
const handshakeTime = 20 * time.Second

// TLS is a dialer that speaks TLS 1.3 (RFC 8446) over the connections of another.
type TLS struct {
	over  Dialer
	o     TLSOptions
	cache *sessionCache
}

var _ Dialer = (*TLS)(nil)

// NewTLS checks the options. It dials nothing.
func NewTLS(over Dialer, o TLSOptions) (*TLS, error) {
	switch {
	case over == nil:
		return nil, errors.New("TLS needs a dialer below it")
	case o.Roots == nil && len(o.Pins) == 0:
		return nil, errors.New("TLS needs a CA or a pin: without either, anybody could be the acquirer")
	case o.Roots != nil && o.ServerName == "":
		return nil, errors.New("TLS with a CA needs the name in the acquirer's certificate")
	case o.Clock == ClockPinned && len(o.Pins) == 0:
		return nil, errors.New("TLS that tolerates a wrong clock needs a pin to go by")
	case o.Handshake < 0 || o.Settle < 0:
		return nil, errors.New("TLS times must not be negative")
	}
	if o.Handshake == 0 {
		o.Handshake = handshakeTime
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	o.Pins, o.Curves = slices.Clone(o.Pins), slices.Clone(o.Curves)
	return &TLS{over: over, o: o, cache: &sessionCache{keep: o.Resume}}, nil
}

func (t *TLS) String() string { return "tls over " + t.over.String() }

// Dial connects and proves both ends to each other. Until it returns nobody has been sent a byte of a message.
func (t *TLS) Dial(ctx context.Context) (Conn, error) {
	raw, err := t.over.Dial(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	within, cancel := context.WithTimeoutCause(ctx, t.o.Handshake, fmt.Errorf("%w: no handshake within %s", ErrTimeout, t.o.Handshake))
	defer cancel()
	conn := t.client(raw)
	if err = conn.HandshakeContext(within); err != nil && within.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(within), err)
	}
	if conn.verdict != nil {
		err = conn.verdict
	}
	if err == nil {
		err = t.settle(within, conn)
	}
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("tls: %w", err)
	}
	Report(ctx, Secured, began)
	return conn, nil
}

// client is one connection's end. Verification is our own, in full: the standard one neither knows pins nor tells a wrong
// clock from a false certificate.
func (t *TLS) client(raw Conn) *tlsConn {
	c := &tlsConn{raw: &netConn{Conn: raw}}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: t.o.ServerName, CurvePreferences: t.o.Curves, Time: t.o.Now,
		InsecureSkipVerify: true,
		ClientSessionCache: &ticketBell{sessionCache: t.cache, ring: c.ticket},
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if c.verdict = t.verify(state); c.verdict != nil {
			_ = raw.SetWriteDeadline(time.Now().Add(alertTime)) // the far end may not be listening to our complaint
		}
		return c.verdict
	}
	if t.o.Certificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.o.Certificate, nil }
	}
	c.Conn = tls.Client(c.raw, config)
	return c
}

// settle waits for the far end's verdict upon our certificate.
func (t *TLS) settle(ctx context.Context, c *tlsConn) error {
	if t.o.Certificate == nil || t.o.Settle == 0 || c.ConnectionState().DidResume {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetReadDeadline(longAgo) })
	err := c.listen(time.Now().Add(t.o.Settle))
	if !stop() {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: %w; ask the acquirer whether it is registered and in date", ErrUnknown, err)
	}
	return nil
}
