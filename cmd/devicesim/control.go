package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Limits of the control socket, chosen by us.
const (
	maxCommand     = 1024            // bytes of a line
	maxControllers = 16              // connections at a time; further ones wait to be accepted
	answerPatience = 5 * time.Second // for a controller that does not read
)

const helpText = "reader present NAME|insert NAME|swipe NAME|remove|refuse|garbage|silent on|off; printer paper out|near|ok, cover open|closed, silent on|off; " +
	"modem nocarrier|busy|nodialtone|ok|drop; scanner show CODE|silent on|off; quit; help. Each machine lists the rest when it does not understand"

// control serves the control socket until ctx ends: one command a line, one answer a line.
type control struct {
	machines map[string]machine
	quit     func()
}

func (c *control) serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	var controllers sync.WaitGroup
	defer controllers.Wait()
	places := make(chan struct{}, maxControllers)
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		controllers.Go(func() {
			c.converse(ctx, conn)
			<-places
		})
	}
}

// converse answers one controller. Its end is no concern of anybody else.
func (c *control) converse(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	// A read deadline and not Close: the answer to "quit" must still get out.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	say := func(text string) bool {
		_ = conn.SetWriteDeadline(time.Now().Add(answerPatience))
		_, err := conn.Write([]byte(text + "\n"))
		return err == nil
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, maxCommand), maxCommand)
	for lines.Scan() {
		command := strings.TrimSpace(lines.Text())
		if !say(answer(c.do(command))) {
			return
		}
		if command == "quit" {
			c.quit()
			return
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		say(fmt.Sprintf("error line longer than %d bytes", maxCommand-1))
	}
}

// do carries out one command.
func (c *control) do(command string) (string, error) {
	name, rest, _ := strings.Cut(command, " ")
	if m, attached := c.machines[name]; attached {
		return m.Command(strings.TrimSpace(rest))
	}
	switch name {
	case "reader", "printer", "modem", "scanner":
		return "", fmt.Errorf("there is no %s here: start devicesim with -%s", name, name)
	case "quit":
		return "ending", nil
	case "help":
		return helpText, nil
	}
	return "", fmt.Errorf("%.40q is not a command: begin with reader, printer, modem, scanner, quit or help", name)
}

// answer puts an outcome on one line.
func answer(said string, err error) string {
	if err != nil {
		said = "error " + err.Error()
	} else {
		said = strings.TrimSpace("ok " + said)
	}
	return strings.ReplaceAll(said, "\n", "; ")
}
