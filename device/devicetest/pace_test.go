package devicetest

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOutgoingBytesTakeTheLinesTime(t *testing.T) {
	for baud, want := range map[int]time.Duration{
		300:    3200 * time.Millisecond, // 96 bytes at 30 a second
		9600:   100 * time.Millisecond,
		115200: 8333 * time.Microsecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			began := time.Now()
			go func() {
				n, err := Pace(far, baud).Write(bytes.Repeat([]byte("x"), 96))
				require.NoError(t, err)
				require.Equal(t, 96, n)
				far.Close()
			}()
			got, err := io.ReadAll(near)
			require.NoError(t, err)
			require.Len(t, got, 96)
			require.InDelta(t, want, time.Since(began), float64(time.Millisecond), "%d baud", baud)
		})
	}
}

func TestIncomingBytesTakeTheLinesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		began := time.Now()
		go func() {
			_, err := near.Write(bytes.Repeat([]byte("x"), 960))
			require.NoError(t, err)
			near.Close()
		}()
		got, err := io.ReadAll(Pace(far, 9600))
		require.NoError(t, err)
		require.Len(t, got, 960)
		require.InDelta(t, time.Second, time.Since(began), float64(time.Millisecond))
	})
}

func TestDirectionsDoNotShareTheLinesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		line := Pace(far, 9600)
		began := time.Now()
		go func() { _, _ = near.Write(make([]byte, 96)) }()
		go func() { _, _ = io.CopyN(io.Discard, near, 96) }()
		wrote := make(chan error, 1)
		go func() { _, err := line.Write(make([]byte, 96)); wrote <- err }()
		_, err := io.ReadFull(line, make([]byte, 96))
		require.NoError(t, err)
		require.NoError(t, <-wrote)
		require.InDelta(t, 100*time.Millisecond, time.Since(began), float64(time.Millisecond))
	})
}

// A silent line saves nothing up: the first byte after a pause takes its time like every other.
func TestAPauseIsNotPaidBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		line := Pace(far, 300)
		go func() { _, _ = io.Copy(io.Discard, near) }()
		for range 3 {
			<-time.After(time.Minute)
			began := time.Now()
			_, err := line.Write(make([]byte, 3))
			require.NoError(t, err)
			require.InDelta(t, 100*time.Millisecond, time.Since(began), float64(time.Millisecond))
		}
		far.Close()
	})
}

func TestAnUnpacedLineIsTheLineItself(t *testing.T) {
	var wire bytes.Buffer
	require.Same(t, &wire, Pace(&wire, 0))
}

func TestABrokenLineTellsHowFarItGot(t *testing.T) {
	near, far := net.Pipe()
	go func() { _, _ = io.ReadFull(near, make([]byte, 10)); near.Close() }()
	n, err := Pace(far, 9600).Write(make([]byte, 20))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.Equal(t, 10, n)
}

func TestAPacedLineKeepsItsDeadlines(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	conn := Pace(far, 9600).(interface {
		io.ReadWriteCloser
		SetReadDeadline(time.Time) error
	})
	require.NoError(t, conn.SetReadDeadline(time.Unix(1, 0)))
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, conn.Close())
	_, closes := Pace(&bytes.Buffer{}, 9600).(io.Closer)
	require.False(t, closes, "a buffer has nothing to close")
}
