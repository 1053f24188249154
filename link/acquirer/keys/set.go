package keys

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Source is how a master key came in.
type Source string

const (
	FromComponents Source = "components" // typed by two persons
	FromBundle     Source = "bundle"     // a signed bundle
	FromFile       Source = "file"       // a file in the clear, as earlier versions had it
	FromKeyring    Source = "keyring"    // put into the kernel's keyring by the machine's start-up
)

// Set is what a KeyStore keeps: the master key and how it came in. It prints without the key.
type Set struct {
	Master     Key
	Source     Source
	Generation uint64    // rises with each set that was loaded here
	Counter    uint64    // of the newest bundle that was accepted here; none below it is accepted again
	Loaded     time.Time // by the terminal's clock, which may be wrong
	By         []string  // the persons who entered the components
}

// Limits of a set.
const (
	MaxPeople = 2
	MaxName   = 40 // bytes of a person's name, UTF-8
	maxSource = 16
	mostSet   = 1 + 3*8 + 1 + maxSource + DoubleLength + 1 + MaxPeople*(1+MaxName)
)

// CheckName refuses a name that nobody could read in the log later.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) != name || name == "":
		return fmt.Errorf("a name is missing, or has spaces around it")
	case len(name) > MaxName || !utf8.ValidString(name):
		return fmt.Errorf("a name has at most %d bytes of UTF-8", MaxName)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("a name has printable characters only")
	}
	return nil
}

// A set in bytes, before it is sealed; numbers are big-endian:
//
//	layout 1 | generation 8 | bundle counter 8 | loaded, Unix seconds 8 | source 1+n | master key 16 | people 1 | name 1+n ...
const setLayout = 1

// encode gives bytes with the key in clear; the caller clears them.
func (s *Set) encode() ([]byte, error) {
	secret, err := s.Master.Secret()
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	if len(secret) != DoubleLength || s.Master.isAES() || len(s.Source) > maxSource || len(s.By) > MaxPeople {
		return nil, fmt.Errorf("%w: the set cannot be kept", ErrMasterKey)
	}
	b := make([]byte, 0, mostSet) // whole, so that no copy in clear is left behind by growing
	b = append(b, setLayout)
	b = binary.BigEndian.AppendUint64(b, s.Generation)
	b = binary.BigEndian.AppendUint64(b, s.Counter)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Loaded.Unix()))
	b = append(append(b, byte(len(s.Source))), s.Source...)
	b = append(b, secret...)
	b = append(b, byte(len(s.By)))
	for _, name := range s.By {
		if err := CheckName(name); err != nil {
			clear(b)
			return nil, err
		}
		b = append(append(b, byte(len(name))), name...)
	}
	return b, nil
}

// decode reads what encode wrote. The caller clears b.
func decodeSet(b []byte) (*Set, error) {
	r := reader{b: b}
	s := &Set{}
	layout := r.take(1)
	s.Generation, s.Counter = r.number(), r.number()
	s.Loaded = time.Unix(int64(r.number()), 0).UTC()
	s.Source = Source(r.text())
	master := r.take(DoubleLength)
	for range r.take(1)[0] {
		s.By = append(s.By, r.text())
		if r.bad || len(s.By) > MaxPeople || CheckName(s.By[len(s.By)-1]) != nil {
			return nil, fmt.Errorf("%w: what they hold is no set of keys", ErrSealed)
		}
	}
	if r.bad || len(r.b) != 0 || layout[0] != setLayout || len(s.Source) > maxSource {
		return nil, fmt.Errorf("%w: what they hold is no set of keys of this version", ErrSealed)
	}
	var err error
	s.Master, err = NewMaster(master)
	return s, err
}

// reader takes apart what was sealed or signed. Once something is missing it is bad, and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	var taken []byte
	taken, r.b = r.b[:n], r.b[n:]
	return taken
}

func (r *reader) number() uint64 { return binary.BigEndian.Uint64(r.take(8)) }
func (r *reader) text() string   { return string(r.take(int(r.take(1)[0]))) }
