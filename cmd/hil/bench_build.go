package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// binaries builds the terminal as it ships for two boards and weighs it. It needs the go tool and the sources.
func (m *measuring) binaries(ctx context.Context) (chapter, error) {
	c := chapter{title: "posagent, static and stripped"}
	for _, board := range []struct {
		name, budget string
		environment  []string
	}{
		{"ARMv7", "8 MiB", []string{"GOARCH=arm", "GOARM=7"}},
		{"ARM64", "", []string{"GOARCH=arm64"}},
	} {
		size, err := m.build(ctx, board.environment)
		if err != nil {
			return c, err
		}
		c.rows = append(c.rows, row{board.name, mebibytes(size), "", board.budget})
	}
	return c, nil
}

func (m *measuring) build(ctx context.Context, environment []string) (int64, error) {
	dir, err := os.MkdirTemp("", "hil-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "posagent")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./cmd/posagent")
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux"), environment...)
	if said, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build (run from the repository's root): %w: %s", err, strings.TrimSpace(string(said)))
	}
	info, err := os.Stat(program)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
