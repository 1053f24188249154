package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"posagent/firmware/agent"
	"posagent/firmware/scenario"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// desk is the main job on simulators: four sales, the slips, and both sides' books. It fails unless the books agree.
func desk(ctx context.Context, p places, in *os.File, out io.Writer) error {
	if err := os.RemoveAll(p.dir); err != nil {
		return err
	}
	r, err := setUp(p, settings{Bearers: []string{"tcp", "dial"}, Baud: 115200, Answer: patience, Guard: 200 * time.Millisecond,
		Retry: time.Second, Lookalike: 5 * time.Minute})
	defer r.tearDown()
	if err != nil {
		return err
	}
	c := counter{r, out}
	if err := c.open(ctx); err != nil {
		return err
	}
	for _, sale := range []func(context.Context) error{c.approvedOverTCP, c.approvedOverModem, c.unanswered, c.killedWhileWaiting} {
		if err := sale(ctx); err != nil {
			return err
		}
	}
	if err := c.closingBooks(ctx, true); err != nil {
		return err
	}
	if isTerminal(in) {
		return c.stayOpen(ctx, in)
	}
	return nil
}

// counter is the rig with somebody standing at it.
type counter struct {
	*rig
	out io.Writer
}

func (c counter) say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

func (c counter) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	c.say("开店 Opening the counter in %s.\nAcquirer, reader, printer and modem are simulators; the terminal is real.", c.dir)
	return c.boot(ctx)
}

func (c counter) approvedOverTCP(ctx context.Context) error {
	c.say("\n1. 网线 A sale over the network.")
	return c.sell(ctx, saleOf("desk-1", "12.50"), "visa-4242", words.OutcomeApproved, "ethernet", nil)
}

func (c counter) approvedOverModem(ctx context.Context) error {
	c.say("\n2. 拨号 The network cable is pulled; the terminal dials.")
	c.cable.pull()
	defer func() { _ = c.cable.replug() }()
	return c.sell(ctx, saleOf("desk-2", "88.00"), "unionpay-0005", words.OutcomeApproved, "dial", nil)
}

func (c counter) unanswered(ctx context.Context) error {
	c.say("\n3. 无应答 The acquirer takes the sale and never answers.")
	if _, err := c.tell("acquirer", "fault silent"); err != nil {
		return err
	}
	return c.sell(ctx, saleOf("desk-3", "33.30"), "mastercard-4444", words.OutcomeReversed, "", nil)
}

func (c counter) killedWhileWaiting(ctx context.Context) error {
	c.say("\n4. 断电 The power fails while the terminal waits for the answer.")
	if _, err := c.tell("acquirer", "fault silent"); err != nil {
		return err
	}
	err := c.sell(ctx, saleOf("desk-4", "45.60"), "unionpay-0113", "", "", func(e agent.Event) {
		if e.Stage == words.Waiting && e.Txn != nil && c.running() {
			c.awaitHeld(ctx, e.Txn.STAN)
			c.say("      -- power cut --")
			c.cutPower()
		}
	})
	if err == nil || !errors.Is(err, agent.ErrGone) {
		return fmt.Errorf("the power cut was not noticed: %v", err)
	}
	if err := c.open(ctx); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := c.settled(waiting); err != nil {
		return err
	}
	c.say("      power is back; asking for the same reference again:")
	return c.sell(ctx, saleOf("desk-4", "45.60"), "", words.OutcomeReversed, "", nil)
}

func saleOf(reference, amount string) agent.Request {
	return agent.Request{Op: "sale", Reference: reference, Amount: amount}
}

// sell presents a card, makes one sale and holds its outcome and its bearer against what the story says.
func (c counter) sell(ctx context.Context, sale agent.Request, card string, want words.Outcome, bearer string, watch func(agent.Event)) error {
	ctx, cancel := context.WithTimeout(ctx, saleWithin)
	defer cancel()
	if card != "" {
		if _, err := c.tell("devices", "reader present "+card); err != nil {
			return err
		}
	}
	var last words.Stage
	e, err := c.ask(ctx, sale, func(e agent.Event) {
		if e.Stage == words.Unknown && e.Stage != last {
			c.say("      %s\n      %s", e.Text.ZH, e.Text.EN)
		} else if e.Stage != last && e.Text != nil {
			c.say("      %s  %s", e.Text.ZH, e.Text.EN)
		}
		last = e.Stage
		if watch != nil {
			watch(e)
		}
	})
	if err != nil {
		return err
	}
	if e.Text != nil {
		c.say("   => %s\n%s", e.Text.ZH, folded(e.Text.EN))
	}
	if e.Advice != nil && e.Outcome == words.OutcomeDeclined {
		c.say("      %s  %s  %s", e.Txn.Code, e.Advice.ZH, e.Advice.EN)
	}
	if e.Error != "" {
		c.say("%s", folded(e.Error))
	}
	if want != "" && e.Outcome != want {
		return fmt.Errorf("sale %s ended %s, the story says %s", sale.Reference, e.Outcome, want)
	}
	if bearer != "" && e.Txn.Bearer != bearer {
		return fmt.Errorf("sale %s went over %s, the story says %s", sale.Reference, e.Txn.Bearer, bearer)
	}
	return nil
}

// folded breaks English text for 80 columns, six columns in.
func folded(text string) string {
	lines := []string{"     "}
	for _, word := range strings.Fields(text) {
		if last := len(lines) - 1; len(lines[last])+1+len(word) <= 80 || lines[last] == "     " {
			lines[last] += " " + word
		} else {
			lines = append(lines, "      "+word)
		}
	}
	return strings.Join(lines, "\n")
}

// closingBooks prints the slips if wanted, then both sides' books, and fails unless they agree.
func (c counter) closingBooks(ctx context.Context, slips bool) error {
	waiting, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if err := c.settled(waiting); err != nil {
		return err
	}
	b, wrong, err := c.agreement(waiting)
	if err != nil {
		return err
	}
	if slips {
		c.say("\n签购单 The slips (pictures: %s)", c.at("paper"))
		for _, s := range b.Slips {
			c.say("\n%s\n%s", s.Name, s.Text)
		}
	}
	c.say("%s", table(b))
	for _, w := range wrong {
		c.say("  %s", w)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the books do not agree: %d difference(s)", len(wrong))
	}
	c.say("账目相符 The books agree.")
	return nil
}

// agreement reads the books until they agree or the time is over: the printer's last cut comes after its proof.
func (c counter) agreement(ctx context.Context) (scenario.Books, []string, error) {
	for {
		b, err := c.openBooks(ctx)
		wrong := scenario.Judge(b)
		if err != nil || len(wrong) == 0 || ctx.Err() != nil {
			return b, wrong, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// awaitHeld returns once the acquirer holds the money of a sale.
func (c counter) awaitHeld(ctx context.Context, stan string) {
	for ctx.Err() == nil {
		if l, err := c.ledger(); err == nil {
			for _, row := range l.Terminals[terminalID].Rows {
				if row.State == linktest.Held && fmt.Sprintf("%06d", row.STAN) == stan {
					return
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c counter) running() bool {
	select {
	case <-c.terminal.done:
		return false
	default:
		return true
	}
}

// table sets the terminal's books beside the acquirer's.
func table(b scenario.Books) string {
	type voucher struct{ batch, stan uint32 }
	name := func(v voucher) string { return fmt.Sprintf("%06d/%06d", v.batch, v.stan) }
	there := map[voucher]string{}
	for _, row := range b.There {
		there[voucher{row.Batch, row.STAN}] = fmt.Sprintf("%-9s %10s", row.Standing, minor(row.Held))
	}
	slips := map[voucher]int{}
	for _, s := range b.Slips {
		slips[voucher{s.Batch, s.STAN}]++
	}
	text := fmt.Sprintf("账目 The books\n%-13s   %-24s   %s\n%-13s   %-11s %12s   %-9s %10s   %s\n", "", "terminal", "acquirer", "batch/voucher", "state", "amount", "state", "held", "slips")
	for _, t := range b.Here {
		v := voucher{t.Batch, t.STAN}
		theirs, known := there[v]
		if !known {
			theirs = fmt.Sprintf("%-9s %10s", "-", "-")
		}
		delete(there, v)
		text += fmt.Sprintf("%-13s   %-11s %12s   %s   %d\n", name(v), t.State, minor(t.Amount), theirs, slips[v])
	}
	for _, row := range b.There {
		v := voucher{row.Batch, row.STAN}
		if theirs, unknown := there[v]; unknown {
			text += fmt.Sprintf("%-13s   %-11s %12s   %s\n", name(v), "-", "-", theirs)
		}
	}
	return text
}

func minor(a txn.Amount) string { return fmt.Sprintf("%d.%02d", a/100, a%100) }
