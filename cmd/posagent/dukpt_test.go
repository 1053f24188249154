package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const dukptSerial = "FFFF9876543210E00000"

// dukptPlace is a workplace whose profile has tracks under DUKPT.
func dukptPlace(t *testing.T, more string) string {
	dir := workplace(t)
	p, err := os.ReadFile(filepath.Join("..", "..", "testdata", "profiles", "dukpt.toml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "south.toml"), p, 0o600))
	config := filepath.Join(dir, "good.toml")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, []byte(strings.Replace(string(text), `key_file = "tmk.key"`,
		"key_file = \"tmk.key\"\nprofile = \"south.toml\"\n"+more, 1)), 0o600))
	return dir
}

// typesBoth types the two sheets as the components of a key.
func (d *desk) typesBoth(what string) {
	for i, sheet := range []string{sheetOne, sheetTwo} {
		d.expect("name of person ")
		d.types([]string{"Li", "Han"}[i] + "\r")
		d.expect("not shown: ")
		d.types(sheet + "\r")
		d.expect("(yes/no) ")
		d.types("yes\r")
	}
	d.expect("check value of the " + what)
	d.expect("is it to be loaded? (yes/no) ")
	d.types("yes\r")
}

func TestTwoPersonsLoadADUKPTInitialKey(t *testing.T) {
	dir := dukptPlace(t, `dukpt_file = "dukpt.key"`)
	d := sitDown(t, dir, "keys", "load")
	d.dialogue()
	require.Equal(t, 0, d.leaves(), d.all())
	checked, status := run(t, dir, "config", "check")
	require.Equal(t, 1, status)
	assert.Contains(t, checked, "acquirer.dukpt_file")
	assert.Contains(t, checked, "posagent keys load -dukpt SERIAL")
	out, status := run(t, dir, "run")
	require.Equal(t, 1, status)
	assert.Contains(t, out, "posagent keys load -dukpt SERIAL")

	d = sitDown(t, dir, "keys", "load", "-dukpt", dukptSerial)
	d.typesBoth("DUKPT initial key")
	require.Equal(t, 0, d.leaves(), d.all())
	assert.Contains(t, d.all(), "of "+dukptSerial)
	checked, status = run(t, dir, "config", "check")
	require.Equal(t, 0, status, checked)
	shown, status := run(t, dir, "keys", "show")
	require.Equal(t, 0, status, shown)
	assert.Regexp(t, `(?m)^DUKPT +[0-9A-F]{8} +initial key +20.*, next FFFF9876543210E00001$`, shown)
	asJSON, status := run(t, dir, "keys", "show", "-json")
	require.Equal(t, 0, status)
	assert.Contains(t, asJSON, `"serial":"FFFF9876543210E00001"`)
	log, status := run(t, dir, "keys", "log")
	require.Equal(t, 0, status)
	assert.Regexp(t, `dukpt +[0-9A-F]{8} components of FFFF9876543210E00000 by Li, Han`, log)

	again := sitDown(t, dir, "keys", "load", "-dukpt", dukptSerial)
	again.typesBoth("DUKPT initial key")
	require.Equal(t, 1, again.leaves())
	assert.Contains(t, again.all(), "was loaded here before")
	_, status = run(t, dir, "keys", "destroy", "-yes")
	require.Equal(t, 0, status)
	assert.NoFileExists(t, filepath.Join(dir, "dukpt.key"))
	again = sitDown(t, dir, "keys", "load", "-dukpt", dukptSerial)
	again.typesBoth("DUKPT initial key")
	require.Equal(t, 1, again.leaves(), "not after a destruction either")
	requireNoKey(t, dir, d.all(), again.all(), shown, asJSON, log, checked)
}

func TestWrongUseOfDUKPTKeys(t *testing.T) {
	dir := dukptPlace(t, `dukpt_file = "dukpt.key"`)
	for _, args := range [][]string{{"keys", "load", "-dukpt", "FFFF9876543210E00001"}, {"keys", "load", "-dukpt", "12"}, {"keys", "load", "b.pem", "-dukpt", dukptSerial},
		{"keys", "bundle", "r.pem", "-signer", "s", "-to", "t", "-dukpt", "12"}} {
		out, status := run(t, dir, args...)
		assert.Equal(t, exitUsage, status, out)
		assert.Contains(t, out, "-dukpt")
	}
}

func TestContradictionsOfConfigurationAndProfile(t *testing.T) {
	for more, why := range map[string]string{
		"": "acquirer.dukpt_file: missing; the profile has tracks under DUKPT",
		"dukpt_file = \"dukpt.key\"\nencrypt_tracks = true": "acquirer.encrypt_tracks: means a track key, and the profile has cipher = \"dukpt\"",
		"dukpt_file = \"tmk.key\"":                          "acquirer.dukpt_file: is the file of other keys",
		"dukpt_file = \"store.key\"":                        "acquirer.dukpt_file: is the file of other keys",
	} {
		out, status := run(t, dukptPlace(t, more), "config", "check")
		assert.Equal(t, 1, status)
		assert.Contains(t, out, why)
	}
}

// Where the card reader keeps numbers to itself, what needs one is refused, all of it at once, with what to change.
func TestWhatNeedsAWholeNumberIsRefusedWhereTheReaderEnciphers(t *testing.T) {
	dir := workplace(t)
	p, err := os.ReadFile(filepath.Join("..", "..", "testdata", "profiles", "reader.toml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "west.toml"), p, 0o600))
	config := filepath.Join(dir, "good.toml")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	good := strings.Replace(string(text), `key_file = "tmk.key"`, "key_file = \"tmk.key\"\nprofile = \"west.toml\"", 1)
	write := func(text string) { require.NoError(t, os.WriteFile(config, []byte(text), 0o600)) }
	write(good)
	out, _ := run(t, dir, "config", "check")
	assert.NotContains(t, out, "fault(s)")
	assert.NotContains(t, out, "dukpt_file", "the terminal needs no key of it")

	bad := strings.Replace(good, "[terminal]", "[terminal]\nblocklist = \"blocked\"\nmax_card_day = \"10.00\"\nmax_card_count = 3", 1)
	bad = strings.Replace(bad, "[reader]", "[reader]\nkind = \"msr\"", 1)
	bad += "\n[pinpad]\nport = \"pinpad\"\n\n[[bin]]\nfrom = \"62242429\"\nrule = \"refuse\"\n"
	write(bad)
	out, status := run(t, dir, "config", "check")
	assert.Equal(t, 1, status)
	for _, key := range []string{"reader.kind", "pinpad.port", "terminal.blocklist", "terminal.max_card_day", "terminal.max_card_count", "bin.from"} {
		assert.Contains(t, out, key+": the profile has cipher = \"reader\"")
	}
	out, status = run(t, dir, "blocklist", "load", "/dev/null")
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "a list of whole numbers would block nobody")
}
