package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"posagent/firmware/agent"
	"posagent/link/acquirer"
	"posagent/link/acquirer/keys"
)

// shownKeys is "keys show" in JSON.
type shownKeys struct {
	Where      string               `json:"where"`
	Check      string               `json:"check"`
	Source     keys.Source          `json:"source"`
	Generation uint64               `json:"generation"`
	Loaded     time.Time            `json:"loaded,omitzero"`
	By         []string             `json:"by"`
	Agent      bool                 `json:"agent"`   // an agent runs
	InUse      []acquirer.KeyStatus `json:"in_use"`  // what the running agent uses
	Restart    bool                 `json:"restart"` // it uses another master key
	DUKPT      *shownDUKPT          `json:"dukpt,omitempty"`
}

// keysShow shows check values, ages and sources, of the keys that are kept and of those a running agent uses.
func (c *command) keysShow(ctx context.Context) int {
	config, err := readConfig(c.config)
	if err == nil {
		err = keepMemoryIn()
	}
	if err != nil {
		return c.fail(err)
	}
	set, err := config.keySet()
	if err != nil {
		return c.fail(err)
	}
	defer set.Master.Destroy()
	s := shownKeys{Where: config.path(config.Acquirer.KeyFile), Check: set.Master.CheckValue().String(), Source: set.Source,
		Generation: set.Generation, By: append([]string{}, set.By...), InUse: []acquirer.KeyStatus{}}
	if config.Acquirer.KeySource != "" {
		s.Where = config.Acquirer.KeySource
	}
	if set.Generation > 0 {
		s.Loaded = set.Loaded
	}
	if s.DUKPT, err = config.showDUKPT(); err != nil {
		fmt.Fprintf(c.err, "posagent: %v\n", err) // the other keys are shown all the same
	}
	if client, err := agent.Dial(config.path(config.Socket.Path)); err == nil {
		defer client.Close()
		e, err := client.Ask(ctx, agent.Request{Op: "keys"}, nil)
		if err != nil {
			return c.fail(err)
		}
		s.Agent = true
		s.InUse = append(s.InUse, e.Keys...)
		for _, k := range s.InUse {
			s.Restart = s.Restart || k.Name == "master" && k.Check != s.Check || k.Name == "DUKPT" && s.DUKPT != nil && k.Check != s.DUKPT.Check
		}
	}
	if c.json {
		_ = json.NewEncoder(c.out).Encode(s)
		return exitDone
	}
	c.printKeys(s, time.Now())
	return exitDone
}

func (c *command) printKeys(s shownKeys, now time.Time) {
	fmt.Fprintf(c.out, "%-8s %-10s %-12s %s\n", "KEY", "CHECK", "SOURCE", "LOADED")
	loaded := "-"
	if !s.Loaded.IsZero() {
		loaded = fmt.Sprintf("%s (%s)", s.Loaded.Local().Format("2006-01-02 15:04"), age(now.Sub(s.Loaded)))
		if len(s.By) > 0 {
			loaded += " by " + plain(strings.Join(s.By, ", "))
		}
	}
	fmt.Fprintf(c.out, "%-8s %-10s %-12s %s\n", "master", s.Check, s.Source, loaded)
	if d := s.DUKPT; d != nil {
		fmt.Fprintf(c.out, "%-8s %-10s %-12s %s (%s), next %s\n", "DUKPT", d.Check, "initial key", d.Loaded.Local().Format("2006-01-02 15:04"), age(now.Sub(d.Loaded)), orDash(d.Serial))
	}
	signedIn := false
	for _, k := range s.InUse {
		signedIn = signedIn || k.Name == "MAC"
		if k.Name != "master" && k.Name != "DUKPT" {
			fmt.Fprintf(c.out, "%-8s %-10s %-12s %s (%s)\n", k.Name, k.Check, "sign-in", k.Since.Local().Format("2006-01-02 15:04"), age(now.Sub(k.Since)))
		}
	}
	if s.Restart {
		fmt.Fprintln(c.out, "运行中的程序仍用旧密钥，请重启  the running agent uses other keys; restart it")
	} else if s.Agent && !signedIn {
		fmt.Fprintln(c.out, "未签到  the running agent is not signed in")
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// age is a time in the unit that a person would use. A clock that was set back makes none.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "by another clock"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// keysLog shows who loaded which keys.
func (c *command) keysLog() int {
	return c.withKeys(false, func(_ *Config, room *keyRoom) error {
		for _, e := range room.log.Entries {
			if c.json {
				_ = json.NewEncoder(c.out).Encode(e)
				continue
			}
			by := ""
			if e.KSN != "" {
				by = " of " + plain(e.KSN)
			}
			if len(e.By) > 0 {
				by += " by " + plain(strings.Join(e.By, ", "))
			}
			fmt.Fprintf(c.out, "%s  %-9s %-8s %s%s\n", e.At.Local().Format("2006-01-02 15:04"), e.Deed, e.Check, plain(string(e.Source)), by)
		}
		return room.log.Changed
	})
}

// keysRequest writes what the key centre needs to make a bundle; its fingerprint goes beside it, for the telephone.
func (c *command) keysRequest() int {
	return c.withKeys(true, func(config *Config, room *keyRoom) error {
		_, counter := room.log.Newest()
		if set, err := room.store.Load(); err == nil {
			counter = max(counter, set.Counter)
			set.Master.Destroy()
		}
		r, err := keys.NewRequest(room.device, config.Terminal.ID, config.Terminal.Merchant, counter)
		if err != nil {
			return err
		}
		_, err = c.out.Write(r.Marshal())
		fmt.Fprintf(c.err, "指纹，请电话核对  fingerprint, to be compared by telephone: %s\n", r.Fingerprint())
		return errors.Join(err, room.log.Changed)
	})
}

// keysSeal puts a key that lies in the clear under the seal, in the same place.
func (c *command) keysSeal() int {
	return c.withKeys(true, func(_ *Config, room *keyRoom) error {
		set, err := room.store.Load()
		if err != nil {
			return err
		}
		defer set.Master.Destroy()
		if set.Generation > 0 {
			return fmt.Errorf("%v: they are sealed already", room.store)
		}
		return c.adopt(room, *set)
	})
}

// keysDestroy ends all keys, for a terminal that goes out of service.
func (c *command) keysDestroy(sure bool) int {
	if !sure {
		return c.misused("posagent keys destroy: the terminal cannot trade afterwards until keys are loaded again; say -yes if that is meant")
	}
	return c.withKeys(false, func(config *Config, room *keyRoom) error {
		if err := keys.Wipe(room.store, room.family, room.log, time.Now()); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "已销毁  destroyed: no key is left in %v\n", room.store)
		if client, err := agent.Dial(config.path(config.Socket.Path)); err == nil {
			_ = client.Close()
			fmt.Fprintln(c.out, "运行中的程序仍有密钥，请停止  a running agent still has them in memory; stop it")
		}
		return nil
	})
}

// writeNew writes a file that must not be there yet, for its owner alone, durably.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name another file", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
