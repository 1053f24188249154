package agent

import (
	"sync"
	"time"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// saleView is what can be seen of a transaction from outside. The engine and the line write it, one client reads it.
type saleView struct {
	kind    txn.Kind
	changed chan *Event // of which none changes any more

	mu    sync.Mutex
	event Event
	since time.Time

	trouble *PrinterView
	sounded bool // its outcome, by the terminal's own lamps and buzzer
	lit     bool // and by the reader's
	awaited bool // it had the lamp for a card lit
}

// stagesAtMost bounds what a client that does not read can make the agent hold.
const stagesAtMost = 64

func newSaleView(kind txn.Kind) *saleView {
	return &saleView{kind: kind, changed: make(chan *Event, stagesAtMost)}
}

func (v *saleView) stage(s words.Stage, detail string, x txn.Txn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	text := words.OfStageIn(v.kind, s)
	if s == words.Unknown && v.kind == txn.Sale && !x.Code.IsZero() {
		text = words.CodeInDoubt
	}
	e := Event{Event: "stage", Stage: s, Detail: detail, Text: &text, Txn: v.event.Txn, Printer: v.trouble}
	if x.ID != 0 {
		e.Txn = RecordOf(x)
	}
	v.showLocked(e)
}

// prompt puts other words to the present stage.
func (v *saleView) prompt(p prompt) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.event
	e.Prompt, e.Text = p.name, &p.text
	v.showLocked(e)
}

// printer puts the printer's trouble beside the stages that follow.
func (v *saleView) printer(p *PrinterView) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.trouble = p
}

func (v *saleView) showLocked(e Event) {
	if e.Stage != v.event.Stage {
		v.since = time.Now()
	}
	v.event = e
	select {
	case v.changed <- &e:
	default:
	}
}

// line shows a stage of the line. While the terminal finishes something else, or confirms an unknown outcome, that is what
// the person must go on reading; the line is then only a detail.
func (v *saleView) line(s words.Stage, detail string) {
	v.mu.Lock()
	switch v.event.Stage {
	case words.Recovering, words.SigningIn, words.Unknown, words.CardRefused, words.CardRemoved, words.CardLost:
		s = v.event.Stage
	}
	v.mu.Unlock()
	v.stage(s, detail, txn.Txn{})
}

// now is the present stage with the seconds it has lasted.
func (v *saleView) now() (Event, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.event
	e.Seconds = int(time.Since(v.since) / time.Second)
	return e, e.Event != ""
}

// once is true the first time that it is asked of one of the view's marks.
func (v *saleView) once(done *bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	was := *done
	*done = true
	return !was
}

// awaits notes that a card is awaited, or no more, and says whether that is this request's to say.
func (v *saleView) awaits(here bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	was := v.awaited
	v.awaited = here
	return here || was
}

// heard reports whether the outcome was told by the terminal's own lamps and buzzer.
func (v *saleView) heard() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sounded
}
