package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"posagent/firmware/agent"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// In the scripts posagent is a process of its own, with its exit status, its two outputs and its files.
func TestMain(m *testing.M) { testscript.Main(onThisMachine{m}, map[string]func(){"posagent": main}) }

// onThisMachine puts EMULATOR=qemu-arm-static before the program when the tests run as those of another architecture.
type onThisMachine struct{ *testing.M }

func (m onThisMachine) Run() int {
	if emulator := os.Getenv("EMULATOR"); emulator != "" {
		program, err := exec.LookPath("posagent")
		if err != nil {
			panic(err)
		}
		aside := filepath.Join(filepath.Dir(program), "emulated", "posagent")
		script := fmt.Sprintf("#!/bin/sh\nexec %s %s \"$@\"\n", emulator, aside)
		if err := errors.Join(os.Mkdir(filepath.Dir(aside), 0o755), os.Rename(program, aside), os.WriteFile(program, []byte(script), 0o755)); err != nil {
			panic(err)
		}
	}
	return m.M.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "change": change, "listening": listening, "sold": sold, "spoil": spoil, "keyring": keyring,
		},
		Condition: func(name string) (bool, error) { return name == "keyring" && keepsKeys(), nil },
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			e.Setenv("KEYNAME", fmt.Sprintf("posagent-%s-%d", filepath.Base(e.WorkDir), os.Getpid())) // scripts run side by side
			e.Setenv("GORACE", "atexit_sleep_ms=0")                                                   // else each process rests a second before it ends
			good, err := os.ReadFile("testdata/good.toml")
			if err != nil {
				return err
			}
			for name, text := range map[string]string{"good.toml": string(good), "tmk.key": "0123456789abcdeffedcba9876543210\n",
				"reader": "", "printer": "", "modem": ""} {
				if err := os.WriteFile(e.WorkDir+"/"+name, []byte(text), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// exits STATUS PROGRAM ARGS… runs a program and holds its exit status against a number.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// change FROM TO OLD NEW copies a file with one text replaced by another; \n in both begins a line.
func change(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: change FROM TO OLD NEW")
	}
	text := ts.ReadFile(args[0])
	before, after := strings.ReplaceAll(args[2], `\n`, "\n"), strings.ReplaceAll(args[3], `\n`, "\n")
	if n := strings.Count(text, before); n != 1 {
		ts.Fatalf("%q is in %s %d times", before, args[0], n)
	}
	text = strings.Replace(text, before, after, 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// listening SOCKET waits until an agent answers there.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening SOCKET")
	}
	deadline := time.Now().Add(4 * time.Minute)
	for {
		client, err := agent.Dial(ts.MkAbs(args[0]))
		if err == nil {
			_, err = client.Ask(context.Background(), agent.Request{Op: "status"}, nil)
			_ = client.Close()
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("nobody answers: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// sold REFERENCE AMOUNT STATE writes a sale into the store of good.toml, as an agent that has ended since would have.
func sold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sold REFERENCE AMOUNT STATE")
	}
	key, err := hex.DecodeString(strings.TrimSpace(ts.ReadFile("store.key")))
	ts.Check(err)
	store, _, err := txnstore.Open(ts.MkAbs("store"), &txnstore.Options{Terminal: "30010001", Merchant: "898110054110001", Key: key, Now: time.Now})
	ts.Check(err)
	defer store.Close()
	cny, err := txn.CurrencyOf("CNY")
	ts.Check(err)
	amount, err := cny.ParseAmount(args[1])
	ts.Check(err)
	pan, err := txn.ParsePAN("4242424242424242")
	ts.Check(err)
	x, err := store.Begin(txn.Draft{Kind: txn.Sale, Reference: args[0], Operator: "01", Amount: amount, Currency: cny,
		Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Swiped}})
	ts.Check(err)
	state := txn.State(args[2])
	if state == txn.Pending {
		return
	}
	if state == txn.Suspense {
		_, err := store.Advance(x.ID, txn.Reversing, func(x *txn.Txn) { x.Reason, x.Tries.Last = txn.NoAnswer, time.Now() })
		ts.Check(err)
	}
	_, err = store.Advance(x.ID, state, func(x *txn.Txn) {
		x.Answer = txn.Answer{Code: map[txn.State]string{txn.Approved: "00", txn.Declined: "51"}[state], Approved: state == txn.Approved}
	})
	ts.Check(err)
}

// spoil FILE OFFSET BYTE damages one byte of a file.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: spoil FILE OFFSET BYTE")
	}
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	value, err := strconv.ParseUint(args[2], 0, 8)
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	b[offset] ^= byte(value)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}
