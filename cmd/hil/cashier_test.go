package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cashier is somebody at a rig who uses the real command line: every sale is a process with a status and words.
type cashier struct {
	*rig
	t   *testing.T
	ctx context.Context
	n   int // sales so far; each has a reference and an amount of its own
}

// openCounter starts a rig and its terminal, and ends them when the test does.
func openCounter(t *testing.T, s settings) *cashier {
	t.Helper()
	c := darkCounter(t, s)
	require.NoError(t, c.boot(c.ctx))
	return c
}

// darkCounter is one whose terminal has no power yet.
func darkCounter(t *testing.T, s settings) *cashier {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testWithin)
	t.Cleanup(cancel)
	return &cashier{rig: bench(t, s), t: t, ctx: ctx}
}

// testWithin is more than any of these tests takes; it only ends one that hangs, before go test ends all of them.
const testWithin = 20 * time.Minute

// ordinary is a rig whose terminal tries again at once.
func ordinary(bearers ...string) settings {
	return settings{Bearers: bearers, Answer: patience, Guard: 20 * time.Millisecond, Retry: 50 * time.Millisecond, Lookalike: 5 * time.Minute}
}

// do gives orders to the simulators, "acquirer fault silent" or "devices printer paper out".
func (c *cashier) do(orders ...string) {
	c.t.Helper()
	for _, order := range orders {
		who, what, _ := strings.Cut(order, " ")
		_, err := c.tell(who, what)
		require.NoError(c.t, err, order)
	}
}

// said is how a command ended.
type said struct {
	reference, amount string
	status            int
	out, err          string
}

func (s said) all() string { return s.out + s.err }

// sell presents a card and makes a sale of an amount of its own.
func (c *cashier) sell(card string) said {
	c.t.Helper()
	c.n++
	c.do("devices reader present " + card)
	return c.sale(fmt.Sprintf("till-%d", c.n), fmt.Sprintf("%d.%02d", 10+c.n, c.n))
}

func (c *cashier) sale(reference, amount string) said {
	c.t.Helper()
	s := c.posagent("sale", amount, "-reference", reference)
	s.reference, s.amount = reference, amount
	return s
}

func (c *cashier) command(args ...string) *exec.Cmd {
	argv := append([]string{filepath.Join(c.bin, "posagent")}, args...)
	if c.emulator != "" {
		argv = append([]string{c.emulator}, argv...)
	}
	cmd := exec.CommandContext(c.ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "POSAGENT_CONFIG="+c.at("posagent.toml"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// posagent runs the command line to its end.
func (c *cashier) posagent(args ...string) said {
	c.t.Helper()
	var out, errs bytes.Buffer
	cmd := c.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(c.t, err)
	}
	s := said{status: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String()}
	assert.NotRegexp(c.t, `[0-9]{16}`, s.all(), "a card number")
	return s
}

// at is something that happens while a command is at a stage; the command may have ended before it answers.
type at struct {
	stage string
	do    func(*os.Process)
}

// meanwhile makes a sale in the course of which something happens.
func (c *cashier) meanwhile(card string, event at) said {
	c.t.Helper()
	c.n++
	if card != "" {
		c.do("devices reader present " + card)
	}
	s := said{reference: fmt.Sprintf("till-%d", c.n), amount: fmt.Sprintf("%d.%02d", 10+c.n, c.n)}
	cmd := c.command("sale", s.amount, "-reference", s.reference)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, cmd.Start())
	lines := bufio.NewReader(out)
	for !strings.Contains(s.out, event.stage) {
		line, err := lines.ReadString('\n')
		if s.out += line; err != nil {
			_ = cmd.Wait()
			require.NoError(c.t, err, "it never came to %q: %s%s", event.stage, s.out, &errs)
		}
	}
	event.do(cmd.Process)
	rest, err := io.ReadAll(lines)
	require.NoError(c.t, err)
	_ = cmd.Wait()
	s.out, s.err, s.status = s.out+string(rest), errs.String(), cmd.ProcessState.ExitCode()
	return s
}

func (c *cashier) order(order string) func(*os.Process) {
	return func(*os.Process) { c.do(order) }
}

func send(s syscall.Signal) func(*os.Process) {
	return func(p *os.Process) { _ = p.Signal(s) }
}

// The stages at which something happens.
const (
	atPresent = "请刷卡、插卡或挥卡  Present the card"
	atWaiting = "已发送，等待银行应答  Sent, waiting for the bank"
)

// The statuses of "posagent sale", and what a person reads beside each.
const (
	saysApproved = 0
	saysNothing  = 1 // not accepted, or not sent
	saysDeclined = 3
	saysUnknown  = 4
	saysReversed = 5
)

// saysTaken is 1 too, and does not say that nothing was charged: the reference is another sale's.
const saysTaken = -1

var endings = map[int][]string{
	saysApproved: {"交易成功。款项已入账，可以交货。", "Approved. The money is held; hand over the goods."},
	saysNothing:  {"未扣款", "othing was charged"},
	saysDeclined: {"交易被拒绝。未扣款", "Declined. Nothing was charged; keep the goods"},
	saysUnknown:  {"结果未知，请勿重刷，正在确认", "Outcome unknown. Do not present the card again"},
	saysTaken:    {"该参考号已用于另一笔交易", "This reference belongs to another sale"},
	saysReversed: {"交易已冲正。未扣款", "Reversed, confirmed by the acquirer. Nothing is charged"},
}

// ended holds the status and the words of a sale against how it should have ended, and against words that would be lies.
func (c *cashier) ended(s said, status int, words ...string) said {
	c.t.Helper()
	require.Equal(c.t, max(status, -status), s.status, s.all())
	for _, w := range append(words, endings[status]...) {
		assert.Contains(c.t, s.all(), w)
	}
	if status != saysDeclined {
		assert.NotRegexp(c.t, `(?i)declined|被拒绝`, s.all())
	}
	if status == saysUnknown || status == saysTaken {
		assert.NotRegexp(c.t, `(?i)未扣款|nothing (is|was) charged|可以交货|hand over`, s.all())
	}
	if status != saysApproved {
		assert.NotRegexp(c.t, `可以交货|hand over the goods`, s.all())
	}
	return s
}

// settle waits until nothing is owed, to the acquirer or on paper.
func (c *cashier) settle() {
	c.t.Helper()
	require.NoError(c.t, c.settled(c.ctx))
}

// again asks for an earlier sale by its reference.
func (c *cashier) again(s said) said { return c.sale(s.reference, s.amount) }

// close ends the terminal and holds its books, read from the files, against the acquirer's and the paper.
func (c *cashier) close() {
	c.t.Helper()
	c.settle()
	require.NoError(c.t, c.terminal.cmd.Process.Signal(syscall.SIGTERM))
	<-c.terminal.done
	require.Zero(c.t, c.terminal.cmd.ProcessState.ExitCode(), "asked to stop, it ends well")
	wrong := c.audit(c.t)
	for range 100 { // the printer may be still at the last cut
		if len(wrong) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
		wrong = c.audit(c.t)
	}
	require.Empty(c.t, wrong)
}
