package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// The kernel that proves chip cards is the reader's own, and so are the keys and applications that it goes by. They stay in it
// without power, and there is no command that replaces all of them at once:
//
//	list what it has ─► write what it lacks or has otherwise: keys, then applications
//	                       ─► take out what is no longer named: applications, then keys ─► list once more
//
// In this order each application has its keys at every moment. The contactless side has a store of keys of its own, which is done
// after that in the same way; its applications belong to groups of settings and kernels that no download names, so they stay as the
// service has loaded them. Cut anywhere, the reader holds old and new beside each other; what
// it holds says what is still to be done, so the next Install goes on there, and one that finds all of it in place writes nothing.
// No mark is kept elsewhere: a reader that was replaced, or was loaded by somebody else, shows it by what it holds.

// What a caller can do about a set that is not in place.
var (
	ErrFull      = errors.New("the card reader has no room for all of them")
	ErrNoSchemes = errors.New("this card reader takes no keys or applications")
)

// shelf is one kind of what the reader keeps: its commands, and what it shall hold.
type shelf struct {
	command, list, get, set, remove byte
	wanted                          []article
	has                             []string // names, as they were last listed
}

// mostKeys is how many keys a reader may list: a bound of ours, far above what readers take.
const mostKeys = 512

// article is one key or application.
type article struct {
	name string   // as the reader's lists have it, bytes
	body string   // as it is set
	says []string // what of it must be in what is read back; a reader may add to an application, and have its own order
}

// Install makes the reader hold just these applications on its contact side and just these keys on both; none leaves that kind as
// it is, and a side that this reader has not is passed over, as long as there is one. It is interrupted by ctx between two commands, never within one. It returns how many were written and removed. Errors: ErrFull,
// ErrNoSchemes, *StatusError, ErrBusy, or the line's. After an error the reader holds old and new.
func (r *Reader) Install(ctx context.Context, keys, apps []txn.SchemeRow) (changed int, err error) {
	k := &shelf{command: neo2.Contact, list: neo2.ContactKeys, get: neo2.ContactKey, set: neo2.ContactSetKey, remove: neo2.ContactRemoveKey}
	t := &shelf{command: neo2.Tap, list: neo2.TapProviders, get: neo2.TapKey, set: neo2.TapSetKey, remove: neo2.TapRemoveKey}
	for _, row := range keys {
		k.wanted, t.wanted = append(k.wanted, keyArticle(row)), append(t.wanted, tapArticle(row))
	}
	a := &shelf{command: neo2.Contact, list: neo2.ContactApps, get: neo2.ContactApp, set: neo2.ContactSetApp, remove: neo2.ContactRemoveApp}
	for _, row := range apps {
		a.wanted = append(a.wanted, appArticle(row))
	}
	err = r.shelve(ctx, &changed, k, a)
	if len(keys) > 0 && (err == nil || errors.Is(err, ErrNoSchemes)) {
		tapped := r.shelve(ctx, &changed, t, &shelf{})
		if !errors.Is(tapped, ErrNoSchemes) && (tapped != nil || len(apps) == 0) {
			err = tapped
		}
	}
	return changed, err
}

// shelve does both on one side of the reader.
func (r *Reader) shelve(ctx context.Context, changed *int, keys, apps *shelf) (err error) {
	for _, step := range []struct {
		do func(context.Context, *shelf, *int) error
		on *shelf
	}{{r.fill, keys}, {r.fill, apps}, {r.clear, apps}, {r.clear, keys}, {r.prove, apps}, {r.prove, keys}} {
		if err == nil && step.on.wanted != nil {
			err = step.do(ctx, step.on, changed)
		}
	}
	return err
}

// prove looks once more.
func (r *Reader) prove(ctx context.Context, s *shelf, _ *int) error {
	err := r.look(ctx, s)
	for _, a := range s.wanted {
		if err == nil && (!slices.Contains(s.has, a.name) || len(s.has) != len(s.wanted)) {
			err = fmt.Errorf("%w: it lists others than were written", ErrGarbage)
		}
	}
	return err
}

// fill writes what is missing or different. A full reader is first made to give up what is no longer named.
func (r *Reader) fill(ctx context.Context, s *shelf, changed *int) error {
	err := r.look(ctx, s)
	if err != nil {
		return err
	}
	for _, a := range s.wanted {
		if slices.Contains(s.has, a.name) {
			var held []byte
			if held, err = r.configure(ctx, s, s.get, a.name); err == nil {
				if a.in(string(held)) {
					continue
				}
				_, err = r.configure(ctx, s, s.remove, a.name)
			}
		}
		if err == nil {
			_, err = r.configure(ctx, s, s.set, a.body)
		}
		if full(err) {
			if err = r.clear(ctx, s, changed); err == nil {
				_, err = r.configure(ctx, s, s.set, a.body)
			}
		}
		if full(err) {
			err = fmt.Errorf("%w: %w", ErrFull, err)
		}
		if err != nil {
			return fmt.Errorf("%X, of %d: %w", a.name, len(s.wanted), err)
		}
		*changed++
	}
	return nil
}

// clear takes out what is not named.
func (r *Reader) clear(ctx context.Context, s *shelf, changed *int) error {
	if err := r.look(ctx, s); err != nil {
		return err
	}
	for _, name := range s.has {
		if slices.ContainsFunc(s.wanted, func(a article) bool { return a.name == name }) {
			continue
		}
		if _, err := r.configure(ctx, s, s.remove, name); err != nil {
			return err
		}
		*changed++
	}
	return nil
}

// look asks what is there.
func (r *Reader) look(ctx context.Context, s *shelf) error {
	list, err := r.configure(ctx, s, s.list, "")
	s.has = nil
	switch {
	case refusedWith(err, neo2.NoSuchData), refusedWith(err, neo2.TapNoSuchKey):
		return nil
	case refusedWith(err, neo2.UnknownCommand), refusedWith(err, neo2.UnknownSub):
		return fmt.Errorf("%w: %w", ErrNoSchemes, err)
	case err != nil:
		return err
	case s.command == neo2.Tap:
		return r.lookByProvider(ctx, s, string(list))
	}
	s.has, err = listed(list, s.list == neo2.ContactApps)
	return err
}

// lookByProvider asks for the keys of each provider in a list.
func (r *Reader) lookByProvider(ctx context.Context, s *shelf, providers string) error {
	for ; len(providers) >= txn.RIDSize; providers = providers[txn.RIDSize:] {
		provider := providers[:txn.RIDSize]
		indexes, err := r.configure(ctx, s, neo2.TapIndexes, provider)
		if err != nil {
			return err
		}
		if len(s.has)+len(indexes) > mostKeys {
			break
		}
		for _, index := range indexes {
			s.has = append(s.has, provider+string([]byte{index}))
		}
	}
	if providers != "" {
		return fmt.Errorf("%w: its list of keys is cut, or has more than %d", ErrGarbage, mostKeys)
	}
	return nil
}

// listed reads the names in a list: keys with six bytes each; applications with how many, and each with its length before it.
func listed(list []byte, apps bool) (names []string, err error) {
	if apps {
		list = list[min(2, len(list)):]
	}
	for len(list) > 0 {
		from, to := 0, txn.KeyName
		if apps {
			from, to = 2, 2+int(list[0])
		}
		if to > len(list) {
			return nil, fmt.Errorf("%w: its list of keys or applications is cut", ErrGarbage)
		}
		names, list = append(names, string(list[from:to])), list[to:]
	}
	return names, nil
}

// configure does one of these commands, once ctx was asked.
func (r *Reader) configure(ctx context.Context, s *shelf, sub byte, data string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return r.ask(context.WithoutCancel(ctx), neo2.Frame{Command: s.command, Sub: sub, Data: []byte(data)})
}

func refusedWith(err error, status byte) bool {
	var refused *StatusError
	return errors.As(err, &refused) && refused.Status == status
}

func full(err error) bool {
	return refusedWith(err, neo2.Full) || refusedWith(err, neo2.TapFull) || refusedWith(err, neo2.TapNoProvider)
}

// keyArticle is a key as the reader has it: its exponent stands in four bytes (IDG p. 113).
func keyArticle(row txn.SchemeRow) article {
	name, says := string(row.Name), string(row.Says)
	size := len(says) - txn.KeyModulus
	body := name + neo2.KeyHead + says[:txn.KeyModulus] + string([]byte{byte(size), byte(size >> 8)}) + says[txn.KeyModulus:]
	return article{name, body, []string{body}}
}

// tapArticle is a key as the contactless side has it (IDG p. 248-249). Where the exponent stands in what is read back is not said;
// the hash is over it too.
func tapArticle(row txn.SchemeRow) article {
	name, says := string(row.Name), string(row.Says)
	hash, exponent, modulus := neo2.KeyHead+says[:txn.KeyExponent], says[txn.KeyExponent:txn.KeyModulus], says[txn.KeyModulus:]
	modulus = string([]byte{byte(len(modulus) >> 8), byte(len(modulus))}) + modulus
	return article{name, name + hash + exponent + modulus, []string{hash, modulus}}
}

// appArticle is an application in the reader's own tags.
func appArticle(row txn.SchemeRow) article {
	var says []string
	row.Each(func(what byte, value []byte) {
		if int(what) < len(neo2.AppTags) {
			says = append(says, string(neo2.AppendTLV(nil, neo2.AppTags[what], value)))
		}
	})
	name := string(row.Name)
	return article{name, string([]byte{byte(len(name)), 0}) + name + string([]byte{byte(len(says)), 0}) + strings.Join(says, ""), says}
}

// in reports whether what was read back has all that would be set.
func (a article) in(held string) bool {
	for _, one := range a.says {
		if !strings.Contains(held, one) {
			return false
		}
	}
	return true
}
