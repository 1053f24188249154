package simrig

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
)

func lay(o WireOpts, seed uint64) *Wire { return newWire(o, seed, 1) }

func TestAByteTakesItsTimeOnASerialLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lay(WireOpts{Name: "modem", Baud: 9600}, 1)
		began := time.Now()
		n, err := w.Near.Write(make([]byte, 96))
		require.NoError(t, err)
		require.Equal(t, 96, n)
		assert.Zero(t, time.Since(began), "the tty's buffer takes it at once")
		_, err = io.ReadFull(w.Far, make([]byte, 96))
		require.NoError(t, err)
		took := time.Since(began)
		assert.GreaterOrEqual(t, took, 100*time.Millisecond)
		assert.Less(t, took, 101*time.Millisecond)
	})
}

func TestTheEndOfALineComesAfterWhatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lay(WireOpts{Name: "net", Latency: 10 * time.Millisecond}, 1)
		_, err := w.Near.Write([]byte("goodbye"))
		require.NoError(t, err)
		require.NoError(t, w.Near.Close())
		all, err := io.ReadAll(w.Far)
		require.NoError(t, err)
		assert.Equal(t, "goodbye", string(all))
		_, err = w.Far.Write([]byte("x"))
		assert.ErrorIs(t, err, io.ErrClosedPipe)
		_, err = w.Near.Read(make([]byte, 1))
		assert.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestDeadlinesWakeWhoeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lay(WireOpts{Name: "net"}, 1)
		began := time.Now()
		require.NoError(t, w.Near.SetReadDeadline(began.Add(time.Second)))
		_, err := w.Near.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))

		require.NoError(t, w.Near.SetReadDeadline(time.Time{}))
		go func() {
			time.Sleep(time.Second)
			_ = w.Near.SetReadDeadline(time.Unix(1, 0))
		}()
		_, err = w.Near.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

func TestAFullBufferHoldsItsWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lay(WireOpts{Name: "net"}, 1)
		require.NoError(t, w.Near.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := w.Near.Write(make([]byte, laneHolds+10))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, laneHolds, n)

		require.NoError(t, w.Near.SetWriteDeadline(time.Time{}))
		done := make(chan error, 1)
		go func() { _, err := w.Near.Write(make([]byte, 10)); done <- err }()
		_, err = io.ReadFull(w.Far, make([]byte, laneHolds+10))
		require.NoError(t, err)
		require.NoError(t, <-done)
	})
}

func TestABrokenWire(t *testing.T) {
	gone := errors.New("unplugged")
	t.Run("a serial line loses what has not passed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := lay(WireOpts{Name: "printer", Baud: 9600, Chunk: 8}, 1)
			_, err := w.Near.Write(make([]byte, 96))
			require.NoError(t, err)
			time.Sleep(50 * time.Millisecond)
			w.Break(gone)
			all, err := io.ReadAll(w.Far)
			require.NoError(t, err)
			assert.Len(t, all, 40)
			_, err = w.Near.Read(make([]byte, 1))
			assert.ErrorIs(t, err, gone)
			_, err = w.Near.Write(make([]byte, 1))
			assert.ErrorIs(t, err, gone)
		})
	})
	t.Run("a network brings what was sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := lay(WireOpts{Name: "net", Latency: time.Second}, 1)
			_, err := w.Near.Write(make([]byte, 96))
			require.NoError(t, err)
			w.Break(gone)
			all, err := io.ReadAll(w.Far)
			require.NoError(t, err)
			assert.Len(t, all, 96)
		})
	})
	t.Run("who reads is woken", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := lay(WireOpts{Name: "net"}, 1)
			done := make(chan error, 1)
			go func() { _, err := w.Near.Read(make([]byte, 1)); done <- err }()
			synctest.Wait()
			w.Break(gone)
			assert.ErrorIs(t, <-done, gone)
		})
	})
}

// Two wires of one seed do the same, whatever goes wrong on them, and each fault shows.
func TestFaultsAreThrownFromTheWiresOwnDice(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789"), 200)
	arrives := func(t *testing.T, seed uint64, f Faults) (all []byte, chunks int, took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			w := lay(WireOpts{Name: "reader", Baud: 115200}, seed)
			w.Suffer(f, Faults{})
			began := time.Now()
			_, err := w.Near.Write(sent)
			require.NoError(t, err)
			require.NoError(t, w.Near.Close())
			for buffer := make([]byte, 4096); ; chunks++ {
				n, err := w.Far.Read(buffer)
				if all = append(all, buffer[:n]...); err != nil {
					break
				}
			}
			took = time.Since(began)
		})
		return all, chunks, took
	}
	_, plain, usual := arrives(t, 1, Faults{})
	for name, f := range map[string]Faults{
		"lost": {Lose: 2000}, "doubled": {Double: 2000}, "flipped": {Flip: 2000}, "split": {Split: 5000},
		"stalled": {Stall: 2000, StallFor: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			one, chunks, took := arrives(t, 7, f)
			again, chunksAgain, tookAgain := arrives(t, 7, f)
			assert.Equal(t, one, again)
			assert.Equal(t, chunks, chunksAgain)
			assert.Equal(t, took, tookAgain)
			switch name {
			case "lost":
				assert.Less(t, len(one), len(sent))
			case "doubled":
				assert.Greater(t, len(one), len(sent))
			case "flipped":
				assert.Len(t, one, len(sent))
				assert.NotEqual(t, sent, one)
			case "split":
				assert.Equal(t, sent, one)
				assert.Greater(t, chunks, plain)
			case "stalled":
				assert.Equal(t, sent, one)
				assert.Greater(t, took, usual+100*time.Millisecond)
			}
		})
	}
}

func TestAStalledWireGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := lay(WireOpts{Name: "reader", Baud: 115200}, 1)
		w.Stall(3 * time.Second)
		began := time.Now()
		_, err := w.Near.Write([]byte("x"))
		require.NoError(t, err)
		_, err = w.Far.Read(make([]byte, 1))
		require.NoError(t, err)
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestSomethingHappensAtAByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off := errors.New("off")
		w := lay(WireOpts{Name: "modem", Baud: 9600}, 1)
		left := 17
		w.Near.leaving = func(p []byte) (int, func()) {
			if left == 0 || len(p) < left {
				return len(p), nil
			}
			pass := left
			left = 0
			return pass, func() { w.Break(off) }
		}
		n, err := w.Near.Write(make([]byte, 50))
		assert.ErrorIs(t, err, off)
		assert.Equal(t, 17, n)
		all, err := io.ReadAll(w.Far)
		require.NoError(t, err)
		assert.Len(t, all, 17)
	})
}

// A terminal that goes by the kernel's own names does not find an adapter that came back, and the world notices.
func TestAnAdapterThatReturnsAsAnotherTTY(t *testing.T) {
	s := story(t, "present visa-4242", "wire printer replug", "sale 12.50", "expect till approved")
	for _, byFirstName := range []bool{false, true} {
		o := Options{Seed: 1, Dir: fastDir(t), Cards: testCards(t), PlantFirstName: byFirstName}
		err := inWorld(t, o, func(w *World) error { return scenario.Run(s, w) })
		if byFirstName {
			require.ErrorContains(t, err, "1 slips owed")
		} else {
			require.NoError(t, err)
		}
	}
}
