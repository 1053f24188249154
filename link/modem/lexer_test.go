package modem

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func lexAll(x *lexer, pieces ...[]byte) (all []token) {
	for _, p := range pieces {
		x.feed(p)
		for t, ok := x.next(); ok; t, ok = x.next() {
			all = append(all, t)
		}
	}
	return all
}

func TestLexer(t *testing.T) {
	for name, c := range map[string]struct {
		sent, in string
		want     []token
		unread   string
	}{
		"an answer":                 {"AT", "\r\nOK\r\n", []token{{text, "OK"}}, ""},
		"with echo":                 {"ATE0", "ATE0\r\r\nOK\r\n", []token{{echo, "ATE0"}, {text, "OK"}}, ""},
		"echo after an escape":      {"ATH", "+++ATH\r\r\nOK\r\n", []token{{echo, "+++ATH"}, {text, "OK"}}, ""},
		"a line feed alone":         {"", "one\ntwo\n", []token{{text, "one"}, {text, "two"}}, ""},
		"noise, then an answer":     {"AT", "\x00\xff~#\x80K\r\nOK\r\n", []token{{noise, "~#K"}, {text, "OK"}}, ""},
		"a line that does not end":  {"", "12", nil, ""},
		"a CR that is not followed": {"", "OK\r", nil, ""},
		"a line that is too long":   {"", strings.Repeat("x", 300) + "\r\nOK\r\n", []token{{noise, strings.Repeat("x", 256)}, {text, "OK"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var x lexer
			x.expect(c.sent)
			assert.Equal(t, c.want, lexAll(&x, []byte(c.in)))
			assert.Equal(t, c.unread, string(x.unread()))
		})
	}
}

// FuzzLexer: the same bytes give the same tokens however they are cut, no token carries its line end or grows without
// limit, and what follows a CONNECT is left to the byte.
func FuzzLexer(f *testing.F) {
	for _, seed := range []string{
		"\r\nOK\r\n", "AT\r\r\nOK\r\n", "\r\nCONNECT 9600/ARQ\r\n\x60\x00", "0\r", "\x00\xff\r\nNO CARRIER\r\n", "\n\r\n\r\r",
		strings.Repeat("x", 600),
	} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		whole, split := &lexer{sent: "AT"}, &lexer{sent: "AT"}
		want := lexAll(whole, in)
		var pieces [][]byte
		for rest, size := in, 1+max(0, cut)%7; len(rest) > 0; {
			n := min(size, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, want, lexAll(split, pieces...))
		for _, token := range want {
			require.NotEmpty(t, token.text+token.kind.name())
			require.LessOrEqual(t, len(token.text), maxLine)
			require.NotContains(t, token.text, "\r")
			require.NotContains(t, token.text, "\n")
			_, _ = resultOf(token.text)
		}
		require.Empty(t, whole.in)

		connect := &lexer{}
		connect.feed(append([]byte("\r\nCONNECT 9600\r\n"), in...))
		first, ok := connect.next()
		require.True(t, ok)
		require.Equal(t, token{text, "CONNECT 9600"}, first)
		require.Equal(t, string(in), string(connect.unread()))
	})
}

func (k kind) name() string { return [...]string{"text", "echo", "noise", "data", "prompt"}[k] }

// FuzzCarrier: nothing of the payload is lost, added or put in another order, however it is cut, and only a report at
// the very end is held back.
func FuzzCarrier(f *testing.F) {
	for _, seed := range []string{"\r\nNO CARRIER\r\n", "a\r\nNO CARRIER\r\nb", "\r\r\nNO\r\nNO CARRIER\r", "\r\n\r\nNO CARRIER\r\n"} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		var w watch
		var out []byte
		for rest, size := in, 1+max(0, cut)%7; len(rest) > 0; {
			n := min(size, len(rest))
			out = w.sift(out, rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, string(in), string(out)+string(w.held))
		require.True(t, strings.HasPrefix(carrierLost, string(w.held)))
		require.Equal(t, strings.HasSuffix(string(in), carrierLost), w.reported())
		require.Equal(t, string(in), string(w.release(out)))
		require.False(t, w.waiting())
	})
}
