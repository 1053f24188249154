package modem

import (
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Modems that the simulated one is not: each answers from a script.
func TestModemsWithOtherHabits(t *testing.T) {
	for name, c := range map[string]struct {
		dialled string // answer to the dial string
		early   string // payload that came in one piece with it
		err     error
		after   string // what the modem hears next
	}{
		"speed and protocol":      {"\r\nCONNECT 9600/ARQ/V34/LAPM\r\n", "", nil, ""},
		"no speed":                {"\r\nCONNECT\r\n", "", nil, ""},
		"payload at once":         {"\r\nCONNECT 1200\r\n\x05\r\nOK\r\n", "\x05\r\nOK\r\n", nil, ""},
		"payload of a line feed":  {"\r\nCONNECT 1200\r\n\n", "\n", nil, ""},
		"progress":                {"\r\nRINGING\r\n\r\nCARRIER 2400\r\n\r\nPROTOCOL: NONE\r\n\r\nCONNECT 2400\r\n", "", nil, ""},
		"echo of the dial string": {"ATDT95516\r\r\nCONNECT\r\n", "", nil, ""},
		"two words for dial tone": {"\r\nNO DIAL TONE\r\n", "", ErrNoDialtone, ""},
		"an incoming call":        {"\r\nRING\r\n\r\nBUSY\r\n", "", ErrBusy, ""},
		"refused":                 {"\r\nERROR\r\n", "", ErrRefused, "ATH\r"},
		"blacklisted":             {"\r\nBLACKLISTED\r\n", "", ErrRefused, ""},
		"stays in command state":  {"\r\nOK\r\n", "", ErrNoCarrier, "ATH\r"},
		"noise, then a call":      {"\x7f\x00\xfe\r\nCONNECT 300\r\n", "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				terminal, far := net.Pipe()
				heard := make(chan string, 1)
				go func() { heard <- script(far, c.dialled, "") }()
				m, err := New(terminal, &Opts{Number: number})
				require.NoError(t, err)
				conn, err := m.Dial(context.Background())
				if c.err != nil {
					require.ErrorIs(t, err, c.err)
					require.True(t, m.idle, "on hook, and known to be")
				} else {
					require.NoError(t, err)
					require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Second)))
					got, err := io.ReadAll(conn)
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					assert.Equal(t, c.early, string(got))
				}
				require.NoError(t, far.Close())
				require.NoError(t, terminal.Close())
				_, afterDial, _ := strings.Cut(<-heard, dialLine(number)+"\r")
				assert.Equal(t, c.after, afterDial)
			})
		})
	}
}

// The abort may come too late (V.250 6.3.1): CONNECT is then its answer, and the call must be ended like any other.
func TestAModemThatConnectsWhenToldToStopIsHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminal, far := net.Pipe()
		said := make(chan string, 1)
		go func() { said <- script(far, "", "\r\nCONNECT 300\r\nwelcome\r\n") }()
		m, err := New(terminal, &Opts{Number: number, Init: []string{}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err = m.Dial(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.True(t, m.idle)
		require.NoError(t, far.Close())
		require.NoError(t, terminal.Close())
		assert.Equal(t, "+++ATE0Q0V1\rATH\rATS7=60\rATDT95516\r\r+++ATH\r", <-said)
	})
}

// script answers OK to every command, and what it was given to a dial string and to a lone CR. It returns what it heard.
func script(far net.Conn, dialled, stopped string) string {
	var heard, line []byte
	b := make([]byte, 1)
	for {
		if _, err := far.Read(b); err != nil {
			return string(heard)
		}
		heard, line = append(heard, b[0]), append(line, b[0])
		if b[0] != '\r' {
			continue
		}
		answer := "\r\nOK\r\n"
		if strings.HasPrefix(string(line), dial) {
			answer = dialled
		} else if string(line) == "\r" {
			answer = stopped
		}
		line = nil
		if answer == "" {
			continue
		}
		if _, err := far.Write([]byte(answer)); err != nil {
			return string(heard)
		}
	}
}
