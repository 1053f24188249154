package main

import (
	"os"
	"path/filepath"
)

// Base key, initial key and serial number of ANSI X9.24-1:2009, annex A.4: those of a card reader that enciphers, and of its acquirer.
const (
	sealedBase    = "0123456789ABCDEFFEDCBA9876543210"
	sealedInitial = "6AC292FAA1315B4D858AB3A3D7D5933A"
	sealedSerial  = "FFFF9876543210E00000"
	sealedSet     = "FFFF987654"
)

// sealedStories is the group of stories whose card reader enciphers.
const sealedStories = "sealed"

// tapped is what the bench adds to a profile, whose messages its tap then knows by their types.
const tapped = "\n[frame]\nhead = \"full\"\n\n[message]\ntype = \"compact\"\n"

// seal writes the profile and the keys of a card reader that enciphers, and says how the simulators are told of them.
func (r *rig) seal() (acquirer, devices []string, err error) {
	if !r.Sealed {
		return nil, nil, nil
	}
	p, err := os.ReadFile(filepath.Join(filepath.Dir(r.cards), "..", "profiles", "reader.toml"))
	if err != nil {
		return nil, nil, err
	}
	for name, text := range map[string]string{"profile.toml": string(p) + tapped, "bdk.key": sealedBase + "\n", "reader.key": sealedInitial + "\n"} {
		if err := os.WriteFile(r.at(name), []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
	}
	return []string{"-profile", r.at("profile.toml"), "-dukpt", sealedSet + "=" + r.at("bdk.key")}, []string{"-reader-key", sealedSerial + "=" + r.at("reader.key")}, nil
}
