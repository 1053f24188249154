package reader_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader"
	"posagent/device/serial"
	"posagent/txnstore/txn"
)

// The whole way once: the driver, the serial port it will have, a pseudo terminal at a real line's speed, the simulator.
func TestOverASerialPort(t *testing.T) {
	pty, err := devicetest.OpenPty()
	require.NoError(t, err)
	sim := devicetest.NewReader(devicetest.ReaderOpts{Cards: cards})
	served := make(chan error, 1)
	go func() { served <- sim.Serve(t.Context(), devicetest.Pace(pty, 115200)) }()
	port, err := serial.Open(pty.Name(), serial.Options{Baud: 115200})
	require.NoError(t, err)
	drive, err := reader.New(port, &reader.Opts{Answer: 4 * time.Minute})
	require.NoError(t, err)

	for _, name := range []string{"visa", "unionpay", "mastercard"} {
		_, err = sim.Command("present " + name)
		require.NoError(t, err)
		got, err := drive.Activate(t.Context(), order)
		require.NoError(t, err)
		assert.Equal(t, cards[name].PAN, got.Card.PAN.DigitsInTheClear())
	}
	waiting := make(chan struct{})
	drive2, err := reader.New(port, &reader.Opts{Answer: 4 * time.Minute, Events: func(reader.Event) { close(waiting) }})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-waiting; cancel() }()
	got, err := drive2.Activate(ctx, order)
	assert.ErrorIs(t, err, reader.ErrCancelled)
	assert.Equal(t, txn.Presented{}, got)

	require.NoError(t, port.Close())
	require.NoError(t, pty.Close())
	assert.NoError(t, <-served)
}
