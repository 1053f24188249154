package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/terminal"
)

// configured reads good.toml with something behind it.
func configured(t *testing.T, more string) (*Config, error) {
	t.Helper()
	good, err := os.ReadFile("testdata/good.toml")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "posagent.toml")
	require.NoError(t, os.WriteFile(file, append(good, more...), 0o600))
	return readConfig(file)
}

func TestRangesOfCardsAreRead(t *testing.T) {
	c, err := configured(t, `
[[bin]]
from = "621000"
to = "621099"
rule = "refuse"

[[bin]]
from = "4"
rule = "online"
max_charge = "100.00"
`)
	require.NoError(t, err)
	o, err := c.options(make([]byte, 16))
	require.NoError(t, err)
	assert.Equal(t, []terminal.BinRange{{From: "621000", To: "621099", Rule: terminal.BinRefuse}, {From: "4", To: "4", Rule: terminal.BinOnline, MaxCharge: 10000}}, o.Bins)
}

func TestRangesThatContradictEachOtherAreRefusedByName(t *testing.T) {
	_, err := configured(t, `
[[bin]]
from = "62"
rule = "accept"

[[bin]]
from = "4"
rule = "perhaps"

[[bin]]
from = "621000"
to = "621099"
rule = "refuse"

[[bin]]
from = "62"
to = "6"
rule = "accept"

[[bin]]
from = "5"
rule = "accept"
max_charge = "x"
`)
	require.Error(t, err)
	for _, want := range []string{`bin[1]: rule: "perhaps" is not known`, "bin[2]: 621000 to 621099, refuse, contradicts bin[0], 62 to 62, accept",
		"bin[3]: to: want as many digits", "bin[4].max_charge"} {
		assert.ErrorContains(t, err, want)
	}
	_, err = configured(t, "\n[[bin]]\nfrom = \"62\"\nrule = \"accept\"\n\n[[bin]]\nfrom = \"62\"\nrule = \"accept\"\n")
	assert.NoError(t, err, "twice the same is no contradiction")
	_, err = configured(t, "\n[[bin]]\nform = \"62\"\nrule = \"accept\"\n")
	assert.ErrorContains(t, err, "bin.form: unknown key")
}
