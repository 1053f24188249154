package modem

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A process killed during a call closes nothing: the modem stays in data state, and the next process finds it there.

func TestAfterAKillDuringACallTheNextProcessCanDial(t *testing.T) {
	noDTR := func(bool) error { return errors.New("inappropriate ioctl for device") }
	for name, next := range map[string]func(*bench) Opts{
		"without DTR":              func(*bench) Opts { return Opts{} },
		"with DTR":                 func(b *bench) Opts { return Opts{DTR: b.cable.setDTR} },
		"with a DTR that fails":    func(*bench) Opts { return Opts{DTR: noDTR} },
		"with DCD":                 func(*bench) Opts { return Opts{DCD: func() (bool, error) { return true, nil }} },
		"with a DCD that is dead":  func(*bench) Opts { return Opts{DCD: func() (bool, error) { return false, nil }} },
		"with a DTR that is loose": func(*bench) Opts { return Opts{DTR: func(bool) error { return nil }} },
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(b *bench) {
				killed, oldCall := b.dial(b.driver(Opts{}))
				talk(b.t, killed, oldCall)
				leaked := make(chan string, 1)
				go func() { leaked <- drain(t, oldCall) }()

				opts := next(b)
				terminal, acquirer := b.dial(b.driver(opts))
				talk(b.t, terminal, acquirer)
				switch name {
				case "with DTR":
					assert.Empty(t, <-leaked)
				case "without DTR", "with a DTR that fails", "with DCD":
					assert.Equal(t, "+++", <-leaked, "no command went to the acquirer as payload")
				default:
					assert.Contains(t, <-leaked, "+++")
				}
				require.NoError(t, acquirer.Close())
				require.NoError(t, terminal.Close())
			})
		})
	}
}

func TestAfterAKillTheAcquirerMayStillBeTalking(t *testing.T) {
	onBench(t, func(b *bench) {
		_, oldCall := b.dial(b.driver(Opts{}))
		go func() { _ = drain(t, oldCall) }()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				if _, err := oldCall.Write([]byte("\r\nOK\r\n\x02answer\x03\r\nCONNECT\r\n")); err != nil {
					return
				}
				time.Sleep(70 * time.Millisecond)
			}
		}()
		terminal, acquirer := b.dial(b.driver(Opts{}))
		<-stopped
		talk(b.t, terminal, acquirer)
		require.NoError(t, acquirer.Close())
		require.NoError(t, terminal.Close())
	})
}

func TestAfterAKillAtAnyMoment(t *testing.T) {
	for moment := time.Duration(0); moment < 3300*time.Millisecond; moment += 50 * time.Millisecond {
		for name, dtr := range map[string]bool{"with DTR": true, "without": false} {
			t.Run(moment.String()+" "+name, func(t *testing.T) {
				onBench(t, func(b *bench) {
					dead := &deadline{port: b.port}
					first, err := New(dead, &Opts{Number: number})
					require.NoError(t, err)
					dead.kill = time.Now().Add(moment)
					ctx, cancel := context.WithDeadline(b.t.Context(), dead.kill)
					defer cancel()
					_, _ = first.Dial(ctx)
					synctest.Wait()

					var opts Opts
					if dtr {
						opts.DTR = b.cable.setDTR
					}
					terminal, acquirer := b.dial(b.driver(opts))
					for len(b.calls) > 0 {
						_ = drain(t, acquirer)
						acquirer = <-b.calls
					}
					talk(b.t, terminal, acquirer)
					require.NoError(t, acquirer.Close())
					require.NoError(t, terminal.Close())
				})
			})
		}
	}
}

// deadline is the port of a process that is killed at a moment: from then on it does nothing.
type deadline struct {
	*port
	kill time.Time
}

var errKilled = errors.New("killed")

func (d *deadline) Read(p []byte) (int, error) {
	n, err := d.port.Read(p)
	if !time.Now().Before(d.kill) {
		return 0, errKilled
	}
	return n, err
}

func (d *deadline) Write(p []byte) (int, error) {
	if !time.Now().Before(d.kill) {
		return 0, errKilled
	}
	return d.port.Write(p)
}
