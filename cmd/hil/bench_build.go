package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// binaries builds the terminal as it ships for two boards and weighs it. It needs make, the go tool and the sources.
func (m *measuring) binaries(ctx context.Context) (chapter, error) {
	c := chapter{title: "posagent, static and stripped"}
	if said, err := exec.CommandContext(ctx, "make", "-s", "boards").CombinedOutput(); err != nil {
		return c, fmt.Errorf("make boards (run from the repository's root): %w: %s", err, strings.TrimSpace(string(said)))
	}
	for _, board := range []struct{ name, dir, budget string }{{"ARMv7", "armv7", "8 MiB"}, {"ARM64", "arm64", ""}} {
		info, err := os.Stat(filepath.Join("bin", board.dir, "posagent"))
		if err != nil {
			return c, err
		}
		c.rows = append(c.rows, row{board.name, mebibytes(info.Size()), "", board.budget})
	}
	return c, nil
}
