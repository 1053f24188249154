package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"time"

	"posagent/device/gpio"
	"posagent/firmware/agent"
	"posagent/link/acquirer/keys"
)

// Lines are the terminal's single wires by their use; see gpio.Lines. None is required.
type Lines map[string]LinePlace

// LinePlace is one line: its name, or chip and number.
type LinePlace struct {
	Name      string `toml:"name"`
	Chip      string `toml:"chip"` // label or name of the chip
	Line      int    `toml:"line"`
	ActiveLow bool   `toml:"active_low"`
}

func (p LinePlace) place() gpio.Place {
	return gpio.Place{Name: p.Name, Chip: p.Chip, Number: p.Line, ActiveLow: p.ActiveLow}
}

// faults judges the lines without touching a chip.
func (l Lines) faults(fault func(wrong bool, key, what string, args ...any)) {
	uses, owner := (&gpio.Lines{}).Uses(), map[gpio.Place]string{}
	for use, line := range l {
		_, known := uses[use]
		fault(!known, "gpio."+use, "is not known; use ready, fault, card, buzzer, tamper, power_fail, modem_key, modem_reset, paper_out or cover_open")
		if err := line.place().Check(); err != nil {
			fault(true, "gpio."+use, "%v", err)
			continue
		}
		bare := line.place()
		bare.ActiveLow = false
		fault(owner[bare] != "", "gpio."+use, "is the line of gpio.%s, too", owner[bare])
		owner[bare] = use
	}
}

// absent lists the lines that no chip of this machine has. It takes none and moves none.
func (l Lines) absent() (found []string) {
	if len(l) == 0 {
		return nil
	}
	board, err := gpio.OpenBoard()
	if err != nil {
		return []string{err.Error()}
	}
	for use, line := range l {
		if _, err := board.Pin(line.place()); err != nil {
			found = append(found, fmt.Sprintf("gpio.%s: %v", use, err))
		}
	}
	sort.Strings(found)
	return found
}

// lines opens what is configured; nil where nothing is.
func (c *Config) lines() (*gpio.Lines, error) {
	if len(c.GPIO) == 0 {
		return nil, nil
	}
	board, err := gpio.OpenBoard()
	if err != nil {
		return nil, err
	}
	places := map[string]gpio.Place{}
	for use, line := range c.GPIO {
		places[use] = line.place()
	}
	return gpio.Open(board, places)
}

// modemPower restarts the cellular modem by the lines of its keys; nil where there are none. With two such modems nobody could
// say whose keys they are, and neither is restarted.
func (c *Config) modemPower(lines *gpio.Lines) func(context.Context) error {
	modems := 0
	for _, b := range c.Bearers {
		if b.cellular() {
			modems++
		}
	}
	if lines == nil || lines.ModemKey == nil && lines.ModemReset == nil || modems != 1 {
		return nil
	}
	power := &agent.ModemPower{Key: lines.ModemKey, Reset: lines.ModemReset, Now: time.Now,
		File: filepath.Join(c.path(c.Store.Dir), "modem-restarts")}
	return power.Cycle
}

// marks opens what an opened case and a failing power leave. A terminal without lines makes no such file, and one that had
// some goes on reading it: a mark outlives a change of the configuration.
func (c *Config) marks() (*agent.Marks, error) {
	path := filepath.Join(c.path(c.Store.Dir), "marks")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && len(c.GPIO) == 0 {
		return nil, nil
	}
	return agent.OpenMarks(path)
}

// wipe destroys the kept keys, for a case that was opened while the agent runs.
func (c *Config) wipe(log *slog.Logger) func() error {
	return func() error {
		room, err := c.openKeys(false)
		if err != nil {
			return err
		}
		log.Error("wiping the kept keys", "where", fmt.Sprint(room.store))
		return errors.Join(keys.Wipe(room.store, room.family, room.log, time.Now()), room.close())
	}
}

// whyNoKeys says that an opened case is why there are none.
func (c *Config) whyNoKeys(err error) error {
	if !errors.Is(err, keys.ErrNoKeys) {
		return err
	}
	marks, unread := c.marks()
	if unread != nil {
		return err
	}
	defer marks.Close()
	if opened, _ := marks.Tampered(); opened {
		return fmt.Errorf("the case was opened, which destroyed the keys; \"posagent tamper clear\" after a technician has looked: %w", err)
	}
	return err
}

// tamper shows whether the case was opened, and clears it once a technician has looked. The line itself is read by the
// agent: a case that still is open is marked again at its next start.
func (c *command) tamper(clear, sure bool) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if client, err := agent.Dial(config.path(config.Socket.Path)); err == nil {
		_ = client.Close()
		if clear {
			return c.fail(errors.New("an agent runs, and has the mark in memory; stop it first"))
		}
	}
	marks, err := config.marks()
	if err != nil {
		return c.fail(err)
	}
	defer marks.Close()
	opened, err := marks.Tampered()
	switch {
	case clear && !sure:
		return c.misused("posagent tamper clear: only after a technician has looked at the terminal; say -yes if that is so")
	case clear:
		if err := marks.ClearTampered(); err != nil {
			return c.fail(err)
		}
		fmt.Fprintln(c.out, "已清除  cleared; load new keys and start the agent: posagent keys load")
		return exitDone
	case err != nil:
		return c.fail(fmt.Errorf("whether the case was opened cannot be read, so it counts as opened: %w", err))
	case opened:
		fmt.Fprintln(c.out, "机壳曾被打开，密钥已销毁  the case was opened and the keys are destroyed")
		return exitFailed
	}
	fmt.Fprintln(c.out, "机壳完好  the case was not opened")
	return exitDone
}
