package simrig

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"posagent/firmware/scenario"
)

// Hand implements scenario.Rig. Machines take the words of their simulators. Of this rig's own:
//
//	line down | up | drop         the network cable is pulled, put back; its connections are broken
//	wire WHICH unplug | plug      the adapter is gone, with every line that is open; it is back, as another tty
//	wire WHICH replug             both at once
//	wire WHICH stall TIME         nothing arrives at either end for so long
//	wire WHICH lose|double|flip|split N    so many chunks in ten thousand, both ways, until "clean"
//	wire WHICH late N TIME        so many in ten thousand come late, by up to TIME
//	wire WHICH clean
//	clock +TIME | -TIME           the terminal's wall clock is set
//	case open | closed | serviced  its case, where it has a switch there
//	supply failing | steady       its supply warns, where it can
//
// WHICH is reader, scanner, pinpad, printer or modem; the line can only be stalled.
func (w *World) Hand(who, what string) error {
	w.saw("hand", "%s %s", who, what)
	if name := faultName(who, what); name != "" {
		w.mu.Lock()
		if !w.healing {
			w.happened[name]++
		}
		w.mu.Unlock()
	}
	var err error
	switch who {
	case "reader":
		w.toldReader(what)
		_, err = w.card.Command(what)
	case "scanner":
		if what, err = w.showCode(what); err == nil {
			_, err = w.scan.Command(what)
		}
	case "pinpad":
		if w.pad == nil {
			return errNoPad
		}
		_, err = w.pad.Command(what)
	case "printer":
		_, err = w.paper.Command(what)
	case "modem":
		_, err = w.phone.Command(what)
	case "acquirer":
		_, err = w.acquirer.Command(what)
	case "case":
		err = w.caseCommand(what)
	case "supply":
		err = w.supplyCommand(what)
	case "line":
		err = w.network.command(what)
	case "wire":
		err = w.wireCommand(strings.Fields(what))
	case "clock":
		var d time.Duration
		if d, err = time.ParseDuration(what); err == nil {
			w.mu.Lock()
			w.clock += d
			w.mu.Unlock()
		}
	default:
		err = fmt.Errorf("%w: nobody is called %q", scenario.ErrUnable, who)
	}
	return err
}

var errNoPad = errors.New("this terminal has no PIN pad")

var errWire = errors.New("wire wants reader, scanner, pinpad, printer, modem or line, and then unplug, plug, replug, stall TIME, lose N, double N, flip N, split N, late N TIME or clean")

func (w *World) wireCommand(words []string) error {
	if len(words) < 2 {
		return errWire
	}
	if words[0] == "line" {
		return w.network.wireCommand(words[1:])
	}
	p, known := map[string]*port{"reader": w.reader, "scanner": w.scanner, "pinpad": w.pinpad, "printer": w.printer, "modem": w.modem}[words[0]]
	if !known {
		return errWire
	}
	if p == nil {
		return errNoPad
	}
	switch verb, rest := words[1], words[2:]; verb {
	case "unplug", "plug":
		p.plug(verb == "plug")
		return nil
	case "replug":
		p.plug(false)
		p.plug(true)
		return nil
	case "stall":
		d, err := duration(rest)
		if wire := p.newest(); err == nil && wire != nil {
			wire.Stall(d)
		}
		return err
	case "clean":
		p.suffer(Faults{}, Faults{})
		w.smudge(p, false)
		return nil
	default:
		f, err := faultsOf(verb, rest)
		if err == nil {
			w.smudge(p, f.Lose+f.Double+f.Flip > 0)
			p.suffer(f, f)
		}
		return err
	}
}

// smudge notes which slips were printed while the printer's line lost or changed bytes. ESC/POS has no checksum, so nobody
// can hold the terminal to what stands on them. Those of which bytes still wait, in a printer that is held on or on the wire, are
// among them: a cut that came twice may make two pieces of one.
func (w *World) smudge(p *port, noisy bool) {
	if p != w.printer {
		return
	}
	now := len(w.paper.Slips())
	last := now + w.paper.Waiting()
	if wire := p.newest(); wire != nil && wire.toFar.carries() {
		last++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.smudged); n > 0 && w.smudged[n-1][1] < 0 { // it was noisy until now
		w.smudged[n-1][1] = last
	}
	if noisy {
		w.smudged = append(w.smudged, [2]int{now, -1})
	}
}

// smudgedSlip reports whether the slip at a place of the pile was printed over a noisy line.
func (w *World) smudgedSlip(at int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.smudged, func(s [2]int) bool { return at >= s[0] && (at <= s[1] || s[1] < 0) })
}

func (n *network) wireCommand(words []string) error {
	if words[0] == "plug" || words[0] == "clean" {
		return n.command("up")
	}
	if words[0] != "stall" {
		return fmt.Errorf("%w: a network brings bytes whole and in order, or not at all", scenario.ErrUnable)
	}
	d, err := duration(words[1:])
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.wires {
		w.Stall(min(d, userTimeout/2)) // longer, and it would be a line that is down
	}
	return err
}

func faultsOf(verb string, rest []string) (f Faults, err error) {
	if len(rest) == 0 {
		return f, errWire
	}
	n, err := strconv.Atoi(rest[0])
	if err != nil || n < 0 || n > 10_000 {
		return f, fmt.Errorf("%q is no number of chunks in 10000", rest[0])
	}
	switch verb {
	case "lose":
		f.Lose = n
	case "double":
		f.Double = n
	case "flip":
		f.Flip = n
	case "split":
		f.Split = n
	case "late":
		f.Stall = n
		f.StallFor, err = duration(rest[1:])
	default:
		err = errWire
	}
	return f, err
}

func duration(words []string) (time.Duration, error) {
	if len(words) != 1 {
		return 0, errWire
	}
	d, err := time.ParseDuration(words[0])
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time such as 5s", words[0])
	}
	return d, nil
}

// Able implements scenario.Rig: this world can do everything that the language has words for, if its terminal has what is
// spoken of.
func (w *World) Able(s scenario.Step) error {
	one := scenario.Story{Steps: []scenario.Step{s}}
	switch {
	case w.pad == nil && one.Touches("pinpad"):
		return fmt.Errorf("%w: %w", scenario.ErrUnable, errNoPad)
	case w.switches == nil && (one.Touches("case") || one.Touches("supply")):
		return fmt.Errorf("%w: %w", scenario.ErrUnable, errNoLines)
	}
	switch s.Verb {
	case scenario.Present, scenario.Insert, scenario.Swipe:
		if w.o.Cards.Reader[s.Card].Name == "" {
			return fmt.Errorf("%w: no card is called %s", scenario.ErrUnable, s.Card)
		}
	}
	return nil
}

// Heal implements scenario.Rig.
func (w *World) Heal() error {
	w.mu.Lock()
	w.healing = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.healing = false
		w.mu.Unlock()
	}()
	orders := map[string][]string{
		"acquirer": {"fault none"},
		"reader":   {"nonsense off", "silent off", "tamper off", "memory refuses none", "at none", "remove", "remove"},
		"printer":  {"mute off", "nonsense off", "mingle off", "paper ok", "cover closed", "jam clear", "hot off", "held off", "broken off"},
		"modem":    {"ok", "echo on", "silent off", "nonsense off"},
		"scanner":  {"silent off", "remove"},
		"line":     {"up"},
		"wire":     {"reader plug", "scanner plug", "printer plug", "modem plug", "reader clean", "scanner clean", "printer clean", "modem clean"},
	}
	if said, err := w.paper.Command("status"); err != nil || strings.Contains(said, "silent") {
		orders["printer"] = append([]string{"silent off"}, orders["printer"]...) // it forgets what it held
	}
	if w.pad != nil {
		orders["pinpad"] = []string{"on", "pin given"}
		orders["wire"] = append(orders["wire"], "pinpad plug", "pinpad clean")
	}
	if w.switches != nil {
		orders["case"], orders["supply"] = []string{"closed"}, []string{"steady"}
	}
	for _, who := range []string{"acquirer", "reader", "scanner", "pinpad", "printer", "modem", "line", "wire", "case", "supply"} {
		for _, what := range orders[who] {
			if err := w.Hand(who, what); err != nil {
				return fmt.Errorf("%s %s: %w", who, what, err)
			}
		}
	}
	w.service()
	return nil
}
