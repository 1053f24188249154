package simrig

import (
	"slices"
	"strings"
)

// Where the card reader enciphers, somebody listens at every wire in both directions, the reader's and the acquirer's among them: no
// card number passes anywhere. A reader that a story has told to give card data in clear is heard to do so, and not blamed.

// earshot is how much of what passed before is kept: no number in any form has more.
const earshot = 64

// ear listens at one direction of one wire.
type ear struct {
	world *World
	name  string
	tail  []byte
}

// listen gives a wire ears, where there is anything to listen for.
func (w *World) listen(o WireOpts) WireOpts {
	if w.sealed() {
		o.heard = func() func([]byte) { return (&ear{world: w, name: o.Name}).hear }
	}
	return o
}

func (e *ear) hear(p []byte) {
	e.tail = append(e.tail, p...)
	found := e.world.o.Cards.Secrets.Find("what passed on the wire "+e.name, e.tail)
	e.tail = append(e.tail[:0], e.tail[max(0, len(e.tail)-earshot):]...)
	if len(found) > 0 {
		e.world.overhear(e.name, found)
	}
}

func (w *World) overhear(wire string, found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range found {
		f, _, _ = strings.Cut(f, " at byte ")
		if !(wire == readerWire.Name && w.clearReader) && !slices.Contains(w.overheard, f) {
			w.overheard = append(w.overheard, f)
		}
	}
}

// toldReader takes notice of what a story does to the reader.
func (w *World) toldReader(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clearReader = w.clearReader || what == "cipher off"
}
