package reader

import (
	"encoding/binary"
	"fmt"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// sealedSwipe reads a swipe of a reader that enciphers (layout: package neo2). What only the track would say, whether the card has
// a chip, the frame says. Whether it wants a PIN nothing does: the service code is enciphered.
func sealedSwipe(objects map[uint32][]byte) (txn.Presented, error) {
	s, err := parseSwipe(objects[neo2.TagEnhancedMSR])
	if err != nil {
		return txn.Presented{}, err
	}
	pan, expiry, err := maskOf(string(s.masks[1]))
	if err != nil {
		return txn.Presented{}, err
	}
	track, err := sealedTrack(s.serial, s.tracks[1])
	if err != nil {
		return txn.Presented{}, err
	}
	return txn.Presented{Card: txn.Card{PAN: pan, Expiry: expiry, Entry: txn.Swiped}, Cipher: track, HasChip: s.chip}, nil
}

// swipe is what a reader says of a stripe.
type swipe struct {
	masks, tracks [neo2.SwipeTracks][]byte
	serial        []byte
	chip          bool
}

// parseSwipe takes a frame apart. Every byte of it has its place, or it is refused.
func parseSwipe(frame []byte) (s swipe, err error) {
	if len(frame) == 0 {
		return s, fmt.Errorf("%w: there is no stripe in it", ErrGarbage)
	}
	data, err := swipeData(frame)
	if err != nil {
		return s, err
	}
	kind, status, sizes, sent, sealed := data[0], data[1], data[2:5], data[5], data[6]
	rest := data[neo2.SwipeHead:]
	take := func(n int) (part []byte) {
		if n > len(rest) {
			err, n = fmt.Errorf("%w: its stripe is shorter than it says", ErrGarbage), len(rest)
		}
		part, rest = rest[:n], rest[n:]
		return part
	}
	var option byte
	if status&neo2.SwipeOptions != 0 {
		if n := take(1); err == nil && n[0] > 0 {
			option = append(take(int(n[0])), 0)[0]
		}
	}
	switch {
	case err != nil:
		return s, err
	case kind != neo2.SwipeBank:
		return s, fmt.Errorf("%w: its stripe is not that of a bank card", ErrCardUnread)
	case sealed&neo2.SwipeKSN == 0 && sealed&7 == 0:
		return s, errClear
	case sent&(neo2.SwipeFixedKey|neo2.SwipeAES) != 0 || option&neo2.SwipeOther != 0 || sealed&neo2.SwipeKSN == 0:
		return s, errOtherCipher
	case option&neo2.SwipeMAC != 0 || sealed&neo2.SwipeSession != 0:
		return s, fmt.Errorf("%w: it adds a MAC or a session's number to a stripe; have that switched off", ErrSetUp)
	}
	hash := neo2.HashSize
	if option&neo2.SwipeLongHash != 0 {
		hash = neo2.LongHashSize
	}
	for i := range s.masks {
		if sent>>i&1 == 1 {
			s.masks[i] = take(int(sizes[i]))
		}
	}
	for i := range s.tracks {
		if sealed>>i&1 == 1 {
			s.tracks[i] = take((int(sizes[i]) + cipherBlock - 1) / cipherBlock * cipherBlock)
		}
	}
	for i := range s.masks {
		if sealed&neo2.SwipeHashes>>(3+i)&1 == 1 {
			take(hash)
		}
	}
	if sent&neo2.SwipeReader != 0 {
		take(neo2.SerialSize)
	}
	s.serial, s.chip = take(neo2.SerialSize), sent&neo2.SwipeChip != 0
	switch {
	case err != nil:
		return swipe{}, err
	case len(rest) > 0:
		return swipe{}, fmt.Errorf("%w: its stripe is longer than it says", ErrGarbage)
	case s.masks[1] == nil || s.tracks[1] == nil:
		return swipe{}, fmt.Errorf("%w: there is no track 2", ErrCardUnread)
	}
	return s, nil
}

const cipherBlock = 8 // TDES

// swipeData opens the frame around a stripe.
func swipeData(frame []byte) ([]byte, error) {
	size := len(frame) - neo2.SwipeFrame
	if size < neo2.SwipeHead || frame[0] != neo2.SwipeStart || frame[len(frame)-1] != neo2.SwipeEnd || int(binary.LittleEndian.Uint16(frame[1:])) != size {
		return nil, fmt.Errorf("%w: its stripe is in no frame", ErrGarbage)
	}
	data := frame[3 : 3+size]
	var all, sum byte
	for _, b := range data {
		all, sum = all^b, sum+b
	}
	if frame[3+size] != all || frame[4+size] != sum {
		return nil, fmt.Errorf("%w: its stripe does not agree with its check bytes", ErrGarbage)
	}
	return data, nil
}
