package profile

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAProfileSaysHowTracksTravel(t *testing.T) {
	p, err := Open(filepath.Join(examples, "dukpt.toml"))
	require.NoError(t, err)
	assert.Equal(t, []any{DUKPTTracks, 59}, []any{p.Tracks, p.Serial})
	for text, want := range map[string]Tracks{"": "", "[tracks]\ncipher = \"none\"\n": ClearTracks, "[tracks]\ncipher = \"tdk\"\n": TDKTracks} {
		p, err := Read("own.toml", "base = \"iso87\"\nname = \"own\"\n"+text)
		require.NoError(t, err)
		assert.Equal(t, want, p.Tracks)
	}
	assert.Empty(t, UnionPay().Tracks)
	again, err := Read("full.toml", p.Text())
	require.NoError(t, err)
	assert.Equal(t, []any{p.Mark, p.Tracks, p.Serial}, []any{again.Mark, again.Tracks, again.Serial})
	assert.NotEqual(t, ISO87().Mark, p.Mark, "a record says how its tracks travelled")
}

func TestWhatAProfileCannotSayOfTracks(t *testing.T) {
	const good = "[tracks]\ncipher = \"dukpt\"\nserial = \"59\"\n[fields]\n35 = \"z..48\"\n36 = \"\"\n59 = "
	for name, c := range map[string]struct {
		text string
		line int
		why  string
	}{
		"a cipher that is not known":        {"[tracks]\ncipher = \"aes\"", 4, "write one of none, tdk, dukpt, reader"},
		"no cipher":                         {"[tracks]\nserial = \"59\"", 1, "[tracks] has no cipher"},
		"DUKPT without a serial number":     {"[tracks]\ncipher = \"dukpt\"", 4, "wants the field of the key serial number"},
		"a serial number of a track key":    {"[tracks]\ncipher = \"tdk\"\nserial = \"59\"", 5, "leave it out"},
		"a serial number of nothing":        {"[tracks]\ncipher = \"none\"\nserial = \"59\"", 5, "leave it out"},
		"a key that is not known":           {good + "\"b10\"\n[tracks]", 10, "stands in line 3 already"},
		"another unknown key":               {"[tracks]\ncipher = \"none\"\nkey = \"59\"", 5, "key: unknown key in [tracks]"},
		"a serial number in no field":       {"[tracks]\ncipher = \"dukpt\"\nserial = \"ksn\"", 5, "is no field"},
		"beside the PIN's":                  {"[tracks]\ncipher = \"dukpt\"\nserial = \"53\"", 5, "field 53 has another use"},
		"in the place of the MAC":           {"[tracks]\ncipher = \"dukpt\"\nserial = \"64\"", 5, "field 64 has another use"},
		"in a field without a row":          {"[tracks]\ncipher = \"dukpt\"\nserial = \"59\"\n[fields]\n59 = \"\"", 5, "is not in the table"},
		"in a field of digits":              {good + "\"n20\"", 9, "does not hold a key serial number"},
		"in a field that is too short":      {good + "\"b8\"", 9, "does not hold a key serial number"},
		"in a field that is too long":       {good + "\"an24\"", 9, "does not hold a key serial number"},
		"in a field that is used":           {"[tracks]\ncipher = \"dukpt\"\nserial = \"60\"\n[fields]\n35 = \"z..48\"\n36 = \"\"", 5, "is set by"},
		"in one that a single message uses": {good + "\"b10 hex\"\n[sale]\n59 = \"{terminal}\"", 5, "field 59 is set by sale"},
		"a track that does not fit":         {"[tracks]\ncipher = \"dukpt\"\nserial = \"59\"\n[fields]\n36 = \"\"\n59 = \"b10\"", 5, "write 35 = \"z..48\""},
		"a track of its own row":            {"[fields]\n35 = \"z..40\"\n36 = \"\"\n59 = \"b10\"\n[tracks]\ncipher = \"dukpt\"\nserial = \"59\"", 4, "write 35 = \"z..48\""},
		"track 3":                           {"[tracks]\ncipher = \"dukpt\"\nserial = \"59\"\n[fields]\n35 = \"z..48\"\n59 = \"b10\"", 5, "write 36 = \"z...112\""},
		"a track key without field 53":      {"[fields]\n53 = \"\"\n[tracks]\ncipher = \"tdk\"", 4, "field 53: is not in the table"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("own.toml", "base = \"iso87\"\nname = \"own\"\n"+c.text+"\n")
			require.ErrorContains(t, err, c.why)
			for line := range strings.Lines(err.Error()) {
				if strings.Contains(line, c.why) {
					assert.Regexp(t, fmt.Sprintf("^own.toml:%d: ", c.line), line)
				}
			}
		})
	}
	for _, row := range []string{"b10", "b10 hex", "b...12", "an20", "ans..20", "ans...999"} {
		_, err := Read("own.toml", "base = \"iso87\"\nname = \"own\"\n"+good+"\""+row+"\"\n")
		assert.NoError(t, err, row)
	}
}
