package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"

	"posagent/firmware/agent"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// books reads transactions: from the running agent, or from the files when none runs.
func (c *command) books(ctx context.Context, q agent.Request, fromFiles func(*txnstore.Viewer) (agent.Event, error)) (agent.Event, error) {
	config, err := readConfig(c.config)
	if err != nil {
		return agent.Event{}, err
	}
	client, err := agent.Dial(config.path(config.Socket.Path))
	if err == nil {
		defer client.Close()
		e, err := client.Ask(ctx, q, nil)
		if err == nil && e.Event == "error" {
			err = errors.New(e.Error)
			if e.Fault != "" && fromFiles != nil {
				return c.booksBeside(config, err, fromFiles)
			}
		}
		return e, err
	}
	if fromFiles == nil {
		return agent.Event{}, err
	}
	view, err := config.view()
	if err != nil {
		return agent.Event{}, err
	}
	defer view.Close()
	return fromFiles(view)
}

// view opens the store for reading. The error wraps errNoStore where no terminal has been in service.
func (c *Config) view() (*txnstore.Viewer, error) {
	key, _, err := c.storeKey()
	if errors.Is(err, errNoStore) {
		return nil, fmt.Errorf("store.dir: %s: %w", c.path(c.Store.Dir), err)
	}
	if err != nil {
		return nil, fmt.Errorf("store.key_file: %w", err)
	}
	view, err := txnstore.View(c.path(c.Store.Dir), c.storeOptions(key))
	if err != nil {
		return nil, fmt.Errorf("store.dir: %w", err)
	}
	return view, nil
}

// fromFiles reads one record while no agent runs.
func (c *Config) fromFiles(q agent.Request) (txn.Txn, error) {
	view, err := c.view()
	if err != nil {
		return txn.Txn{}, err
	}
	defer view.Close()
	return find(view, q)
}

// find reads one record by its ID or by the caller's reference.
func find(view *txnstore.Viewer, q agent.Request) (txn.Txn, error) {
	if q.Reference == "" {
		x, err := view.Get(txn.ID(q.ID))
		return x, agent.Unfound(err)
	}
	x, found, err := view.ByReference(q.Reference)
	if err == nil && !found {
		err = agent.Unfound(fmt.Errorf("%w has the reference %q", agent.ErrNoReference, q.Reference))
	}
	return x, err
}

// recorded is what the agent would say of a record.
func recorded(x txn.Txn) agent.Event {
	e, _ := agent.Shown(x, func(txn.ID, func(txn.Txn) error) error { return nil })
	return e
}

// named reads what a person called a transaction: a number is its ID, anything else its reference, and with the flag a
// number is a reference too.
func named(what string, byReference bool) agent.Request {
	if id, err := strconv.ParseUint(what, 10, 64); err == nil && !byReference {
		return agent.Request{ID: id}
	}
	return agent.Request{Reference: what}
}

func byReferenceFlag(is *bool) func(*flag.FlagSet) {
	return func(f *flag.FlagSet) {
		f.BoolVar(is, "reference", false, "what is named is a reference, even if it is a number")
	}
}

// client speaks with the running agent; without one there is an error.
func (c *command) client() (*agent.Client, error) {
	config, err := readConfig(c.config)
	if err != nil {
		return nil, err
	}
	return agent.Dial(config.path(config.Socket.Path))
}

// follow has the running agent do something, and shows its stages meanwhile.
func (c *command) follow(ctx context.Context, client *agent.Client, q agent.Request) (agent.Event, error) {
	show := progress{out: c.out, json: c.json, columns: columnsOf(c.out)}
	defer show.clear()
	return client.Ask(ctx, q, show.stage)
}
