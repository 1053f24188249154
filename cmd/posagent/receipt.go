package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"posagent/firmware/agent"
	"posagent/printer/receipt"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

type receiptFlags struct {
	png         string
	merchant    bool
	byReference bool
}

func (q *receiptFlags) define(f *flag.FlagSet) {
	f.StringVar(&q.png, "png", "", "draw it into this `FILE`, with the fonts of printer.fonts; otherwise it is shown as text")
	f.BoolVar(&q.merchant, "merchant", false, "the merchant's copy instead of the customer's")
	byReferenceFlag(&q.byReference)(f)
}

// receiptShow shows a slip as it would be printed again. The agent lays it out; without one the books are read.
func (c *command) receiptShow(ctx context.Context, what string, q receiptFlags) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	request := named(what, q.byReference)
	request.Op = "slip"
	if q.merchant {
		request.Copy = string(txn.MerchantCopy)
	}
	e, err := c.books(ctx, request, func(v *txnstore.Viewer) (agent.Event, error) {
		x, err := find(v, request)
		if err != nil {
			return agent.Event{}, err
		}
		layout, err := config.layout()
		if err != nil {
			return agent.Event{}, err
		}
		return agent.SlipOf(x, txn.Copy(request.Copy), layout)
	})
	switch {
	case err != nil:
		return c.fail(err)
	case e.Slip == nil:
		return c.fail(fmt.Errorf("the agent that runs gives no slips: restart it with this version"))
	case q.png == "":
		fmt.Fprint(c.out, e.Slip.Text())
		return exitDone
	}
	missing, err := config.drawTo(q.png, *e.Slip)
	if err != nil {
		return c.fail(err)
	}
	if len(missing) > 0 {
		fmt.Fprintf(c.err, "posagent: %d characters are in none of printer.fonts and are drawn as boxes: %s\n", len(missing), string(missing))
	}
	return exitDone
}

// drawTo draws a slip into a file, which appears whole or not at all.
func (c *Config) drawTo(file string, slip receipt.Slip) (missing []rune, err error) {
	if len(c.Printer.Fonts) == 0 {
		return nil, fmt.Errorf("printer.fonts names no font to draw with; name BDF files (pcf2bdf makes them from X11's, 12x24 and gb24st look best), or GNU Unifont's .hex")
	}
	need := slip.Characters()
	var font receipt.Font
	for _, name := range c.Printer.Fonts {
		if err := c.addFont(&font, name, need); err != nil {
			return nil, fmt.Errorf("printer.fonts: %s: %w", name, err)
		}
	}
	drawn, err := receipt.Draw(slip, &font)
	if err != nil {
		return nil, err
	}
	temporary := filepath.Join(filepath.Dir(file), "."+strings.TrimPrefix(filepath.Base(file), ".")+".part")
	if err := os.WriteFile(temporary, pngOf(drawn), 0o644); err != nil {
		return nil, fmt.Errorf("the picture cannot be written: %w", err)
	}
	return font.Lacks(need), os.Rename(temporary, file)
}

func (c *Config) addFont(font *receipt.Font, name string, need map[rune]bool) error {
	f, err := os.Open(c.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no such file; install the font, or name another")
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return font.Add(f, need)
}
