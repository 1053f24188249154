package scenario

import (
	"errors"
	"net"
	"time"
)

// Rig is a terminal with people, wires and an acquirer around it: everything that a story can touch. There are two: the
// simulated world, where time is virtual, and the bench of real processes or a board.
//
// A rig is made new for each run, with its power on and the terminal started, and is used by one goroutine, except that
// what On arms is called from wherever its event happens.
type Rig interface {
	// Able is nil where this rig can do the step, and otherwise an error that says what the step needs, wrapping
	// ErrUnable. It touches nothing. A story is asked about as a whole before its first step.
	Able(Step) error

	// Till opens a new connection to the terminal's local socket. It fails while the power is off. A power cut closes
	// every connection.
	Till() (net.Conn, error)

	// Hand is what a person or the world does to a machine; doc.go lists the words of each. It returns once it is done and
	// may be called from what On arms.
	Hand(who, what string) error

	// On arms one event: do is called once, exactly at it, before anything that follows from it. Bytes, messages and
	// commits are counted from this call on, and counting goes on over power cuts. Do may call CutPower and Hand and must
	// not wait: it may be running in the middle of what the terminal does. Events of the kinds Stage, Told and Elapsed never
	// come here; the runner sees to them.
	On(e Event, do func())

	// CutPower ends the terminal at this instant: from here on it changes nothing on any wire, disk or paper. It returns
	// at once, and leaves what must be waited for to RestorePower. Without power it does nothing. The other machines have
	// power of their own.
	CutPower()

	// Powered tells whether the terminal has power.
	Powered() bool

	// RestorePower starts the terminal on the files that the cut left, and returns when its socket answers. With power on
	// it does nothing. If the power fails again before the socket answers, which what On arms may do, that is no error.
	RestorePower() error

	// Wait lets that much of the rig's time pass.
	Wait(time.Duration) error

	// Patience is the time in which everything that is owed must be finished once nothing stands in the way, and in which
	// whatever a story waits for must happen.
	Patience() time.Duration

	// Lag is how long this rig may take to do what a story's time has room for. In virtual time nothing takes any. On a bench
	// the machines compute, and perhaps beside other programs: what is expected is looked for again for so long, and what
	// was due in a wait is waited for.
	Lag() time.Duration

	// Heal ends every fault of every machine and wire: lines are whole and plugged in, there is paper in the printer, no
	// card lies on the reader, the acquirer does as it should. Clocks stay as they are. Power is not its concern.
	Heal() error

	// Books reads both sides' books and the paper. Power must be on.
	Books() (Books, error)

	// Secrets are the card data and keys of this rig's world, as far as there are any yet: PIN blocks and working keys are made
	// on the way.
	Secrets() Secrets

	// Leaks searches for them whatever the run has left where people or files keep it: logs, traces, slips, the store's
	// files. What goes through Till the runner searches itself. Power must be on.
	Leaks() ([]string, error)

	// Steps counts what the world could have noticed of the terminal since the rig was made, by class (see Event.Class).
	// Classes are the bytes of each wire in each direction and each kind of commit: before it, inside it and after it.
	Steps() map[Event]int

	// Close ends everything and waits for it.
	Close() error
}

// ErrUnable is what Able wraps.
var ErrUnable = errors.New("this rig cannot do that")
