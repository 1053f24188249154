package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"posagent/txnstore"
)

// storeCheck looks at every page of a store that no agent has open. It changes nothing, but has the next start look at
// everything when something is damaged: a start alone does not look at each page of the archive.
func (c *command) storeCheck() int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	dir := config.path(config.Store.Dir)
	key, _, err := config.storeKey()
	if errors.Is(err, errNoStore) {
		return c.fail(fmt.Errorf("store.dir: %s: %w", dir, err))
	}
	if err != nil {
		return c.fail(fmt.Errorf("store.key_file: %w", err))
	}
	files, err := txnstore.Check(dir, config.storeOptions(key))
	if err != nil {
		return c.fail(fmt.Errorf("store.dir: %w", err))
	}
	worst := txnstore.Healthy
	for _, f := range files {
		worst = max(worst, f.Verdict)
	}
	if worst == txnstore.Damaged {
		if err := txnstore.Suspect(dir); err != nil {
			fmt.Fprintf(c.err, "posagent: %v\n", err)
		}
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(healthOf(files))
	} else {
		c.showHealth(files, worst)
	}
	if worst != txnstore.Healthy {
		return exitFailed
	}
	return exitDone
}

func (c *command) showHealth(files []txnstore.Health, worst txnstore.Verdict) {
	for _, f := range files {
		fmt.Fprintf(c.out, "%-10s  %-10s  %d records\n", f.File, f.Verdict, f.Records)
		for _, found := range f.Findings {
			for _, line := range wrap(plain(found.String()), max(columnsOf(c.out)-2, 0)) {
				fmt.Fprintf(c.out, "  %s\n", line)
			}
		}
	}
	switch worst {
	case txnstore.Damaged:
		fmt.Fprintln(c.out, "损坏。请先备份整个目录，再启动 posagent run")
		fmt.Fprintln(c.out, "What to do: copy the directory, then start \"posagent run\". It puts the damaged file aside,")
		fmt.Fprintln(c.out, "never deletes it, and builds it anew from all that can be read; then: posagent store report")
	case txnstore.Repairable:
		fmt.Fprintln(c.out, "可修复。启动 posagent run 即可")
		fmt.Fprintln(c.out, "What to do: start \"posagent run\". It mends what another copy still has, and names what none has.")
	default:
		fmt.Fprintln(c.out, "完好  healthy")
	}
}

// health is one file in JSON.
type health struct {
	File     string   `json:"file"`
	Verdict  string   `json:"verdict"`
	Records  int      `json:"records"`
	Findings []string `json:"findings"`
}

func healthOf(files []txnstore.Health) []health {
	list := []health{}
	for _, f := range files {
		h := health{f.File, f.Verdict.String(), f.Records, []string{}}
		for _, found := range f.Findings {
			h.Findings = append(h.Findings, found.String())
		}
		list = append(list, h)
	}
	return list
}

// storeReport shows what salvages found until somebody has said that it was read. An agent may run.
func (c *command) storeReport(acknowledge bool) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	dir := config.path(config.Store.Dir)
	reports, err := txnstore.Reports(dir)
	if err != nil {
		return c.fail(fmt.Errorf("store.dir: %w", err))
	}
	if c.json {
		list := []map[string]string{}
		for _, r := range reports {
			list = append(list, map[string]string{"name": r.Name, "text": r.Text})
		}
		_ = json.NewEncoder(c.out).Encode(list)
	} else if len(reports) == 0 {
		fmt.Fprintln(c.out, "没有待确认的报告  no report waits")
	}
	for _, r := range reports {
		if !c.json {
			fmt.Fprintf(c.out, "%s\n%s\n", r.Name, r.Text)
		}
		if !acknowledge {
			continue
		}
		if err := txnstore.Acknowledge(dir, r.Name); err != nil {
			return c.fail(err)
		}
		if !c.json {
			fmt.Fprintf(c.out, "已确认  %s is acknowledged; the file stays in %s\n", r.Name, dir)
		}
	}
	if len(reports) > 0 && !acknowledge && !c.json {
		fmt.Fprintln(c.out, "看过后请确认  once read: posagent store report -acknowledge")
	}
	return exitDone
}
