package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"posagent/firmware/terminal"
	"posagent/link/acquirer"
)

// An acquirer may set a few of the values that the configuration states. The configuration stays the base, and says by key
// which of them may be set; every other parameter is recorded and shown, and changes nothing. A set takes the place of the one
// before it as a whole: what it leaves out is as the configuration says again.

// The keys that a downloaded parameter can set.
const (
	SetsAnswer  = "acquirer.answer"
	SetsResends = "acquirer.reversal_tries"
	SetsName    = "terminal.name"
)

// Settable lists them, for who judges a configuration.
func Settable() []string { return []string{SetsAnswer, SetsResends, SetsName} }

// Bounds of what is believed of a downloaded answer time: below the first no reversal would ever have its answer in time on a
// telephone line, above the other a customer walks away (setup ranges of published terminals).
const (
	leastAnswer = 20 * time.Second
	mostAnswer  = 90 * time.Second
)

// ParametersFile is the name under which Files keeps the set.
const ParametersFile = "parameters"

// ParameterSet is what the acquirer has sent, as it lies on disk.
type ParameterSet struct {
	Origin
	Parameters acquirer.Parameters `json:"parameters"`
}

// Use is what becomes of a parameter.
type Use string

// Uses of a parameter.
const (
	InForce  Use = "in force"
	Recorded Use = "recorded" // this version, or the configuration, does not take it over
	Refused  Use = "refused"  // it may be set, and not to that
)

// ParameterUse is one parameter with what becomes of it.
type ParameterUse struct {
	acquirer.Parameter
	Name string `json:"name"`
	Use  Use    `json:"use"`
	Key  string `json:"key,omitempty"` // of the configuration
	Why  string `json:"why,omitempty"`
}

// ReadParameters reads the set that is kept. Without one the error wraps fs.ErrNotExist.
func ReadParameters(f Files) (ParameterSet, error) {
	var set ParameterSet
	content, err := f.Read(ParametersFile)
	if err == nil {
		err = openFile(ParametersFile, content, &set)
	}
	if err == nil && len(set.Parameters) == 0 {
		err = fmt.Errorf("%w: there are no parameters in it", errDamaged)
	}
	return set, err
}

// Keep makes the set the one that is read from now on, whole or not at all.
func (s ParameterSet) Keep(f Files) error {
	content, err := sealFile(ParametersFile, s)
	if err != nil {
		return err
	}
	return f.Keep(ParametersFile, content)
}

// Uses says what becomes of each parameter where those keys of the configuration may be set.
func (s ParameterSet) Uses(may []string) []ParameterUse {
	var uses []ParameterUse
	for _, p := range s.Parameters {
		u := ParameterUse{Parameter: p, Name: p.Name(), Use: Recorded}
		if u.Key = keyOf(p.Tag); u.Key != "" {
			why := wrongValue(p)
			switch {
			case !slices.Contains(may, u.Key):
				u.Why = "the configuration keeps " + u.Key
			case why != nil:
				u.Use, u.Why = Refused, why.Error()
			default:
				u.Use = InForce
			}
		}
		uses = append(uses, u)
	}
	return uses
}

func keyOf(tag string) string {
	switch tag {
	case acquirer.ParameterAnswer:
		return SetsAnswer
	case acquirer.ParameterResends:
		return SetsResends
	case acquirer.ParameterMerchant:
		return SetsName
	}
	return ""
}

// wrongValue judges one that may be set.
func wrongValue(p acquirer.Parameter) error {
	switch n, _ := strconv.Atoi(p.Value); {
	case p.Tag == acquirer.ParameterAnswer && (time.Duration(n)*time.Second < leastAnswer || time.Duration(n)*time.Second > mostAnswer):
		return fmt.Errorf("want %d to %d seconds", leastAnswer/time.Second, mostAnswer/time.Second)
	case p.Tag == acquirer.ParameterMerchant && p.Value == "":
		return errors.New("a slip needs a name")
	}
	return nil
}

// values are those that a set may change.
type values struct {
	answer time.Duration
	tries  int
	name   string
}

func (o Options) values() values {
	return values{o.Answer, o.ReversalTries, o.Layout.MerchantName}
}

// with lays a set over the configuration.
func (o Options) with(s ParameterSet) values {
	v := o.values()
	for _, u := range s.Uses(o.Settable) {
		if u.Use != InForce {
			continue
		}
		n, _ := strconv.Atoi(u.Value)
		switch u.Key {
		case SetsAnswer:
			v.answer = time.Duration(n) * time.Second
		case SetsResends:
			v.tries = n + 1 // the first is no resend
		case SetsName:
			v.name = u.Value
		}
	}
	return v
}

// openParameters lays the set that is kept over the configuration, before anything runs. One that cannot be read, or is
// another terminal's, leaves the configuration in force and is asked for again.
func (a *Agent) openParameters() values {
	if a.wires.Files == nil {
		return a.o.values()
	}
	set, err := ReadParameters(a.wires.Files)
	if err == nil && (set.Terminal != a.o.Terminal || set.Merchant != a.o.Merchant) {
		err = fmt.Errorf("the parameters that are kept are those of terminal %s, merchant %s", set.Terminal, set.Merchant)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a.o.values()
	case err != nil:
		a.log.Error("the downloaded parameters are not in force, and will be asked for again", "cause", err)
		a.orders.want(orderParameters, time.Now())
		return a.o.values()
	}
	a.set = set
	a.log.Info("parameters in force", "since", set.Since, "from", set.Acquirer, "parameters", len(set.Parameters))
	return a.o.with(set)
}

// fetchParameters downloads a set, makes it durable, takes it over, and tells the acquirer, in this order: power lost before
// the second leaves the old set and an order that stands, power lost after it the new one.
func (a *Agent) fetchParameters(ctx, running context.Context) error {
	if a.wires.Files == nil {
		return errNowhere
	}
	parameters, sent, err := a.host.FetchParameters(ctx)
	if err != nil {
		return err
	}
	set := ParameterSet{Origin: a.origin(sent), Parameters: parameters}
	if err := set.Keep(a.wires.Files); err != nil {
		return fmt.Errorf("the parameters could not be kept, and the old ones stay in force: %w", err)
	}
	if err := a.takeOver(running, set); err != nil {
		return err
	}
	return a.host.EndParameters(ctx)
}

// takeOver waits for the transaction in progress.
func (a *Agent) takeOver(ctx context.Context, set ParameterSet) error {
	v := a.o.with(set)
	err := a.terminal.Revise(ctx, func(o *terminal.Options) {
		if v.tries > 0 {
			o.ReversalTries = v.tries
		}
		a.paper.layout.MerchantName = v.name
		a.line.Allow(v.answer)
	})
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.set = set
	a.mu.Unlock()
	for _, u := range set.Uses(a.o.Settable) {
		a.log.Info("parameter", "tag", u.Tag, "name", u.Name, "value", u.Value, "use", string(u.Use), "why", u.Why)
		if u.Use == Refused {
			a.alarm(OddParameter, fmt.Sprintf("%s (tag %s) is %q: %s", u.Name, u.Tag, u.Value, u.Why))
		}
	}
	a.log.Info("parameters in force", "since", set.Since, "from", set.Acquirer, "parameters", len(set.Parameters))
	return nil
}

// tellStatus uploads the terminal's state, with the values in force.
func (a *Agent) tellStatus(ctx context.Context) error {
	a.mu.Lock()
	set := a.set
	a.mu.Unlock()
	v := a.o.with(set)
	told := acquirer.Parameters{
		{Tag: "11", Value: "60"}, // the application of this header: card payment
		{Tag: acquirer.ParameterAnswer, Value: fmt.Sprintf("%02d", min(int(v.answer/time.Second), 99))},
		{Tag: acquirer.ParameterResends, Value: strconv.Itoa(min(max(v.tries-1, 0), 9))},
	}
	for _, p := range set.Parameters {
		if _, there := told.Get(p.Tag); !there {
			told = append(told, p)
		}
	}
	return a.host.TellState(ctx, acquirer.State{Parameters: told, Hours: int(time.Since(a.started) / time.Hour),
		Dials: int(a.dials.Load()), Connected: int(a.connected.Load())})
}
