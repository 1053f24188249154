package keys

import (
	"errors"
	"fmt"
	"time"
)

// Adopt makes a master key the terminal's. The set is saved first and holds all that the log will say of it, so that power
// lost between the two costs nothing: Settle writes the line at the next start. What is in the store before stays there
// until the new set is whole.
func Adopt(store KeyStore, log *Log, fresh Set, now time.Time) (*Set, error) {
	if log.Changed != nil {
		return nil, log.Changed
	}
	before, err := store.Load()
	if err == nil {
		defer before.Master.Destroy()
		err = log.Settle(before)
	} else if isNoKey(err) {
		err, before = nil, nil
	}
	if err != nil {
		return nil, err
	}
	generation, counter := log.Newest()
	if before != nil {
		counter = max(counter, before.Counter)
	}
	if fresh.Source == FromBundle && fresh.Counter <= counter {
		return nil, replayed(fresh.Counter, counter)
	}
	fresh.Generation, fresh.Counter, fresh.Loaded = generation+1, max(fresh.Counter, counter), now.UTC().Truncate(time.Second)
	if err := store.Save(&fresh); err != nil {
		return nil, err
	}
	return &fresh, log.Settle(&fresh)
}

// Begin makes a DUKPT initial key the terminal's: what fresh calls its master key, with the serial number ksn. The log is
// written first, and a serial number that stands in it is never begun again, because its counters may have been used.
// Power lost, or a disk that fails, between the two costs that initial key. Errors: ErrReused, ErrReplay, ErrMasterKey, ErrLog,
// or what the disk said.
func Begin(family *FamilyFile, log *Log, fresh Set, ksn KSN, now time.Time) error {
	if log.Changed != nil {
		return log.Changed
	}
	if err := ksn.checkInitial(); err != nil {
		return err
	}
	present := KSN{}
	if lies, err := family.Load(); err == nil {
		present = lies.KSN().with(0)
		lies.Destroy()
	}
	for _, e := range append([]Entry{{KSN: present.String()}}, log.Entries...) {
		if e.KSN == ksn.String() {
			return fmt.Errorf("%w: ask for an initial key with another serial number", ErrReused)
		}
	}
	if _, counter := log.Newest(); fresh.Source == FromBundle && fresh.Counter <= counter {
		return replayed(fresh.Counter, counter)
	}
	entry := Entry{Deed: Begun, At: now.UTC().Truncate(time.Second), Source: fresh.Source, By: fresh.By,
		Check: fresh.Master.CheckValue().String(), Counter: fresh.Counter, KSN: ksn.String()}
	if err := log.Append(entry); err != nil {
		return err
	}
	return family.begin(fresh.Master, ksn, now)
}

// Wipe destroys the keys at once and then writes that into the log: a log that cannot be written keeps no key alive. family
// may be nil.
func Wipe(store KeyStore, family *FamilyFile, log *Log, now time.Time) error {
	err := store.Destroy()
	if family != nil {
		err = errors.Join(err, family.Destroy())
	}
	generation, counter := log.Newest()
	return errors.Join(err, log.Append(Entry{Deed: Destroyed, Generation: generation, Counter: counter, At: now.UTC().Truncate(time.Second)}))
}

// isNoKey reports whether there is nothing that could be used, whatever the reason: the way is free for a new set.
func isNoKey(err error) bool {
	return errors.Is(err, ErrNoKeys) || errors.Is(err, ErrDestroyed) || errors.Is(err, ErrSealed) || errors.Is(err, ErrForm) || errors.Is(err, ErrMasterKey)
}
