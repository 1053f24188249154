package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/device/reader"
	"posagent/device/reader/msr"
	"posagent/device/reader/pn532"
	"posagent/device/scanner"
	"posagent/txnstore/txn"
)

// over tells a command again until what it should bring about has come: a swipe before anybody waits is lost.
func (c *counter) over(command string, done <-chan error) error {
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case err := <-done:
			tick.Stop()
			return err
		case <-tick.C:
			require.Contains(c.t, c.tell(command), "ok ")
		}
	}
}

func TestOtherKindsOfReaders(t *testing.T) {
	asked := reader.Request{Amount: 1250, Currency: yuan, Timeout: patience}
	for _, kind := range []string{"msr", "msr-lrc"} {
		c := setUp(t, "-reader pty:DIR/reader -reader-kind "+kind+" -cards "+cardsFile)
		drive, err := msr.New(c.terminal("reader", 9600), &msr.Opts{SendsLRC: kind == "msr-lrc"})
		require.NoError(t, err)
		var card txn.Presented
		done := make(chan error, 1)
		go func() {
			var err error
			card, err = drive.Activate(t.Context(), asked)
			done <- err
		}()
		require.NoError(t, c.over("reader swipe unionpay-0005", done))
		require.Equal(t, "0005", card.Card.PAN.Last4())
	}
	c := setUp(t, "-reader pty:DIR/reader -reader-kind pn532 -cards "+cardsFile)
	drive, err := pn532.New(c.terminal("reader", 115200), &pn532.Opts{Development: true, Answer: patience})
	require.NoError(t, err)
	require.Contains(t, c.tell("reader present visa-1111"), "ok ")
	card, err := drive.Activate(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, "1111", card.Card.PAN.Last4())
	require.Equal(t, txn.Tapped, card.Card.Entry)
}

func TestACodeIsShownThroughTheControlSocket(t *testing.T) {
	routes, err := scanner.NewRoutes([]scanner.Route{{Name: "wechat", Min: 18, Max: 18, First: "10", Last: "15"}})
	require.NoError(t, err)
	for _, kind := range []scanner.Kind{scanner.Plain, scanner.GM72} {
		c := setUp(t, "-scanner pty:DIR/scanner -scanner-kind "+string(kind))
		drive, err := scanner.New(c.terminal("scanner", 9600), &scanner.Opts{Kind: kind, Routes: routes, Key: []byte("0123456789abcdef"), Wait: patience, Answer: patience / 10})
		require.NoError(t, err)
		var code scanner.Code
		done := make(chan error, 1)
		go func() {
			var err error
			code, err = drive.Scan(t.Context())
			done <- err
		}()
		require.NoError(t, c.over("scanner show 134567890123456789", done))
		require.Equal(t, "13************6789", code.Masked())
	}
}
