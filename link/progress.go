package link

import "fmt"

// Step is a part of an exchange that a waiting person may want to see.
type Step string

const (
	Dialling     Step = "dialling"
	NotConnected Step = "not connected" // this bearer failed; Err says why; the next is tried
	Connected    Step = "connected"
	Sending      Step = "sending"
	Sent         Step = "sent"
)

// Stage is one report of progress.
type Stage struct {
	Step   Step
	Bearer string
	Sent   int // bytes handed to the line
	Total  int // of how many
	Err    error
}

func (s Stage) String() string {
	switch s.Step {
	case Sent:
		return fmt.Sprintf("sent %d of %d bytes over %s", s.Sent, s.Total, s.Bearer)
	case Sending:
		return fmt.Sprintf("sending %d bytes over %s", s.Total, s.Bearer)
	case NotConnected:
		return fmt.Sprintf("%s not connected: %v", s.Bearer, s.Err)
	default:
		return fmt.Sprintf("%s %s", s.Step, s.Bearer)
	}
}
