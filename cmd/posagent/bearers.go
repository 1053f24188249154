package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"posagent/device/serial"
	"posagent/firmware/agent"
	"posagent/link"
	"posagent/link/modem"
)

// A dial-up call is allowed its carrier wait and, before it, the time to wake a modem that a killed process left in a
// call: escape sequence, hang-up and set-up lines. A cellular modem may have to find its network and its data connection.
const (
	tcpConnect      = 10 * time.Second
	dialCarrier     = 60 * time.Second // the modem driver's own default
	dialSetup       = 30 * time.Second
	cellularConnect = 90 * time.Second
	tlsHandshake    = 20 * time.Second // the link's own default
	tlsSettle       = 3 * time.Second  // for a verdict on our certificate
)

// curves: with x25519 a server that knows only P-256 is met there at the price of one more round trip; no byte more is sent
// to others but the curve's name.
var curves = map[string][]tls.CurveID{"": nil, "hybrid": nil, "x25519": {tls.X25519, tls.CurveP256}, "p256": {tls.CurveP256}}

var clocks = map[string]link.Clock{"": link.ClockStrict, "strict": link.ClockStrict, "pinned": link.ClockPinned}

// bearers makes the ways to the acquirer, best first: each bearer to the primary address, then to the secondary. cycle restarts
// a cellular modem by the lines of its keys; nil where there are none.
func (c *Config) bearers(log *slog.Logger, cycle func(context.Context) error) ([]link.Bearer, error) {
	two := false
	for _, b := range c.Bearers {
		two = two || b.Secondary != ""
	}
	var all []link.Bearer
	for i, b := range c.Bearers {
		ladder := &modem.Ladder{PowerCycle: cycle} // one modem, whichever address it dials
		for n, address := range []string{cmp.Or(b.Address, b.Number), b.Secondary} {
			if address == "" {
				continue
			}
			bearer := c.bearer(b, address, ladder)
			if two {
				bearer.Address = n + 1
			}
			if b.TLS != nil {
				if err := c.secure(&bearer, b, address, log); err != nil {
					return nil, fmt.Errorf("bearer[%d].tls: %w", i, err)
				}
			}
			all = append(all, bearer)
		}
	}
	return all, nil
}

func (c *Config) bearer(b Bearer, address string, ladder *modem.Ladder) link.Bearer {
	bearer := link.Bearer{Name: b.Name, Framing: link.LengthPrefixed, Connect: b.Connect.Duration}
	switch {
	case b.Kind == "tcp":
		bearer.Dialer = link.TCP{Address: address}
	case b.cellular():
		bearer.Connect = cmp.Or(b.Connect.Duration, cellularConnect)
		bearer.Dialer = agent.Cellular{Open: c.opener(b.Port, b.Baud, false), Opts: c.cellularOpts(b, address, ladder)}
	default:
		if !b.Prefix {
			bearer.Framing = link.SelfDelimited
		}
		bearer.Connect = cmp.Or(b.Connect.Duration, dialCarrier) + dialSetup
		bearer.Dialer = agent.Dialup{Open: c.opener(b.Port, b.Baud, true), Lines: modemLines,
			Opts: modem.Opts{Number: address, Carrier: b.Connect.Duration, Guard: b.Guard.Duration}}
	}
	return bearer
}

// modemLines gives the modem driver DTR and DCD where the line has them: a pty and a socket do not.
func modemLines(p agent.Port, o *modem.Opts) {
	port, isSerial := p.(*serial.Port)
	if !isSerial {
		return
	}
	if _, err := port.Lines(); err != nil {
		return
	}
	o.DTR = port.SetDTR
	o.DCD = func() (bool, error) {
		lines, err := port.Lines()
		return lines.DCD, err
	}
}

// secure puts TLS over a bearer. Its dial is then allowed the handshake, too.
func (c *Config) secure(bearer *link.Bearer, b Bearer, address string, log *slog.Logger) error {
	t := b.TLS
	o := link.TLSOptions{ServerName: t.Name, Curves: curves[t.Curve], Resume: t.Resume, Clock: clocks[t.Clock], Handshake: t.Handshake.Duration,
		Notice: func(what string) { log.Warn("TLS", "bearer", b.Name, "notice", what) }}
	if o.ServerName == "" && b.Kind != "dial" {
		o.ServerName, _, _ = net.SplitHostPort(address)
	}
	for _, text := range t.Pins {
		pin, err := link.ParsePin(text)
		if err != nil {
			return err
		}
		o.Pins = append(o.Pins, pin)
	}
	if t.CA != "" {
		text, err := os.ReadFile(c.path(t.CA))
		if err != nil {
			return fmt.Errorf("ca_file: %w", err)
		}
		if o.Roots = x509.NewCertPool(); !o.Roots.AppendCertsFromPEM(text) {
			return fmt.Errorf("ca_file: %s has no certificate in PEM in it", c.path(t.CA))
		}
	}
	if t.Cert != "" {
		if err := onlyOurs(c.path(t.Key)); err != nil {
			return fmt.Errorf("key_file: %w", err)
		}
		own, err := tls.LoadX509KeyPair(c.path(t.Cert), c.path(t.Key))
		if err != nil {
			return fmt.Errorf("cert_file, key_file: %w", err)
		}
		o.Certificate, o.Settle = &own, cmp.Or(t.Settle.Duration, tlsSettle)
	}
	dialer, err := link.NewTLS(bearer.Dialer, o)
	if err != nil {
		return err
	}
	bearer.Dialer = dialer
	bearer.Connect = cmp.Or(bearer.Connect, tcpConnect) + cmp.Or(t.Handshake.Duration, tlsHandshake) + o.Settle
	return nil
}

// onlyOurs refuses a private key that others can read.
func onlyOurs(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by others; chmod 600 it", path)
	}
	return nil
}
