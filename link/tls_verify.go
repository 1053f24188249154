package link

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// verify decides whether the far end is believed. It runs in every handshake, a resumed one included.
func (t *TLS) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return fmt.Errorf("%w: it shows no certificate", ErrIdentity)
	}
	now := t.o.Now()
	chains, err := t.chains(state.PeerCertificates, now)
	if err == nil {
		return t.pinned(chains)
	}
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		return fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	wrong := disagreement(state.PeerCertificates, now)
	start := latestStart(state.PeerCertificates)
	if t.o.Clock != ClockPinned || !now.Before(start) {
		return wrong
	}
	// The clock is behind. At the first moment at which all that was shown is valid, would it be believed, pin included?
	if chains, err = t.chains(state.PeerCertificates, start); err == nil {
		err = t.pinned(chains)
	}
	if err != nil {
		return fmt.Errorf("%w; %w", wrong, err)
	}
	t.o.Notice(wrong.Error() + "; the far end matches a pin and is believed")
	return nil
}

// chains are the ways from the far end's certificate to an authority; without authorities, the certificate alone.
func (t *TLS) chains(shown []*x509.Certificate, now time.Time) ([][]*x509.Certificate, error) {
	leaf := shown[0]
	if t.o.Roots == nil {
		if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
			return nil, x509.CertificateInvalidError{Cert: leaf, Reason: x509.Expired}
		}
		return [][]*x509.Certificate{{leaf}}, nil
	}
	between := x509.NewCertPool()
	for _, c := range shown[1:] {
		between.AddCert(c)
	}
	return leaf.Verify(x509.VerifyOptions{DNSName: t.o.ServerName, Roots: t.o.Roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
}

func (t *TLS) pinned(chains [][]*x509.Certificate) error {
	if len(t.o.Pins) == 0 {
		return nil
	}
	for _, chain := range chains {
		for _, c := range chain {
			if slices.Contains(t.o.Pins, PinOf(c)) {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: no pin matches; its own key is %s", ErrIdentity, PinText(PinOf(chains[0][0])))
}

// latestStart is the first moment at which every certificate shown is valid, unless one has ended by then.
func latestStart(shown []*x509.Certificate) time.Time {
	var start time.Time
	for _, c := range shown {
		if c.NotBefore.After(start) {
			start = c.NotBefore
		}
	}
	return start
}

// disagreement puts the dates into words. A terminal that says 1970 and nothing more is sent back to the factory.
func disagreement(shown []*x509.Certificate, now time.Time) error {
	const form = "2006-01-02 15:04 MST"
	clock := now.UTC().Format(form)
	if start := latestStart(shown); now.Before(start) {
		return fmt.Errorf("%w: the clock says %s and the certificate is valid from %s: set the clock", ErrClock, clock, start.UTC().Format(form))
	}
	end := shown[0].NotAfter
	for _, c := range shown {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return fmt.Errorf("%w: the certificate was valid until %s and the clock says %s: if the clock is right, the acquirer must renew it",
		ErrClock, end.UTC().Format(form), clock)
}

// PinOf is the SHA-256 of a certificate's public key (SubjectPublicKeyInfo, RFC 7469 2.4).
func PinOf(c *x509.Certificate) [32]byte { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

const pinPrefix = "sha256/"

// PinText is how a pin is written in configuration: "sha256/" and base64.
func PinText(pin [32]byte) string { return pinPrefix + base64.StdEncoding.EncodeToString(pin[:]) }

// ParsePin reads a pin as PinText writes it.
func ParsePin(s string) (pin [32]byte, err error) {
	encoded, ok := strings.CutPrefix(s, pinPrefix)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(raw) != len(pin) {
		return pin, errors.New("a pin is written as sha256/ and 44 characters of base64, of the public key's hash")
	}
	return [32]byte(raw), nil
}
