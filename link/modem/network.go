package modem

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Commands of 3GPP TS 27.007 that every family understands.
const (
	numericCodes = "AT+CMEE=1"   // 9.1
	askSIM       = "AT+CPIN?"    // 8.3
	askSignal    = "AT+CSQ"      // 8.5
	restart      = "AT+CFUN=1,1" // 8.2
)

// Registration states (7.2, <stat>).
const (
	registeredHome = 1
	searching      = 2
	denied         = 3
	roaming        = 5
)

// Numbers we chose.
const (
	simWait    = 10 * time.Second // a card that has just got power
	poll       = time.Second      // between two looks at the card or the network
	bootWait   = 40 * time.Second // from a restart to the first answer; Quectel's modules take up to 15 s
	bootNap    = 2 * time.Second  // between two probes of a modem that starts
	queryWait  = 5 * time.Second  // for an answer that the network has no part in; the notes name 300 ms to 5 s
	promptTime = 6 * time.Second  // Quectel gives a prompt up after 5 s (2.4.1, "qisend/timeout")
)

// present waits until there is a SIM card that can be used.
func (c *chat) present(ctx context.Context) error {
	for deadline := time.Now().Add(simWait); ; {
		a, err := c.ask(ctx, query{line: askSIM, wait: queryWait})
		state, told := a.line("+CPIN:")
		switch {
		case err == nil && told && state == "READY":
			return nil
		case err == nil && told:
			return fmt.Errorf("%w: it says %s; have the provider switch the PIN off", ErrSIMLocked, state)
		case err != nil && !errors.Is(err, ErrModemBusy):
			return err
		case time.Now().After(deadline):
			return errors.Join(ErrModemBusy, err)
		}
		if err := c.nap(ctx, poll); err != nil {
			return err
		}
	}
}

// registered waits until the modem is in a network. A network that has denied the card is not waited for: it has made up
// its mind.
func (c *chat) registered(ctx context.Context, within time.Duration) error {
	for deadline := time.Now().Add(within); ; {
		refused, answered := false, false
		for _, which := range []string{"+CEREG", "+CGREG", "+CREG"} {
			a, err := c.ask(ctx, query{line: "AT" + which + "?", wait: queryWait})
			if err != nil && !errors.Is(err, ErrRefused) {
				return err
			}
			for _, told := range a.all(which + ":") {
				stat, ok := whole(told, 1) // "<n>,<stat>[,…]"; a report has <stat> alone
				if ok && (stat == registeredHome || stat == roaming) {
					return nil
				}
				answered = answered || ok
				refused = refused || ok && stat == denied
			}
		}
		switch {
		case refused:
			return fmt.Errorf("%w: ask the provider whether it is active and allowed here", ErrDenied)
		case !answered:
			return fmt.Errorf("%w: the modem does not say", ErrNotRegistered)
		case time.Now().After(deadline):
			return fmt.Errorf("%w within %v, signal %s: check the antenna", ErrNotRegistered, within, c.signal(ctx))
		}
		if err := c.nap(ctx, poll); err != nil {
			return err
		}
	}
}

// signal is the strength in the modem's own measure (27.007, 8.5): 0 to 31, 99 for not known.
func (c *chat) signal(ctx context.Context) string {
	a, err := c.ask(ctx, query{line: askSignal, wait: queryWait})
	line, told := a.line("+CSQ:")
	if err != nil || !told {
		return "not known"
	}
	return fields(line)[0]
}

// nap lets time pass, with an ear for reports.
func (c *chat) nap(ctx context.Context, d time.Duration) error {
	until := time.Now().Add(d)
	for {
		err := c.read(ctx, until)
		c.hear()
		if isTimeout(err) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// hello brings the modem to command state and to plain talk, whatever a process before this one left it in: in data
// state, or waiting for payload that never came.
func (c *chat) hello(ctx context.Context, command, guard time.Duration) (err error) {
	for round := range syncRounds {
		if round > 0 {
			if err := c.leave(ctx, guard); err != nil {
				return err
			}
		}
		for range probes {
			if _, err = c.ask(ctx, query{line: plainTalk, wait: min(command, probeWait)}); err == nil {
				if _, err = c.ask(ctx, query{line: numericCodes, wait: queryWait}); errors.Is(err, ErrRefused) {
					return nil // codes are a help, no more
				}
				return err
			}
			if !worthAsking(err) && !errors.Is(err, ErrUnanswered) {
				return err
			}
		}
	}
	return err
}

// leave takes the modem out of data state by the escape sequence; in command state that does no harm.
func (c *chat) leave(ctx context.Context, guard time.Duration) error {
	if err := c.nap(ctx, longer(guard)); err != nil {
		return err
	}
	if err := c.write(escape); err != nil {
		return err
	}
	return c.nap(ctx, longer(guard))
}

// booted waits until a modem that was restarted answers again.
func (c *chat) booted(ctx context.Context, command, guard time.Duration) error {
	for deadline := time.Now().Add(bootWait); ; {
		if err := c.nap(ctx, bootNap); err != nil {
			return err
		}
		_, err := c.ask(ctx, query{line: plainTalk, wait: min(command, probeWait)})
		if err == nil || !worthAsking(err) && !errors.Is(err, ErrUnanswered) {
			return err
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}
