package acquirer

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

func gb(t testing.TB, s string) string {
	t.Helper()
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	require.NoError(t, err)
	return encoded
}

func TestTextsOfField63(t *testing.T) {
	slot := func(s string) string { return s + strings.Repeat(" ", textSlot-len(s)) }
	for name, c := range map[string]struct{ field, want string }{
		"three texts":                {"CUP" + slot(gb(t, "交易成功")) + slot(gb(t, "银联")) + slot("THANK YOU"), "交易成功 银联 THANK YOU"},
		"nothing":                    {"", ""},
		"organisation only":          {"CUP", ""},
		"blank":                      {"CUP" + slot("") + slot("") + slot(""), ""},
		"short last text":            {"CUP" + slot("A") + "B", "A B"},
		"a character cut by its end": {"CUP" + gb(t, strings.Repeat("好", 9)) + "A\xBA" + slot("OK"), strings.Repeat("好", 9) + "A OK"},
		"control characters":         {"CUP" + slot("\x1b[2JA\x00B\r\n"), "[2JAB"},
		"sixty bytes at most":        {"CUP" + gb(t, strings.Repeat("好", 30)), strings.Repeat("好", 10) + " " + strings.Repeat("好", 9)},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, text([]byte(c.field)))
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("CUP" + gb(f, "交易成功")))
	f.Add([]byte("CUP\x81\x30\x81\x30\xff\xff\xfe"))
	f.Fuzz(func(t *testing.T, field63 []byte) {
		got := text(field63)
		require.LessOrEqual(t, len(got), maxText)
		require.True(t, utf8.ValidString(got))
		require.Equal(t, -1, strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }))
	})
}

func TestInstitutionsOfField44(t *testing.T) {
	for name, c := range map[string]struct{ field44, field32, issuer, acquirer string }{
		"both":              {"03050000   48021000", "1", "03050000", "48021000"},
		"issuer only":       {"03050000", "48021000", "03050000", "48021000"},
		"neither":           {"", "48021000", "", "48021000"},
		"eleven and eleven": {"1234567890112345678901", "", "12345678901", "12345678901"},
	} {
		m := new(iso8583.Message)
		m.SetMTI("0210")
		m.Set(44, c.field44)
		m.Set(32, c.field32)
		answer := New(nil, Options{}).read(m)
		assert.Equal(t, c.issuer, answer.Issuer, name)
		assert.Equal(t, c.acquirer, answer.Acquirer, name)
	}
}

// What a host writes into fields 37 and 38 is its own affair. The approval counts, and its reversal can be packed.
func TestCodesThatAreNotAlphanumeric(t *testing.T) {
	for name, c := range map[string]struct{ field37, field38, rrn, code string }{
		"usual":          {"112109350101", "123456", "112109350101", "123456"},
		"blank":          {"            ", "      ", "", ""},
		"NUL":            {"112109350101", "\x00\x00\x00\x00\x00\x00", "112109350101", ""},
		"dash and slash": {"AB-12345/78 ", "A-1   ", "AB-12345/78", "A-1"},
		"two-byte text":  {"1121" + gb(t, "交易成功"), "中" + "123", "1121", "123"},
	} {
		t.Run(name, func(t *testing.T) {
			h, working, request, approval := sold(t)
			answer := new(iso8583.Message)
			_, err := profile.UnionPay().Dialect.Unpack(answer, approval)
			require.NoError(t, err)
			// Signed as hosts sign: over bytes that this terminal itself would not send.
			wire := strings.Replace(string(unsealed(t, answer)), blank37+blank38, c.field37+c.field38, 1)
			field, err := h.o.MAC.Field64(working.MAC, []byte(wire))
			require.NoError(t, err)
			_, err = profile.UnionPay().Dialect.Unpack(answer, append([]byte(wire), field[:]...))
			require.NoError(t, err)

			verdict, failure := h.judge(working, request, answer)
			require.Nil(t, failure)
			assert.True(t, verdict.Approved)
			assert.Equal(t, c.rrn, verdict.RRN)
			assert.Equal(t, c.code, verdict.AuthCode)

			pan, err := txn.ParsePAN("4242424242424242")
			require.NoError(t, err)
			currency, err := txn.CurrencyOf("CNY")
			require.NoError(t, err)
			reversal, err := h.reversalMessage(txn.Txn{Kind: txn.Sale, Amount: 1250, Currency: currency, STAN: 7, Batch: 1, Reason: txn.NotDone,
				Terminal: "10000001", Merchant: "898310148160001", Answer: verdict, Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Swiped}}, false)
			require.NoError(t, err)
			require.NoError(t, h.sign(working, reversal))
		})
	}
}

const blank37, blank38 = "000000000000", "000000"

// unsealed packs an answer with blanks in fields 37 and 38 and with room for, but without, its MAC.
func unsealed(t testing.TB, answer *iso8583.Message) []byte {
	t.Helper()
	answer.Set(37, blank37)
	answer.Set(38, blank38)
	answer.SetBytes(64, make([]byte, keys.MACLength))
	packed, err := profile.UnionPay().Dialect.Pack(nil, answer)
	require.NoError(t, err)
	return packed[:len(packed)-keys.MACLength]
}

// sold is a request and the answer that approves it, both signed.
func sold(t testing.TB) (h *Host, working keys.Working, request *iso8583.Message, approval []byte) {
	h = New(nil, Options{})
	working = sampleWorking(t)
	h.adopt(working)
	set := func(m *iso8583.Message, mti string) {
		m.SetMTI(mti)
		for field, value := range map[int]string{3: "000000", 4: "000000001250", 11: "000007", 41: "10000001", 42: "898310148160001"} {
			m.Set(field, value)
		}
	}
	request = new(iso8583.Message)
	set(request, "0200")
	answer := new(iso8583.Message)
	set(answer, "0210")
	answer.Set(39, "00")
	require.NoError(t, h.sign(working, answer))
	approval, err := profile.UnionPay().Dialect.Pack(nil, answer)
	require.NoError(t, err)
	return h, working, request, approval
}

// The link matches answers too, so a foreign one never gets this far unless the link is mistaken.
func TestAForeignAnswer(t *testing.T) {
	for name, change := range map[string]func(*iso8583.Message){
		"type":          func(m *iso8583.Message) { m.SetMTI("0410") },
		"version":       func(m *iso8583.Message) { m.SetMTI("1210") },
		"request":       func(m *iso8583.Message) { m.SetMTI("0200") },
		"STAN":          func(m *iso8583.Message) { m.Set(11, "000008") },
		"no STAN":       func(m *iso8583.Message) { m.Clear(11) },
		"terminal":      func(m *iso8583.Message) { m.Set(41, "10000002") },
		"response code": func(m *iso8583.Message) { m.Clear(39) },
	} {
		h, working, request, approval := sold(t)
		answer := new(iso8583.Message)
		_, err := profile.UnionPay().Dialect.Unpack(answer, approval)
		require.NoError(t, err)
		require.Empty(t, foreign(request, answer))
		change(answer)
		assert.NotEmpty(t, foreign(request, answer), name)
		_, failure := h.judge(working, request, answer)
		require.NotNil(t, failure, name)
		assert.Equal(t, txn.OtherCause, failure.Reason, name)
		assert.True(t, h.SignedIn(), "somebody else's answer says nothing of our keys")
	}
}

func TestABatchThatIsNone(t *testing.T) {
	h := New(nil, Options{Batch: func() uint32 { return 7 }})
	for private, want := range map[string]uint32{"00000042003": 42, "00999999": 999_999, "": 0, "0000004": 0, "00000000003": 7} {
		m := new(iso8583.Message)
		m.Set(60, private)
		got, err := h.batchOf(m)
		assert.Equal(t, want, got)
		assert.Equal(t, want == 0, err != nil, private)
	}
	got, err := h.batchOf(new(iso8583.Message))
	require.NoError(t, err)
	assert.Equal(t, uint32(7), got, "a host that leaves field 60 out keeps no batch of its own")
}

// Every single damaged bit of an approval makes it worthless: the MAC covers all of it.
func TestEveryDamagedBitOfAnApproval(t *testing.T) {
	h, working, request, approval := sold(t)
	dialect := profile.UnionPay().Dialect
	answer := new(iso8583.Message)
	for bit := range len(approval) * 8 {
		damaged := append([]byte(nil), approval...)
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := dialect.Unpack(answer, damaged); err != nil {
			continue
		}
		verdict, failure := h.judge(working, request, answer)
		if failure == nil && verdict.Approved {
			// The last bytes are hexadecimal letters, and either case of a letter is the same MAC.
			require.GreaterOrEqual(t, bit/8, len(approval)-keys.MACLength)
			require.Equal(t, 5, bit%8)
		}
	}
	_, err := dialect.Unpack(answer, approval)
	require.NoError(t, err)
	verdict, failure := h.judge(working, request, answer)
	require.Nil(t, failure)
	assert.True(t, verdict.Approved)
}

// Whatever unpacks, it approves nothing unless its MAC verifies and it repeats the request.
func FuzzAnswer(f *testing.F) {
	h, working, request, approval := sold(f)
	f.Add(approval)
	f.Add(append([]byte{0x04, 0x10}, approval[2:]...))
	dialect := profile.UnionPay().Dialect
	f.Fuzz(func(t *testing.T, raw []byte) {
		answer := new(iso8583.Message)
		if _, err := dialect.Unpack(answer, raw); err != nil {
			return
		}
		verdict, failure := h.judge(working, request, answer)
		if failure != nil {
			require.Zero(t, verdict)
			return
		}
		if verdict.Approved {
			require.True(t, h.authentic(working, answer))
			for _, field := range []int{3, 4, 11, 41, 42} {
				require.Equal(t, request.Get(field), answer.Get(field))
			}
		}
	})
}
