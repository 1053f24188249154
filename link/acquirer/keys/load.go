package keys

import (
	"errors"
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

// Wipe destroys the keys at once and then writes that into the log: a log that cannot be written keeps no key alive.
func Wipe(store KeyStore, log *Log, now time.Time) error {
	err := store.Destroy()
	generation, counter := log.Newest()
	return errors.Join(err, log.Append(Entry{Deed: Destroyed, Generation: generation, Counter: counter, At: now.UTC().Truncate(time.Second)}))
}

// isNoKey reports whether there is nothing that could be used, whatever the reason: the way is free for a new set.
func isNoKey(err error) bool {
	return errors.Is(err, ErrNoKeys) || errors.Is(err, ErrDestroyed) || errors.Is(err, ErrSealed) || errors.Is(err, ErrForm) || errors.Is(err, ErrMasterKey)
}
