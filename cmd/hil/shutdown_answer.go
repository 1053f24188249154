package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"

	"posagent/txnstore/txn"
)

// inquiry is what a child needs to examine a store.
type inquiry struct {
	Dir    string
	Pocket bool        // it is a wrong little store
	Before []*sighting // what was there before the life began
	Boot   uint32
	Batch  uint32
	Life   []promise
	Acked  int
}

// finding is its answer.
type finding struct {
	Kind, Words string // what is wrong; empty is nothing
	Broken      string // the examination's own trouble
	Landed      bool   // what the call in flight writes was found
	Found       []*sighting
	Boot, Batch uint32
}

func (q inquiry) model() *model {
	list := []promise{{Boot: q.Boot, Batch: q.Batch}}
	for _, s := range q.Before {
		list = append(list, promise{Txn: s})
	}
	return modelOf(slices.Concat(list, q.Life), len(list)+q.Acked)
}

// answer is the child.
func answer(in io.Reader, out io.Writer) error {
	var q inquiry
	if err := json.NewDecoder(in).Decode(&q); err != nil {
		return err
	}
	var f finding
	e := examiner{dir: q.Dir, m: q.model()}
	var err error
	if q.Pocket {
		err = examinePocket(q.Dir, e.m)
	} else {
		err = e.examine(false)
	}
	var v verdict
	switch {
	case errors.As(err, &v):
		f.Kind, f.Words = v.kind, v.words
	case err != nil:
		f.Broken = err.Error()
	case !q.Pocket:
		f.Landed, f.Boot = e.landed, e.boot
		f.Batch = e.batch
		for _, s := range e.seen {
			f.Found = append(f.Found, s)
		}
		slices.SortFunc(f.Found, func(a, b *sighting) int { return compareIDs(a.ID, b.ID) })
	}
	return json.NewEncoder(out).Encode(f)
}

func compareIDs(a, b txn.ID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

const answerWithin = 2 * time.Minute // it takes a moment; a slow machine is not a hang

// ask has a child examine a store: the store might kill it, or keep it for ever.
func (p *shutdowns) ask(ctx context.Context, q inquiry) (f finding, err error) {
	text, err := json.Marshal(q)
	if err != nil {
		return f, err
	}
	limited, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	cmd := exec.CommandContext(limited, p.self, "shutdown", "-check")
	var said, last bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &said, &last
	ended := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return f, context.Cause(ctx)
	case limited.Err() != nil:
		return finding{Kind: hung, Words: fmt.Sprintf("no end within %v", answerWithin)}, nil
	case ended != nil:
		return finding{Kind: died, Words: fmt.Sprintf("%v: %s", ended, firstLine(last.String()))}, nil
	}
	if err = json.Unmarshal(said.Bytes(), &f); err == nil && f.Broken != "" {
		err = errors.New(strings.TrimSpace(f.Broken))
	}
	return f, err
}
