package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/linktest"
)

// A terminal with the files that the simulator made is heard under TLS, after a restart too, and one without is not.
func TestTheDoorForTLS(t *testing.T) {
	dir := t.TempDir()
	files := filepath.Join(dir, "tls")
	for range 2 {
		b := start(t, dir, "-listen-tls", "127.0.0.1:0", "-tls-dir", files, "-tls-name", "acquirer.example", "-tls-mutual")
		ca := x509.NewCertPool()
		text, err := os.ReadFile(filepath.Join(files, linktest.AuthorityFile))
		require.NoError(t, err)
		require.True(t, ca.AppendCertsFromPEM(text))
		own, err := tls.LoadX509KeyPair(filepath.Join(files, linktest.TerminalFile), filepath.Join(files, linktest.TerminalKey))
		require.NoError(t, err)
		for _, known := range []bool{true, false} {
			o := link.TLSOptions{ServerName: "acquirer.example", Roots: ca, Certificate: &own, Settle: 20 * time.Second}
			if !known {
				stranger, err := linktest.NewAuthority(time.Now())
				require.NoError(t, err)
				other, err := stranger.Client(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), terminal)
				require.NoError(t, err)
				o.Certificate = &other
			}
			err := b.echoUnder(o)
			if known {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, link.ErrUnknown)
				require.ErrorIs(t, err, link.ErrNotSent)
			}
		}
		require.NoError(t, b.stop())
	}
	info, err := os.Stat(filepath.Join(files, linktest.ServerKeyFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func (b *bench) echoUnder(o link.TLSOptions) error {
	b.t.Helper()
	dialer, err := link.NewTLS(link.TCP{Address: b.addresses["tls"]}, o)
	require.NoError(b.t, err)
	header, err := link.ParseHeader("6000060000", "603100310000")
	require.NoError(b.t, err)
	tmk, err := hex.DecodeString(master)
	require.NoError(b.t, err)
	l := link.New(link.Options{Header: header, Bearers: []link.Bearer{{Name: "tls", Dialer: dialer, Connect: time.Minute}}})
	defer l.Close()
	return acquirer.New(l, acquirer.Options{Terminal: terminal, Merchant: merchant, TMK: tmk,
		STAN: func() (uint32, error) { return 1, nil }, Batch: func() uint32 { return 1 }}).Echo(b.t.Context())
}
