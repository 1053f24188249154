package keys

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Ring is one key of type "user" in the kernel's keyrings (keyrings(7), keyctl(2)): the session's, or the user's.
type Ring struct{ Name string }

// MostRing bounds what is read from a keyring.
const MostRing = 512

var rings = []int{unix.KEY_SPEC_SESSION_KEYRING, unix.KEY_SPEC_USER_KEYRING}

// Read gives what the first keyring holds for which usable says nothing against it; the caller clears it. The error joins
// what the keyrings said, the kernel's errors and usable's.
func (r Ring) Read(usable func([]byte) error) ([]byte, error) {
	runtime.LockOSThread() // a keyring of the process is reached through the thread that made it
	defer runtime.UnlockOSThread()
	var errs []error
	for _, ring := range rings {
		id, err := unix.KeyctlSearch(ring, "user", r.Name, 0)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		held, err := read(ring, id)
		if err == nil {
			if err = usable(held); err == nil {
				return held, nil
			}
			clear(held)
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// read reads one key. A key that stands only in the user's keyring is not possessed by this process and so not readable;
// that keyring is then linked to the process's own.
func read(ring, id int) ([]byte, error) {
	held := make([]byte, MostRing)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, held, 0)
	if errors.Is(err, unix.EACCES) {
		if _, linked := unix.KeyctlInt(unix.KEYCTL_LINK, ring, unix.KEY_SPEC_PROCESS_KEYRING, 0, 0); linked == nil {
			n, err = unix.KeyctlBuffer(unix.KEYCTL_READ, id, held, 0)
		}
	}
	if err != nil {
		return nil, err
	}
	return held[:min(n, len(held))], nil
}

// Keyring is a KeyStore in the kernel's memory. Its keys end with the power, which is what it is for: a terminal that was
// switched off holds none, wherever it is carried. They come back by components, by a bundle, or by the machine's own
// start-up from a secure element. What Save puts there is sealed as a File is, so that a start-up may keep it; what a
// start-up puts there may also be the key itself, 16 bytes or 32 hexadecimal digits.
type Keyring struct {
	ring   Ring
	sealer *sealer
}

// NewKeyring names a key of the keyring for a terminal's set. It touches nothing.
func NewKeyring(name string, device []byte, terminal string) (*Keyring, error) {
	s, err := newSealer(device, terminal, purposeSeal)
	if err != nil {
		return nil, err
	}
	return &Keyring{Ring{name}, s}, nil
}

func (k *Keyring) String() string { return "the kernel's keyring, key " + k.ring.Name }

// Mend has nothing to do: the kernel replaces a key in one step.
func (k *Keyring) Mend() error { return nil }

// Survives is false.
func (k *Keyring) Survives() bool { return false }

// Load reads what Save or the machine's start-up put there.
func (k *Keyring) Load() (*Set, error) {
	content, err := k.ring.Read(func([]byte) error { return nil })
	switch {
	case errors.Is(err, unix.ENOKEY), errors.Is(err, unix.EKEYREVOKED), errors.Is(err, unix.EKEYEXPIRED):
		return nil, fmt.Errorf("%v: %w", k, ErrNoKeys)
	case err != nil:
		return nil, about(k.String(), err)
	}
	defer clear(content)
	if set, err := plainSet(content, FromKeyring); err == nil || !errors.Is(err, errNotPlain) {
		return set, about(k.String(), err)
	}
	set, err := k.sealer.open(content)
	return set, about(k.String(), err)
}

// Save puts the set into the user's keyring. The kernel replaces what was there in one step.
func (k *Keyring) Save(set *Set) error {
	sealed, err := k.sealer.seal(set)
	if err == nil {
		_, err = unix.AddKey("user", k.ring.Name, sealed, unix.KEY_SPEC_USER_KEYRING)
	}
	return about(k.String(), err)
}

// Destroy revokes the key in both keyrings, at which the kernel frees and clears what it held, and takes it out.
func (k *Keyring) Destroy() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var errs []error
	for _, ring := range rings {
		id, err := unix.KeyctlSearch(ring, "user", k.ring.Name, 0)
		if err != nil {
			if !errors.Is(err, unix.ENOKEY) && !errors.Is(err, unix.EKEYREVOKED) && !errors.Is(err, unix.EKEYEXPIRED) {
				errs = append(errs, err)
			}
			continue
		}
		_, err = unix.KeyctlInt(unix.KEYCTL_REVOKE, id, 0, 0, 0)
		_, unlinked := unix.KeyctlInt(unix.KEYCTL_UNLINK, id, ring, 0, 0)
		if errors.Is(unlinked, unix.ENOENT) {
			unlinked = nil // it stood in a keyring below this one
		}
		errs = append(errs, err, unlinked)
	}
	return about(k.String(), errors.Join(errs...))
}
