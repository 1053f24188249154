package scenario

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"

	"posagent/firmware/agent"
	"posagent/txnstore/txn/words"
)

// request is one of the till's, on a connection of its own.
type request struct {
	op, reference string
	name          string // the story's
	conn          net.Conn
	ended         chan struct{} // closed at its end

	// Written before ended is closed.
	last []byte // the line that ended it
	lost string // why there is none

	shown []string // stages in order; guarded by play.mu
}

// end reads what ended the request, once that has happened. It is not read when it comes, because of most requests of a random
// world nobody wants to know.
func (q *request) end() (words.Outcome, agent.Event) {
	if q.lost != "" {
		return Lost, agent.Event{Error: q.lost}
	}
	var e agent.Event
	if err := json.Unmarshal(q.last, &e); err != nil {
		return Lost, agent.Event{Error: fmt.Sprintf("a line to the till cannot be read: %v", err)}
	}
	return e.Outcome, e
}

// watch is a deed that waits until a till is shown a stage, or told an outcome.
type watch struct {
	kind Kind
	what string
	left int // times, this one included
	meet func()
}

// ask makes a request, and waits for its end if it is told to. A till whose terminal has no power is told so by its end.
func (p *play) ask(s Step, wait bool) error {
	q := &request{op: s.Op, name: s.Name, ended: make(chan struct{})}
	p.mu.Lock()
	ask, err := p.writtenLocked(s, q)
	if err != nil {
		p.mu.Unlock()
		return err
	}
	p.requests = append(p.requests, q)
	p.mu.Unlock()
	line, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if wait {
		p.converse(q, line, p.buffer[:])
	} else {
		go p.converse(q, line, make([]byte, lineLikely))
	}
	return nil
}

// writtenLocked is the request in the socket's words.
func (p *play) writtenLocked(s Step, q *request) (agent.Request, error) {
	ask := agent.Request{Op: s.Op, Amount: s.Amount, Again: s.Again, AuthCode: s.Auth, Print: s.Printed, Scan: s.Scanned}
	earlier := p.meantLocked(s.Of)
	d, is := dealOf(s.Op)
	if earlier == nil && (s.Of != "" || d.of) {
		return ask, fmt.Errorf("no sale before this line is named %s", cmp.Or(s.Of, "anything"))
	}
	switch {
	case is && s.Name == "":
		p.numbered++
		q.reference = fmt.Sprintf("till-%d", p.numbered)
	case is:
		q.reference = s.Name
	case s.Of != "":
		q.reference = earlier.reference
	}
	ask.Reference = q.reference
	if d.by {
		ask.Supervisor = cmp.Or(s.By, supervisor)
		if s.By == nobody {
			ask.Supervisor = ""
		}
	}
	switch {
	case s.ByCode:
		slip := p.toldLocked(earlier.reference)
		if slip == nil {
			return ask, fmt.Errorf("the till was never told an authorisation code of %s", earlier.reference)
		}
		ask.OriginalAuth, ask.OriginalDate = slip.AuthCode, slip.HostDate
		ask.Amount = cmp.Or(s.Amount, slip.Amount) // what is let go is let go as a whole
	case d.of:
		ask.OriginalReference = earlier.reference
	}
	return ask, nil
}

// toldLocked is what the till was told of an approved transaction: what stands on its slip.
func (p *play) toldLocked(reference string) *agent.Record {
	for _, q := range p.requests {
		select {
		case <-q.ended:
			if q.reference != reference {
				continue
			}
			if _, e := q.end(); e.Txn != nil && e.Txn.AuthCode != "" {
				return e.Txn
			}
		default:
		}
	}
	return nil
}

// lineLikely is how long a line to the till hardly ever is.
const lineLikely = 4096

// converse is one request from its first byte to its end. Lines are read into the buffer.
func (p *play) converse(q *request, line, buffer []byte) {
	defer close(q.ended)
	conn, err := p.rig.Till()
	if err != nil {
		q.lost = err.Error()
		return
	}
	defer conn.Close()
	p.mu.Lock()
	q.conn = conn
	p.mu.Unlock()
	if _, err := conn.Write(line); err != nil {
		q.lost = err.Error()
		return
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(buffer, agent.MaxLine)
	for lines.Scan() {
		if p.heard(q, lines.Bytes()) {
			return
		}
	}
	q.lost = fmt.Sprint("the terminal went away: ", lines.Err())
}

// heard takes one line, and reports whether it ended the request.
func (p *play) heard(q *request, line []byte) bool {
	leaks := p.rig.Secrets().Find("a line to the till", line)
	stage, goesOn := stageIn(line)
	if !goesOn {
		q.last = bytes.Clone(line)
	}
	p.mu.Lock()
	p.leaks = append(p.leaks, leaks...)
	var meet []func()
	switch {
	case goesOn && (len(q.shown) == 0 || q.shown[len(q.shown)-1] != string(stage)):
		q.shown = append(q.shown, string(stage))
		meet = p.metLocked(Stage, string(stage))
	case !goesOn && len(p.watches) > 0:
		outcome, _ := q.end()
		meet = p.metLocked(Told, string(outcome))
	}
	p.mu.Unlock()
	for _, do := range meet {
		do()
	}
	return !goesOn
}

// How the agent writes a stage, of which only the name is of interest here, and many are shown.
const (
	stageEvent = `{"event":"stage"`
	stageName  = `,"stage":"`
)

// stageIn finds the name of a stage, if it has one. Any other line is the last one, what cannot be read too.
func stageIn(line []byte) (stage []byte, is bool) {
	rest, is := bytes.CutPrefix(line, []byte(stageEvent))
	if !is || !bytes.HasSuffix(line, []byte("}")) {
		return nil, false
	}
	if name, named := bytes.CutPrefix(rest, []byte(stageName)); named {
		stage, _, is = bytes.Cut(name, []byte(`"`))
	}
	return stage, is
}

// metLocked takes out the watches that a stage or an outcome ends.
func (p *play) metLocked(kind Kind, what string) []func() {
	var meet []func()
	p.watches = slices.DeleteFunc(p.watches, func(w *watch) bool {
		if w.kind != kind || w.what != what {
			return false
		}
		if w.left--; w.left == 0 {
			meet = append(meet, w.meet)
		}
		return w.left == 0
	})
	return meet
}

// cancel presses the key at the till whose request is in progress.
func (p *play) cancel() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.requests) - 1; i >= 0; i-- {
		q := p.requests[i]
		select {
		case <-q.ended:
		default:
			if q.conn != nil {
				go func() { _, _ = q.conn.Write([]byte("{\"op\":\"cancel\"}\n")) }()
				return nil
			}
		}
	}
	return errors.New("no request is in progress; write it below one, as in \"cancel on stage present-card\"")
}

// answered waits for requests that were made at an event. Each ends: by the terminal's own timers, or with its power.
func (p *play) answered() error {
	p.mu.Lock()
	made := slices.Clone(p.requests[p.awaited:])
	p.awaited = len(p.requests)
	p.mu.Unlock()
	for _, q := range made {
		<-q.ended
	}
	return nil
}

// supervisor is who allows what takes money back at the story's till, unless the story names somebody, or nobody.
const (
	supervisor = "00"
	nobody     = "nobody"
)

// meantLocked finds a transaction by its name; empty and "last" are the newest.
func (p *play) meantLocked(name string) *request {
	for i := len(p.requests) - 1; i >= 0; i-- {
		if q := p.requests[i]; isDeal(q.op) && (name == "" || name == "last" || q.name == name) {
			return q
		}
	}
	return nil
}
