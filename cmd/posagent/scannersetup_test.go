package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
)

// A technician sets a new scanner up. One that does not answer is named, and so is a terminal without any.
func TestAScannerIsSetUp(t *testing.T) {
	dir := workplace(t)
	setup := func() (string, error) {
		cmd := exec.Command("posagent", "scanner", "setup", "-config", "good.toml")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		said, err := cmd.CombinedOutput()
		return string(said), err
	}
	said, err := setup()
	require.Error(t, err)
	assert.Contains(t, said, "no scanner is configured")

	line, err := devicetest.OpenPty()
	require.NoError(t, err)
	sim := devicetest.NewScanner(devicetest.ScannerOpts{Host: true})
	served := make(chan error, 1)
	go func() { served <- sim.Serve(t.Context(), line) }()
	good := filepath.Join(dir, "good.toml")
	text, err := os.ReadFile(good)
	require.NoError(t, err)
	text = append(text, "\n[scanner]\nport = \""+line.Name()+"\"\nkind = \"gm72\"\nreply = \"20s\"\n"...)
	require.NoError(t, os.WriteFile(good, text, 0o600))
	said, err = setup()
	require.NoError(t, err, said)
	assert.Contains(t, said, "look only when a sale asks it to")
	assert.Equal(t, 1, sim.Stored())

	_, err = sim.Command("fault refuse")
	require.NoError(t, err)
	said, err = setup()
	require.NoError(t, err, "a refused command is repeated: %s", said)
	require.NoError(t, line.Close())
	<-served
	said, err = setup()
	require.Error(t, err)
	assert.Contains(t, said, "scanner: ")
}
