package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"posagent/firmware/agent"
	"posagent/txnstore/txn/words"
)

const starts = 15 // of each store, by turns

// counterIn sets up acquirer, devices and a terminal with a new store in a directory. Nothing happens there but what is
// asked for.
func (m *measuring) counterIn(dir string) (*rig, error) {
	r, err := setUp(places{bin: m.bin, dir: dir, cards: m.cards}, settings{Bearers: []string{"tcp"}, Answer: patience,
		Guard: 20 * time.Millisecond, Retry: time.Minute, Lookalike: 5 * time.Minute})
	if err != nil {
		return cmp.Or(r, &rig{}), err
	}
	t, err := openTill(r.at("store"), "new")
	if err != nil {
		return r, err
	}
	return r, errors.Join(t.close(), os.WriteFile(r.at("store.key"), keyFile(), 0o600))
}

var storeLine = regexp.MustCompile(`(?m)^dir = ".*"$`) // of the rig's configuration

// useStore makes the terminal's next start open another store of its directory.
func (r *rig) useStore(name string) error {
	config, err := os.ReadFile(r.at("posagent.toml"))
	if err != nil {
		return err
	}
	if !storeLine.Match(config) {
		return errors.New("the rig's configuration has no line for the store")
	}
	return os.WriteFile(r.at("posagent.toml"), storeLine.ReplaceAll(config, []byte(fmt.Sprintf("dir = %q", name))), 0o644)
}

// resident starts the real agent with an empty and with a large store, and then again and again.
func (m *measuring) resident(ctx context.Context) (chapter, error) {
	c := chapter{title: "The running agent"}
	made, err := m.stock(ctx)
	if err != nil {
		return c, err
	}
	r, err := m.counterIn(filepath.Join(m.dir, "rig"))
	defer r.tearDown()
	if err != nil {
		return c, err
	}
	names := map[int]string{smallStore: "store-small", m.records: "store-large"}
	for records, from := range map[int]string{smallStore: made.small, m.records: made.large} {
		if err := copyStore(from, r.at(names[records])); err != nil {
			return c, err
		}
	}
	for _, load := range []struct {
		records int
		store   string
		budget  string
	}{{0, "store", ""}, {m.records, names[m.records], "16 MiB"}} {
		now, most, err := r.memory(ctx, load.store)
		if err != nil {
			return c, err
		}
		c.rows = append(c.rows, row{fmt.Sprintf("resident after a sale, %d records", load.records), mebibytes(now), "", load.budget},
			row{"  the most it ever was", mebibytes(most), "", ""})
	}
	took := map[int][]time.Duration{}
	for range starts {
		for _, records := range []int{smallStore, m.records} {
			if err := m.bare.write(); err != nil {
				return c, err
			}
			one, err := r.timedStart(ctx, names[records])
			if err != nil {
				return c, err
			}
			took[records] = append(took[records], one)
		}
	}
	unit, small, large := m.bare.unit(), median(took[smallStore]), median(took[m.records])
	c.rows = append(c.rows,
		row{fmt.Sprintf("start to \"ready\", %d records", smallStore), span(small), times(ratio(small, unit)), ""},
		row{fmt.Sprintf("start to \"ready\", %d records", m.records), span(large), times(ratio(large, unit)), "100 ms"},
		row{fmt.Sprintf("  %d : %d", m.records, smallStore), "", times(ratio(large, small)), "flat"})
	c.notes = []string{"There is no TLS yet. Resident is VmRSS, pages of the program and of the store's files included; the most is VmHWM. " +
		fmt.Sprintf("Start is from exec to the log line, the median of %d, files in the page cache.", starts)}
	return c, nil
}

// memory boots with a store, makes one sale, lists the books and reads VmRSS and VmHWM, in bytes.
func (r *rig) memory(ctx context.Context, store string) (now, most int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := r.useStore(store); err != nil {
		return 0, 0, err
	}
	if err := r.boot(ctx); err != nil {
		return 0, 0, err
	}
	defer r.cutPower()
	if err := r.oneSale(ctx, "memory-"+store, "12.50"); err != nil {
		return 0, 0, err
	}
	if _, err := r.ask(ctx, agent.Request{Op: "list", Max: 100}, nil); err != nil {
		return 0, 0, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.terminal.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	if now, err = statusBytes(string(status), "VmRSS"); err == nil {
		most, err = statusBytes(string(status), "VmHWM")
	}
	return now, most, err
}

// statusBytes reads a line such as "VmRSS:	   12345 kB" (proc_pid_status(5)).
func statusBytes(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("no %s in the process's status", name)
}

// oneSale presents a card and expects an approval.
func (r *rig) oneSale(ctx context.Context, reference, amount string) error {
	if _, err := r.tell("devices", "reader present visa-4242"); err != nil {
		return err
	}
	return r.expectApproval(ctx, reference, amount)
}

func (r *rig) expectApproval(ctx context.Context, reference, amount string) error {
	e, err := r.ask(ctx, agent.Request{Op: "sale", Reference: reference, Amount: amount}, nil)
	if err != nil {
		return err
	}
	if e.Outcome != words.OutcomeApproved {
		return fmt.Errorf("sale %s ended %s: %s; see %s", reference, e.Outcome, e.Error, r.at("posagent.log"))
	}
	return nil
}

// timedStart starts the agent, and ends it as soon as it is ready.
func (r *rig) timedStart(ctx context.Context, store string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := r.useStore(store); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "posagent"), "run", "-config", r.at("posagent.toml"))
	log, err := cmd.StderrPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var took time.Duration
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if took == 0 && strings.Contains(lines.Text(), "msg=ready ") {
			took = time.Since(began)
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	if err := cmd.Wait(); err != nil {
		return 0, fmt.Errorf("the terminal did not start and end well: %w", err)
	}
	if took == 0 {
		return 0, errors.New("the terminal ended without being ready")
	}
	return took, nil
}
