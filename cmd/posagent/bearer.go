package main

import (
	"fmt"
	"strings"
	"time"

	"posagent/link"
	"posagent/link/modem"
)

// Bearer is one way to the acquirer. The order in the file is the order of preference.
type Bearer struct {
	Name      string   `toml:"name"`
	Kind      string   `toml:"kind"`      // tcp, dial, quectel or simcom
	Address   string   `toml:"address"`   // host:port; not for dial
	Secondary string   `toml:"secondary"` // the acquirer's second address: host:port, or a number for dial
	Connect   duration `toml:"connect"`   // tcp: to connect; dial: from ATDT to CONNECT; modems: from opening the port to a connection
	Port      string   `toml:"port"`      // the modem's line; not for tcp
	Baud      int      `toml:"baud"`
	Number    string   `toml:"number"`        // dial
	Guard     duration `toml:"guard"`         // silence around +++
	Prefix    bool     `toml:"length_prefix"` // dial: the access server wants the two length bytes

	APN      string   `toml:"apn"` // quectel, simcom: of the SIM card's provider
	User     string   `toml:"apn_user"`
	Password string   `toml:"apn_password"`
	Mode     string   `toml:"mode"`     // quectel: buffer, push or transparent
	Register duration `toml:"register"` // to find a network

	TLS *TLS `toml:"tls"` // present: everything on this bearer is sealed
}

// cellular reports whether a kind is a modem with a TCP of its own.
func (b Bearer) cellular() bool { return b.Kind == "quectel" || b.Kind == "simcom" }

// bearerFaults judges one bearer.
func (c *Config) bearerFaults(b Bearer, at func(string) string, fault func(bool, string, string, ...any)) {
	fault(b.Connect.Duration < 0, at("connect"), "must not be negative")
	fault(b.Guard.Duration < 0, at("guard"), "must not be negative")
	fault(b.Register.Duration < 0, at("register"), "must not be negative")
	serial := func() {
		fault(b.Port == "", at("port"), "missing; name the modem's line")
		fault(b.Baud <= 0, at("baud"), "must be positive, like 9600")
	}
	addresses := func() {
		fault(!isAddress(b.Address), at("address"), "%q is not host:port; write it like acquirer.example:8443", b.Address)
		fault(b.Secondary != "" && !isAddress(b.Secondary), at("secondary"), "%q is not host:port; write it like acquirer.example:8443", b.Secondary)
		fault(b.Secondary != "" && b.Secondary == b.Address, at("secondary"), "is the same as address; leave it out")
	}
	switch {
	case b.Kind == "tcp":
		addresses()
		fault(b.Port != "" || b.Number != "", at("kind"), "a tcp bearer has no port or number")
	case b.Kind == "dial":
		serial()
		dialString := func(s string) bool { return s != "" && strings.Trim(s, "0123456789,*#TPW") == "" }
		fault(!dialString(b.Number), at("number"), "want a dial string of digits and ,*#TPW")
		fault(b.Secondary != "" && !dialString(b.Secondary), at("secondary"), "want a dial string of digits and ,*#TPW")
		fault(b.Address != "", at("kind"), "a dial bearer has no address")
	case b.cellular():
		serial()
		addresses()
		fault(b.Number != "", at("kind"), "a %s bearer has no number", b.Kind)
		if isAddress(b.Address) {
			err := c.cellularOpts(b, b.Address, nil).Check()
			fault(err != nil, at("apn, mode, register"), "%s", oneLine(err))
		}
	default:
		fault(true, at("kind"), "%q is not known; use tcp, dial, quectel or simcom", b.Kind)
	}
	fault(!b.cellular() && (b.APN != "" || b.User != "" || b.Password != "" || b.Mode != "" || b.Register.Duration != 0), at("kind"),
		"only a quectel or simcom bearer has apn, apn_user, apn_password, mode and register")
	fault(b.Kind != "dial" && b.Prefix, at("length_prefix"), "is for dial bearers; on every other the length is always there")
	if b.TLS != nil {
		for _, f := range b.TLS.faults() {
			fault(true, at("tls."+f.key), "%s", f.what)
		}
	}
}

func oneLine(err error) string {
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func (c *Config) cellularOpts(b Bearer, address string, ladder *modem.Ladder) modem.CellularOpts {
	return modem.CellularOpts{Family: modem.Family(b.Kind), Address: address, APN: b.APN, User: b.User, Secret: b.Password,
		Access: modem.Access(b.Mode), Register: b.Register.Duration, Guard: b.Guard.Duration, Ladder: ladder}
}

// TLS says whom to believe on a bearer, and how.
type TLS struct {
	CA        string   `toml:"ca_file"`     // PEM; the authorities that may vouch for the acquirer
	Pins      []string `toml:"pins"`        // sha256/BASE64 of public keys, beside or instead of ca_file
	Name      string   `toml:"server_name"` // in the acquirer's certificate; the address's host when left out
	Cert      string   `toml:"cert_file"`   // ours, PEM
	Key       string   `toml:"key_file"`    // its key, PEM, mode 0600
	Curve     string   `toml:"curve"`       // hybrid, x25519 or p256
	Resume    bool     `toml:"resume"`
	Clock     string   `toml:"clock"` // strict or pinned
	Handshake duration `toml:"handshake"`
	Settle    duration `toml:"settle"`
}

type keyFault struct{ key, what string }

// faults judges what the table says, without reading its files.
func (t *TLS) faults() (found []keyFault) {
	fault := func(wrong bool, key, what string, args ...any) {
		if wrong {
			found = append(found, keyFault{key, fmt.Sprintf(what, args...)})
		}
	}
	fault(t.CA == "" && len(t.Pins) == 0, "ca_file", "neither ca_file nor pins: anybody could be the acquirer")
	for i, p := range t.Pins {
		_, err := link.ParsePin(p)
		fault(err != nil, fmt.Sprintf("pins[%d]", i), "%v", err)
	}
	fault((t.Cert == "") != (t.Key == ""), "cert_file", "cert_file and key_file go together")
	_, known := curves[t.Curve]
	fault(!known, "curve", "%q is not known; use hybrid, x25519 (for slow lines) or p256", t.Curve)
	_, known = clocks[t.Clock]
	fault(!known, "clock", "%q is not known; use strict or pinned", t.Clock)
	fault(t.Clock == "pinned" && len(t.Pins) == 0, "clock", "pinned needs a pin to go by")
	fault(t.Handshake.Duration < 0 || t.Settle.Duration < 0 || t.Handshake.Duration > 5*time.Minute || t.Settle.Duration > time.Minute,
		"handshake, settle", "want 0s to 5m, and 0s to 1m")
	return found
}
