package simrig

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// Numbers we chose. A USB-serial adapter hands over what it has when it holds 62 bytes (FTDI AN232B-04, 64 less two of
// status); a tty's buffer holds 4 KiB, a socket's more.
const (
	chunkUSB   = 62
	laneHolds  = 64 << 10
	farFuture  = time.Duration(1) << 62
	bitsOfByte = 8
	ownInstant = 1009 // ns of jitter on every wire, so that no two events fall on one instant
)

// lane is one direction of a wire. Its writer cuts what it is given into chunks; each arrives at an instant that is fixed
// when it is written, and the reader's own timer wakes it there.
//
//	Write ──► chunks, each with its time of arrival ──► Read
//	           │ faults: lost, doubled, a bit flipped, split
//	           └ speed of the line, latency, jitter
//
// One goroutine at a time may read and one may write; everything else may come from anywhere.
type lane struct {
	perByte time.Duration // 0 is a network
	latency time.Duration
	jitter  time.Duration
	chunk   int
	dice    *rand.Rand   // with mu
	heard   func([]byte) // with mu; is told of what is written, or nil

	rwake, wwake chan struct{} // something changed

	mu       sync.Mutex    // guards everything below
	timer    *time.Timer   // wakes the reader, who waits for it to be ringing
	waits    time.Duration // until when he sleeps at most; 0 while nobody waits
	rings    time.Duration // when the timer does
	full     bool          // the writer waits
	faults   Faults
	held     []byte
	marks    []mark        // what of held arrives when
	free     time.Duration // when the line's last bit has passed
	last     time.Duration // the latest arrival
	stall    time.Duration // nothing arrives before
	ends     time.Duration // when the reader learns that the writer has closed; 0 while it has not
	readErr  error         // what every Read meets from now on
	writeErr error
	rlimit   time.Duration // deadlines; 0 is none
	wlimit   time.Duration
}

// mark says that held up to its end arrives at its time.
type mark struct {
	end int
	at  time.Duration
}

// since is the virtual clock as a number.
func since() time.Duration { return time.Duration(time.Now().UnixNano()) }

func newLane(o WireOpts, dice *rand.Rand) *lane {
	l := &lane{latency: o.Latency, jitter: o.Jitter + ownInstant, chunk: o.Chunk, dice: dice,
		rwake: make(chan struct{}, 1), wwake: make(chan struct{}, 1)}
	if o.heard != nil {
		l.heard = o.heard()
	}
	if o.Baud > 0 {
		l.perByte = 10 * time.Second / time.Duration(o.Baud)
	}
	if l.chunk == 0 {
		l.chunk = chunkUSB
	}
	return l
}

// pokeReader and pokeWriter wake who waits. Who does not will look before he waits.
func (l *lane) pokeReader() { poke(l.rwake, l.waits != 0) }
func (l *lane) pokeWriter() { poke(l.wwake, l.full) }

func poke(c chan struct{}, waits bool) {
	if !waits {
		return
	}
	select {
	case c <- struct{}{}:
	default:
	}
}

// read waits for the first chunk to arrive and takes what is there.
func (l *lane) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := l.take(p)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-l.timer.C:
		case <-l.rwake:
		}
	}
}

// take returns what has arrived, or sets the timer to when the next thing happens.
func (l *lane) take(p []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = 0
	now := since()
	if l.readErr != nil {
		return 0, l.readErr
	}
	if l.rlimit != 0 && l.rlimit <= now {
		return 0, os.ErrDeadlineExceeded
	}
	there := 0
	for _, m := range l.marks {
		if max(m.at, l.stall) > now {
			break
		}
		there = m.end
	}
	if there > 0 {
		n = copy(p, l.held[:there])
		l.drop(n)
		l.pokeWriter()
		return n, nil
	}
	until := farFuture
	switch {
	case len(l.marks) > 0:
		until = max(l.marks[0].at, l.stall)
	case l.ends != 0 && max(l.ends, l.stall) <= now:
		return 0, io.EOF
	case l.ends != 0:
		until = max(l.ends, l.stall)
	}
	if l.rlimit != 0 {
		until = min(until, l.rlimit)
	}
	l.waits = until
	l.ring(until, now)
	return 0, nil
}

// ring sets the reader's timer. It is always there, because who writes may set it to ring sooner; in the far future it is
// off, so that a world in which nothing can happen any more is found out.
func (l *lane) ring(at, now time.Duration) {
	switch {
	case l.timer == nil:
		l.timer = time.NewTimer(at - now)
		if at == farFuture {
			l.timer.Stop()
		}
	case at != farFuture:
		l.timer.Reset(at - now)
	case l.rings > now:
		l.timer.Stop()
	}
	l.rings = at
}

// drop forgets the first n bytes of held.
func (l *lane) drop(n int) {
	l.held = l.held[:copy(l.held, l.held[n:])]
	kept := l.marks[:0]
	for _, m := range l.marks {
		if m.end -= n; m.end > 0 {
			kept = append(kept, m)
		}
	}
	l.marks = kept
}

// write hands bytes to the line and waits only while its buffer is full.
func (l *lane) write(p []byte) (sent int, err error) {
	for {
		n, until, err := l.put(p[sent:])
		sent += n
		if err != nil || sent == len(p) {
			return sent, err
		}
		if until == farFuture {
			<-l.wwake
			continue
		}
		timer := time.NewTimer(until - since())
		select {
		case <-timer.C:
		case <-l.wwake:
			timer.Stop()
		}
	}
}

func (l *lane) put(p []byte) (sent int, until time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := since()
	switch {
	case l.writeErr != nil:
		return 0, 0, l.writeErr
	case l.wlimit != 0 && l.wlimit <= now:
		return 0, 0, os.ErrDeadlineExceeded
	}
	sent = min(len(p), laneHolds-len(l.held))
	l.full = sent < len(p)
	if l.heard != nil {
		l.heard(p[:sent])
	}
	for rest := p[:sent]; len(rest) > 0; {
		n := l.split(len(rest))
		l.send(rest[:n], now)
		rest = rest[n:]
	}
	if len(l.marks) > 0 && l.waits > l.marks[0].at && l.stall <= l.marks[0].at {
		l.waits = l.marks[0].at // whoever reads sleeps on until then
		l.ring(l.waits, now)
	}
	until = farFuture
	if l.wlimit != 0 {
		until = l.wlimit
	}
	return sent, until, nil
}

// split says how many of n bytes travel together.
func (l *lane) split(n int) int {
	n = min(n, l.chunk)
	if n > 1 && l.hits(l.faults.Split) {
		n = 1 + l.dice.IntN(n)
	}
	return n
}

// send puts one chunk on the line.
func (l *lane) send(p []byte, now time.Duration) {
	l.free = max(l.free, now) + time.Duration(len(p))*l.perByte
	at := l.free + l.latency + 1 + time.Duration(l.dice.Int64N(int64(l.jitter)))
	if l.hits(l.faults.Stall) {
		at += time.Duration(l.dice.Int64N(int64(l.faults.StallFor) + 1))
	}
	at = max(at, l.last+1)
	l.last = at
	if l.hits(l.faults.Lose) {
		return
	}
	from := len(l.held)
	l.held = append(l.held, p...)
	if l.hits(l.faults.Flip) {
		l.held[from+l.dice.IntN(len(p))] ^= 1 << l.dice.IntN(bitsOfByte)
	}
	if l.hits(l.faults.Double) {
		l.held = append(l.held, l.held[from:]...)
	}
	l.marks = append(l.marks, mark{len(l.held), at})
}

// hits throws for a fault of so many in ten thousand. A fault that cannot happen costs no throw.
func (l *lane) hits(rate int) bool { return rate > 0 && l.dice.IntN(10_000) < rate }

// closeWriter lets what was written arrive, and then the end.
func (l *lane) closeWriter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writeErr == nil {
		l.writeErr = net.ErrClosed
	}
	if l.ends == 0 {
		l.ends = max(l.last, since()) + l.latency + 1 + time.Duration(l.dice.Int64N(int64(l.jitter)))
		l.last = l.ends
	}
	l.pokeReader()
	l.pokeWriter()
}

// fail ends the lane now, each side with an error of its own; nil leaves a side as it is. What is under way is lost to a
// reader that fails.
func (l *lane) fail(readErr, writeErr error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readErr == nil {
		l.readErr = readErr
	}
	if l.writeErr == nil {
		l.writeErr = writeErr
	}
	l.pokeReader()
	l.pokeWriter()
}

func (l *lane) limit(read bool, t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Duration(0)
	if !t.IsZero() {
		at = max(1, time.Duration(t.UnixNano()))
	}
	if read {
		l.rlimit = at
		l.pokeReader()
		return
	}
	l.wlimit = at
	l.pokeWriter()
}

func (l *lane) suffer(f Faults) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = f
}

// carries reports whether bytes are under way.
func (l *lane) carries() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held) > 0
}

// over is what a read would meet at once, whatever has arrived.
func (l *lane) over() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readErr
}

// forget loses what has not arrived.
func (l *lane) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, there, kept := since(), 0, 0
	for _, m := range l.marks {
		if max(m.at, l.stall) > now {
			break
		}
		there, kept = m.end, kept+1
	}
	l.held, l.marks, l.last, l.stall = l.held[:there], l.marks[:kept], now, 0
}

// passed waits until everything that was written before has arrived. On a network that is not waited for: the far end's
// time is not this end's.
func (l *lane) passed() {
	l.mu.Lock()
	wait := l.last - since()
	l.mu.Unlock()
	if l.perByte > 0 && wait >= 0 {
		time.Sleep(wait + 1)
	}
}

// hold lets nothing arrive before a time.
func (l *lane) hold(until time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stall = until
	l.pokeReader()
}
