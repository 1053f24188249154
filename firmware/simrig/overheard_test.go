package simrig

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
	"posagent/link"
	"posagent/link/profile"
)

// underReader is the profile of a terminal whose card reader enciphers.
func underReader() *profile.Profile {
	p, err := profile.Open(filepath.Join("..", "..", "testdata", "profiles", "reader.toml"))
	if err != nil {
		panic(err)
	}
	return p
}

// tampered changes what is written on a line to the acquirer, or keeps it.
type tampered struct {
	link.Dialer
	write func(c link.Conn, p []byte) (int, error)
}

func (d tampered) Dial(ctx context.Context) (link.Conn, error) {
	conn, err := d.Dialer.Dial(ctx)
	if err != nil {
		return conn, err
	}
	return &tamperedConn{conn, d}, nil
}

type tamperedConn struct {
	link.Conn
	by tampered
}

func (c *tamperedConn) Write(p []byte) (int, error) { return c.by.write(c.Conn, p) }

func tampering(write func(c link.Conn, p []byte) (int, error)) func(link.Dialer, link.Framing) link.Dialer {
	return func(d link.Dialer, _ link.Framing) link.Dialer { return tampered{d, write} }
}

// chatty writes a card's number before everything else.
func chatty(number string) func(c link.Conn, p []byte) (int, error) {
	return func(c link.Conn, p []byte) (int, error) {
		if _, err := c.Write([]byte(number)); err != nil {
			return 0, err
		}
		return c.Write(p)
	}
}

// keeping writes a copy of what is sent into a file beside the store.
func keeping(file string) func(c link.Conn, p []byte) (int, error) {
	return func(c link.Conn, p []byte) (int, error) {
		kept, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, err
		}
		if _, err := kept.Write(p); err != nil {
			return 0, err
		}
		if err := kept.Close(); err != nil {
			return 0, err
		}
		return c.Write(p)
	}
}

// Where the reader enciphers, no number passes on any wire, and what the reader gave is kept nowhere. A terminal, or a reader that
// nobody has told to, that lets a number pass is found, and so is a terminal that keeps what it sends.
func TestWhereTheReaderEnciphersANumberOnAWireIsFound(t *testing.T) {
	cards := testCards(t)
	sale := "present unionpay-0005\nsale 88.00\nsettle\n"
	for name, c := range map[string]struct {
		story string
		plant func(*Options)
		found string
	}{
		"nothing":                      {sale, func(*Options) {}, ""},
		"a reader told to be in clear": {"reader cipher off\n" + sale, func(*Options) {}, ""},
		"a reader in clear":            {sale, func(o *Options) { o.PlantClearReader = true }, "on the wire reader"},
		"a number to the acquirer": {sale, func(o *Options) {
			o.PlantLine = tampering(chatty(cards.Reader["unionpay-0005"].PAN))
		}, "on the wire line"},
		"a request that is kept": {sale, func(o *Options) {
			o.PlantLine = tampering(keeping(filepath.Join(o.Dir, "life-1", "kept")))
		}, "an enciphered track in hexadecimal stands in kept"},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Seed: 1, Dir: fastDir(t), Cards: cards, Profile: underReader()}
			c.plant(&o)
			s, err := scenario.Parse("a.txt", c.story)
			require.NoError(t, err)
			err = inWorld(t, o, func(w *World) error { return scenario.RunLoose(s, w) })
			if c.found == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.found)
			}
		})
	}
}
