package acquirer_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/iso8583"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

var update = flag.Bool("update", false, "write the golden traces anew")

// tap is a dialer that notes every message in both directions, masked as a log would have it.
type tap struct {
	link.Dialer
	profile *profile.Profile

	mu    sync.Mutex
	lines []string
}

func (d *tap) Dial(ctx context.Context) (link.Conn, error) {
	c, err := d.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &tapped{Conn: c, tap: d}, nil
}

func (d *tap) String() string { return "tap" }

type tapped struct {
	link.Conn
	tap  *tap
	in   bytes.Buffer // owned by the link's reader
	sent bytes.Buffer // owned by whoever writes
}

func (c *tapped) Write(p []byte) (int, error) {
	c.sent.Write(p) // before it is written: its answer may be back before Write returns
	c.tap.note(">", &c.sent)
	return c.Conn.Write(p)
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.Write(p[:n])
	c.tap.note("<", &c.in)
	return n, err
}

func (d *tap) note(way string, b *bytes.Buffer) {
	for b.Len() > 2 && b.Len() >= 2+int(binary.BigEndian.Uint16(b.Bytes())) {
		frame := b.Next(2 + int(binary.BigEndian.Uint16(b.Bytes())))
		m := new(iso8583.Message)
		text := "not a message"
		if _, err := d.profile.Dialect.Unpack(m, frame[2+headSize(d.profile):]); err == nil {
			text = fmt.Sprint(m)
		}
		d.mu.Lock()
		d.lines = append(d.lines, way+" "+text)
		d.mu.Unlock()
	}
}

// traced tells a story and holds what went over the line against testdata/messages.
func traced(t *testing.T, file string, story func(*world)) {
	t.Helper()
	tracedIn(t, profile.UnionPay(), file, story)
}

func headSize(p *profile.Profile) int {
	return map[profile.Head]int{profile.FullHead: 11, profile.TPDUHead: 5, profile.NoHead: 0}[p.Frame.Head]
}

// tracedIn is that in another profile.
func tracedIn(t *testing.T, p *profile.Profile, file string, story func(*world)) {
	t.Helper()
	var d *tap
	at := func() time.Time { return time.Date(2026, 11, 21, 9, 35, 1, 0, time.UTC) }
	inWorld(t, settings{profile: p, bank: func(o *linktest.AcquirerOpts) { o.Now = at }}, func(w *world) {
		d = &tap{Dialer: w.line, profile: p}
		w.link = link.New(link.Options{Dialect: p.Dialect, Header: w.header(), Bearers: []link.Bearer{{Name: "pipe", Dialer: d}}})
		w.host = w.newHost(func(o *acquirer.Options) { o.Now = at })
		story(w)
	})
	golden(t, file, strings.Join(d.lines, "\n")+"\n")
}

// golden holds a trace against testdata/messages.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("..", "..", "testdata", "messages", file)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	require.Equal(t, string(want), got)
}

// void records the void of a sale as the store would.
func (w *world) void(sale txn.Txn, answer txn.Answer, p txn.Presented) (txn.Txn, txn.Presented) {
	w.stan++
	sale.Answer = answer
	void := sale
	void.Kind, void.STAN, void.Original, void.Approver, void.Answer = txn.Void, w.stan, sale.Of(), "00", txn.Answer{}
	return void, p
}

func (w *world) sold(card string, entry txn.Entry, amount txn.Amount) (txn.Txn, txn.Answer, txn.Presented) {
	w.t.Helper()
	sale, p := w.sale(card, entry, amount)
	answer, _, err := w.host.Request(w.ctx, sale, p)
	require.NoError(w.t, err)
	require.True(w.t, answer.Approved, answer.Code)
	return sale, answer, p
}

func TestAVoidOnTheWire(t *testing.T) {
	traced(t, "void.trace", func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		for _, entry := range []txn.Entry{txn.Swiped, txn.Contactless, txn.Keyed} {
			void, p := w.void(w.sold("unionpay", entry, 1250))
			answer, _, err := w.host.Request(w.ctx, void, p)
			require.NoError(t, err)
			assert.True(t, answer.Approved)
			assert.Equal(t, linktest.Given, w.rowState(void))

			void.Reason = txn.NotDone
			undone, _, err := w.host.Reverse(w.ctx, void)
			require.NoError(t, err)
			assert.Equal(t, "00", undone.Code)
			assert.Equal(t, linktest.Reversed, w.rowState(void))
		}
	})
}

func TestARefundOnTheWire(t *testing.T) {
	traced(t, "refund.trace", func(w *world) {
		require.NoError(t, w.host.SignIn(w.ctx))
		for _, card := range []string{"unionpay", "visa"} {
			sale, answer, _ := w.sold(card, txn.Contactless, 1250)
			sale.Answer = answer
			w.stan++
			refund := sale
			refund.Kind, refund.STAN, refund.Original, refund.Amount = txn.Refund, w.stan, sale.Of(), 250
			for tries, code := range []string{"00", "94"} {
				refund.Tries.Made = tries + 1
				answer, _, err := w.host.Advise(w.ctx, refund)
				require.NoError(t, err)
				assert.Equal(t, code, answer.Code)
				assert.Equal(t, code == "00", answer.Approved)
				assert.NotEmpty(t, answer.RRN)
			}
			assert.Equal(t, linktest.Given, w.rowState(refund))
		}
	})
}

func TestWhatIsNoneOfTheirKindIsNotSent(t *testing.T) {
	inWorld(t, settings{}, func(w *world) {
		sale, answer, p := w.sold("visa", txn.Swiped, 1250)
		void, _ := w.void(sale, answer, p)
		refund := void
		refund.Kind = txn.Refund
		void.Original.RRN = ""
		for name, send := range map[string]func() error{
			"a void of nothing":      func() error { _, _, err := w.host.Request(w.ctx, void, p); return err },
			"a refund as a request":  func() error { _, _, err := w.host.Request(w.ctx, refund, p); return err },
			"a sale as an advice":    func() error { _, _, err := w.host.Advise(w.ctx, sale); return err },
			"a reversal of a refund": func() error { _, _, err := w.host.Reverse(w.ctx, refund); return err },
			"a refund without a day": func() error {
				refund.Original.Date = ""
				_, _, err := w.host.Advise(w.ctx, refund)
				return err
			},
		} {
			require.ErrorIs(t, send(), txn.ErrNotSent, name)
		}
		assert.Equal(t, 1, w.acquirer.Counts()["0200"])
	})
}
