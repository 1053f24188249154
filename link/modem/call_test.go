package modem

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func TestPayloadPassesUnchangedBothWays(t *testing.T) {
	for name, payload := range map[string][]byte{
		"every byte":                  allBytes(),
		"long":                        []byte(strings.Repeat(string(allBytes()), 40)),
		"escape sequence":             []byte("+++"),
		"escape sequence and more":    []byte("+++ATH\r"),
		"four plus signs":             []byte("++++"),
		"result code in the middle":   []byte("before\r\nNO CARRIER\r\nafter"),
		"result code twice":           []byte("\r\nNO CARRIER\r\n\r\nNO CARRIER\r\n!"),
		"half a result code":          []byte("before\r\nNO CARR"),
		"almost a result code":        []byte("\r\n\r\nNO CARRIER\r\r\nNO CARRIEF\r\n"),
		"result code without a frame": []byte("NO CARRIER"),
		"a return":                    []byte("\r"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, single := range []bool{false, true} {
				onBench(t, func(b *bench) {
					terminal, acquirer := b.dial(b.driver(Opts{}))
					b.port.single = single
					carry(b.t, acquirer, terminal, payload)
					time.Sleep(3 * time.Second) // a silence, so that plus signs stand alone
					carry(b.t, terminal, acquirer, payload)
					time.Sleep(3 * time.Second)
					talk(b.t, terminal, acquirer)
					require.NoError(t, acquirer.Close())
					require.NoError(t, terminal.Close())
				})
			}
		})
	}
}

func TestPlusSignsInEveryPieceStayPayload(t *testing.T) {
	for _, pieces := range [][]string{{"+", "+", "+"}, {"++", "+"}, {"+", "++"}, {"+++", "+++"}, {"a", "+++"}, {"+", "+", "+", "+"}} {
		onBench(t, func(b *bench) {
			terminal, acquirer := b.dial(b.driver(Opts{}))
			for _, gap := range []time.Duration{0, 100 * time.Millisecond, 950 * time.Millisecond, 2 * time.Second} {
				time.Sleep(2 * time.Second)
				for _, piece := range pieces {
					carry(b.t, terminal, acquirer, []byte(piece))
					time.Sleep(gap)
				}
				time.Sleep(2 * time.Second)
				b.requireState("data")
			}
			talk(b.t, terminal, acquirer)
			require.NoError(t, acquirer.Close())
			require.NoError(t, terminal.Close())
		})
	}
}

// A hang-up takes seconds. Nobody waits for it who only wants to write or to read.
func TestNothingWaitsForAHangUp(t *testing.T) {
	onBench(t, func(b *bench) {
		terminal, acquirer := b.dial(b.driver(Opts{}))
		closed := make(chan error, 1)
		go func() { closed <- terminal.Close() }()
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		n, err := terminal.Write([]byte("late"))
		require.ErrorIs(t, err, net.ErrClosed)
		assert.Zero(t, n)
		_, err = terminal.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		assert.Zero(t, time.Since(began))
		select {
		case <-closed:
			t.Error("the hang-up was over before")
		default:
		}
		require.NoError(t, <-closed)
		require.NoError(t, acquirer.Close())
	})
}

func TestTheCarrierIsLostDuringACall(t *testing.T) {
	for name, lose := range map[string]func(*bench, net.Conn){
		"the acquirer hangs up": func(b *bench, acquirer net.Conn) { assert.NoError(b.t, acquirer.Close()) },
		"the line fails":        func(b *bench, _ net.Conn) { b.tell("nocarrier") },
	} {
		for _, single := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				onBench(t, func(b *bench) {
					m := b.driver(Opts{})
					terminal, acquirer := b.dial(m)
					b.port.single = single
					talk(b.t, terminal, acquirer)
					go func() {
						_, err := acquirer.Write([]byte("last words\r\nNO"))
						assert.NoError(t, err)
						synctest.Wait()
						lose(b, acquirer)
					}()
					got, err := io.ReadAll(terminal)
					require.ErrorIs(t, err, ErrNoCarrier)
					assert.Equal(t, "last words\r\nNO", string(got))

					n, err := terminal.Write([]byte("0200"))
					require.ErrorIs(t, err, ErrNoCarrier)
					require.Zero(t, n, "not a byte goes to a modem in command state")
					_, err = terminal.Read(make([]byte, 1))
					require.ErrorIs(t, err, ErrNoCarrier)
					assert.Less(t, took(func() { require.NoError(t, terminal.Close()) }), time.Second, "no escape is needed")
					b.requireState("command")

					terminal, acquirer = b.dial(m)
					talk(b.t, terminal, acquirer)
					require.NoError(t, acquirer.Close())
					require.NoError(t, terminal.Close())
				})
			})
		}
	}
}

func TestDCDGoesOff(t *testing.T) {
	onBench(t, func(b *bench) {
		var carrier atomic.Bool
		m := b.driver(Opts{DCD: func() (bool, error) { return carrier.Load(), nil }})
		terminal, acquirer := b.dial(m)
		time.AfterFunc(300*time.Millisecond, func() { carrier.Store(true) }) // CONNECT comes before it
		require.NoError(t, terminal.SetReadDeadline(time.Now().Add(time.Second)))
		_, err := terminal.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, terminal.SetReadDeadline(time.Time{}))
		talk(b.t, terminal, acquirer)

		_, err = acquirer.Write([]byte("tail"))
		require.NoError(t, err)
		carrier.Store(false)
		n, err := terminal.Write([]byte("0200"))
		require.ErrorIs(t, err, ErrNoCarrier)
		require.Zero(t, n)
		got, err := io.ReadAll(terminal)
		require.ErrorIs(t, err, ErrNoCarrier)
		assert.Equal(t, "tail", string(got))
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
	})
}

func TestADCDThatFailsIsNoLoss(t *testing.T) {
	onBench(t, func(b *bench) {
		m := b.driver(Opts{DCD: func() (bool, error) { return false, errors.New("inappropriate ioctl for device") }})
		terminal, acquirer := b.dial(m)
		time.Sleep(time.Minute)
		talk(b.t, terminal, acquirer)
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
	})
}

func TestReadKeepsItsDeadline(t *testing.T) {
	onBench(t, func(b *bench) {
		terminal, acquirer := b.dial(b.driver(Opts{}))
		spent := took(func() {
			require.NoError(t, terminal.SetReadDeadline(time.Now().Add(7*time.Second)))
			_, err := terminal.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		})
		assert.Equal(t, 7*time.Second, spent)

		// Moved while the Read waits, nearer and farther.
		require.NoError(t, terminal.SetReadDeadline(time.Now().Add(time.Second)))
		time.AfterFunc(time.Second/2, func() { assert.NoError(t, terminal.SetReadDeadline(time.Now().Add(time.Minute))) })
		time.AfterFunc(10*time.Second, func() { assert.NoError(t, terminal.SetReadDeadline(time.Now())) })
		spent = took(func() {
			_, err := terminal.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		})
		assert.Equal(t, 10*time.Second, spent)

		// Half a result code that arrived before the deadline is payload after it.
		require.NoError(t, terminal.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
		_, err := acquirer.Write([]byte("\r\nNO"))
		require.NoError(t, err)
		_, err = terminal.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, terminal.SetReadDeadline(time.Time{}))
		got := make([]byte, 4)
		_, err = io.ReadFull(terminal, got)
		require.NoError(t, err)
		assert.Equal(t, "\r\nNO", string(got))
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
	})
}

func TestWriteKeepsItsDeadline(t *testing.T) {
	onBench(t, func(b *bench) {
		terminal, acquirer := b.dial(b.driver(Opts{}))
		// The acquirer reads nothing: the modem takes what it can hold and then stops the line.
		require.NoError(t, terminal.SetWriteDeadline(time.Now().Add(5*time.Second)))
		sent, err := 0, error(nil)
		spent := took(func() {
			for err == nil {
				var n int
				n, err = terminal.Write(make([]byte, 100))
				sent += n
			}
		})
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 5*time.Second, spent)
		assert.Positive(t, sent)
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
	})
}

func TestCloseEndsReadAndWriteInProgress(t *testing.T) {
	onBench(t, func(b *bench) {
		terminal, acquirer := b.dial(b.driver(Opts{}))
		ended := make(chan error, 2)
		go func() {
			_, err := io.ReadAll(terminal)
			ended <- err
		}()
		go func() {
			var err error
			for err == nil {
				_, err = terminal.Write(make([]byte, 1000))
			}
			ended <- err
		}()
		time.Sleep(time.Second)
		closed := make(chan error, 1)
		go func() { closed <- terminal.Close() }()
		require.ErrorIs(t, <-ended, net.ErrClosed)
		require.ErrorIs(t, <-ended, net.ErrClosed)
		_, err := io.Copy(io.Discard, acquirer) // flow goes on, so that the modem hears the escape
		require.NoError(t, err)
		require.NoError(t, <-closed)
		require.ErrorIs(t, terminal.SetReadDeadline(time.Now()), net.ErrClosed)
		require.ErrorIs(t, terminal.SetWriteDeadline(time.Now()), net.ErrClosed)
		_, err = terminal.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = terminal.Write(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestCloseIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		trouble string
		dtr     string
		bound   time.Duration
		fails   bool
	}{
		"without DTR":          {"", "", 2500 * time.Millisecond, false},
		"with DTR":             {"", "wired", 900 * time.Millisecond, false},
		"with a loose DTR":     {"", "loose", 9 * time.Second, false},
		"the line was cut":     {"drop", "", 2500 * time.Millisecond, false},
		"the modem has died":   {"silent on", "", 15 * time.Second, true},
		"dead, though DTR":     {"silent on", "wired", 15 * time.Second, true},
		"the modem raves":      {"nonsense on", "", 15 * time.Second, true},
		"the call ended since": {"nocarrier", "", 2500 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(b *bench) {
				opts := Opts{}
				switch c.dtr {
				case "wired":
					opts.DTR = b.cable.setDTR
				case "loose":
					opts.DTR = func(bool) error { return nil }
				}
				m := b.driver(opts)
				terminal, acquirer := b.dial(m)
				go func(old net.Conn) { _, _ = io.Copy(io.Discard, old) }(acquirer)
				if c.trouble != "" {
					b.tell(c.trouble)
				}
				spent := took(func() {
					err := terminal.Close()
					assert.Equal(t, c.fails, err != nil, "%v", err)
				})
				assert.LessOrEqual(t, spent, c.bound)

				b.tell("silent off")
				b.tell("nonsense off")
				terminal, acquirer = b.dial(m)
				talk(b.t, terminal, acquirer)
				require.NoError(t, acquirer.Close())
				require.NoError(t, terminal.Close())
			})
		})
	}
}

func TestTheAdapterIsPulledOutDuringACall(t *testing.T) {
	onBench(t, func(b *bench) {
		m := b.driver(Opts{})
		terminal, acquirer := b.dial(m)
		talk(b.t, terminal, acquirer)
		time.AfterFunc(time.Second, func() { assert.NoError(t, b.port.Conn.Close()) })
		_, err := terminal.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.ErrClosedPipe)
		_, err = terminal.Write([]byte("0200"))
		require.ErrorIs(t, err, io.ErrClosedPipe)
		assert.Zero(t, took(func() { require.Error(t, terminal.Close()) }))
		_, err = m.Dial(b.t.Context())
		require.ErrorIs(t, err, io.ErrClosedPipe)
		require.NoError(t, acquirer.Close())
	})
}

func TestTheAdapterIsPulledOutDuringAWrite(t *testing.T) {
	onBench(t, func(b *bench) {
		terminal, acquirer := b.dial(b.driver(Opts{}))
		time.AfterFunc(time.Second, func() { assert.NoError(t, b.port.Conn.Close()) })
		sent, err := 0, error(nil)
		for err == nil { // the acquirer reads nothing, so the line stops
			var n int
			n, err = terminal.Write(make([]byte, 100))
			sent += n
		}
		require.ErrorIs(t, err, io.ErrClosedPipe)
		assert.Positive(t, sent)
		_, err = terminal.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.ErrClosedPipe)
		require.NoError(t, acquirer.Close())
		require.Error(t, terminal.Close())
	})
}

func TestLonePlusSignsCanBeInterrupted(t *testing.T) {
	onBench(t, func(b *bench) {
		terminal, acquirer := b.dial(b.driver(Opts{}))
		go func() { _, _ = io.Copy(io.Discard, acquirer) }()
		time.Sleep(2 * time.Second)
		both := terminal.(interface{ SetDeadline(time.Time) error })
		require.NoError(t, both.SetDeadline(time.Now().Add(1500*time.Millisecond)))
		n, err := terminal.Write([]byte("+++"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 1, n, "one was sent, and the result says so")

		time.Sleep(2 * time.Second)
		require.NoError(t, both.SetDeadline(time.Time{}))
		time.AfterFunc(1500*time.Millisecond, func() { assert.NoError(t, terminal.Close()) })
		n, err = terminal.Write([]byte("+++"))
		require.ErrorIs(t, err, net.ErrClosed)
		assert.Equal(t, 1, n)
		time.Sleep(10 * time.Second)
		b.requireState("command")
	})
}
