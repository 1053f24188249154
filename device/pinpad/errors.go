package pinpad

import "errors"

// What a caller can act on.
var (
	ErrNoAnswer = errors.New("the PIN pad does not answer; check its cable, its supply, and speed and parity of the line")
	ErrLine     = errors.New("the line to the PIN pad spoils every packet; check its cable and ground, and speed and parity")
	ErrAnswer   = errors.New("the PIN pad's answer makes no sense; check its model and its key scheme")
	ErrNoPIN    = errors.New("no PIN was entered: cancelled at the pad, or nobody typed")
	ErrEnded    = errors.New("the PIN pad ended the request; it refuses this command, or has not the keys for it")
	ErrKey      = errors.New("the PIN pad did not take over the key")
)

// RefusedError is a pad's own code for why it encrypted no PIN. Its manual has the list; the usual ones are a key that is
// missing or wrong.
type RefusedError struct{ Code string }

func (e *RefusedError) Error() string {
	return "the PIN pad encrypted no PIN, error " + e.Code + "; load its keys, then see its manual"
}
