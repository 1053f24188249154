package acquirer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func TestTotalsOfField48(t *testing.T) {
	own := txn.Totals{Domestic: txn.Sums{Debit: txn.Sum{Count: 2, Amount: 2500}, Credit: txn.Sum{Count: 1, Amount: 1250}}}
	digits, err := writeTotals(own)
	require.NoError(t, err)
	assert.Equal(t, "000000002500002"+"000000001250001"+"0"+strings.Repeat("0", 31), digits)
	balanced := strings.Repeat("0", 30) + "1" // some hosts answer what balances with zeros
	host, domestic, foreign, err := readTotals(balanced+balanced, own)
	require.NoError(t, err)
	assert.Equal(t, own, host)
	assert.Equal(t, txn.Balanced, domestic)
	assert.Equal(t, txn.Balanced, foreign)
	host, domestic, foreign, err = readTotals(digits[:30]+"2"+balanced[:30]+"3", txn.Totals{})
	require.NoError(t, err)
	assert.Equal(t, own.Domestic, host.Domestic)
	assert.Equal(t, txn.Unbalanced, domestic)
	assert.Equal(t, txn.Mistaken, foreign)
	for _, bad := range []string{"", balanced, balanced + balanced + "0", strings.Repeat("0", 62), balanced + strings.Repeat("0", 30) + "4"} {
		_, _, _, err := readTotals(bad, own)
		assert.Error(t, err, bad)
	}
}

func FuzzTotals(f *testing.F) {
	f.Add(strings.Repeat("0", 30) + "1" + strings.Repeat("9", 30) + "2")
	f.Add("")
	f.Fuzz(func(t *testing.T, digits string) {
		if strings.Trim(digits, "0123456789") != "" {
			return // the codec lets digits through only
		}
		host, domestic, foreign, err := readTotals(digits, txn.Totals{})
		if err != nil {
			return
		}
		require.NotEmpty(t, domestic)
		require.NotEmpty(t, foreign)
		_, err = writeTotals(host)
		require.NoError(t, err)
	})
}
