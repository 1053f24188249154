package txn

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBalancesAreReadWithTheirSigns(t *testing.T) {
	cny, err := CurrencyOf("156")
	require.NoError(t, err)
	got, err := ParseBalances("0002156C000000498750" + "1001156D000000000001")
	require.NoError(t, err)
	assert.Equal(t, []Balance{{"00", "02", cny, 498750}, {"10", "01", cny, -1}}, got)
	assert.True(t, got[0].Available())
	assert.False(t, got[1].Available())
}

func TestWhatIsNoBalanceIsRefusedWithoutRepeatingIt(t *testing.T) {
	for _, bad := range []string{"", "0002156C00000049875", "0002156C0000004987500", "xx02156C000000498750", "0002999C000000498750",
		"0002CNYC000000498750", "0002156X000000498750", "0002156C00000049875x", "0002156C-00000498750", strings.Repeat("0002156C000000498750", 7)} {
		list, err := ParseBalances(bad)
		require.Error(t, err, bad)
		assert.Nil(t, list)
		assert.NotContains(t, err.Error(), "49875")
	}
}

func FuzzParseBalances(f *testing.F) {
	for _, s := range []string{"0002156C000000498750", "0002156D000000000001" + "0001156C000000000000", "", "0002156X", strings.Repeat("9", 140)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseBalances(text)
		if err != nil {
			return
		}
		if len(list) != len(text)/20 {
			t.Fatalf("%d balances of %q", len(list), text)
		}
		for _, b := range list {
			if b.Amount > MaxAmount || b.Amount < -MaxAmount || len(b.Currency.Number) != 3 {
				t.Fatalf("%q gave %+v", text, b)
			}
		}
	})
}
