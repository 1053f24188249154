package reader

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// The kernel that proves chip cards is the reader's own, and so are the keys and applications that it goes by. They stay in it
// without power, and there is no command that replaces all of them at once:
//
//	list what it has ─► write what it lacks or has otherwise: keys, then applications
//	                       ─► take out what is no longer named: applications, then keys ─► list once more
//
// In this order each application has its keys at every moment. Cut anywhere, the reader holds old and new beside each other; what
// it holds says what is still to be done, so the next Install goes on there, and one that finds all of it in place writes nothing.
// No mark is kept elsewhere: a reader that was replaced, or was loaded by somebody else, shows it by what it holds.

// What a caller can do about a set that is not in place.
var (
	ErrFull      = errors.New("the card reader has no room for all of them")
	ErrNoSchemes = errors.New("this card reader takes no keys or applications")
)

// Schemes are what chip cards are proven and chosen by. A nil list leaves that part of the reader as it is.
type Schemes struct {
	Keys         []txn.SchemeKey
	Applications []txn.Application
}

// Installed is what an Install has changed.
type Installed struct {
	Written, Removed int
}

// shelf is one kind of what the reader keeps: its commands, and how a list of it is read.
type shelf struct {
	list, get, set, remove byte
	names                  func(list []byte) ([]string, error)
	same                   func(held, wanted []byte) bool
	wanted                 []article
	has                    []string // as it was last listed, and changed since
}

// article is one key or application.
type article struct {
	name   string // as the reader's lists have it, bytes
	called string // by people
	body   []byte // as it is set
}

// Install makes the reader hold just these keys and applications on its contact side. It is interrupted by ctx between two
// commands, never within one. Errors: ErrFull, ErrNoSchemes, *StatusError, ErrBusy, or the line's. After an error the reader
// holds old and new.
func (r *Reader) Install(ctx context.Context, s Schemes) (done Installed, err error) {
	var shelves []*shelf
	if s.Keys != nil {
		shelves = append(shelves, keyShelf(s.Keys))
	}
	if s.Applications != nil {
		shelves = append(shelves, appShelf(s.Applications))
	}
	for _, one := range shelves {
		if err := r.fill(ctx, one, &done); err != nil {
			return done, err
		}
	}
	for i := len(shelves) - 1; i >= 0; i-- {
		if err := r.clear(ctx, shelves[i], &done); err != nil {
			return done, err
		}
	}
	for _, one := range shelves {
		if err := r.look(ctx, one); err != nil {
			return done, err
		}
		for _, a := range one.wanted {
			if !slices.Contains(one.has, a.name) {
				return done, fmt.Errorf("%w: %s was written, and is not in its list", ErrGarbage, a.called)
			}
		}
		if len(one.has) != len(one.wanted) {
			return done, fmt.Errorf("%w: it lists %d where %d should be", ErrGarbage, len(one.has), len(one.wanted))
		}
	}
	return done, nil
}

// fill writes what is missing or different. A full reader is first made to give up what is no longer named.
func (r *Reader) fill(ctx context.Context, s *shelf, done *Installed) error {
	if err := r.look(ctx, s); err != nil {
		return err
	}
	for _, a := range s.wanted {
		if slices.Contains(s.has, a.name) {
			held, err := r.configure(ctx, s.get, []byte(a.name))
			switch {
			case err == nil && s.same(held, a.body):
				continue
			case err == nil:
				_, err = r.configure(ctx, s.remove, []byte(a.name))
			}
			if err != nil && !refusedWith(err, neo2.NoSuchData) {
				return fmt.Errorf("%s: %w", a.called, err)
			}
		}
		_, err := r.configure(ctx, s.set, a.body)
		if refusedWith(err, neo2.Full) {
			before := done.Removed
			if err := r.clear(ctx, s, done); err != nil {
				return err
			}
			if done.Removed > before {
				_, err = r.configure(ctx, s.set, a.body)
			}
		}
		switch {
		case refusedWith(err, neo2.Full):
			return fmt.Errorf("%s, of %d: %w: %w", a.called, len(s.wanted), ErrFull, err)
		case err != nil:
			return fmt.Errorf("%s: %w", a.called, err)
		}
		if !slices.Contains(s.has, a.name) {
			s.has = append(s.has, a.name)
		}
		done.Written++
	}
	return nil
}

// clear takes out what is not named.
func (r *Reader) clear(ctx context.Context, s *shelf, done *Installed) error {
	var kept []string
	for i, name := range s.has {
		if slices.ContainsFunc(s.wanted, func(a article) bool { return a.name == name }) {
			kept = append(kept, name)
			continue
		}
		if _, err := r.configure(ctx, s.remove, []byte(name)); err != nil && !refusedWith(err, neo2.NoSuchData) {
			s.has = append(kept, s.has[i:]...)
			return fmt.Errorf("%X could not be removed: %w", name, err)
		}
		done.Removed++
	}
	s.has = kept
	return nil
}

// look asks what is there.
func (r *Reader) look(ctx context.Context, s *shelf) error {
	list, err := r.configure(ctx, s.list, nil)
	s.has = nil
	switch {
	case refusedWith(err, neo2.NoSuchData):
		return nil
	case refusedWith(err, neo2.UnknownCommand), refusedWith(err, neo2.UnknownSub):
		return fmt.Errorf("%w: %w", ErrNoSchemes, err)
	case err != nil:
		return err
	}
	s.has, err = s.names(list)
	return err
}

// configure does one of these commands, once ctx was asked.
func (r *Reader) configure(ctx context.Context, sub byte, data []byte) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return r.ask(context.WithoutCancel(ctx), neo2.Frame{Command: neo2.Contact, Sub: sub, Data: data})
}

func refusedWith(err error, status byte) bool {
	var refused *StatusError
	return errors.As(err, &refused) && refused.Status == status
}

func keyShelf(keys []txn.SchemeKey) *shelf {
	s := &shelf{list: neo2.ContactKeys, get: neo2.ContactKey, set: neo2.ContactSetKey, remove: neo2.ContactRemoveKey, names: keyNames, same: bytes.Equal}
	for _, k := range keys {
		name := append(bytes.Clone(k.RID), k.Index)
		body := append(bytes.Clone(name), neo2.KeyHead...)
		body = append(body, k.Hash...)
		body = append(append(body, make([]byte, 4-len(k.Exponent))...), k.Exponent...)
		body = binary.LittleEndian.AppendUint16(body, uint16(len(k.Modulus)))
		s.wanted = append(s.wanted, article{string(name), "key " + k.Name(), append(body, k.Modulus...)})
	}
	return s
}

// keyNames reads providers and indexes, six bytes each.
func keyNames(list []byte) (names []string, err error) {
	const size = txn.RIDSize + 1
	if len(list)%size != 0 {
		return nil, fmt.Errorf("%w: a list of keys has %d bytes", ErrGarbage, len(list))
	}
	for ; len(list) > 0; list = list[size:] {
		names = append(names, string(list[:size]))
	}
	return names, nil
}

func appShelf(apps []txn.Application) *shelf {
	s := &shelf{list: neo2.ContactApps, get: neo2.ContactApp, set: neo2.ContactSetApp, remove: neo2.ContactRemoveApp, names: appNames, same: sameObjects}
	for _, a := range apps {
		count, objects := appObjects(a)
		body := binary.LittleEndian.AppendUint16(nil, uint16(len(a.AID)))
		body = binary.LittleEndian.AppendUint16(append(body, a.AID...), uint16(count))
		s.wanted = append(s.wanted, article{string(a.AID), "application " + a.Name(), append(body, objects...)})
	}
	return s
}

// appObjects are the reader's own tags for what an application says.
func appObjects(a txn.Application) (count int, objects []byte) {
	partial := []byte{1}
	if a.Exact {
		partial[0] = 0
	}
	for _, o := range []struct {
		tag   uint32
		value []byte
	}{
		{neo2.TagAppVersion, a.Version}, {neo2.TagFloor, a.Floor}, {neo2.TagDefaultDDOL, a.DDOL}, {neo2.TagPartial, partial},
		{neo2.TagDefaultCode, a.Default}, {neo2.TagDenialCode, a.Denial}, {neo2.TagOnlineCode, a.Online},
		{neo2.TagTarget, a.Target}, {neo2.TagThreshold, a.Threshold}, {neo2.TagMaxTarget, a.MaxTarget},
	} {
		if len(o.value) > 0 {
			count++
			objects = neo2.AppendTLV(objects, o.tag, o.value)
		}
	}
	return count, objects
}

// appNames reads how many, and each with its length before it.
func appNames(list []byte) (names []string, err error) {
	bad := fmt.Errorf("%w: its list of applications cannot be read", ErrGarbage)
	if len(list) < 2 {
		return nil, bad
	}
	count, rest := int(binary.LittleEndian.Uint16(list)), list[2:]
	for range count {
		if len(rest) < 2 || len(rest)-2 < int(binary.LittleEndian.Uint16(rest)) {
			return nil, bad
		}
		end := 2 + int(binary.LittleEndian.Uint16(rest))
		names, rest = append(names, string(rest[2:end])), rest[end:]
	}
	if len(rest) > 0 {
		return nil, bad
	}
	return names, nil
}

// sameObjects reports whether an application that was read back has all that would be set. What a reader adds of its own does not
// count.
func sameObjects(held, wanted []byte) bool {
	if len(held) < 2 || len(wanted) < 2 {
		return false
	}
	has := map[uint32][]byte{}
	if neo2.Walk(held[2:], func(tag uint32, value []byte) { has[tag] = value }) != nil {
		return false
	}
	same := true
	start := 2 + int(binary.LittleEndian.Uint16(wanted)) + 2
	err := neo2.Walk(wanted[start:], func(tag uint32, value []byte) {
		held, there := has[tag]
		same = same && there && bytes.Equal(held, value)
	})
	return err == nil && same
}
