package profile

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func TestAProfileLeavesEncipheringToTheReader(t *testing.T) {
	p, err := Open(filepath.Join(examples, "reader.toml"))
	require.NoError(t, err)
	assert.Equal(t, []any{ReaderTracks, 59}, []any{p.Tracks, p.Serial})
	assert.Empty(t, p.Form(string(txn.OfflineSale)).Type, "an offline sale has nothing but a number to be known by")
	assert.Empty(t, p.Detail(txn.OfflineSale).Type)
	for _, k := range txn.Kinds() {
		assert.Equal(t, k != txn.OfflineSale, p.Form(string(k)).Type != "", k)
		assert.False(t, p.AsksPIN(k), k)
	}
	again, err := Read("full.toml", p.Text())
	require.NoError(t, err, "a profile may be shown and read again as a whole")
	assert.Equal(t, []any{p.Mark, p.Tracks, p.Serial}, []any{again.Mark, again.Tracks, again.Serial})
	assert.Empty(t, again.Form(string(txn.OfflineSale)).Type)
}

func TestWhatCannotBeWithoutANumber(t *testing.T) {
	const good = "[tracks]\ncipher = \"reader\"\nserial = \"59\"\n[fields]\n35 = \"z..96\"\n59 = \"b10\"\n"
	for name, c := range map[string]struct {
		base, text string
		line       int
		why        string
	}{
		"no serial number":             {"iso87", "[tracks]\ncipher = \"reader\"", 4, "reader wants the field of the key serial number"},
		"a track that does not fit":    {"iso87", "[fields]\n35 = \"z..48\"\n59 = \"b10\"\n[tracks]\ncipher = \"reader\"\nserial = \"59\"", 4, "write 35 = \"z..96\""},
		"an offline sale of its own":   {"iso87", good + "[offline-sale]\n25 = \"08\"", 10, "[offline-sale]: names its card by number alone"},
		"a record of one":              {"iso87", good + "[offline-sale.detail]\n25 = \"08\"", 10, "[offline-sale.detail]: names its card by number alone"},
		"a refund that names nothing":  {"iso87", good + "[refund]\n37 = \"\"\n90 = \"\"", 10, "[refund]: names its original nowhere"},
		"a notice that names nothing":  {"iso87", good + "[completion-notice]\n38 = \"\"\n90 = \"\"", 10, "[completion-notice]: names its original nowhere"},
		"blocks of numbers":            {"unionpay", good, 4, "details = \"blocks\" names each record by its card's number"},
		"certificates told by numbers": {"unionpay", good, 4, "certificates = \"told\" names each by its card's number"},
		"a PIN":                        {"iso87", good + "[pin]\nasked = [\"sale\"]", 10, "[pin]: a PIN block is made with the card's number"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("own.toml", "base = \""+c.base+"\"\nname = \"own\"\n"+c.text+"\n")
			require.ErrorContains(t, err, c.why)
			for line := range strings.Lines(err.Error()) {
				if strings.Contains(line, c.why) {
					assert.Regexp(t, fmt.Sprintf("^own.toml:%d: ", c.line), line)
				}
			}
		})
	}
	_, err := Read("own.toml", "base = \"unionpay\"\nname = \"own\"\n[tracks]\ncipher = \"reader\"\nserial = \"57\"\n[fields]\n35 = \"z..96 bcd-left\"\n36 = \"\"\n57 = \"b10\"\n"+
		"[settlement]\ndetails = \"messages\"\ncertificates = \"kept\"\n")
	assert.NoError(t, err, "the direct connection, where an acquirer takes records by their STAN")
	for _, more := range []string{"", "[pin]\nasked = []\n", "[refund]\n90 = \"\"\n"} {
		_, err := Read("own.toml", "base = \"iso87\"\nname = \"own\"\n"+good+more)
		assert.NoError(t, err, more)
	}
}
