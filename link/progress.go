package link

import (
	"context"
	"fmt"
	"time"
)

// Step is a part of an exchange that a waiting person may want to see.
type Step string

const (
	Dialling     Step = "dialling"
	NotConnected Step = "not connected" // this bearer failed; Err says why; the next is tried
	Connected    Step = "connected"
	Sending      Step = "sending"
	Sent         Step = "sent"

	// Parts of a dial, told when they have succeeded.
	Resolved Step = "resolved" // the address of a name is known
	Opened   Step = "opened"   // the modem's line is open and it answers
	Attached Step = "attached" // the modem is in the network, and has an address there
	Reached  Step = "reached"  // the far end has taken the connection or the call
	Secured  Step = "secured"  // both ends have proven who they are, and what follows is sealed
)

type reportKey struct{}

// Report is for dialers: it tells whoever follows the dial that a part of it has succeeded, and how long it took.
func Report(ctx context.Context, part Step, since time.Time) { report(ctx, part, time.Since(since)) }

func report(ctx context.Context, part Step, took time.Duration) {
	if tell, followed := ctx.Value(reportKey{}).(func(Step, time.Duration)); followed {
		tell(part, took)
	}
}

// Stage is one report of progress.
type Stage struct {
	Step   Step
	Bearer string
	Sent   int // bytes handed to the line
	Total  int // of how many
	Err    error

	Took time.Duration // a part of a dial, and a whole one
}

func (s Stage) String() string {
	switch s.Step {
	case Sent:
		return fmt.Sprintf("sent %d of %d bytes over %s", s.Sent, s.Total, s.Bearer)
	case Sending:
		return fmt.Sprintf("sending %d bytes over %s", s.Total, s.Bearer)
	case NotConnected:
		return fmt.Sprintf("%s not connected: %v", s.Bearer, s.Err)
	case Resolved, Opened, Attached, Reached, Secured:
		return fmt.Sprintf("%s %s after %s", s.Bearer, s.Step, s.Took.Round(time.Millisecond))
	default:
		return fmt.Sprintf("%s %s", s.Step, s.Bearer)
	}
}
