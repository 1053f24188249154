package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

const stayHelp = `The counter stays open. Type
  12.50 visa-4242        a sale with a card of %s
  12.50                  the same with visa-4242
  acquirer ORDER         e.g. acquirer fault silent, acquirer fault badmac, acquirer help
  devices ORDER          e.g. devices printer paper out, devices help
  cable pull|plug        the network cable
  power                  cut the terminal's power and start it again
  books                  the slips and both sides' books
  quit`

// stayOpen serves whoever sits at the desk until they leave.
func (c counter) stayOpen(ctx context.Context, in *os.File) error {
	c.say("\n"+stayHelp, c.cards)
	lines := bufio.NewScanner(in)
	for n := 5; ; n++ {
		fmt.Fprint(c.out, "\n> ")
		if !lines.Scan() || ctx.Err() != nil {
			return lines.Err()
		}
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		if words[0] == "quit" {
			return c.closingBooks(ctx)
		}
		if err := c.serve(ctx, n, words); err != nil {
			c.say("%v", err)
		}
	}
}

func (c counter) serve(ctx context.Context, n int, words []string) error {
	rest := strings.Join(words[1:], " ")
	switch words[0] {
	case "acquirer", "devices":
		said, err := c.tell(words[0], rest)
		if err == nil {
			c.say("%s", said)
		}
		return err
	case "cable":
		if rest == "pull" {
			c.cable.pull()
			return nil
		}
		return c.cable.replug()
	case "power":
		c.cutPower()
		return c.open(ctx)
	case "books":
		return c.closingBooks(ctx)
	case "help", "?":
		c.say(stayHelp, c.cards)
		return nil
	default:
		card := rest
		if card == "" {
			card = "visa-4242"
		}
		return c.sell(ctx, fmt.Sprintf("desk-%d", n), words[0], card, "", "", nil)
	}
}
