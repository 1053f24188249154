package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

const stayHelp = `The counter stays open. Type
  12.50 visa-4242        a sale with a card of
                         %s
  12.50                  the same with visa-4242
  12.50 visa-4242 again  the same card and amount, and it is meant
  acquirer ORDER         acquirer fault silent, acquirer fault badmac, …
  devices ORDER          devices printer paper out, devices modem busy,
                         devices reader silent on, … devices help
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
			return c.closingBooks(ctx, false)
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
		switch rest {
		case "pull":
			c.cable.pull()
		case "plug":
			c.cable.pull()
			return c.cable.replug()
		default:
			return errors.New("the cable can be pulled and plugged: cable pull, cable plug")
		}
		return nil
	case "power":
		c.cutPower()
		return c.open(ctx)
	case "books":
		return c.closingBooks(ctx, true)
	case "help", "?":
		c.say(stayHelp, c.cards)
		return nil
	}
	if strings.IndexByte("-.0123456789", words[0][0]) < 0 {
		return fmt.Errorf("%q is not understood; type an amount, or help", words[0])
	}
	sale, card := saleOf(fmt.Sprintf("desk-%d", n), words[0]), "visa-4242"
	if len(words) > 1 {
		card = words[1]
	}
	sale.Again = len(words) > 2 && words[2] == "again"
	return c.sell(ctx, sale, card, "", "", nil)
}
