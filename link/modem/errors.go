package modem

import "errors"

// What a caller can act on. Every failure of Dial is one of these, the context's error, or an error of the port.
var (
	ErrBusy       = errors.New("line busy")
	ErrNoDialtone = errors.New("no dial tone")
	ErrNoAnswer   = errors.New("no answer")
	ErrNoCarrier  = errors.New("no carrier")
	ErrRefused    = errors.New("refused by the modem")
	ErrNoModem    = errors.New("modem does not answer: check its power, its cable and the port's speed")
	ErrGarbage    = errors.New("modem not understood: check the port's speed and parity")
	ErrInUse      = errors.New("modem in use: close its call first")
)

// ResultError is a failure in the modem's own words. It unwraps to ErrBusy, ErrNoDialtone, ErrNoAnswer, ErrNoCarrier or
// ErrRefused.
type ResultError struct {
	Code    string // the result code as received (V.250 5.7.1)
	Meaning string // what it means and what to do

	sentinel error
}

func (e *ResultError) Error() string { return e.Code + ": " + e.Meaning }
func (e *ResultError) Unwrap() error { return e.sentinel }

func (r result) failure() error {
	if r.err == nil {
		return nil
	}
	return &ResultError{Code: r.text, Meaning: r.meaning, sentinel: r.err}
}
