package scanner

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var published = []Route{
	{"wechat", 18, 18, "10", "15"},
	{"alipay", 16, 24, "25", "30"},
	{"unionpay", 19, 19, "62", "62"},
}

var key = []byte("sixteen bytes or more")

func table(t testing.TB) Routes {
	t.Helper()
	routes, err := NewRoutes(published)
	require.NoError(t, err)
	return routes
}

// digits makes a code of n digits that begins with prefix.
func digits(prefix string, n int) string { return (prefix + strings.Repeat("1234567890", 10))[:n] }

func TestACodeFindsItsPlatform(t *testing.T) {
	routes := table(t)
	for _, c := range []struct{ code, want string }{
		{digits("10", 18), "wechat"}, {digits("13", 18), "wechat"}, {digits("15", 18), "wechat"},
		{digits("09", 18), ""}, {digits("16", 18), ""}, {digits("13", 17), ""}, {digits("13", 19), ""},
		{digits("25", 16), "alipay"}, {digits("28", 18), "alipay"}, {digits("30", 24), "alipay"},
		{digits("24", 18), ""}, {digits("31", 18), ""}, {digits("28", 15), ""}, {digits("28", 25), ""},
		{digits("62", 19), "unionpay"}, {digits("62", 18), ""}, {digits("61", 19), ""}, {digits("63", 19), ""},
		{"6901234567892", ""}, {"", ""}, {digits("13", 17) + "x", ""}, {"https://example.com/pay", ""},
	} {
		code, err := ParseCode(c.code, routes, key)
		if c.want == "" {
			require.ErrorIs(t, err, ErrNotPayCode)
			assert.True(t, code.IsZero())
			if len(c.code) > 2 {
				assert.NotContains(t, err.Error(), c.code)
			}
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.want, code.Route())
		assert.Equal(t, c.code, code.DigitsInTheClear())
	}
	_, err := ParseCode(digits("13", 18), Routes{}, key)
	require.ErrorIs(t, err, ErrNotPayCode, "an empty table knows no code")
	_, err = ParseCode(digits("13", 18), routes, key[:15])
	require.ErrorContains(t, err, "key")
}

func TestATableThatContradictsItselfIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		list []Route
		want string
	}{
		"empty":                 {nil, "0 routes"},
		"too many":              {make([]Route, 33), "33 routes"},
		"no name":               {[]Route{{"", 18, 18, "10", "15"}}, "a name has"},
		"name with a space":     {[]Route{{"we chat", 18, 18, "10", "15"}}, "a name has"},
		"short":                 {[]Route{{"a", 11, 18, "10", "15"}}, "digits 11 to 18"},
		"long":                  {[]Route{{"a", 18, 33, "10", "15"}}, "digits 18 to 33"},
		"backwards":             {[]Route{{"a", 19, 18, "10", "15"}}, "digits 19 to 18"},
		"prefix backwards":      {[]Route{{"a", 18, 18, "15", "10"}}, "lower one first"},
		"prefixes differ":       {[]Route{{"a", 18, 18, "1", "15"}}, "same length"},
		"prefix of letters":     {[]Route{{"a", 18, 18, "1x", "1y"}}, "two numbers"},
		"no prefix":             {[]Route{{"a", 18, 18, "", ""}}, "two numbers"},
		"long prefix":           {[]Route{{"a", 18, 18, "123456789", "123456789"}}, "up to 8"},
		"same twice":            {[]Route{published[0], published[0]}, "are the same"},
		"overlap":               {[]Route{published[0], {"b", 17, 19, "15", "20"}}, "claim the same codes"},
		"overlap of prefixes":   {[]Route{published[0], {"b", 18, 18, "1399", "1399"}}, "claim the same codes"},
		"overlap, short prefix": {[]Route{published[2], {"b", 19, 19, "6", "6"}}, "claim the same codes"},
		"overlap of one name":   {[]Route{published[1], {"alipay", 16, 16, "29", "29"}}, "claim the same codes"},
	} {
		_, err := NewRoutes(c.list)
		require.ErrorContains(t, err, c.want, name)
	}
	_, err := NewRoutes([]Route{{"", 18, 18, "10", "15"}, published[0], published[0], {"b", 18, 18, "9", "8"}})
	for _, want := range []string{"route 1", "routes 2 and 3", "route 4"} {
		assert.ErrorContains(t, err, want, "every fault at once")
	}
	list := append([]Route(nil), published...)
	routes, err := NewRoutes(append(list, Route{"other", 19, 19, "10", "15"}, Route{"narrow", 18, 18, "1600", "1600"},
		Route{"shorter", 17, 17, "10", "15"}))
	require.NoError(t, err, "neighbours do not overlap")
	list[0].First = "99"
	_, known := routes.of(digits("10", 18))
	assert.True(t, known, "the table is the caller's no more")
}

func TestACodePrintsMaskedWhateverTheVerb(t *testing.T) {
	text := digits("13", 18)
	code, err := ParseCode(text, table(t), key)
	require.NoError(t, err)
	require.Equal(t, "13************3456", code.Masked())
	inside := struct {
		Public Code
		hidden Code
	}{code, code}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("scanned", "code", code, "inside", inside)
	encoded, err := json.Marshal(map[string]any{"code": code, "inside": inside})
	require.NoError(t, err)
	seen := []string{logged.String(), string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%e", "%t", "%c", "%U", "%p", "%08.3f"} {
		for _, value := range []any{code, &code, inside, &inside, []Code{code}, map[string]Code{"a": code}} {
			seen = append(seen, fmt.Sprintf(verb, value))
		}
	}
	for _, s := range seen {
		for at := 2; at+5 <= len(text); at++ {
			require.NotContains(t, s, text[at:at+5])
			require.NotContains(t, s, fmt.Sprintf("%x", text[at:at+5]))
		}
	}
	assert.Equal(t, "", Code{}.Masked())
	assert.Equal(t, "", Code{}.DigitsInTheClear())
}

func TestAFingerprintNamesACodeUnderOneKey(t *testing.T) {
	routes := table(t)
	one, err := ParseCode(digits("13", 18), routes, key)
	require.NoError(t, err)
	again, err := ParseCode(digits("13", 18), Routes{[]Route{{"renamed", 18, 18, "13", "13"}}}, key)
	require.NoError(t, err)
	assert.Equal(t, one.Fingerprint(), again.Fingerprint(), "whoever's it is")
	other, err := ParseCode(digits("14", 18), routes, key)
	require.NoError(t, err)
	assert.NotEqual(t, one.Fingerprint(), other.Fingerprint())
	elsewhere, err := ParseCode(digits("13", 18), routes, []byte("another key of a terminal"))
	require.NoError(t, err)
	assert.NotEqual(t, one.Fingerprint(), elsewhere.Fingerprint())
	assert.Len(t, one.Fingerprint().String(), 32)
}
