package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// From a terminal without a key to one with it, by way of a key centre that never sees the terminal, and a terminal that
// never sees the components.
func TestAKeyTravelsInABundle(t *testing.T) {
	terminal, centre := workplace(t), workplace(t)
	out, status := run(t, centre, "keys", "signer", "signer.key")
	require.Equal(t, 0, status, out)
	signers := regexp.MustCompile(`key_signers = .*`).FindString(out)
	config := filepath.Join(terminal, "good.toml")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, []byte(strings.Replace(string(text), `key_file = "tmk.key"`, `key_file = "tmk.key"`+"\n"+signers, 1)), 0o600))

	ask := func() (fingerprint string) {
		program, err := exec.LookPath("posagent")
		require.NoError(t, err)
		cmd := exec.Command(program, "keys", "request", "-config", "good.toml")
		cmd.Dir, cmd.Env = terminal, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		var said strings.Builder
		cmd.Stderr = &said
		request, err := cmd.Output()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(centre, "request.pem"), request, 0o600))
		return regexp.MustCompile(`([0-9A-F]{4} ){4}[0-9A-F]{4}`).FindString(said.String())
	}
	bundle := func(fingerprint, to string) string {
		d := sitDown(t, centre, "keys", "bundle", "request.pem", "-signer", "signer.key", "-to", to)
		d.expect("request of terminal 30010001, merchant 898110054110001")
		d.expect(fingerprint)
		d.expect("(yes/no) ")
		d.types("yes\r")
		d.dialogue()
		require.Equal(t, 0, d.leaves(), d.all())
		made, err := os.ReadFile(filepath.Join(centre, to))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(terminal, to), made, 0o644))
		return d.all()
	}
	seen := bundle(ask(), "first.pem")
	out, status = run(t, terminal, "keys", "load", "first.pem")
	require.Equal(t, 0, status, out)
	again, status := run(t, terminal, "keys", "load", "first.pem")
	assert.Equal(t, 1, status)
	assert.Contains(t, again, "the bundle is an old one: it has number 1 and number 1 was accepted already")
	shown, status := run(t, terminal, "keys", "show")
	require.Equal(t, 0, status)
	assert.Contains(t, shown, "bundle")
	assert.Contains(t, shown, "by Li Lei, 韩梅梅")

	_, status = run(t, terminal, "keys", "destroy", "-yes")
	require.Equal(t, 0, status)
	_, status = run(t, terminal, "keys", "load", "first.pem")
	assert.Equal(t, 1, status, "not after a destruction either")
	bundle(ask(), "second.pem")
	_, status = run(t, terminal, "keys", "load", "second.pem")
	assert.Equal(t, 0, status)
	requireNoKey(t, terminal, seen, out, again, shown)
	requireNoKey(t, centre)
}

func TestAFingerprintThatIsNotConfirmed(t *testing.T) {
	dir := workplace(t)
	_, status := run(t, dir, "keys", "signer", "signer.key")
	require.Equal(t, 0, status)
	program, err := exec.LookPath("posagent")
	require.NoError(t, err)
	cmd := exec.Command(program, "keys", "request", "-config", "good.toml")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	request, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "request.pem"), request, 0o600))
	d := sitDown(t, dir, "keys", "bundle", "request.pem", "-signer", "signer.key", "-to", "bundle.pem")
	d.expect("(yes/no) ")
	d.types("no\r")
	assert.Equal(t, 1, d.leaves())
	assert.Contains(t, d.all(), "this request may be somebody else's; nothing was made")
	assert.NoFileExists(t, filepath.Join(dir, "bundle.pem"))
}
