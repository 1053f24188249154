package simrig

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// trace is the story of a world, one line for each event that could be observed, in virtual time. Events of one nanosecond
// stand in the order of their actors' names, so that a seed gives the same trace, byte for byte, whatever the scheduler
// did. No line holds card data: messages go by type and length.
type trace struct {
	mu    sync.Mutex
	lines []traced
}

type traced struct {
	at   time.Time
	who  string
	what string
}

func (t *trace) add(who, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, traced{time.Now(), who, what})
}

// text is the whole trace.
func (t *trace) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(t.lines, func(a, b traced) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.who, b.who)
	})
	var b strings.Builder
	for _, l := range t.lines {
		fmt.Fprintf(&b, "%16.9f  %-8s %s\n", l.at.Sub(epoch).Seconds(), l.who, l.what)
	}
	return b.String()
}

// epoch is when every bubble of testing/synctest begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// saw writes a line of the trace, if one is kept.
func (w *World) saw(who, format string, args ...any) {
	if w.trace != nil {
		w.trace.add(who, fmt.Sprintf(format, args...))
	}
}

func (w *World) traced() bool { return w.trace != nil }

// saw is the world's, for what a terminal does; a dead one does nothing.
func (l *life) saw(who, format string, args ...any) {
	if !l.dead() {
		l.world.saw(who, format, args...)
	}
}

// logbook keeps what the agent logs, to be searched for card data. A dead terminal writes nothing.
type logbook struct {
	level slog.Level
	mu    sync.Mutex
	text  []byte
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *logbook) logger(l *life) *slog.Logger {
	return slog.New(powered{slog.NewTextHandler(b, &slog.HandlerOptions{Level: b.level}), l})
}

// powered is a handler that falls silent with its terminal.
type powered struct {
	slog.Handler
	life *life
}

func (p powered) Enabled(ctx context.Context, level slog.Level) bool {
	return !p.life.dead() && p.Handler.Enabled(ctx, level)
}

func (p powered) WithAttrs(a []slog.Attr) slog.Handler {
	return powered{p.Handler.WithAttrs(a), p.life}
}
func (p powered) WithGroup(g string) slog.Handler { return powered{p.Handler.WithGroup(g), p.life} }
