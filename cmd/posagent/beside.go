package main

import (
	"errors"
	"fmt"

	"posagent/firmware/agent"
	"posagent/txnstore"
)

// booksBeside reads the files while the agent runs and cannot, because the disk under its store has a fault. It says so,
// because what is read may hold a change that the disk has not kept.
func (c *command) booksBeside(config *Config, fault error, fromFiles func(*txnstore.Viewer) (agent.Event, error)) (agent.Event, error) {
	key, _, err := config.storeKey()
	if err != nil {
		return agent.Event{}, errors.Join(fault, fmt.Errorf("store.key_file: %w", err))
	}
	view, err := txnstore.ViewBeside(config.path(config.Store.Dir), config.storeOptions(key))
	if err != nil {
		return agent.Event{}, errors.Join(fault, fmt.Errorf("store.dir: %w", err))
	}
	defer view.Close()
	fmt.Fprintf(c.err, "posagent: the agent's store has a fault (%v); this is read from the files, and the newest change in them is not proven\n", fault)
	return fromFiles(view)
}
