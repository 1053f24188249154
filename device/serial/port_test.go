package serial

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// noise is reproducible garbage: control characters, XON/XOFF, zero bytes and everything else a terminal would act on.
func noise(seed uint64, n int) []byte {
	source := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(source.Uint32())
	}
	return b
}

func TestAMebibyteOfGarbagePassesBothWaysUnchanged(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 4000000})
	down, up := noise(1, 1<<20), noise(2, 1<<20)

	results := make(chan error, 2)
	go func() { _, err := p.Write(up); results <- err }()
	go func() { _, err := w.master.Write(down); results <- err }()

	gotDown := make(chan []byte, 1)
	go func() {
		got := make([]byte, len(down))
		n, err := io.ReadFull(p, got)
		if err != nil {
			got = got[:n]
		}
		gotDown <- got
	}()
	require.True(t, bytes.Equal(up, w.received(len(up))), "outgoing bytes changed")
	require.True(t, bytes.Equal(down, <-gotDown), "incoming bytes changed")
	require.NoError(t, <-results)
	require.NoError(t, <-results)
}

func TestReadEndsAtItsDeadlineAndTheLineStaysUsable(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 9600})
	began := time.Now()
	require.NoError(t, p.SetReadDeadline(began.Add(37*time.Millisecond)))
	n, err := p.Read(make([]byte, 8))
	require.Zero(t, n)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NotErrorIs(t, err, ErrHangup)
	require.GreaterOrEqual(t, time.Since(began), 37*time.Millisecond)

	require.NoError(t, p.SetReadDeadline(time.Time{}))
	w.send("ok")
	got := make([]byte, 8)
	n, err = p.Read(got)
	require.NoError(t, err)
	require.Equal(t, "ok", string(got[:n]))
}

func TestAWaitingReadIsCancelledByMovingItsDeadline(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 9600})
	ctx, cancel := context.WithCancel(t.Context())
	stop := context.AfterFunc(ctx, func() { _ = p.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	done := make(chan error, 1)
	go func() { _, err := p.Read(make([]byte, 1)); done <- err }()
	cancel()
	require.ErrorIs(t, within(t, done, "cancelled read"), os.ErrDeadlineExceeded)
}

func TestCloseFreesABlockedReaderAndWriterEveryTime(t *testing.T) {
	w := newWire(t)
	flood := make([]byte, 256<<10) // more than a pty takes while nobody reads at the far end
	for range 200 {
		p, err := Open(w.name, Options{Baud: 115200})
		require.NoError(t, err)
		read, wrote, closed := make(chan error, 1), make(chan error, 1), make(chan error, 1)
		go func() { _, err := p.Read(make([]byte, 1)); read <- err }()
		go func() { _, err := p.Write(flood); wrote <- err }()
		w.received(1) // the writer has begun
		go func() { closed <- p.Close() }()
		require.NoError(t, within(t, closed, "close"))
		require.ErrorIs(t, within(t, read, "blocked read"), net.ErrClosed)
		require.ErrorIs(t, within(t, wrote, "blocked write"), net.ErrClosed)
	}
}

func TestAStalledFarEndCostsTheDeadlineAndTheCountIsExact(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 115200})
	sent := noise(3, 1<<20)
	n, wrote := 0, make(chan error, 1)
	go func() {
		var err error
		n, err = p.Write(sent)
		wrote <- err
	}()
	got := w.received(1) // it has begun
	require.NoError(t, p.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
	require.ErrorIs(t, within(t, wrote, "a write at its deadline"), os.ErrDeadlineExceeded)
	require.Positive(t, n)
	require.Less(t, n, len(sent))

	// Nothing more, nothing less and nothing else arrives: a mark written afterwards follows byte n at once.
	require.True(t, bytes.Equal(sent[:n], append(got, w.received(n-1)...)))
	require.NoError(t, p.SetWriteDeadline(time.Now().Add(patience)))
	_, err := io.WriteString(p, "mark")
	require.NoError(t, err)
	require.Equal(t, "mark", string(w.received(4)))
}

func TestHangupIsNeitherSilenceNorEndOfFile(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 9600})
	waiting := make(chan error, 1)
	go func() { _, err := p.Read(make([]byte, 1)); waiting <- err }()
	require.NoError(t, w.master.Close())
	require.ErrorIs(t, within(t, waiting, "read across a hang-up"), ErrHangup)

	for range 3 { // it stays so
		_, err := p.Read(make([]byte, 1))
		require.ErrorIs(t, err, ErrHangup)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		n, err := p.Write([]byte("x"))
		require.Zero(t, n)
		require.ErrorIs(t, err, ErrHangup)
	}
	require.ErrorIs(t, p.Discard(), ErrHangup)
	require.ErrorIs(t, p.Drain(t.Context()), ErrHangup)
	require.NoError(t, p.Close())
}

func TestABlockedWriteSeesTheHangup(t *testing.T) {
	w := newWire(t)
	p := w.open(Options{Baud: 9600})
	waiting := make(chan error, 1)
	go func() { _, err := p.Write(make([]byte, 1<<20)); waiting <- err }()
	w.received(1)
	require.NoError(t, w.master.Close())
	require.ErrorIs(t, within(t, waiting, "write across a hang-up"), ErrHangup)
}

func TestEverythingAfterCloseSaysClosed(t *testing.T) {
	p := newWire(t).open(Options{Baud: 9600})
	require.NoError(t, p.Close())
	require.NoError(t, p.Close(), "closing twice is harmless")
	_, readErr := p.Read(make([]byte, 1))
	_, writeErr := p.Write([]byte("x"))
	_, linesErr := p.Lines()
	for _, err := range []error{
		readErr, writeErr, linesErr,
		p.SetDeadline(time.Time{}), p.SetReadDeadline(time.Time{}), p.SetWriteDeadline(time.Time{}),
		p.Drain(t.Context()), p.Discard(), p.SetDTR(true), p.SetRTS(false), p.Break(time.Millisecond),
	} {
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorContains(t, err, p.name)
	}
}
