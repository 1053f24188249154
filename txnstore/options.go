package txnstore

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Options say whose store it is.
type Options struct {
	Terminal string           // field 41, 1 to 8 bytes; a store of another terminal is refused
	Merchant string           // field 42, at most 15 bytes, written into every new record; may be empty
	Profile  string           // mark of the acquirer's profile, written into every new record; at most 21 bytes, may be empty
	Key      []byte           // 32 bytes; seals card number, expiry and chip data at rest
	Keep     Keep             // how long finished transactions stay; zero is for ever
	Now      func() time.Time // stamps; nothing is decided by it, except to keep what is younger than Keep.Age; nil is time.Now
}

// Report is what Open found.
type Report struct {
	New      bool     // the store was made by this call, or never opened before
	Boot     uint32   // counts the times the store was opened, from 1
	Findings []string // in words: what was found and what was done about it
	Owed     int      // transactions that owe something, Store.Owed
	Bad      int      // records that cannot be read and are therefore in no list
}

// count adds what is owed, and the records that are listed as owing money or paper and cannot be read.
func (r *Report) count(b *books) error {
	owed, bad, err := b.owed()
	if err != nil {
		return err
	}
	_, badPaper, err := b.owedPaper()
	if err != nil {
		return err
	}
	maps.Copy(bad, badPaper)
	for _, id := range slices.Sorted(maps.Keys(bad)) {
		r.Findings = append(r.Findings, bad[id].Error())
	}
	r.Owed, r.Bad = len(owed), r.Bad+len(bad)
	return nil
}

// check validates the options and returns the codec they stand for.
func (o *Options) check() (*codec, error) {
	if o == nil {
		return nil, fmt.Errorf("store options are missing")
	}
	if len(o.Terminal) == 0 || len(o.Terminal) > maxTerminal {
		return nil, fmt.Errorf("terminal number must have 1 to %d bytes, has %d", maxTerminal, len(o.Terminal))
	}
	if len(o.Merchant) > maxMerchant {
		return nil, fmt.Errorf("merchant number must have at most %d bytes, has %d", maxMerchant, len(o.Merchant))
	}
	if len(o.Profile) > maxProfile {
		return nil, fmt.Errorf("a profile's mark must have at most %d bytes, has %d", maxProfile, len(o.Profile))
	}
	s, err := newSealer(o.Key, o.Terminal)
	if err != nil {
		return nil, err
	}
	return newCodec(s), nil
}
