package link

import (
	"context"
	"slices"
	"sort"
	"time"
)

// wish is what a caller asks of the way an exchange takes. It travels in the context, because between the link and
// whoever knows the answer stands the acquirer's dialect, which does not care.
type wish struct {
	address int // this address of the acquirer's first; 0 is any
	only    int // this bearer alone, by its rank from 1, on a new line; 0 is any

	beat   time.Duration // the allowance of a heartbeat, whose silence ends the line; 0 is an ordinary exchange
	follow func(Stage)
}

type wishKey struct{}

func wishOf(ctx context.Context) wish {
	w, _ := ctx.Value(wishKey{}).(wish)
	return w
}

// Prefer asks that an exchange goes first to the bearers that lead to one of the acquirer's addresses, as Evidence
// named it: a reversal should reach the machine that got the original. Every other bearer is tried after them. Address 0
// asks for nothing.
func Prefer(ctx context.Context, address int) context.Context {
	w := wishOf(ctx)
	w.address = address
	return context.WithValue(ctx, wishKey{}, w)
}

// Through asks that an exchange uses one bearer alone, by its place in Options.Bearers from 0, and dials it anew: for
// tests of a line. The line stays open afterwards like any other.
func Through(ctx context.Context, bearer int) context.Context {
	w := wishOf(ctx)
	w.only = bearer + 1
	return context.WithValue(ctx, wishKey{}, w)
}

// Heartbeat makes an exchange one that only asks whether the line lives: it waits so long for its answer and no longer,
// and a silence ends the line at once.
func Heartbeat(ctx context.Context, wait time.Duration) context.Context {
	w := wishOf(ctx)
	w.beat = wait
	return context.WithValue(ctx, wishKey{}, w)
}

// Follow tells of every stage of the exchanges and dials made with this context, beside Options.Progress and under the
// same rules.
func Follow(ctx context.Context, tell func(Stage)) context.Context {
	w := wishOf(ctx)
	w.follow = tell
	return context.WithValue(ctx, wishKey{}, w)
}

// route is a bearer with what was learned of it. It belongs to the holder of the link's turn.
type route struct {
	*Bearer
	rank  int
	rests time.Time // passed over until then, because it failed; zero when it did not
}

// order lists the routes in the order in which they are dialled: those to the preferred address, then the others; among
// each, those that have not failed lately before those that have; then by rank. None is left out: what failed lately is
// better than nothing.
func (l *Link) order(w wish) []*route {
	if w.only != 0 {
		if w.only > len(l.routes) {
			return nil
		}
		return l.routes[w.only-1 : w.only]
	}
	now := time.Now()
	later := func(r *route) int {
		n := 0
		if w.address != 0 && r.Address != w.address {
			n += 2
		}
		if now.Before(r.rests) {
			n++
		}
		return n
	}
	ordered := slices.Clone(l.routes)
	sort.SliceStable(ordered, func(a, b int) bool { return later(ordered[a]) < later(ordered[b]) })
	return ordered
}

// fits reports whether an open line may carry an exchange with this wish. A line to another address is let go of only
// where some bearer leads to the one that is wished for.
func (l *Link) fits(s *session, w wish) bool {
	if w.only != 0 {
		return false
	}
	return w.address == 0 || s.route.Address == w.address ||
		!slices.ContainsFunc(l.routes, func(r *route) bool { return r.Address == w.address })
}

// rest passes a route over for a while. An exchange never waits for it again until then, unless all others fail too.
func (l *Link) rest(r *route) {
	if l.o.Return > 0 {
		r.rests = time.Now().Add(l.o.Return)
	}
}

// better is a route that ranks higher than the one in use and has rested long enough, or nil.
func (l *Link) better(than *route) *route {
	if l.o.Return <= 0 {
		return nil
	}
	now := time.Now()
	for _, r := range l.routes[:than.rank] {
		if !now.Before(r.rests) {
			return r
		}
	}
	return nil
}
