package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/firmware/scenario"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// The process tests judge real programs, so they are built first. With EMULATOR=qemu-arm-static the terminal alone is the
// ARMv7 program, and runs under that.
var built string

func TestMain(m *testing.M) {
	if dir := os.Getenv(faultChild); dir != "" {
		os.Exit(runFaultChild(dir))
	}
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("10") // a rig waits for its processes; it hardly computes
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "posagent-bin")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		for _, program := range []string{"posagent", "acquirersim", "devicesim", "hil"} {
			build := exec.Command("go", "build", "-o", dir+"/", "posagent/cmd/"+program)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if os.Getenv("EMULATOR") != "" && program == "posagent" {
				build.Env = append(build.Env, "GOARCH=arm", "GOARM=7")
			}
			build.Stderr = os.Stderr
			if err := build.Run(); err != nil {
				fmt.Fprintln(os.Stderr, program, "does not build:", err)
				return 1
			}
		}
		built = dir
		return m.Run()
	}())
}

// bench lays out a rig in a directory short enough for unix sockets.
func bench(t *testing.T, s settings) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "rig")
	if err != nil {
		t.Fatal(err)
	}
	r, err := setUp(places{bin: built, dir: dir, emulator: os.Getenv("EMULATOR"), cards: filepath.Join("..", "..", "testdata", "cards", "cards.toml")}, s)
	t.Cleanup(func() {
		r.tearDown()
		if t.Failed() {
			t.Logf("the rig is kept in %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stateOf restarts the terminal, waits until it owes nothing, and reads what became of the sale.
func (r *rig) stateOf(t *testing.T, ctx context.Context, reference string, n int) txn.State {
	t.Helper()
	require.NoError(t, r.boot(ctx), "cut %d", n)
	defer r.cutPower()
	require.NoError(t, r.settled(ctx), "cut %d", n)
	e, err := r.ask(ctx, agent.Request{Op: "show", Reference: reference}, nil)
	if err != nil {
		require.Contains(t, err.Error(), reference)
		return ""
	}
	return e.Txn.State
}

// audit reads the whole store from its files, with no terminal running, and holds it against ledger and paper.
func (r *rig) audit(t *testing.T) []string {
	t.Helper()
	key, err := os.ReadFile(r.at("store.key"))
	require.NoError(t, err)
	seal, err := hex.DecodeString(strings.TrimSpace(string(key)))
	require.NoError(t, err)
	view, err := txnstore.View(r.at("store"), &txnstore.Options{Terminal: terminalID, Key: seal, Now: time.Now})
	require.NoError(t, err)
	defer view.Close()
	var here []scenario.Sale
	require.NoError(t, view.Since(0, func(x txn.Txn) error {
		here = append(here, scenario.SaleFrom(x))
		return nil
	}))
	for lookedFor := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		b, err := r.theirBooks()
		require.NoError(t, err)
		b.Here = here
		wrong := scenario.JudgeFiles(b)
		if len(wrong) == 0 || time.Since(lookedFor) > time.Minute { // the printer's last cut comes after its proof
			return wrong
		}
	}
}
