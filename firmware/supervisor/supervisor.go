// Package supervisor knows who may allow what takes money back, and makes sure that it is they.
//
// The list is one file of mode 0600, one supervisor a line:
//
//	number:iterations:salt:hash     salt and hash in hex; PBKDF2 with HMAC-SHA-256 (RFC 8018), so that guessing costs time
//
// Beside it stands a file of failures. An attempt is counted there, synced, before its password is looked at: a power cut
// makes no guess free. After MaxFailures in a row the supervisor is locked out until somebody with access to the files lets
// them in again; a clock that may be wrong decides nothing. What cannot be read or written allows nothing.
package supervisor

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"posagent/txnstore/txn"
)

// Limits of a list.
const (
	MaxFailures    = 5       // in a row; one more attempt is not looked at
	MinPassword    = 6       // characters
	MaxPassword    = 64      // characters
	MaxSupervisors = 100     // in one list
	iterations     = 200_000 // of a new password: about two seconds on a Cortex-A7
	minIterations  = 100_000 // of one in the list
	maxIterations  = 10_000_000
	saltSize       = 16
	hashSize       = 32
)

// What a caller can act on. ErrDenied says neither whether the number or the password is wrong.
var (
	ErrDenied = errors.New("supervisor number or password is wrong")
	ErrLocked = errors.New("this supervisor is locked out after too many wrong passwords; posagent supervisor unlock lets them in again")
)

// List is the supervisors of a terminal. Its methods may be called from any goroutine, one attempt at a time.
type List struct {
	path   string
	rounds int // iterations of a new password
	mu     sync.Mutex
}

// Open names the file of a list, which need not exist yet: then nobody is allowed anything.
func Open(path string) *List { return &List{path: path, rounds: iterations} }

// entry is one supervisor.
type entry struct {
	number     string
	iterations int
	salt, hash []byte
}

// Allow makes sure that a supervisor typed their password. Errors: ErrDenied; ErrLocked; what is wrong with the files.
func (l *List) Allow(number string, password txn.Password) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, err := l.read()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(entries, func(e entry) bool { return e.number == number })
	if i < 0 {
		_, _ = derive(password.TextInTheClear(), make([]byte, saltSize), l.rounds) // takes as long as a wrong password
		return ErrDenied
	}
	failures, err := l.failures()
	if err != nil {
		return err
	}
	if failures[number] >= MaxFailures {
		return ErrLocked
	}
	failures[number]++
	if err := l.keep(failures); err != nil {
		return fmt.Errorf("the attempt cannot be counted, so it is not made: %w", err)
	}
	hash, err := derive(password.TextInTheClear(), entries[i].salt, entries[i].iterations)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(hash, entries[i].hash) != 1 {
		return ErrDenied
	}
	delete(failures, number)
	return l.keep(failures)
}

// Set adds a supervisor, or gives one a new password and lets them in again.
func (l *List) Set(number string, password txn.Password) error {
	if err := checkNumber(number); err != nil {
		return err
	}
	text := password.TextInTheClear()
	if n := len([]rune(text)); n < MinPassword || n > MaxPassword {
		return fmt.Errorf("a password has %d to %d characters", MinPassword, MaxPassword)
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails, by its contract
	hash, err := derive(text, salt, l.rounds)
	if err != nil {
		return err
	}
	return l.change(number, func(entries []entry) ([]entry, error) {
		if len(entries) >= MaxSupervisors {
			return nil, fmt.Errorf("the list holds %d supervisors; remove one first", MaxSupervisors)
		}
		return append(entries, entry{number, l.rounds, salt, hash}), nil
	})
}

// Remove takes a supervisor off the list.
func (l *List) Remove(number string) error {
	return l.change(number, func(entries []entry) ([]entry, error) { return entries, nil })
}

// change rewrites the list without a supervisor, as add has it, and forgets their failures.
func (l *List) change(number string, add func([]entry) ([]entry, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, err := l.read()
	if err != nil {
		return err
	}
	entries, err = add(slices.DeleteFunc(entries, func(e entry) bool { return e.number == number }))
	if err != nil {
		return err
	}
	if err := l.write(entries); err != nil {
		return err
	}
	return l.forget(number)
}

// Unlock forgets a supervisor's failures. An unreadable file of failures is begun again: whoever may do this may read it.
func (l *List) Unlock(number string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.forget(number)
}

func (l *List) forget(number string) error {
	failures, err := l.failures()
	if err != nil {
		failures = map[string]int{}
	}
	delete(failures, number)
	return l.keep(failures)
}

// Known is a supervisor as they may be shown.
type Known struct {
	Number string
	Failed int
	Locked bool
}

// All lists the supervisors by number.
func (l *List) All() ([]Known, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, err := l.read()
	if err != nil {
		return nil, err
	}
	failures, err := l.failures()
	if err != nil {
		return nil, err
	}
	var numbers []string
	for _, e := range entries {
		numbers = append(numbers, e.number)
	}
	slices.Sort(numbers)
	var all []Known
	for _, number := range numbers {
		all = append(all, Known{number, failures[number], failures[number] >= MaxFailures})
	}
	return all, nil
}

func derive(password string, salt []byte, rounds int) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, rounds, hashSize)
}

func checkNumber(number string) error {
	ok := func(r rune) bool { return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }
	if number == "" || len(number) > 3 || strings.IndexFunc(number, func(r rune) bool { return !ok(r) }) >= 0 {
		return errors.New("a supervisor's number has one to three digits or letters")
	}
	return nil
}

func (e entry) line() string {
	return fmt.Sprintf("%s:%d:%s:%s\n", e.number, e.iterations, hex.EncodeToString(e.salt), hex.EncodeToString(e.hash))
}

// parse reads the list. Errors name the line, and nothing of what stands in it.
func parse(text string) ([]entry, error) {
	var entries []entry
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseLine(line)
		if err == nil && slices.ContainsFunc(entries, func(o entry) bool { return o.number == e.number }) {
			err = errors.New("this number stands there twice")
		}
		if err == nil && len(entries) == MaxSupervisors {
			err = fmt.Errorf("more than %d supervisors", MaxSupervisors)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parseLine(line string) (e entry, err error) {
	parts := strings.Split(line, ":")
	if len(parts) != 4 {
		return e, errors.New("want number:iterations:salt:hash")
	}
	e.number = parts[0]
	if err := checkNumber(e.number); err != nil {
		return e, err
	}
	e.iterations, err = strconv.Atoi(parts[1])
	if err != nil || e.iterations < minIterations || e.iterations > maxIterations {
		return e, fmt.Errorf("want %d to %d iterations", minIterations, maxIterations)
	}
	salt, saltErr := hex.DecodeString(parts[2])
	hash, hashErr := hex.DecodeString(parts[3])
	if saltErr != nil || hashErr != nil || len(salt) != saltSize || len(hash) != hashSize {
		return e, fmt.Errorf("want a salt of %d and a hash of %d bytes in hex", saltSize, hashSize)
	}
	e.salt, e.hash = salt, hash
	return e, nil
}
