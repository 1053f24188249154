package simrig

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"posagent/device/devicetest"
	"posagent/link/acquirer/keys"
	"posagent/link/profile"
)

// A terminal whose profile has tracks under DUKPT keeps the family of its keys in a file beside the store, as cmd/posagent has
// it: a power cut takes it away with the other files, and a start costs what was in reserve.
const (
	familyFile  = "dukpt.key"
	familyDiary = "keys.log"
)

// Base key, initial key and serial number of ANSI X9.24-1:2009, annex A.4.
const (
	baseKey    = "0123456789ABCDEFFEDCBA9876543210"
	keySet     = "FFFF987654"
	initialKey = "6AC292FAA1315B4D858AB3A3D7D5933A"
	firstKSN   = "FFFF9876543210E00000"
)

func (w *World) dukpt() bool { return w.options.Profile.Tracks == profile.DUKPTTracks }

// sealed says whether the card reader enciphers, whose initial key and serial number are the same.
func (w *World) sealed() bool { return w.options.Profile.Tracks == profile.ReaderTracks }

// dataKey is what the card reader has of it, or nil.
func (w *World) dataKey() (*devicetest.DataKey, error) {
	if !w.sealed() {
		return nil, nil
	}
	initial, err := hex.DecodeString(initialKey)
	serial, bad := hex.DecodeString(firstKSN)
	w.learn("the card reader's initial key", initial)
	return &devicetest.DataKey{Initial: initial, Serial: serial}, errors.Join(err, bad)
}

// baseKeys are what the acquirer has of it.
func (w *World) baseKeys() (map[string][]byte, error) {
	if !w.dukpt() && !w.sealed() {
		return nil, nil
	}
	base, err := hex.DecodeString(baseKey)
	if err != nil {
		return nil, err
	}
	w.learn("the DUKPT base key", base)
	return map[string][]byte{keySet: base}, nil
}

// family are the terminal's keys in one life, or nil. Whoever delivered the terminal has loaded the first one.
func (l *life) family() (*keys.Family, error) {
	if !l.world.dukpt() {
		return nil, nil
	}
	path := filepath.Join(l.dir, familyFile)
	f, err := keys.NewFamilyFile(path, storeKey, terminalID)
	if err != nil {
		return nil, err
	}
	first := l.world.firstFamily
	switch {
	case first == nil:
		if err := l.deliver(f); err != nil {
			return nil, err
		}
		if l.world.firstFamily, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	case l.world.o.PlantOldCounters:
		if err := os.WriteFile(path, first, 0o600); err != nil {
			return nil, err
		}
	}
	return f.Load()
}

// deliver loads the initial key.
func (l *life) deliver(f *keys.FamilyFile) error {
	diary, err := keys.OpenLog(filepath.Join(l.dir, familyDiary), storeKey)
	if err != nil {
		return err
	}
	defer diary.Close()
	secret, err := hex.DecodeString(initialKey)
	if err != nil {
		return err
	}
	l.world.learn("the DUKPT initial key", secret)
	initial, err := keys.NewMaster(secret)
	if err != nil {
		return err
	}
	ksn, err := keys.ParseKSN(firstKSN)
	if err != nil {
		return err
	}
	return keys.Begin(f, diary, keys.Set{Master: initial, Source: keys.FromComponents}, ksn, l.world.Now())
}
