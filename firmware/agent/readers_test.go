package agent

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// with restarts the agent on a reader of another kind.
func (w *world) with(kind string, serve func(context.Context, net.Conn)) {
	w.t.Helper()
	w.cutPower()
	w.options.ReaderKind, w.otherReader = kind, serve
	w.boot()
}

func TestSalesOnReadersOfEveryKind(t *testing.T) {
	cards, err := devicetest.LoadCards(filepath.Join("..", "..", "testdata", "cards", "cards.toml"))
	require.NoError(t, err)
	for _, of := range []struct {
		kind, deed string
		machine    interface {
			Serve(context.Context, io.ReadWriter) error
			Command(string) (string, error)
		}
		entry txn.Entry
	}{
		{ReaderMSR, "swipe visa-4242", devicetest.NewStripe(devicetest.StripeOpts{Cards: cards}), txn.Swiped},
		{ReaderMSRLRC, "swipe visa-4242", devicetest.NewStripe(devicetest.StripeOpts{Cards: cards, SendsLRC: true}), txn.Swiped},
		{ReaderPN532, "present visa-4242", devicetest.NewBoard(cards), txn.Tapped},
	} {
		t.Run(of.kind, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.with(of.kind, func(ctx context.Context, c net.Conn) { _ = of.machine.Serve(ctx, c) })
				till := w.till()
				defer till.conn.Close()
				till.send(Request{Op: "sale", Reference: "a", Amount: "12.50"})
				for till.next().Stage != words.Present {
				}
				w.after(time.Second) // what was swiped before is not a sale's card
				w.do(of.machine.Command(of.deed))
				e := till.next()
				for !e.Ends() {
					e = till.next()
				}
				approved(t, e)
				assert.Equal(t, of.entry, e.Txn.Entry)
				if of.kind == ReaderPN532 {
					w.do(of.machine.Command("remove"))
				}
				_, e = w.ask(Request{Op: "sale", Reference: "b", Amount: "13.50"})
				assert.Equal(t, words.OutcomeRefused, e.Outcome, "nobody came")
			})
		})
	}
}

func TestNoReaderIsGuessed(t *testing.T) {
	_, err := newDrive("neo3", nil, reader.Opts{})
	assert.ErrorContains(t, err, `no card reader is called "neo3"`)
}
