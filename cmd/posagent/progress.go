package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"posagent/firmware/agent"
	"posagent/txnstore/txn/words"
)

// progress shows the stage and its seconds: one line redrawn at a terminal, one line a stage elsewhere.
type progress struct {
	out     io.Writer
	json    bool
	columns int // of the terminal; 0 elsewhere
	last    words.Stage
	began   time.Time
}

func (p *progress) stage(e agent.Event) {
	if p.json {
		_ = json.NewEncoder(p.out).Encode(e)
		return
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	total := int(time.Since(p.began) / time.Second)
	line := fmt.Sprintf("%3ds  %s  %s", total, e.Text.ZH, e.Text.EN)
	if p.columns > 0 {
		p.redraw(line, e)
	} else if e.Stage != p.last {
		if e.Detail != "" {
			line += fmt.Sprintf("  (%s)", e.Detail)
		}
		fmt.Fprintln(p.out, plain(line))
	}
	p.last = e.Stage
}

// redraw replaces the line. One that would reach the last column would scroll and could not be replaced: such a text is
// left standing above, and only its seconds run.
func (p *progress) redraw(line string, e agent.Event) {
	if widthOf(line) >= p.columns {
		if e.Stage != p.last {
			p.clear()
			for _, part := range append(wrap(e.Text.ZH, p.columns), wrap(e.Text.EN, p.columns)...) {
				fmt.Fprintln(p.out, part)
			}
		}
		line, _, _ = strings.Cut(strings.TrimLeft(line, " "), " ")
	}
	if e.Seconds > 0 {
		line += fmt.Sprintf("  %ds", e.Seconds)
	}
	if detailed := line + "  " + plain(e.Detail); e.Detail != "" && widthOf(detailed) < p.columns {
		line = detailed
	}
	fmt.Fprint(p.out, "\r\x1b[K"+clip(line, p.columns-1))
}

func (p *progress) clear() {
	if p.columns > 0 && !p.json {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
