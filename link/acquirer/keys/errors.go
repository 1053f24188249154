package keys

import "errors"

var (
	// ErrNoKeys means that no keys were ever loaded here, or that they were destroyed: load them.
	ErrNoKeys = errors.New("no keys are loaded")
	// ErrDestroyed means that a destruction of keys has begun: what is left is no key.
	ErrDestroyed = errors.New("the keys were destroyed")
	// ErrSealed means that sealed keys do not open: another terminal's, another device key, or damage.
	ErrSealed = errors.New("the sealed keys do not open")
	// ErrForm means that what lies where keys belong is neither sealed keys nor a key in the clear.
	ErrForm = errors.New("that is no key in a known form")
	// ErrMasterKey means that what was given cannot be a terminal master key.
	ErrMasterKey = errors.New("terminal master key not usable")
	// ErrComponent means that what was typed cannot be a component of a master key.
	ErrComponent = errors.New("component not accepted")
	// ErrCheckValue means that a working key did not decrypt to what its check value promises: this terminal and the
	// acquirer do not hold the same master key, or the answer was damaged.
	ErrCheckValue = errors.New("working key check value does not match")
	// ErrKeyField means that field 62 of a sign-in answer is no known layout of working keys.
	ErrKeyField = errors.New("sign-in answer without usable working keys")
	// ErrBundle means that a bundle is not for this terminal, not by its signer, or not whole.
	ErrBundle = errors.New("key bundle not accepted")
	// ErrReplay means that a bundle was made before the newest one that was accepted here.
	ErrReplay = errors.New("the bundle is an old one")
	// ErrLog means that the key log is not as this terminal wrote it.
	ErrLog = errors.New("the key log was changed")
	// ErrReused means that a DUKPT initial key with that serial number was loaded here before.
	ErrReused = errors.New("that DUKPT serial number was loaded here before, and its counters may have been used")
	// ErrChanged means that the DUKPT keys on the disk are not the ones that this process has begun with.
	ErrChanged = errors.New("the DUKPT keys were replaced or destroyed meanwhile")
	// ErrExhausted means that a DUKPT initial key has given all the keys it can.
	ErrExhausted = errors.New("the DUKPT key has no transaction keys left")
)
