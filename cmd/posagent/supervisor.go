package main

import (
	"errors"
	"fmt"

	"posagent/firmware/supervisor"
)

// supervisors is the configured list. A terminal without one takes the till's word, and there is nothing to change.
func (c *command) supervisors() (*supervisor.List, error) {
	config, err := readConfig(c.config)
	if err != nil {
		return nil, err
	}
	if config.Terminal.Supervisors == "" {
		return nil, errors.New("terminal.supervisors: no list is named in the configuration, so the till vouches for supervisors")
	}
	return supervisor.Open(config.path(config.Terminal.Supervisors)), nil
}

// supervisorSet adds a supervisor, or gives one a new password. Who may write the file may do this.
func (c *command) supervisorSet(number string, p passwords) int {
	list, err := c.supervisors()
	if err != nil {
		return c.fail(err)
	}
	first, err := p.ask(c, fmt.Sprintf("主管 %s 新密码 new password of supervisor %s", plain(number), plain(number)))
	if err == nil && p.descriptor < 0 {
		second, again := p.ask(c, "再次输入 the same again")
		if err = again; err == nil && second.TextInTheClear() != first.TextInTheClear() {
			err = errors.New("the two passwords differ; nothing was changed")
		}
	}
	if err == nil {
		err = list.Set(number, first)
	}
	return c.done(err)
}

func (c *command) supervisorRemove(number string) int {
	list, err := c.supervisors()
	if err == nil {
		err = list.Remove(number)
	}
	return c.done(err)
}

func (c *command) supervisorUnlock(number string) int {
	list, err := c.supervisors()
	if err == nil {
		err = list.Unlock(number)
	}
	return c.done(err)
}

func (c *command) supervisorList() int {
	list, err := c.supervisors()
	if err != nil {
		return c.fail(err)
	}
	all, err := list.All()
	if err != nil {
		return c.fail(err)
	}
	for _, s := range all {
		state := "可用 allowed"
		if s.Locked {
			state = "锁定 locked out"
		}
		fmt.Fprintf(c.out, "%-3s  %s  连续失败 wrong in a row %d\n", s.Number, state, s.Failed)
	}
	return exitDone
}

func (c *command) done(err error) int {
	if err != nil {
		return c.fail(err)
	}
	return exitDone
}
