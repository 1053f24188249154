package agent

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"posagent/firmware/supervisor"
	"posagent/firmware/terminal"
)

// Alarm is what the terminal's guards have met, counted over restarts where a file is named for it. It is a notice for people
// and decides nothing, so a file that cannot be kept is a line in the log and no more.
type Alarm struct {
	Kind  string    `json:"kind"`
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
	What  string    `json:"what"` // of the last one: never card data
}

// Kinds of alarm.
const (
	OtherMerchant = "other-merchant" // an answer names another merchant: 跳码
	OtherTerminal = "other-terminal" // an answer names another terminal
	Repeated      = "repeated"       // the same card and amount again within minutes
	OverLimit     = "over-limit"
	BlockedCard   = "blocked-card"
	RefusedBin    = "refused-range"  // a card of a range that is not charged, or not so
	WrongPassword = "wrong-password" // of a supervisor
	LockedOut     = "locked-out"

	OrderLeft     = "order-left"     // an order of the acquirer that no machine obeys
	OrderFailed   = "order-failed"   // one that fails again and again
	OrderRepeated = "order-repeated" // one that is given again and again though it was obeyed
	OddParameter  = "odd-parameter"  // a downloaded value that cannot be used
)

// maxWhat bounds what is kept of an alarm, in bytes.
const maxWhat = 120

type alarms struct {
	path string
	now  func() time.Time
	mu   sync.Mutex
	list []Alarm
}

// openAlarms goes on counting where the file left off.
func openAlarms(path string, now func() time.Time) (*alarms, error) {
	a := &alarms{path: path, now: now}
	if path == "" {
		return a, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &a.list)
	}
	return a, err
}

func (a *alarms) raise(kind, what string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.list, func(x Alarm) bool { return x.Kind == kind })
	if i < 0 {
		a.list = append(a.list, Alarm{Kind: kind})
		i = len(a.list) - 1
	}
	x := &a.list[i]
	x.Count++
	x.Last, x.What = a.now().UTC(), strings.ToValidUTF8(what[:min(len(what), maxWhat)], "")
	if a.path == "" {
		return nil
	}
	text, err := json.Marshal(a.list)
	if err != nil {
		return err
	}
	beside := a.path + ".new"
	if err := os.MkdirAll(filepath.Dir(a.path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(beside, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(beside, a.path)
}

func (a *alarms) all() []Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.list)
}

// alarm counts what a guard has met.
func (a *Agent) alarm(kind, what string) {
	a.log.Warn("alarm", "kind", kind, "what", what)
	if err := a.alarms.raise(kind, what); err != nil {
		a.log.Error("the alarm could not be kept", "cause", err)
	}
}

// alarmOf says which guard refused a request, if one did.
func alarmOf(err error) (kind string, is bool) {
	var again *terminal.LookalikeError
	switch {
	case errors.As(err, &again):
		return Repeated, true
	case errors.Is(err, terminal.ErrLimit), errors.Is(err, terminal.ErrCardLimit):
		return OverLimit, true
	case errors.Is(err, terminal.ErrBin), errors.Is(err, terminal.ErrBinOnline):
		return RefusedBin, true
	case errors.Is(err, terminal.ErrBlocked):
		return BlockedCard, true
	case errors.Is(err, supervisor.ErrDenied):
		return WrongPassword, true
	case errors.Is(err, supervisor.ErrLocked):
		return LockedOut, true
	}
	return "", false
}
