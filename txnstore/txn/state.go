package txn

// State is where a transaction stands. It is written to disk as its name, never as a number, so that a record stays
// readable across versions.
type State string

const (
	Pending    State = "pending"    // durable here; its request may have reached the acquirer
	Abandoned  State = "abandoned"  // not one byte of the request left: nothing happened
	Declined   State = "declined"   // the acquirer refused
	Authorized State = "authorized" // the acquirer approved; the card has still to confirm
	Approved   State = "approved"   // the money is held for the merchant
	Reversing  State = "reversing"  // decided to be undone; the acquirer has not said that it is
	Reversed   State = "reversed"   // the acquirer has undone it
	Suspense   State = "suspense"   // neither side can prove what happened: people must look
	Resolved   State = "resolved"   // people closed it, with evidence
	Advising   State = "advising"   // decided; the acquirer is told until it has answered
)

// Duty is what a state owes before the terminal may rest.
type Duty int

const (
	Nothing Duty = iota // closed
	Reverse             // undo at the acquirer
	Repeat              // tell the acquirer again until it acknowledges
	Human               // no machine can settle it
)

// States lists every state in the order of a transaction's life.
var states = [...]State{Pending, Abandoned, Declined, Authorized, Approved, Reversing, Reversed, Suspense, Resolved, Advising}

// States returns every legal state, for tables and tests that must be total.
func States() []State { return append([]State(nil), states[:]...) }

// Valid reports whether s is a state this version knows.
func (s State) Valid() bool {
	for _, known := range states {
		if s == known {
			return true
		}
	}
	return false
}

// CanBecome reports whether a record in s may be advanced to next. Anything not drawn in the package's picture is
// refused; a state never becomes itself.
func (s State) CanBecome(next State) bool {
	switch s {
	case Pending:
		return next == Abandoned || next == Declined || next == Authorized || next == Approved || next == Reversing
	case Authorized:
		return next == Approved || next == Reversing
	case Reversing:
		return next == Reversed || next == Suspense
	case Suspense:
		return next == Reversed || next == Resolved
	case Advising:
		return next == Approved || next == Declined || next == Abandoned || next == Suspense
	default:
		return false
	}
}

// Owes says what the terminal must still do for a record in s. It is total: a state this version does not know is a
// matter for people, never something to forget.
func (s State) Owes() Duty {
	switch s {
	case Pending, Authorized, Reversing:
		return Reverse
	case Advising:
		return Repeat
	case Abandoned, Declined, Approved, Reversed, Resolved:
		return Nothing
	default:
		return Human
	}
}

// Open reports whether s is in the middle of an exchange: not closed, and not waiting for people.
func (s State) Open() bool {
	duty := s.Owes()
	return duty == Reverse || duty == Repeat
}

// String names the duty for logs and screens.
func (d Duty) String() string {
	switch d {
	case Nothing:
		return "nothing"
	case Reverse:
		return "reverse"
	case Repeat:
		return "repeat"
	default:
		return "human"
	}
}
