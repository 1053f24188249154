package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"posagent/device/devicetest"
	"posagent/device/reader/neo2"
)

const pathSales = 80

// cardToWire measures the agent's own time in a sale from outside: the reader's far end notes when it writes the card's
// answer, the acquirer's end when the last byte of the request has come. The agent's store is on a file system in memory,
// where a sync costs nothing, so everything else is counted: the store's own work, the MAC, both processes' wake-ups.
func (m *measuring) cardToWire(ctx context.Context) (chapter, error) {
	c := chapter{title: "The agent's own time in a sale, card's last byte to request's last byte"}
	made, err := m.stock(ctx)
	if err != nil {
		return c, err
	}
	if !made.inMemory {
		return c, fmt.Errorf("there is no tmpfs at %s, and elsewhere the store's syncs would be in it", memoryDir)
	}
	r, err := m.counterIn(filepath.Join(made.dir, "rig"))
	defer r.tearDown()
	if err != nil {
		return c, err
	}
	if err := errors.Join(os.RemoveAll(r.at("store")), os.Rename(made.large, r.at("store"))); err != nil {
		return c, err
	}
	m.stores.large = "" // sold into from here on
	w, err := r.watch(ctx)
	if err != nil {
		return c, err
	}
	defer w.close()
	if err := r.boot(ctx); err != nil {
		return c, err
	}
	var took []time.Duration
	for n := range pathSales + 1 {
		if err := m.bare.write(); err != nil {
			return c, err
		}
		if _, err := w.reader.Command("present visa-4242"); err != nil {
			return c, err
		}
		if err := r.expectApproval(ctx, fmt.Sprint("path-", n), fmt.Sprintf("1.%02d", n+1)); err != nil {
			return c, err
		}
		one, err := w.took()
		if err != nil {
			return c, err
		}
		if n > 0 { // the first one signs in and calls
			took = append(took, one)
		}
	}
	unit := m.bare.unit()
	for _, share := range []struct {
		what, budget string
		of           float64
	}{{"median of %d sales", "1 ms", 0.5}, {"nine in ten of %d", "", 0.9}} {
		d := quantile(took, share.of)
		c.rows = append(c.rows, row{fmt.Sprintf(share.what, len(took)), span(d), times(ratio(d, unit)), share.budget})
	}
	c.notes = []string{fmt.Sprintf("Seen from the far ends of a pty and a TCP connection that is already up; store with %d records on %s, where a sync is free, "+
		"so the store's own work is counted and its syncs are not.", m.records, memoryDir)}
	return c, nil
}

// watch replaces the reader by one of this process, and puts a wire that is watched before the acquirer.
func (r *rig) watch(ctx context.Context) (*watch, error) {
	cards, err := devicetest.LoadCards(r.cards)
	if err != nil {
		return nil, err
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	pty, err := devicetest.OpenPty()
	if err != nil {
		return nil, errors.Join(err, listen.Close())
	}
	w := &watch{Pty: pty, reader: devicetest.NewReader(devicetest.ReaderOpts{Cards: cards}), listen: listen, to: r.cable.address()}
	config, err := os.ReadFile(r.at("posagent.toml"))
	if err == nil {
		config = bytes.ReplaceAll(config, []byte(w.to), []byte(listen.Addr().String()))
		err = errors.Join(os.WriteFile(r.at("posagent.toml"), config, 0o644), os.Remove(r.at("reader")), os.Symlink(pty.Name(), r.at("reader")))
	}
	if err != nil {
		w.close()
		return nil, err
	}
	go func() { _ = w.reader.Serve(ctx, w) }()
	go w.serve()
	return w, nil
}

// watch notes two moments: it is the reader's end of its line, and the wire to the acquirer.
type watch struct {
	*devicetest.Pty
	reader *devicetest.Reader
	listen net.Listener
	to     string

	mu         sync.Mutex
	card, sent time.Time
}

// Write sends what the reader says. The moment is taken before, so that the write itself is counted.
func (w *watch) Write(b []byte) (int, error) {
	if isCardAnswer(b) {
		w.note(&w.card)
	}
	return w.Pty.Write(b)
}

// isCardAnswer knows the frame that ends a card transaction well.
func isCardAnswer(frame []byte) bool {
	rest, whole := strings.CutPrefix(string(frame), neo2.Header)
	return whole && len(rest) > 2 && rest[0] == neo2.Activate && (rest[1] == neo2.OK || rest[1] == neo2.OnlineRequested)
}

func (w *watch) note(at *time.Time) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	*at = now
}

// took is the time between the latest two moments.
func (w *watch) took() (time.Duration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.sent.After(w.card) || w.card.IsZero() {
		return 0, errors.New("no request was seen after the card")
	}
	return w.sent.Sub(w.card), nil
}

func (w *watch) serve() {
	for {
		near, err := w.listen.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		go func() {
			_, _ = io.Copy(near, far)
			_ = near.Close()
		}()
		go func() {
			defer far.Close()
			for piece := make([]byte, 4096); ; {
				n, err := near.Read(piece)
				if err != nil {
					return
				}
				w.note(&w.sent)
				if _, err := far.Write(piece[:n]); err != nil {
					return
				}
			}
		}()
	}
}

func (w *watch) close() {
	_ = w.listen.Close()
	_ = w.Pty.Close()
}
