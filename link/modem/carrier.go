package modem

import "strings"

// watch finds the modem's report that the call is lost within the payload. It holds back what may be the beginning of
// the report and gives it free as soon as a byte disproves it. A payload that contains the whole report is told from it
// by what follows: after the report the modem is silent. So the caller waits for a pause before believing it, and after
// a pause takes a half report for payload, because the characters of a result code are contiguous (5.7).
type watch struct {
	held []byte // always a beginning of carrierLost
}

// sift appends to out what of held and in is payload.
func (w *watch) sift(out, in []byte) []byte {
	for _, b := range in {
		w.held = append(w.held, b)
		for !strings.HasPrefix(carrierLost, string(w.held)) {
			out = append(out, w.held[0])
			w.held = append(w.held[:0], w.held[1:]...)
		}
	}
	return out
}

// release appends what is held to out: it was payload after all.
func (w *watch) release(out []byte) []byte {
	out = append(out, w.held...)
	w.held = w.held[:0]
	return out
}

func (w *watch) waiting() bool  { return len(w.held) > 0 }
func (w *watch) reported() bool { return len(w.held) == len(carrierLost) }
