package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The process tests judge real programs, so they are built first, exactly as they ship but for their names.
var built string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "posagent-bin")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-o", dir+"/", "posagent/cmd/posagent", "posagent/cmd/acquirersim", "posagent/cmd/devicesim", "posagent/cmd/hil")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "the programs do not build:", err)
			return 1
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
	r, err := setUp(places{bin: built, dir: dir, cards: filepath.Join("..", "..", "testdata", "cards", "cards.toml")}, s)
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
