package linktest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Authority is a self-made CA, for a simulated acquirer and the terminals that talk to it. Its keys are made when it is,
// and are worth nothing anywhere else.
type Authority struct {
	Certificate *x509.Certificate
	key         crypto.Signer
	serial      int64
}

// validity is how long the certificates live; they begin a day earlier, because clocks differ.
const validity = 10 * 365 * 24 * time.Hour

// NewAuthority makes a CA that is valid from a day before now.
func NewAuthority(now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &Authority{key: key}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Simulated acquirer CA"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(validity), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	a.serial = 1
	a.Certificate, err = x509.ParseCertificate(raw)
	return a, err
}

// Pool is the CA as a client wants it.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// Server vouches for a host that answers to the names; Client for a terminal.
func (a *Authority) Server(from, until time.Time, names ...string) (tls.Certificate, error) {
	return a.issue(names[0], names, x509.ExtKeyUsageServerAuth, from, until)
}

// Client vouches for a terminal.
func (a *Authority) Client(from, until time.Time, name string) (tls.Certificate, error) {
	return a.issue(name, nil, x509.ExtKeyUsageClientAuth, from, until)
}

func (a *Authority) issue(name string, hosts []string, use x509.ExtKeyUsage, from, until time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	a.serial++
	template := &x509.Certificate{SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name}, DNSNames: hosts,
		NotBefore: from, NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use}}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(raw)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}, err
}

// ServerTLS is how the simulated acquirer speaks TLS. With clients, only terminals whose certificate that CA has issued
// are heard.
func ServerTLS(own tls.Certificate, clients *x509.CertPool) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}}
	if clients != nil {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	return c
}

// Names of the files that KeepAuthority makes.
const (
	AuthorityFile  = "ca.pem"
	ServerFile     = "server.pem"
	ServerKeyFile  = "server.key"
	TerminalFile   = "terminal.pem"
	TerminalKey    = "terminal.key"
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
)

// KeepAuthority makes, once, a CA, a certificate for a host of that name and one for a terminal in dir, with keys of mode
// 0600, and returns what is there. Files that are there stay as they are; the CA's own key is not kept.
func KeepAuthority(dir, host string, now time.Time) (server tls.Certificate, ca *x509.CertPool, err error) {
	if _, err := os.Stat(filepath.Join(dir, AuthorityFile)); errors.Is(err, fs.ErrNotExist) {
		if err := makeAuthority(dir, host, now); err != nil {
			return tls.Certificate{}, nil, err
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, AuthorityFile))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	ca = x509.NewCertPool()
	if !ca.AppendCertsFromPEM(text) {
		return tls.Certificate{}, nil, fmt.Errorf("%s has no certificate in it", filepath.Join(dir, AuthorityFile))
	}
	server, err = tls.LoadX509KeyPair(filepath.Join(dir, ServerFile), filepath.Join(dir, ServerKeyFile))
	return server, ca, err
}

func makeAuthority(dir, host string, now time.Time) error {
	a, err := NewAuthority(now)
	if err != nil {
		return err
	}
	server, err := a.Server(a.Certificate.NotBefore, a.Certificate.NotAfter, host)
	if err != nil {
		return err
	}
	terminal, err := a.Client(a.Certificate.NotBefore, a.Certificate.NotAfter, "Simulated terminal")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		cert tls.Certificate
		key  string
	}{{ServerFile, server, ServerKeyFile}, {TerminalFile, terminal, TerminalKey}} {
		key, err := x509.MarshalPKCS8PrivateKey(file.cert.PrivateKey)
		if err != nil {
			return err
		}
		if err := writePEM(filepath.Join(dir, file.key), pemKey, key); err != nil {
			return err
		}
		if err := writePEM(filepath.Join(dir, file.name), pemCertificate, file.cert.Certificate[0]); err != nil {
			return err
		}
	}
	return writePEM(filepath.Join(dir, AuthorityFile), pemCertificate, a.Certificate.Raw) // last: with it the set is whole
}

func writePEM(path, kind string, raw []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600)
}
