package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"posagent/firmware/agent"
	"posagent/link/acquirer"
	"posagent/txnstore/txn/words"
)

// Downloads is what an order of the acquirer may change here.
type Downloads struct {
	Parameters    []string `toml:"parameters"`     // keys of this file that its parameters may set
	Quiet         duration `toml:"quiet"`          // after a transaction, before an order is obeyed
	Retry         duration `toml:"retry"`          // before one that failed is obeyed again, for the first time
	BlocklistSlot int      `toml:"blocklist_slot"` // characters that a number takes up in its blocklist
}

func (d Downloads) faults(fault func(bool, string, string, ...any)) {
	for _, key := range d.Parameters {
		fault(!slices.Contains(agent.Settable(), key), "downloads.parameters", "%q cannot be set by an acquirer; use %s", key, strings.Join(agent.Settable(), ", "))
	}
	fault(d.Quiet.Duration <= 0, "downloads.quiet", "must be longer than nothing, like 3s")
	fault(d.Retry.Duration <= 0, "downloads.retry", "must be longer than nothing, like 60s")
	fault(d.BlocklistSlot < 6 || d.BlocklistSlot > 19, "downloads.blocklist_slot", "want 6 to 19 characters, as agreed with the acquirer")
}

// downloads is where they are kept: beside the store's directory, in names that begin like it.
func (c *Config) downloads() agent.Folder { return agent.Folder(c.path(c.Store.Dir) + ".") }

// paramsShow shows the acquirer's parameters that are kept, what of them is in force, the blocklist, and the keys and applications
// for chip cards. An agent may run, and is asked whether the card reader holds these.
func (c *command) paramsShow() int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	set, err := agent.ReadParameters(config.downloads())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c.fail(fmt.Errorf("the downloaded parameters cannot be read and are not in force: %w", err))
	}
	own := set.Terminal == config.Terminal.ID && set.Merchant == config.Terminal.Merchant
	blocked, blockedErr := agent.ReadBlocklist(config.downloads())
	if blockedErr != nil && !errors.Is(blockedErr, fs.ErrNotExist) {
		return c.fail(fmt.Errorf("the downloaded blocklist cannot be read and is not in force: %w", blockedErr))
	}
	chips, err2 := c.chips(config)
	if err2 != nil {
		return c.fail(err2)
	}
	uses := set.Uses(config.Downloads.Parameters)
	if c.json {
		_ = json.NewEncoder(c.out).Encode(map[string]any{"in_force": err == nil && own, "origin": set.Origin, "parameters": uses,
			"blocklist": map[string]any{"origin": blocked.Origin, "cards": len(blocked.Cards), "ranges": blocked.Begins},
			"chips":     chips.Chips, "installed": chips.Installed, "install_fault": chips.InstallFault})
		return exitDone
	}
	switch {
	case err != nil:
		fmt.Fprintln(c.out, "未下载参数，以配置文件为准  no parameters were downloaded; the configuration is in force")
	case !own:
		fmt.Fprintf(c.out, "参数属于其他终端，未生效  the parameters are those of terminal %s and not in force\n", plain(set.Terminal))
	default:
		c.origin("参数", "parameters", set.Origin, len(set.Parameters))
		for _, u := range uses {
			use := words.OfUse(string(u.Use))
			line := fmt.Sprintf("%s  %-28s %-16s %s %s", u.Tag, u.Name, plain(u.Value), use.ZH, use.EN)
			if u.Key != "" {
				line += "  " + u.Key
			}
			if u.Why != "" {
				line += "  (" + u.Why + ")"
			}
			c.paragraph(c.out, "  ", line)
		}
	}
	if blockedErr == nil {
		c.origin("黑名单", "blocklist", blocked.Origin, len(blocked.Cards)+len(blocked.Begins))
		c.idle(blocked.Idle(config.masked()))
	}
	c.showChips(&chips)
	return exitDone
}

// chips reads what was downloaded for chip cards, and asks the agent, where one runs, whether the card reader holds it.
func (c *command) chips(config *Config) (s agent.Status, err error) {
	for _, which := range []acquirer.Schemes{acquirer.SchemeKeys, acquirer.SchemeApplications} {
		set, err := agent.ReadSchemes(config.downloads(), which)
		switch {
		case err == nil:
			s.Chips = append(s.Chips, agent.ChipStatus{DownloadStatus: agent.DownloadStatus{Origin: set.Origin, Entries: len(set.Rows)}, What: which.String(), Expired: set.Expired})
		case !errors.Is(err, fs.ErrNotExist):
			return s, fmt.Errorf("the downloaded %s cannot be read and are asked for again: %w", which, err)
		}
	}
	if len(s.Chips) == 0 {
		return s, nil
	}
	if e, err := c.books(context.Background(), agent.Request{Op: "status"}, nil); err == nil && e.Status != nil {
		s.Installed, s.InstallFault = e.Status.Installed, e.Status.InstallFault
	} else {
		s.Installed = "unknown"
	}
	return s, nil
}

func (c *command) showChips(s *agent.Status) {
	for _, set := range s.Chips {
		c.origin(words.OfChips(set.What), set.What, set.Origin, set.Entries)
		if len(set.Expired) > 0 {
			c.paragraph(c.out, "  ", "已过期，未采用 expired and left out: "+strings.Join(set.Expired, ", "))
		}
	}
	if s.Installed != "" {
		c.paragraph(c.out, "  ", words.OfInstall(s.Installed).Both())
	}
	if s.InstallFault != "" {
		c.paragraph(c.out, "    ", s.InstallFault)
	}
}

// idle says of how many entries of a blocklist nobody can ever be found by.
func (c *command) idle(entries int) {
	if entries > 0 {
		c.paragraph(c.out, "  ", words.NeverMet(entries).Both())
	}
}

func (c *command) origin(zh, en string, o agent.Origin, entries int) {
	fmt.Fprintf(c.out, "%s %s  %d  自 since %s  来自 from %s\n", zh, en, entries, o.Since.Local().Format("2006-01-02 15:04"), plain(o.Acquirer))
}

// orders shows what the acquirer has ordered since the agent started, and what was downloaded.
func (c *command) orders(s *agent.Status) {
	for _, o := range s.Orders {
		what, state := words.OfOrder(o.What), words.OfOrderState(o.State)
		line := fmt.Sprintf("收单行指令 order  %s %s  %s %s  x%d", what.ZH, what.EN, state.ZH, state.EN, o.Given)
		if o.Due != nil {
			line += "  " + o.Due.Local().Format("01-02 15:04")
		}
		c.paragraph(c.out, "", line)
		if o.Fault != "" {
			c.paragraph(c.out, "  ", plain(o.Fault))
		}
	}
	if s.Parameters != nil {
		c.origin("参数", "parameters", s.Parameters.Origin, s.Parameters.Entries)
	}
	if s.Blocklist != nil {
		c.origin("黑名单", "blocklist", s.Blocklist.Origin, s.Blocklist.Entries)
		c.idle(s.Blocklist.Idle)
	}
	c.showChips(s)
}
