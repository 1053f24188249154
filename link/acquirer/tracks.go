package acquirer

import (
	"errors"
	"fmt"

	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/link/profile"
)

// How the tracks of a request travel is the profile's to say, and where it says nothing the configuration's:
//
//	profile    EncryptTracks   fields 35 and 36
//	-, none    false           in the clear
//	-, tdk     true            sixteen digits under the track key of the sign-in
//	tdk        false           likewise
//	dukpt      false           whole, under a DUKPT data key of this message alone, its serial number beside them
//	reader     false           as the card reader enciphered them, its key's serial number beside them
//	none       true            refused, as are dukpt and reader with true
//
// A reversal, an advice and a detail carry no track, and take no DUKPT key.

// checkTracks refuses what cannot both be.
func (o Options) checkTracks() error {
	if o.Profile == nil {
		return nil
	}
	switch p := o.Profile; {
	case o.EncryptTracks && p.Tracks != "" && p.Tracks != profile.TDKTracks:
		return fmt.Errorf("tracks are to be encrypted under a track key, and profile %s says %q of them; leave one of them out", p.Name, p.Tracks)
	case p.Tracks == profile.DUKPTTracks && o.DUKPT == nil:
		return fmt.Errorf("profile %s has tracks under DUKPT, and there is no initial key: %w; load one: posagent keys load -dukpt SERIAL", p.Name, keys.ErrNoKeys)
	}
	return nil
}

// Field 53: whether there is a PIN, and that the card number went into its block; TDES; whether tracks are encrypted; zeros.
const (
	securityTracks    = "0610000000000000"
	securityPIN       = "2600000000000000"
	securityPINTracks = "2610000000000000"
)

// hideTracks replaces the tracks of a request by encrypted ones where the acquirer wants them so.
func (h *Host) hideTracks(w keys.Working, m *iso8583.Message) error {
	switch {
	case !m.Has(35) && !m.Has(36):
		return nil
	case h.o.Profile.Tracks == profile.DUKPTTracks:
		return h.hideByDUKPT(m)
	case !h.o.EncryptTracks:
		return nil
	}
	m.Set(53, securityTracks)
	if m.Has(52) {
		m.Set(53, securityPINTracks)
	}
	return replaceTracks(m, func(track string) (string, error) { return keys.EncryptTrack(w.Track, track) })
}

// hideByDUKPT uses up one counter, which is durable before this returns. Power lost from here on, or a message that does not
// leave after all, wastes it.
func (h *Host) hideByDUKPT(m *iso8583.Message) error {
	if m.Has(35) && m.Has(36) {
		return errors.New("two tracks do not go under one DUKPT data key")
	}
	k, err := h.o.DUKPT.Next()
	if err != nil {
		return err
	}
	defer k.Destroy()
	data, err := k.DataRequest()
	if err != nil {
		return err
	}
	defer data.Destroy()
	h.setSerial(m, k.KSN[:])
	return replaceTracks(m, func(track string) (string, error) { return keys.EncryptWholeTrack(data, track) })
}

// setSerial puts a key's serial number into the field that the profile has for it.
func (h *Host) setSerial(m *iso8583.Message, serial []byte) {
	if field := h.o.Profile.Serial; h.o.Profile.Dialect.Fields[field].Class == iso8583.B {
		m.SetBytes(field, serial)
	} else {
		m.Set(field, fmt.Sprintf("%X", serial))
	}
}

func replaceTracks(m *iso8583.Message, hide func(string) (string, error)) error {
	for _, field := range []int{35, 36} {
		if !m.Has(field) {
			continue
		}
		hidden, err := hide(m.Get(field))
		if err != nil {
			return fmt.Errorf("field %d: %w", field, err)
		}
		m.Set(field, hidden)
	}
	return nil
}
