package modem

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Commands, reports and limits of the Quectel EC200U&EG915U Series TCP/IP Application Note, V1.1 (2021-08-17).
const (
	quectelNoEcho  = "AT+QISDE=0"    // 2.4.18: payload is not sent back
	quectelContext = "AT+QICSGP=1,1" // 2.4.2: context 1, IPv4
	quectelActive  = "AT+QIACT?"     // 2.4.3
	quectelOn      = "AT+QIACT=1"
	quectelOff     = "AT+QIDEACT=1" // 2.4.4
	quectelOpen    = `AT+QIOPEN=1,0,"TCP"`
	quectelShut    = "AT+QICLOSE=0"   // 2.4.8
	quectelState   = "AT+QISTATE=1,0" // 2.4.9
	quectelSend    = "AT+QISEND=0,"   // 2.4.10
	quectelFetch   = "AT+QIRD=0,1500" // 2.4.11
	quectelWhy     = "AT+QIGETERROR"  // 2.4.19
	quectelReport  = "+QIURC:"        // 2.5
	quectelOffWait = 40 * time.Second // 2.4.4
	quectelEndWait = 12 * time.Second // 2.4.8: 10 s, and an allowance
	quectelPiece   = 1460             // 2.4.10
	quectelRead    = 1500             // 2.4.11
	quectelBlocked = "563"            // socket identity has been used (chapter 4)
	quectelUp      = 2                // <socket_state> connected (2.4.9)
)

type quectel struct{ access Access }

// follows: the line of an answer with data (2.4.11), and of data that is pushed (2.5.2).
func (q quectel) follows(line string) int {
	if rest, is := strings.CutPrefix(line, "+QIRD:"); is {
		all := fields(rest)
		if n, ok := whole(all, 0); ok && len(all) == 1 && n > 0 && n <= quectelRead {
			return n
		}
		return 0
	}
	if rest, is := strings.CutPrefix(line, quectelReport); is {
		all := fields(rest)
		if n, ok := whole(all, 2); ok && all[0] == "recv" && n > 0 && n <= quectelRead {
			return n
		}
	}
	return 0
}

func (q quectel) report(line string) event {
	switch line {
	case "RDY", "POWERED DOWN", "NORMAL POWER DOWN":
		return event{allLost, "the modem has started anew (" + line + ")"}
	}
	rest, is := strings.CutPrefix(line, quectelReport)
	if !is {
		return event{}
	}
	all := fields(rest)
	n, numbered := whole(all, 1)
	switch all[0] {
	case "recv":
		if _, pushes := whole(all, 2); pushes {
			return event{kind: dataComes}
		}
		if numbered && n == 0 {
			return event{kind: dataWaits}
		}
	case "closed":
		if numbered && n == 0 {
			return event{farEndClosed, "the far end or the network closed the connection"}
		}
	case "pdpdeact":
		return event{allLost, "the network took the data connection away"}
	}
	return event{kind: harmless}
}

func (q quectel) attach(ctx context.Context, c *chat, o *CellularOpts, fresh bool) error {
	if _, err := c.ask(ctx, query{line: quectelNoEcho, wait: queryWait}); err != nil && !errors.Is(err, ErrRefused) {
		return err
	}
	a, err := c.ask(ctx, query{line: quectelActive, wait: o.Attach}) // one that activates hears nothing before it is done
	if err != nil {
		return err
	}
	line, listed := a.line("+QIACT:")
	active, _ := whole(fields(line), 1)
	if listed && active == 1 && !fresh {
		return q.leftOver(ctx, c)
	}
	if listed || fresh {
		if _, err := c.ask(ctx, query{line: quectelOff, wait: quectelOffWait}); err != nil && !errors.Is(err, ErrRefused) {
			return err
		}
	}
	context := fmt.Sprintf("%s,%q", quectelContext, o.APN)
	if o.User != "" || o.Secret != "" {
		context += fmt.Sprintf(",%q,%q,2", o.User, o.Secret) // CHAP
	}
	if _, err := c.ask(ctx, query{line: context, wait: queryWait}); err != nil {
		return q.explain(ctx, c, ErrNoContext, hide(err, context, quectelContext))
	}
	if _, err := c.ask(ctx, query{line: quectelOn, wait: o.Attach}); err != nil {
		return q.explain(ctx, c, ErrNoContext, err)
	}
	return nil
}

// leftOver closes the connection of a process that died.
func (q quectel) leftOver(ctx context.Context, c *chat) error {
	a, err := c.ask(ctx, query{line: quectelState, wait: queryWait})
	if _, there := a.line("+QISTATE:"); err != nil || !there {
		return err
	}
	return q.shut(ctx, c)
}

func (q quectel) open(ctx context.Context, c *chat, host, port string, within time.Duration) error {
	mode := map[Access]int{Buffered: 0, Pushed: 1, Transparent: 2}[q.access]
	line := fmt.Sprintf("%s,%q,%s,0,%d", quectelOpen, host, port, mode)
	if q.access == Transparent {
		_, err := c.ask(ctx, query{line: line, wait: within, finals: []string{"CONNECT"}})
		if err != nil {
			return q.explain(ctx, c, ErrUnreachable, err)
		}
		return nil
	}
	a, err := c.ask(ctx, query{line: line, wait: within, result: "+QIOPEN: 0,"})
	if err != nil {
		if errors.Is(err, ErrUnanswered) { // 2.4.7: then the socket is to be closed
			err = errors.Join(fmt.Errorf("%w: %w", ErrUnreachable, err), q.shut(ctx, c))
			return err
		}
		return q.explain(ctx, c, ErrUnreachable, err)
	}
	code, _ := a.line("+QIOPEN: 0,")
	if code == "0" {
		return nil
	}
	err = fmt.Errorf("%w: error %s, %s", ErrUnreachable, code, quectelMeaning(code))
	return errors.Join(err, q.shut(ctx, c))
}

// explain asks for the code behind an ERROR.
func (q quectel) explain(ctx context.Context, c *chat, as, why error) error {
	if !errors.Is(why, ErrRefused) {
		return fmt.Errorf("%w: %w", as, why)
	}
	a, err := c.ask(ctx, query{line: quectelWhy, wait: queryWait})
	line, told := a.line("+QIGETERROR:")
	if err != nil || !told {
		return fmt.Errorf("%w: %w", as, why)
	}
	code := fields(line)[0]
	return fmt.Errorf("%w: error %s, %s", as, code, quectelMeaning(code))
}

func (q quectel) most() int { return quectelPiece }

// send. SEND FAIL means that the modem's buffer is full; the piece may be given again (2.4.10), but only if the modem
// agrees that it has none of it.
func (q quectel) send(ctx context.Context, c *chat, p []byte, within time.Duration) (int, error) {
	given := 0
	for deadline := time.Now().Add(within); ; {
		a, err := c.ask(ctx, query{line: quectelSend + strconv.Itoa(len(p)), wait: max(time.Until(deadline), time.Millisecond), payload: p,
			finals: []string{"SEND OK", "SEND FAIL"}})
		given = max(given, a.given)
		if err == nil && a.final == "SEND OK" {
			c.taken += int64(len(p))
		}
		if err != nil || a.final == "SEND OK" {
			return given, err
		}
		total, _, err := q.sent(ctx, c)
		if err == nil && total != c.taken {
			err = fmt.Errorf("%w: it refused %d bytes and counts %d of them", ErrLost, len(p), total-c.taken)
		}
		if err == nil && time.Now().After(deadline) {
			err = fmt.Errorf("%w: its buffer stays full", ErrModemBusy)
		}
		if err == nil {
			err = c.nap(ctx, poll)
		}
		if err != nil {
			return given, err
		}
	}
}

// sent reads AT+QISEND=<connectID>,0: all that the modem took, and what the far end has acknowledged of it.
func (q quectel) sent(ctx context.Context, c *chat) (total, acked int64, err error) {
	a, err := c.ask(ctx, query{line: quectelSend + "0", wait: queryWait})
	if err != nil {
		return 0, 0, err
	}
	line, _ := a.line("+QISEND:")
	return counted(line)
}

// counted reads "<total>,<acknowledged>,<not acknowledged>".
func counted(line string) (total, acked int64, err error) {
	all := fields(line)
	t, ok := whole(all, 0)
	k, ok2 := whole(all, 1)
	if !ok || !ok2 || k < 0 || k > t {
		return 0, 0, fmt.Errorf("%w: it counts %.40q", ErrGarbage, line)
	}
	return int64(t), int64(k), nil
}

func (q quectel) fetch(ctx context.Context, c *chat) ([]byte, error) {
	if q.access == Pushed {
		return nil, nil
	}
	a, err := c.ask(ctx, query{line: quectelFetch, wait: queryWait})
	return a.data, err
}

func (q quectel) alive(ctx context.Context, c *chat) (bool, error) {
	a, err := c.ask(ctx, query{line: quectelState, wait: queryWait})
	line, there := a.line("+QISTATE:")
	state, _ := whole(fields(line), 5)
	return there && state == quectelUp, err
}

func (q quectel) acknowledged(ctx context.Context, c *chat) (int64, error) {
	_, acked, err := q.sent(ctx, c)
	return acked, err
}

func (q quectel) shut(ctx context.Context, c *chat) error {
	_, err := c.ask(ctx, query{line: quectelShut, wait: quectelEndWait})
	if errors.Is(err, ErrRefused) {
		return nil // there was none
	}
	return err
}

// hide keeps the provider's password out of an error that names its command.
func hide(err error, line, as string) error {
	var result *ResultError
	if errors.As(err, &result) && strings.Contains(err.Error(), line) {
		return fmt.Errorf("%s: %w", as, result)
	}
	return err
}

// quectelMeaning is chapter 4, table 2.
func quectelMeaning(code string) string {
	meaning, known := map[string]string{
		"550": "unknown error", "551": "operation blocked", "552": "invalid parameters", "553": "not enough memory",
		"554": "no socket to be had", "555": "operation not supported", "556": "socket bind failed", "557": "socket listen failed",
		"558": "socket write failed", "559": "socket read failed", "560": "socket accept failed",
		"561": "the data connection cannot be opened: check APN and SIM card", "562": "the data connection cannot be closed",
		quectelBlocked: "an earlier connection is still open", "564": "name service busy",
		"565": "the name is not known: check the address", "566": "nobody accepts the connection: check the address",
		"567": "the connection was closed", "568": "operation busy", "569": "operation timed out",
		"570": "the data connection broke down", "571": "sending was cancelled", "572": "operation not allowed",
		"573": "no APN is set", "574": "port busy",
	}[code]
	if !known {
		return "not in the manual"
	}
	return meaning
}
