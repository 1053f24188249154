package simrig

import (
	"context"
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

// chatty is a line to the acquirer on which a card's number goes out before everything else.
type chatty struct {
	link.Dialer
	number string
}

func (d chatty) Dial(ctx context.Context) (link.Conn, error) {
	conn, err := d.Dialer.Dial(ctx)
	if err != nil {
		return conn, err
	}
	return &chattyConn{conn, d.number}, nil
}

type chattyConn struct {
	link.Conn
	number string
}

func (c *chattyConn) Write(p []byte) (int, error) {
	if _, err := c.Conn.Write([]byte(c.number)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// Where the reader enciphers, no number passes on any wire; a terminal, or a reader that nobody has told to, that lets one pass is
// found.
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
			o.PlantLine = func(d link.Dialer, _ link.Framing) link.Dialer {
				return chatty{d, cards.Reader["unionpay-0005"].PAN}
			}
		}, "on the wire line"},
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
