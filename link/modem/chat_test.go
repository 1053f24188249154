package modem

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tape is a modem that says what is on it, whatever it hears, and then nothing more.
type tape struct {
	says  []byte
	piece int // bytes of one Read; 0 is as many as fit
}

func (p *tape) Read(b []byte) (int, error) {
	if len(p.says) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := len(b)
	if p.piece > 0 {
		n = min(n, p.piece)
	}
	n = copy(b[:n], p.says)
	p.says = p.says[n:]
	return n, nil
}

func (p *tape) Write(b []byte) (int, error)      { return len(b), nil }
func (p *tape) SetReadDeadline(time.Time) error  { return nil }
func (p *tape) SetWriteDeadline(time.Time) error { return nil }
func listeningTo(k family, says string, n int) *chat {
	return &chat{engine: engine{port: &tape{[]byte(says), n}, allow: time.Second}, kind: k}
}

func TestReportsBetweenTheLinesOfAnAnswer(t *testing.T) {
	c := listeningTo(quectel{access: Buffered}, "\r\n+QIURC: \"recv\",0\r\n\r\n+QISEND: 9,4,5\r\n\r\n+QIURC: \"closed\",0\r\n\r\nOK\r\n", 1)
	total, acked, err := quectel{}.sent(context.Background(), c)
	require.NoError(t, err)
	assert.EqualValues(t, 9, total)
	assert.EqualValues(t, 4, acked)
	assert.True(t, c.waiting)
	require.ErrorIs(t, c.closed, ErrNoCarrier)

	c = listeningTo(quectel{access: Pushed}, "\r\n+QIURC: \"recv\",0,4\r\n\r\nOK\r\n\r\n+QISEND: 9,9,0\r\n\r\nOK\r\n", 0)
	total, _, err = quectel{}.sent(context.Background(), c)
	require.NoError(t, err)
	assert.EqualValues(t, 9, total)
	assert.Equal(t, "\r\nOK", string(c.pushed), "four bytes that look like a result are data")

	c = listeningTo(simcom{}, "\r\n+CIPRXGET: 1,0\r\n\r\n+CIPRXGET: 2,0,6,0\r\n\r\nOK\r\n\r\n\r\nOK\r\n", 0)
	got, err := simcom{}.fetch(context.Background(), c)
	require.NoError(t, err)
	assert.Equal(t, "\r\nOK\r\n", string(got))
	assert.True(t, c.waiting)
}

func TestReportsOfOthersChangeNothing(t *testing.T) {
	for line, kind := range map[string]family{
		`+QIURC: "closed",3`: quectel{}, `+QIURC: "recv",3`: quectel{}, `+QIURC: "incoming full"`: quectel{}, `+QIURC:`: quectel{},
		"+IPCLOSE: 3,1": simcom{}, "+CIPRXGET: 1,3": simcom{},
	} {
		assert.Equal(t, harmless, kind.report(line).kind, line)
	}
	for _, kind := range []family{quectel{}, simcom{}} {
		for _, line := range []string{"OK", "ERROR", "+CREG: 1", "", "+CIPRXGET: 4,0,12", "+QISEND: 1,1,0"} {
			assert.Equal(t, noEvent, kind.report(line).kind, line)
		}
	}
}

func TestAnnouncedLengthsAreLimited(t *testing.T) {
	for line, want := range map[string]int{
		"+QIRD: 7": 7, "+QIRD: 1500": 1500, "+QIRD: 1501": 0, "+QIRD: -1": 0, "+QIRD: 1,2,3": 0, "+QIRD: 99999999999": 0, "+QIRD:": 0,
		`+QIURC: "recv",0,12`: 12, `+QIURC: "recv",0`: 0, `+QIURC: "recv",0,2000`: 0,
	} {
		assert.Equal(t, want, quectel{}.follows(line), line)
	}
	for line, want := range map[string]int{"+CIPRXGET: 2,0,7,3": 7, "+CIPRXGET: 3,0,7,3": 0, "+CIPRXGET: 2,0,1501,0": 0, "+CIPRXGET: 2,0": 0} {
		assert.Equal(t, want, simcom{}.follows(line), line)
	}
}

// FuzzCellularAnswers: whatever a modem says, at whatever cut, every command ends, counts stay in their limits, and the
// same bytes mean the same.
func FuzzCellularAnswers(f *testing.F) {
	for _, seed := range []string{
		"\r\nOK\r\n", "\r\nERROR\r\n", "\r\n+CME ERROR: 10\r\n", "\r\n> \r\nSEND OK\r\n", "\r\n>\r\nOK\r\n\r\n+CIPSEND: 0,4,4\r\n", "\r\n> \r\nSEND FAIL\r\n",
		"\r\n+QIRD: 4\r\nabcd\r\n\r\nOK\r\n", "\r\n+QISEND: 9,4,5\r\n\r\nOK\r\n", "\r\nOK\r\n\r\n+QIOPEN: 0,566\r\n", "\r\n+CIPOPEN: 0,10\r\n\r\nERROR\r\n",
		"\r\n+QIURC: \"recv\",0,4\r\nabcd\r\nOK\r\n", "\r\n+CIPRXGET: 2,0,4,0\r\nabcd\r\n\r\nOK\r\n", "\r\n+IP ERROR: No data\r\n\r\nERROR\r\n",
		"\r\n+QISTATE: 0,\"TCP\",\"h\",1,0,2,1,0,0,\"uart1\"\r\n\r\nOK\r\n", "\r\n+NETOPEN: 1\r\n\r\nOK\r\n", "\r\n+CREG: 0,1\r\n\r\nOK\r\n",
		"\r\n+QIACT: 1,1,1,\"10.0.0.1\"\r\n\r\nOK\r\n", "+IPCLOSE: 0,1\r\nRDY\r\n", "\r\n+CIPACK: 4,2,2\r\n\r\nOK\r\n", "+QIGETERROR: 561,x\r\nOK\r\n",
		strings.Repeat("x", 600), "\x00\xff\r\n>",
	} {
		f.Add([]byte(seed), byte(0), 0)
		f.Add([]byte(seed), byte(1), 3)
	}
	ctx := context.Background()
	payload := []byte("0200")
	f.Fuzz(func(t *testing.T, says []byte, which byte, piece int) {
		kind := []family{quectel{access: Buffered}, quectel{access: Pushed}, quectel{access: Transparent}, simcom{}}[which%4]
		piece = max(0, piece) % 64
		fresh := func(n int) *chat { return listeningTo(kind, string(says), n) }
		try := func(do func(*chat) error) {
			one, other := fresh(0), fresh(piece)
			first, second := do(one), do(other)
			require.Equal(t, first == nil, second == nil, "%v, %v", first, second)
			if first != nil {
				require.NotEmpty(t, first.Error())
			}
			require.LessOrEqual(t, len(one.pushed), maxPushed)
		}
		try(func(c *chat) error {
			p, err := kind.fetch(ctx, c)
			require.LessOrEqual(t, len(p), len(says))
			return err
		})
		try(func(c *chat) error {
			n, err := kind.send(ctx, c, payload, 0)
			require.LessOrEqual(t, n, len(payload))
			require.GreaterOrEqual(t, n, 0)
			return err
		})
		try(func(c *chat) error {
			n, err := kind.acknowledged(ctx, c)
			require.GreaterOrEqual(t, n, int64(0))
			return err
		})
		try(func(c *chat) error { _, err := kind.alive(ctx, c); return err })
		try(func(c *chat) error { return kind.open(ctx, c, "h", "1", 0) })
		try(func(c *chat) error { return kind.attach(ctx, c, &CellularOpts{APN: "a"}, says != nil && piece%2 == 1) })
		try(func(c *chat) error { return kind.shut(ctx, c) })
		try(func(c *chat) error { c.lex.feed(says); c.hear(); return nil })
		for _, line := range strings.Split(string(says), "\r\n") {
			require.LessOrEqual(t, kind.follows(line), quectelRead)
			_ = kind.report(line)
			_, _ = refusal(line)
			require.LessOrEqual(t, len(fields(line)), 16)
			_, _, _ = counted(line)
		}
	})
}
