package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"posagent/link/acquirer/keys"
	"posagent/link/profile"
)

// trackFaults refuses what configuration and profile cannot both mean by the tracks of a request.
func (c *Config) trackFaults(fault func(wrong bool, key, what string, args ...any)) {
	file := c.path(c.Acquirer.DUKPTFile)
	fault(file != "" && (file == c.path(c.Acquirer.KeyFile) || file == c.path(c.Store.KeyFile)), "acquirer.dukpt_file", "is the file of other keys; each needs its own")
	if c.profile == nil {
		return
	}
	tracks := c.profile.Tracks
	fault(c.Acquirer.EncryptTracks && tracks != "" && tracks != profile.TDKTracks, "acquirer.encrypt_tracks",
		"means a track key, and the profile has cipher = %q in [tracks]; leave one of them out", string(tracks))
	c.maskedFaults(fault)
	fault(c.wantsDUKPT() && file == "", "acquirer.dukpt_file", "missing; the profile has tracks under DUKPT, so name a file for these keys")
}

func (c *Config) wantsDUKPT() bool {
	return c.profile != nil && c.profile.Tracks == profile.DUKPTTracks
}

// dukptFile is where the DUKPT keys lie; nil where the configuration names no file.
func (c *Config) dukptFile(device []byte) (*keys.FamilyFile, error) {
	if c.Acquirer.DUKPTFile == "" {
		return nil, nil
	}
	f, err := keys.NewFamilyFile(c.path(c.Acquirer.DUKPTFile), device, c.Terminal.ID)
	if err != nil {
		return nil, fmt.Errorf("acquirer.dukpt_file: %w", err)
	}
	return f, nil
}

// dukptKeys reads the DUKPT keys that the profile wants, and changes nothing; nil where it wants none.
func (c *Config) dukptKeys() (*keys.Family, error) {
	if !c.wantsDUKPT() {
		return nil, nil
	}
	device, _, err := c.storeKey()
	if err != nil {
		return nil, fmt.Errorf("acquirer.dukpt_file: the device key is not there: %w", err)
	}
	defer clear(device)
	f, err := c.dukptFile(device)
	if err != nil {
		return nil, err
	}
	family, err := f.Load()
	switch {
	case errors.Is(err, keys.ErrNoKeys), errors.Is(err, keys.ErrDestroyed):
		return nil, fmt.Errorf("acquirer.dukpt_file: %w; load an initial key: posagent keys load -dukpt SERIAL, or a bundle", err)
	case err != nil:
		return nil, fmt.Errorf("acquirer.dukpt_file: %w", err)
	}
	return family, nil
}

// fewKeys is when people are told that a DUKPT family comes to its end: about a million counters, of which so many are left.
const fewKeys = 100_000

// openDUKPT is dukptKeys for the agent: it ends what an interrupted save left, and warns of the end.
func (c *Config) openDUKPT(log *slog.Logger) (*keys.Family, error) {
	family, err := c.dukptKeys()
	if family == nil || err != nil {
		return nil, c.whyNoKeys(err)
	}
	k, err := c.openKeys(false)
	if err == nil {
		err = errors.Join(k.family.Mend(), k.close())
	}
	if err != nil {
		log.Warn("what is left of a change of DUKPT keys could not be cleared", "cause", err)
	}
	if left := family.KSN().Left(); left < fewKeys {
		log.Warn("the DUKPT keys come to their end", "counters", left, "do", "posagent keys load -dukpt SERIAL")
	}
	return family, nil
}

// begin makes a DUKPT initial key the terminal's.
func (c *command) begin(room *keyRoom, fresh keys.Set, ksn keys.KSN) error {
	if room.family == nil {
		return errors.New("acquirer.dukpt_file: missing; name a file for the DUKPT keys")
	}
	if err := keys.Begin(room.family, room.log, fresh, ksn, time.Now()); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "已装入  loaded: DUKPT initial key %v of %v, from %s, into %v\n", fresh.Master.CheckValue(), ksn, fresh.Source, room.family)
	fmt.Fprintln(c.out, "重启 posagent run 后生效  in use once \"posagent run\" was restarted")
	return nil
}

// shownDUKPT is a DUKPT family in "keys show".
type shownDUKPT struct {
	Check  string    `json:"check"`
	Serial string    `json:"serial"` // of the next key behind those that a running agent has reserved; empty when used up
	Left   uint32    `json:"left"`   // counters
	Loaded time.Time `json:"loaded"`
}

func (c *Config) showDUKPT() (*shownDUKPT, error) {
	family, err := c.dukptKeys()
	if family == nil || err != nil {
		return nil, err
	}
	defer family.Destroy()
	s := &shownDUKPT{Check: family.CheckValue().String(), Left: family.KSN().Left(), Loaded: family.Since()}
	if s.Left > 0 {
		s.Serial = family.KSN().String()
	}
	return s, nil
}
