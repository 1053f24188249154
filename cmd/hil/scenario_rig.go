package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"posagent/device/devicetest"
	"posagent/firmware/scenario"
)

// The bench's clock runs haste times as fast as a story's: its terminal's patience is so many times shorter, and so is
// every time in a story. What then still takes longer than longest needs virtual time.
const (
	haste   = 3
	longest = time.Minute
)

// The acquirer's answer comes too late by so much more than in the story: which of two things comes first must not hang on a
// machine that stands still for a moment.
const tooLate = 4 * time.Second

// storyAnswer is how long a story's terminal waits for an answer.
const storyAnswer = 30 * time.Second

// processRig plays stories on real processes: the terminal's program, and the simulators as programs of their own.
type processRig struct {
	*rig
	ctx     context.Context
	powered atomic.Bool

	showing sync.Mutex // guards what is below once stories are played
	secrets scenario.Secrets
	shown   []string // payment codes, by their names in stories
}

var _ scenario.Rig = (*processRig)(nil)

// newProcessRig starts everything.
func newProcessRig(ctx context.Context, p places, sealed bool) (*processRig, error) {
	r, err := setUp(p, settings{Bearers: []string{"tcp", "dial"}, Answer: storyAnswer / haste, Guard: 20 * time.Millisecond,
		Retry: time.Second, Lookalike: 5 * time.Minute / haste, CardWait: 30 * time.Second / haste, Tap: true, Adapters: true, Sealed: sealed})
	s := &processRig{rig: r, ctx: ctx}
	if err == nil {
		err = s.learnSecrets()
	}
	if err == nil {
		err = s.RestorePower()
	}
	if err != nil && r != nil {
		r.tearDown()
	}
	return s, err
}

func (r *processRig) learnSecrets() error {
	cards, err := devicetest.LoadCards(r.cards)
	if err != nil {
		return err
	}
	for name, card := range cards {
		r.secrets.AddCard(name, card.PAN, card.PAN+"="+card.Expiry+card.Service)
	}
	return r.learnKey("the terminal's master key", "tmk.key")
}

func (r *processRig) learnKey(name, file string) error {
	text, err := os.ReadFile(r.at(file))
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	r.secrets.AddKey(name, key)
	return err
}

// hurried is a story in the bench's time.
func hurried(s scenario.Story) scenario.Story {
	s.Steps = slices.Clone(s.Steps)
	for i := range s.Steps {
		step := &s.Steps[i]
		step.Time, step.On.Time = step.Time/haste, step.On.Time/haste
		if step.Verb == scenario.Hand && step.Who == "acquirer" {
			words := strings.Split(step.What, " ")
			for w := range words {
				if d, err := time.ParseDuration(words[w]); err == nil && w > 0 && (words[w-1] == "late" || words[w-1] == "slow") {
					hurried := d / haste
					if d > storyAnswer {
						hurried += tooLate
					}
					words[w] = hurried.String()
				}
			}
			step.What = strings.Join(words, " ")
		}
	}
	return s
}

func unable(needs string) error { return fmt.Errorf("%w: it needs %s", scenario.ErrUnable, needs) }

// Able says what only a simulated world, or a board with the right cables, can do.
func (r *processRig) Able(s scenario.Step) error {
	switch s.On.Kind {
	case scenario.Before, scenario.Inside, scenario.After:
		return unable("a store that is watched (the knife cuts there: go test ./cmd/hil -run NoCut)")
	case scenario.CardRead, scenario.Printing:
		return unable("devices whose every deed is watched")
	case scenario.ByteTo, scenario.ByteFrom:
		if s.On.What != "line" {
			return unable("a tap on the serial line to the " + s.On.What)
		}
	}
	switch {
	case s.Time > longest || s.On.Time > longest:
		return unable("virtual time")
	case s.Verb == scenario.Hand && s.Who == "wire" && !ofAdapters(s.What):
		return unable("a wire between the processes that can be meddled with")
	case s.Verb == scenario.Hand && s.Who == "clock":
		return unable("a clock of the terminal's own")
	case s.Verb == scenario.Hand && s.Who == "pinpad":
		return unable("a terminal with a PIN pad")
	case s.Verb == scenario.Hand && (s.Who == "case" || s.Who == "supply"):
		return unable("a board with lines that a story can switch")
	}
	return nil
}

// ofAdapters knows what can be done to the wires of a bench of processes: the adapters at their near ends can be unplugged.
func ofAdapters(words string) bool {
	which, what, _ := strings.Cut(words, " ")
	return slices.Contains([]string{"reader", "scanner", "printer", "modem"}, which) && slices.Contains([]string{"unplug", "plug", "replug"}, what)
}

// ableAs looks at a story as a whole: only the network cable has a tap.
func ableAs(s scenario.Story) error {
	down := false
	for _, step := range s.Steps {
		if step.Verb == scenario.Hand && step.Who == "line" && !step.Armed() {
			down = step.What == "down"
		}
		if down && slices.Contains([]scenario.Kind{scenario.Send, scenario.Recv, scenario.SendByte, scenario.RecvByte, scenario.ByteTo, scenario.ByteFrom}, step.On.Kind) {
			return fmt.Errorf("%s:%d: %s: %w", s.Name, step.Line, step, unable("a tap on the telephone line"))
		}
	}
	return nil
}

// Till implements scenario.Rig.
func (r *processRig) Till() (net.Conn, error) {
	return net.DialTimeout("unix", r.at("agent.sock"), tellWithin)
}

// Hand implements scenario.Rig.
func (r *processRig) Hand(who, what string) error {
	switch {
	case who == "acquirer":
		_, err := r.tell("acquirer", what)
		return err
	case who == "wire":
		which, what, _ := strings.Cut(what, " ")
		return r.wire(which, what)
	case who == "scanner" && strings.HasPrefix(what, "show "):
		return r.show(strings.TrimPrefix(what, "show "))
	case who != "line":
		_, err := r.tell("devices", who+" "+what)
		return err
	case what == "down":
		r.cable.pull()
	case what == "up":
		r.cable.pull() // twice is no harm, and what listens already would be in the way
		return r.cable.replug()
	case what == "drop":
		r.cable.drop()
	default:
		return errors.New("line does not know that: use down, up or drop")
	}
	return nil
}

// show puts a payment code, by its story's name, before the scanner, and has it looked for from now on.
func (r *processRig) show(name string) error {
	digits, err := scenario.PayCode(name)
	if err != nil {
		return err
	}
	r.showing.Lock()
	if !slices.Contains(r.shown, name) {
		known := r.secrets.Clone()
		known.AddCode(name, digits)
		r.secrets, r.shown = known, append(r.shown, name)
	}
	r.showing.Unlock()
	_, err = r.tell("devices", "scanner show "+digits)
	return err
}

// On implements scenario.Rig.
func (r *processRig) On(e scenario.Event, do func()) { r.cable.tap.arm(e, do) }

// CutPower implements scenario.Rig. Nothing that the cable still holds goes on.
func (r *processRig) CutPower() {
	if r.powered.CompareAndSwap(true, false) {
		r.cutPower()
		r.cable.drop()
	}
}

// Powered implements scenario.Rig.
func (r *processRig) Powered() bool { return r.powered.Load() }

// RestorePower implements scenario.Rig.
func (r *processRig) RestorePower() error {
	if r.powered.Load() {
		return nil
	}
	r.powered.Store(true)
	err := r.boot(r.ctx)
	if !r.powered.Load() {
		return nil // it failed again meanwhile
	}
	if err == nil {
		err = r.learnKey("the store's key", "store.key")
	}
	return err
}

// Wait implements scenario.Rig.
func (r *processRig) Wait(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// Patience implements scenario.Rig.
func (r *processRig) Patience() time.Duration { return 4 * time.Minute }

// Lag implements scenario.Rig.
func (r *processRig) Lag() time.Duration { return 20 * time.Second }

// Heal implements scenario.Rig.
func (r *processRig) Heal() error {
	orders := []string{"scanner silent off", "scanner remove", "reader nonsense off", "reader silent off", "reader tamper off", "reader memory refuses none", "reader remove",
		"printer mute off", "printer nonsense off", "printer mingle off", "printer paper ok", "printer cover closed", "printer jam clear",
		"printer hot off", "printer held off", "printer broken off",
		"modem ok", "modem echo on", "modem silent off", "modem nonsense off"}
	said, err := r.tell("devices", "printer status")
	if err != nil {
		return err
	}
	if strings.Contains(said, "silent") {
		orders = append([]string{"printer silent off"}, orders...) // it forgets what it held
	}
	for _, order := range orders {
		if _, err := r.tell("devices", order); err != nil {
			return err
		}
	}
	for _, a := range r.adapters {
		err = errors.Join(err, a.plug())
	}
	return errors.Join(err, r.Hand("acquirer", "fault none"), r.Hand("line", "up"))
}

// Books implements scenario.Rig. A printer cuts after it has proven, and slips are drawn side by side, so paper is given a
// moment, and a roll that ends in the middle of a slip a shorter one.
func (r *processRig) Books() (scenario.Books, error) {
	for tries := 0; ; tries++ {
		b, err := r.openBooks(r.ctx)
		if err != nil {
			return b, err
		}
		drawn, whole, err := r.roll(len(b.Slips))
		if err != nil {
			return b, err
		}
		if len(scenario.Disagreements(b)) == 0 && drawn && (whole || tries >= 15) || tries == 50 {
			said, err := r.tell("acquirer", "seen")
			if err == nil {
				err = json.Unmarshal([]byte(said), &b.Seen)
			}
			return b, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// roll looks at the paper as it left the printer: whether each slip that was cut off is among so many, and whether the last
// one was cut off.
func (r *processRig) roll(slips int) (drawn, whole bool, err error) {
	text, err := os.ReadFile(r.at("paper/paper.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return slips == 0, true, nil
	}
	ends, last := 0, ""
	for line := range strings.Lines(string(text)) {
		if last = strings.TrimSpace(line); strings.HasPrefix(last, "-- ") && strings.HasSuffix(last, " --") {
			ends++
		}
	}
	return slips == ends, strings.HasPrefix(last, "-- "), err
}

// Secrets implements scenario.Rig.
func (r *processRig) Secrets() scenario.Secrets {
	r.showing.Lock()
	defer r.showing.Unlock()
	return r.secrets
}

// Leaks implements scenario.Rig: the terminal's log, the store's files and the paper.
func (r *processRig) Leaks() ([]string, error) {
	files := []string{r.at("posagent.log")}
	for _, pattern := range []string{"store/*", "paper/*.txt"} {
		more, err := filepath.Glob(r.at(pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	var found []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		found = append(found, r.Secrets().Find(filepath.Base(f), text)...)
	}
	return found, nil
}

// Steps implements scenario.Rig: processes are not counted, the knife cuts them at every system call instead.
func (r *processRig) Steps() map[scenario.Event]int { return nil }

// Close implements scenario.Rig.
func (r *processRig) Close() error {
	r.tearDown()
	return nil
}
