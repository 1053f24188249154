package acquirer

import (
	"errors"
	"fmt"
	"time"

	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// What a sign-in fails with when keys are the reason; package keys explains them.
var (
	ErrCheckValue = keys.ErrCheckValue
	ErrKeyField   = keys.ErrKeyField
	ErrMasterKey  = keys.ErrMasterKey
)

// KeyStatus is what may be shown of a key.
type KeyStatus struct {
	Name  string    `json:"name"` // master, MAC, track, PIN or DUKPT
	Check string    `json:"check"`
	Since time.Time `json:"since,omitzero"` // the sign-in that brought a working key, the loading of a DUKPT initial key
}

// Keys are the check values of the master key and of the working keys, the latter only while signed in.
func (h *Host) Keys() []KeyStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []KeyStatus
	add := func(name string, k keys.Key, since time.Time) {
		if !k.IsZero() {
			list = append(list, KeyStatus{name, k.CheckValue().String(), since})
		}
	}
	add("master", h.master, time.Time{})
	add("MAC", h.working.MAC, h.since)
	add("track", h.working.Track, h.since)
	if !h.working.PIN.IsZero() {
		check := h.working.PIN.Check()
		list = append(list, KeyStatus{"PIN", fmt.Sprintf("%X", check[:]), h.since})
	}
	if f := h.o.DUKPT; f != nil && f.KSN() != (keys.KSN{}) {
		list = append(list, KeyStatus{"DUKPT", f.CheckValue().String(), f.Since()})
	}
	return list
}

// DestroyKeys clears every key in memory, for a terminal whose case was opened. An exchange in progress cannot verify its
// answer any more, and so owes a reversal; whatever is asked afterwards fails with ErrMasterKey, unsent.
func (h *Host) DestroyKeys() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.master.Destroy()
	h.working.Destroy()
	h.working = keys.Working{}
	if h.o.DUKPT != nil {
		h.o.DUKPT.Destroy()
	}
}

// Why there is no PIN key: the acquirer uses no PIN, or whoever asks must begin again.
var (
	ErrNoPINKey  = errors.New("the acquirer gave no PIN key at the sign-in")
	ErrSignedOut = errors.New("the terminal was signed out meanwhile: begin again")
)

// PINKey is the working key of PINs under the terminal's master key, for a PIN pad that has that one, with its check value.
// Errors: ErrNoPINKey, ErrSignedOut.
func (h *Host) PINKey() (under []byte, check [4]byte, err error) {
	switch w := h.current(); {
	case w.MAC.IsZero():
		return nil, check, ErrSignedOut
	case w.PIN.IsZero():
		return nil, check, ErrNoPINKey
	default:
		return w.PIN.Bytes(), w.PIN.Check(), nil
	}
}

// errPINKey stops a request whose PIN the acquirer could not read any more.
var errPINKey = errors.New("the acquirer has changed the PIN key since the PIN was entered: begin again")

// errPINCipher stops a request whose PIN came from a pad of the other kind.
var errPINCipher = errors.New("the PIN pad and the acquirer's profile differ about how PINs are enciphered")

// checkPIN makes sure that the PIN is under the key of the present sign-in, or under DUKPT where the profile has it so.
func (h *Host) checkPIN(w keys.Working, p txn.Presented) error {
	switch {
	case p.PIN.IsZero():
	case (p.PIN.Serial() != nil) != (h.o.Profile.PINSerial != 0):
		return errPINCipher
	case p.PIN.Serial() == nil && !p.PIN.Under(w.PIN.Check()):
		return errPINKey
	}
	return nil
}

// setPINSerial names the DUKPT key of a PIN.
func (h *Host) setPINSerial(m *iso8583.Message, b txn.PINBlock) {
	field := h.o.Profile.PINSerial
	switch serial := b.Serial(); {
	case serial == nil:
	case h.o.Profile.Dialect.Fields[field].Class == iso8583.B:
		m.SetBytes(field, serial)
	default:
		m.Set(field, fmt.Sprintf("%X", serial))
	}
}

// current are the working keys; without a MAC key it is signed out.
func (h *Host) current() keys.Working {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.working
}

// adopt takes over the keys of a sign-in, all at once.
func (h *Host) adopt(fresh keys.Working) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.working, h.since = fresh, time.Now()
}

// disown forgets working keys, so that the next financial message signs in first. Newer ones stay.
func (h *Host) disown(w keys.Working) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.working == w {
		h.working = keys.Working{}
	}
}

// openWorking verifies the keys of a sign-in answer.
func (h *Host) openWorking(field62 []byte) (keys.Working, error) {
	w, err := keys.OpenWorking(h.master, field62, h.o.MAC)
	if err == nil && h.o.EncryptTracks && w.Track.IsZero() {
		w.Destroy()
		return keys.Working{}, fmt.Errorf("%w: there is no track key among them, and this terminal encrypts tracks", ErrKeyField)
	}
	return w, err
}
