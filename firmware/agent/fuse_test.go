package agent

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn/words"
)

// fuse breaks whatever line it is in once so many bytes have passed, whichever way they went. The zero fuse holds.
type fuse struct {
	mu     sync.Mutex
	set    bool
	left   int
	passed int
}

func (f *fuse) holds() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { f.passed = 0 }()
	f.set = false
	return f.passed
}

func (f *fuse) after(bytes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set, f.left = true, bytes
}

// pass says how many of n bytes pass.
func (f *fuse) pass(n int) (passed int, broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set && n >= f.left {
		n, broken = f.left, true
		f.set = false
	}
	f.left -= n
	f.passed += n
	return n, broken
}

type fused struct {
	net.Conn
	fuse *fuse
}

func (c fused) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	n, broken := c.fuse.pass(n)
	if broken {
		_ = c.Conn.Close()
		if n == 0 {
			err = io.EOF
		}
	}
	return n, err
}

func (c fused) Write(p []byte) (int, error) {
	passing, broken := c.fuse.pass(len(p))
	n, err := c.Conn.Write(p[:passing])
	if broken {
		_ = c.Conn.Close()
		return n, io.ErrClosedPipe
	}
	return n, err
}

// The line is opened, used and given up in the course of one sale, and dies in each stage of that: while it is dialled,
// connected, secured and signed in over, in the request, in the answer, and while it is put down.
func TestASaleOverEachBearerEndsKnownWhereverItDies(t *testing.T) {
	for _, of := range []struct {
		bearer string
		fuse   func(*exchange) *fuse
		line   string
		talks  bool // before the request
	}{
		{"tcp", (*exchange).ofNetwork, "network", false},
		{"tls", (*exchange).ofNetwork, "network", true},
		{"dial", (*exchange).ofNetwork, "network", false},
		{"dial", (*exchange).ofSerial, "serial line", true},
		{"quectel", (*exchange).ofNetwork, "network", false},
		{"quectel", (*exchange).ofSerial, "serial line", true},
		{"simcom", (*exchange).ofNetwork, "network", false},
		{"simcom", (*exchange).ofSerial, "serial line", true},
	} {
		t.Run(of.bearer+", its "+of.line, func(t *testing.T) {
			inWorld(t, func(w *world) {
				x := &exchange{w: w}
				f := of.fuse(x)
				w.over(bearersOf(w)[of.bearer](x))
				approved(t, w.sellAgain())
				w.after(3 * time.Minute)
				f.holds()
				approved(t, w.sellAgain())
				w.after(3 * time.Minute)
				all := f.holds()
				require.Greater(t, all, 300)
				ends := map[words.Outcome]int{}
				for n := 1; n <= all; n += 1 + all/60 {
					f.after(n)
					e := w.sellAgain()
					ends[e.Outcome]++
					f.holds()
					w.after(5 * time.Minute)
					owed, err := w.store.Owed()
					require.NoError(t, err)
					require.Empty(t, owed, "after %d of %d bytes", n, all)
				}
				approved(t, w.sellAgain())
				t.Logf("%d bytes: %v", all, ends)
				assert.Positive(t, ends[words.OutcomeReversed], "in the middle")
				if of.talks {
					assert.Positive(t, ends[words.OutcomeNotDone], "before the request")
				}
			})
		})
	}
}

func (x *exchange) ofNetwork() *fuse { return &x.network }
func (x *exchange) ofSerial() *fuse  { return &x.serial }

func (w *world) sellAgain() Event {
	w.t.Helper()
	w.sales++
	return w.sellAs("till-"+time.Now().Format("150405.000000"), "visa-4242", "12.50", true)
}
