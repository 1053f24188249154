package receipt

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func TestWrapNeverSplitsACharacter(t *testing.T) {
	assert.Equal(t, []string{"中文", "字符"}, Wrap("中文字符", 5), "the fifth column stays empty")
	assert.Equal(t, []string{"a中", "文", "bc"}, Wrap("a中文bc", 3), "a word that fits the next line moves there whole")
	assert.Equal(t, []string{"PAY THE", "AMOUNT"}, Wrap("PAY THE AMOUNT", 9))
	assert.Equal(t, []string{"ABCDEFGH", "IJ"}, Wrap("ABCDEFGHIJ", 8))
	assert.Empty(t, Wrap("   ", 8))
	assert.Equal(t, []string{"请致", "电，谢", "谢。"}, Wrap("请致电，谢谢。", 6), "no line begins with a stop")
	assert.Equal(t, []string{"，", "，"}, Wrap("，，", 2))
}

func TestWrapKeepsEverythingAndFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := Printable(rapid.String().Draw(t, "text"))
		columns := rapid.IntRange(2, 64).Draw(t, "columns")
		lines := Wrap(text, columns)
		for _, line := range lines {
			require.LessOrEqual(t, Width(line), columns)
		}
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		require.Equal(t, squeeze(text), squeeze(strings.Join(lines, "")))
	})
}

// The promise on which the encoder builds: no byte of a printable text is a control character, in GBK either.
func TestPrintableTextHoldsNoControlByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := Printable(rapid.OneOf(rapid.String(), rapid.StringOf(rapid.Rune())).Draw(t, "text"))
		require.Equal(t, text, Printable(text))
		code, err := simplifiedchinese.GBK.NewEncoder().String(text)
		require.NoError(t, err)
		require.Len(t, code, Width(text), "one byte a column")
		for i := 0; i < len(code); i++ {
			require.GreaterOrEqual(t, code[i], byte(0x20))
			require.NotEqual(t, byte(0x7F), code[i])
		}
	})
}

func TestEveryGBKCharacterIsPrintable(t *testing.T) {
	dec := simplifiedchinese.GBK.NewDecoder()
	for lead := 0x81; lead <= 0xFE; lead++ {
		for trail := 0x40; trail <= 0xFE; trail++ {
			s, err := dec.String(string([]byte{byte(lead), byte(trail)}))
			if err != nil || strings.ContainsRune(s, '\uFFFD') || len([]rune(s)) != 1 {
				continue
			}
			if code, err := simplifiedchinese.GBK.NewEncoder().String(s); err == nil && len(code) == 2 {
				require.Equal(t, s, Printable(s))
			}
		}
	}
}

func TestTheFixedWordingIsPrintable(t *testing.T) {
	all := []words.Pair{words.SaleTitle, words.ReversalTitle, words.SuspenseTitle, words.DuplicateMark, words.NotAReceipt, words.Interrupted, words.Agreement, words.HoldAgreement, words.FreeAgreement, words.NotSuccessful,
		words.NotCharged, words.NeitherProves, words.DoNotSwipe, words.CallAcquirer, words.CustomerAdvice, words.SignatureLabel, words.OriginalVoucher, words.ReasonLabel}
	for _, w := range all {
		assert.Equal(t, w.Both(), Printable(w.Both()))
	}
}

func TestTheYearFollowsTheRecord(t *testing.T) {
	for _, c := range []struct{ began, date, clock, want string }{
		{"2026-11-21T22:40:00Z", "1121", "224105", "2026/11/21 22:41:05"},
		{"2027-01-01T00:00:03Z", "1231", "235959", "2026/12/31 23:59:59"}, // the acquirer still had the old year
		{"2026-12-31T23:59:58Z", "0101", "000001", "2027/01/01 00:00:01"}, // and here already the new one
		{"2028-02-29T10:00:00Z", "0229", "100001", "2028/02/29 10:00:01"},
		{"2026-11-21T22:40:00Z", "", "", "2026/11/21 22:40:00"},           // nothing from the acquirer
		{"2026-11-21T22:40:00Z", "1341", "996105", "2026/11/21 22:40:00"}, // nonsense from the acquirer
		{"1970-01-01T00:02:00Z", "1121", "224105", "11/21 22:41:05"},      // a flat clock battery
		{"1970-01-01T00:02:00Z", "", "", "01/01 00:02:00"},
	} {
		began, err := time.Parse(time.RFC3339, c.began)
		require.NoError(t, err)
		got := moment(txn.Txn{Began: began, Answer: txn.Answer{HostDate: c.date, HostTime: c.clock}}, nil)
		assert.Equal(t, c.want, got, "%+v", c)
	}
}

func BenchmarkRender(b *testing.B) {
	yuan, _ := txn.CurrencyOf("CNY")
	sale := txn.Txn{Kind: txn.Sale, State: txn.Approved, Terminal: "10000042", Merchant: "898440354110001", Amount: 1250, Currency: yuan}
	layout := Layout{Columns: 32, MerchantName: "城南便利店"}
	for b.Loop() {
		if _, err := Render(sale, txn.MerchantCopy, layout, false); err != nil {
			b.Fatal(err)
		}
	}
}
