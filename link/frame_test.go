package link

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"posagent/link/iso8583"
)

// wireOf reads a message of testdata: hex with '#' comments.
func wireOf(t testing.TB, path string) []byte {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.TrimSpace(line))
		}
	}
	wire, err := hex.DecodeString(digits.String())
	require.NoError(t, err)
	return wire
}

func TestACapturedFrameIsTakenApartAndPutTogetherAgain(t *testing.T) {
	wire := wireOf(t, "../testdata/messages/captured-sale-contactless.hex")
	for framing, stream := range map[Framing][]byte{LengthPrefixed: wire, SelfDelimited: wire[lengthLen:]} {
		d := &deframer{framing: framing, dialect: unionPay}
		d.took(copy(d.room(), stream))
		m, h, err := d.next()
		require.NoError(t, err)
		require.Equal(t, "000403", m.Get(11))
		want, err := ParseHeader("6000060000", "603100311003")
		require.NoError(t, err)
		require.Equal(t, want, h)
		require.Zero(t, d.pending())
		again, err := AppendFrame([]byte("before"), framing, h, unionPay, m)
		require.NoError(t, err)
		require.Equal(t, append([]byte("before"), stream...), again)
	}
}

func TestAnAnswersHeaderHasTheAddressesSwapped(t *testing.T) {
	h, err := ParseHeader("6000061234", "603100310000")
	require.NoError(t, err)
	require.Equal(t, [5]byte{0x60, 0x12, 0x34, 0x00, 0x06}, h.Answers().TPDU)
	require.Equal(t, h, h.Answers().Answers())
	for _, bad := range [][2]string{{"", "603100310000"}, {"6000061234", "60310031000"}, {"600006123A", "603100310000"},
		{"6100061234", "603100310000"}, {"6000061234", "60310031000x"}} {
		_, err := ParseHeader(bad[0], bad[1])
		require.Error(t, err)
	}
}

// deframe reads a stream that arrives in pieces of the given size, and tells what came out.
func deframe(t testing.TB, framing Framing, stream []byte, piece int) (out []string, used int) {
	d := &deframer{framing: framing, dialect: unionPay}
	for {
		m, h, err := d.next()
		var bad *badFrame
		switch {
		case err == nil:
			out = append(out, fmt.Sprintf("%x %s %x", h, m.MTI(), m.Raw()))
		case errors.As(err, &bad):
			out = append(out, err.Error())
		case !errors.Is(err, errMore):
			require.ErrorIs(t, err, ErrGarbage)
			return append(out, "out of step: "+err.Error()), used
		case used == len(stream):
			return append(out, fmt.Sprintf("pending %d", d.pending())), used
		default:
			require.NotEmpty(t, d.room(), "more is wanted and there is no room for it")
			n := copy(d.room(), stream[used:min(used+piece, len(stream))])
			d.took(n)
			used += n
		}
	}
}

// FuzzFrame holds both framings to this: whatever arrives, and in whatever pieces, the same frames come out, nothing
// panics, and the buffer never fills up without an end.
func FuzzFrame(f *testing.F) {
	files, err := filepath.Glob("../testdata/messages/*.hex")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		wire := wireOf(f, file)
		if strings.Contains(file, "captured") {
			f.Add(wire, false, byte(7))
			f.Add(wire[lengthLen:], true, byte(7))
			continue
		}
		body := append(append(header.TPDU[:], header.Application[:]...), wire...)
		framed := append([]byte{byte(len(body) >> 8), byte(len(body))}, body...)
		f.Add(append(bytes.Clone(framed), framed...), false, byte(100))
		f.Add(append(bytes.Clone(body), body...), true, byte(100))
	}
	f.Add([]byte{0, 0, 0, 1, 0x60, 0xFF, 0xFF}, false, byte(1))
	f.Fuzz(func(t *testing.T, stream []byte, selfDelimited bool, piece byte) {
		framing := LengthPrefixed
		if selfDelimited {
			framing = SelfDelimited
		}
		whole, _ := deframe(t, framing, stream, maxFrame)
		parts, _ := deframe(t, framing, stream, int(piece)+1)
		require.Equal(t, whole, parts)
	})
}

// fill is the reader of a line: it reads as long as there is room.
func (d *deframer) fill(stream []byte) {
	for n := -1; n != 0; stream = stream[n:] {
		n = copy(d.room(), stream)
		d.took(n)
	}
}

func TestTheLongestFrameFits(t *testing.T) {
	d := &deframer{framing: LengthPrefixed, dialect: unionPay}
	body := make([]byte, maxBody)
	d.fill(append([]byte{byte(maxBody >> 8), byte(maxBody & 0xFF)}, body...))
	require.Equal(t, lengthLen+maxBody, d.pending())
	_, _, err := d.next()
	var bad *badFrame
	require.ErrorAs(t, err, &bad, "nonsense, but of a length that is allowed")
	require.Zero(t, d.pending())
	require.Equal(t, iso8583.MaxMessage+headerLen, maxBody)
}

func TestAMessageWithoutEndIsNotWaitedFor(t *testing.T) {
	wide := &iso8583.Dialect{Name: "wide"}
	for field := 59; field <= 63; field++ {
		wide.Fields[field].Format = iso8583.Format{
			Class: iso8583.B, Length: iso8583.LLLVAR, Encoding: iso8583.Binary, Max: 999}
	}
	d := &deframer{framing: SelfDelimited, dialect: wide}
	stream := append(append(header.TPDU[:], header.Application[:]...), 0x02, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x3E)
	for range 5 {
		stream = append(append(stream, 0x09, 0x99), make([]byte, 999)...)
	}
	d.fill(stream[:maxBody-1])
	require.Equal(t, maxBody-1, d.pending())
	_, _, err := d.next()
	require.ErrorIs(t, err, errMore)
	d.fill(stream[maxBody-1 : maxBody])
	_, _, err = d.next()
	require.ErrorIs(t, err, ErrGarbage)
	require.ErrorContains(t, err, "does not end within 4096 bytes")
}

func BenchmarkExchange(b *testing.B) {
	far := &farEnd{t: b, talk: approve}
	l := New(Options{Header: header, Bearers: []Bearer{{Name: "pipe", Dialer: far}}})
	defer l.Close()
	m := sale("000024")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Exchange(ctx, m); err != nil {
			b.Fatal(err)
		}
	}
}
