package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Commands and reports of the SIMCom A7600 Series TCPIP Application Note, V1.00 (2020-06-19): chapter 2.1 and the
// examples of chapter 3. AT+CGAUTH is 27.007's, 10.1.31, in SIMCom's order of password and user.
const (
	simcomContext = `AT+CGDCONT=1,"IP",` // 3.1.2
	simcomAuth    = "AT+CGAUTH=1,2,"     // CHAP
	simcomActive  = "AT+NETOPEN?"        // 1.5.2
	simcomOn      = "AT+NETOPEN"         // 3.1.3
	simcomOff     = "AT+NETCLOSE"        // 3.1.4
	simcomManual  = "AT+CIPRXGET=1"      // 3.2.2
	simcomFetch   = "AT+CIPRXGET=2,0,1500"
	simcomPlain   = "AT+CIPMODE=0" // 1.6: not transparent
	simcomOpen    = `AT+CIPOPEN=0,"TCP"`
	simcomState   = "AT+CIPOPEN?" // 3.4.3
	simcomSend    = "AT+CIPSEND=0,"
	simcomCount   = "AT+CIPACK=0"
	simcomClosed  = "AT+CIPCLOSE?"
	simcomShut    = "AT+CIPCLOSE=0"
	simcomPiece   = 1460
	simcomRead    = 1500
)

type simcom struct{}

// follows: "+CIPRXGET: 2,<link>,<read>,<rest>" is followed by what was read.
func (simcom) follows(line string) int {
	rest, is := strings.CutPrefix(line, "+CIPRXGET:")
	if !is {
		return 0
	}
	all := fields(rest)
	mode, _ := whole(all, 0)
	if n, ok := whole(all, 2); ok && len(all) == 4 && mode == 2 && n > 0 && n <= simcomRead {
		return n
	}
	return 0
}

// report: chapter 1.6, 2 and chapter 4.2.
func (simcom) report(line string) event {
	switch {
	case line == "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY":
		return event{allLost, "the network took the data connection away"}
	case line == "*ATREADY: 1" || line == "PB DONE" || line == "NORMAL POWER DOWN" || line == "+SIMCARD: NOT AVAILABLE":
		return event{allLost, "the modem has started anew, or lost its card (" + line + ")"}
	case strings.HasPrefix(line, "+IPCLOSE:"):
		all := fields(strings.TrimPrefix(line, "+IPCLOSE:"))
		if n, ok := whole(all, 0); ok && n == 0 {
			return event{farEndClosed, "closed by " + closedBy(all)}
		}
		return event{kind: harmless}
	case strings.HasPrefix(line, "+CIPRXGET:"):
		all := fields(strings.TrimPrefix(line, "+CIPRXGET:"))
		mode, _ := whole(all, 0)
		if n, ok := whole(all, 1); ok && mode == 1 && len(all) == 2 {
			if n == 0 {
				return event{kind: dataWaits}
			}
			return event{kind: harmless}
		}
	}
	return event{}
}

func closedBy(all []string) string {
	switch reason, _ := whole(all, 1); reason {
	case 0:
		return "this end"
	case 1:
		return "the far end"
	default:
		return "the modem: nothing it sent was acknowledged"
	}
}

func (s simcom) attach(ctx context.Context, c *chat, o *CellularOpts, fresh bool) error {
	a, err := c.ask(ctx, query{line: simcomActive, wait: o.Attach})
	if err != nil {
		return err
	}
	line, _ := a.line("+NETOPEN:")
	if open, _ := whole(fields(line), 0); open == 1 && !fresh {
		return s.manual(ctx, c)
	}
	if _, err := c.ask(ctx, query{line: simcomOff, wait: o.Attach, result: "+NETCLOSE:"}); err != nil && !errors.Is(err, ErrRefused) {
		return err
	}
	set := []string{simcomPlain, fmt.Sprintf("%s%q", simcomContext, o.APN)}
	if o.User != "" || o.Secret != "" {
		set = append(set, fmt.Sprintf("%s%q,%q", simcomAuth, o.Secret, o.User))
	}
	for _, line := range set {
		if _, err := c.ask(ctx, query{line: line, wait: queryWait}); err != nil {
			return fmt.Errorf("%w: %w", ErrNoContext, hide(err, line, line[:strings.IndexByte(line, '=')]))
		}
	}
	a, err = c.ask(ctx, query{line: simcomOn, wait: o.Attach, result: "+NETOPEN:"})
	if err != nil {
		if words, told := a.line("+IP ERROR:"); told {
			err = errors.New(words)
		}
		return fmt.Errorf("%w: %w", ErrNoContext, err)
	}
	if line, _ = a.line("+NETOPEN:"); line != "0" {
		return fmt.Errorf("%w: error %s, %s", ErrNoContext, line, simcomMeaning(line))
	}
	return s.manual(ctx, c)
}

// manual asks for received data to wait, and closes the connection of a process that died.
func (s simcom) manual(ctx context.Context, c *chat) error {
	if _, err := c.ask(ctx, query{line: simcomManual, wait: queryWait}); err != nil {
		return err
	}
	a, err := c.ask(ctx, query{line: simcomClosed, wait: queryWait})
	if err != nil {
		return err
	}
	line, _ := a.line("+CIPCLOSE:")
	if open, _ := whole(fields(line), 0); open == 1 {
		return s.shut(ctx, c)
	}
	return nil
}

func (s simcom) open(ctx context.Context, c *chat, host, port string, within time.Duration) error {
	line := fmt.Sprintf("%s,%q,%s", simcomOpen, host, port)
	a, err := c.ask(ctx, query{line: line, wait: within, result: "+CIPOPEN: 0,"})
	code, told := a.line("+CIPOPEN: 0,")
	switch {
	case told && code == "0" && err == nil:
		return nil
	case told:
		err = fmt.Errorf("%w: error %s, %s", ErrUnreachable, code, simcomMeaning(code))
	case errors.Is(err, ErrUnanswered), errors.Is(err, ErrRefused):
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	default:
		return err
	}
	return errors.Join(err, s.shut(ctx, c))
}

func (simcom) most() int { return simcomPiece }

// send. "+CIPSEND: <link>,<asked>,<taken>" says how much the modem took: nothing while its buffer is full, -1 once the
// connection is gone.
func (s simcom) send(ctx context.Context, c *chat, p []byte, within time.Duration) (int, error) {
	given := 0
	for deadline := time.Now().Add(within); ; {
		a, err := c.ask(ctx, query{line: fmt.Sprintf("%s%d", simcomSend, len(p)-given), wait: max(time.Until(deadline), time.Millisecond),
			payload: p[given:], result: "+CIPSEND:"})
		if err != nil {
			if code, told := a.line("+CIPERROR:"); told {
				err = fmt.Errorf("%w: error %s, %s", ErrLost, code, simcomMeaning(code))
			}
			return given + a.given, err
		}
		line, _ := a.line("+CIPSEND:")
		taken, ok := whole(fields(line), 2)
		switch {
		case !ok || taken > len(p)-given:
			return given + a.given, fmt.Errorf("%w: it took %.40q", ErrGarbage, line)
		case taken < 0:
			return given + a.given, fmt.Errorf("%w: the connection is gone", ErrLost)
		case given+taken == len(p):
			return len(p), nil
		case time.Now().After(deadline):
			return given + a.given, fmt.Errorf("%w: its buffer stays full", ErrModemBusy)
		}
		given += taken
		if err := c.nap(ctx, poll); err != nil {
			return max(given, a.given), err
		}
	}
}

func (simcom) fetch(ctx context.Context, c *chat) ([]byte, error) {
	a, err := c.ask(ctx, query{line: simcomFetch, wait: queryWait})
	if words, none := a.line("+IP ERROR:"); none && words == "No data" {
		return nil, nil
	}
	return a.data, err
}

func (simcom) alive(ctx context.Context, c *chat) (bool, error) {
	a, err := c.ask(ctx, query{line: simcomState, wait: queryWait})
	line, there := a.line("+CIPOPEN: 0,")
	return there && strings.HasPrefix(line, `"TCP"`), err
}

func (simcom) acknowledged(ctx context.Context, c *chat) (int64, error) {
	a, err := c.ask(ctx, query{line: simcomCount, wait: queryWait})
	if err != nil {
		return 0, err
	}
	line, _ := a.line("+CIPACK:")
	_, acked, err := counted(line)
	return acked, err
}

func (simcom) shut(ctx context.Context, c *chat) error {
	_, err := c.ask(ctx, query{line: simcomShut, wait: queryWait, result: "+CIPCLOSE:"})
	if errors.Is(err, ErrRefused) {
		return nil // there was none
	}
	return err
}

// simcomMeaning is the second table of chapter 4.1.
func simcomMeaning(code string) string {
	meaning, known := map[string]string{
		"1": "network failure", "2": "the data connection is not open", "3": "wrong parameter", "4": "operation not supported",
		"5": "no socket to be had", "6": "socket bind failed", "7": "already listening", "8": "busy", "9": "a connection is open already",
		"10": "nobody accepts the connection: check the address", "11": "the name is not known: check the address", "12": "unknown error",
	}[code]
	if !known {
		return "not in the manual"
	}
	return meaning
}
