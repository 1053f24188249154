package printertest

import (
	"bytes"
	"context"
	"image/png"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exchange connects a host to a printer, sends bytes, lets do happen, and returns what the printer said to all that. It
// must be called inside a synctest bubble, and the printer made there.
func exchange(t *testing.T, p *Printer, sent string, commands ...string) string {
	t.Helper()
	host, machine := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- p.Serve(context.Background(), machine) }()
	var got bytes.Buffer
	read := make(chan struct{})
	go func() {
		_, _ = io.Copy(&got, host)
		close(read)
	}()
	_, err := host.Write([]byte(sent))
	require.NoError(t, err)
	synctest.Wait()
	do(t, p, commands...)
	synctest.Wait()
	require.NoError(t, host.Close())
	require.NoError(t, <-served)
	<-read
	return got.String()
}

func do(t *testing.T, p *Printer, commands ...string) {
	t.Helper()
	for _, c := range commands {
		_, err := p.Command(c)
		require.NoError(t, err, c)
	}
}

// print gives bytes to a printer that nobody listens to.
func print(p *Printer, sent string) { p.receive([]byte(sent)) }

const cut = "\x1dV\x42\x00"

func TestWhatIsPrinted(t *testing.T) {
	for name, c := range map[string]struct{ sent, paper string }{
		"plain":               {"hello\n", "hello\n"},
		"CR is nothing":       {"hello\r\nyou\n", "hello\nyou\n"},
		"NUL is nothing":      {"a\x00b\n", "ab\n"},
		"tab":                 {"a\tb\n", "a       b\n"},
		"centre":              {"\x1ba\x01hello\n", "       hello\n"},
		"right":               {"\x1ba\x02hello\n", "               hello\n"},
		"centre, digits":      {"\x1ba1hello\n", "       hello\n"},
		"big takes twice":     {"\x1ba\x02\x1d!\x11hello\n", "          hello\n"},
		"tall takes once":     {"\x1ba\x02\x1d!\x01hello\n", "               hello\n"},
		"ESC ! wide":          {"\x1ba\x02\x1b!\x20hello\n", "          hello\n"},
		"long lines wrap":     {"0123456789012345678901234\n", "01234567890123456789\n01234\n"},
		"Chinese at power-on": {"\xd6\xd0\xce\xc4\n", "中文\n"},
		"Chinese does not split": {
			"0123456789012345678\xd6\xd0\n", "0123456789012345678\n中\n"},
		"FS ! enlarges Chinese":  {"\x1ba\x02\x1c!\x0c\xd6\xd0a\n", "               中a\n"},
		"feed":                   {"a\x1bd\x03b\n", "a\n\n\nb\n"},
		"feed of an empty line":  {"\x1bd\x02b\n", "\n\nb\n"},
		"ESC @ clears the line":  {"abc\x1b@d\n", "d\n"},
		"image is consumed":      {"\x1dv0\x00\x02\x00\x03\x00\x10\x20\x30\x40\x50\x60z\n", "[image 16 x 3]\nz\n"},
		"QR is consumed":         {"\x1d(k\x04\x001A2\x00\x1d(k\x06\x001P0abc\x1d(k\x03\x001Q0z\n", "[QR code, 3 bytes]\nz\n"},
		"cut":                    {"a\n" + cut + "b\n" + cut, "a\n-- cut --\nb\n-- cut --\n"},
		"cut without feed":       {"a\n\x1dV\x00\x1dV1", "a\n-- cut --\n"},
		"broken off":             {"a\n\x1b@b\n" + cut, "a\n-- torn --\nb\n-- cut --\n"},
		"torn off at the bar":    {"a\n\x1bd\x04\x1b@b\n" + cut, "a\n\n\n\n\n-- tear --\nb\n-- cut --\n"},
		"an empty cut":           {cut, ""},
		"DLE EOT between things": {"a\x10\x04\x01b\n", "ab\n"},
		"ESC J is fed by lines":  {"a\x1bJ\x20b\n", "a\nb\n"},
	} {
		p := New(Opts{Columns: 20})
		print(p, c.sent)
		assert.Equal(t, c.paper, p.Paper(), name)
		assert.Empty(t, p.Faults(), name)
	}
}

func TestNothingWrongIsSwallowed(t *testing.T) {
	for sent, fault := range map[string]string{
		"\x1bZ":                              "unknown command 1B 5A",
		"\x1d(Q\x02\x00ab":                   "unknown, skipped",
		"\x1d(H\x06\x00000\x01ab":            "GS ( H",
		"\x07":                               "unknown control code 07h",
		"\x10\x04\x09":                       "unknown real-time command",
		"\x10\x14\x01":                       "unknown command 10 14",
		"\x1d!\x10\x04":                      "", // a size, then EOT
		"\x1dv0\x00\x01\x00\x02\x00\x10\x04": "DLE 04h inside another command",
		"\x1dv0\x00\xff\xff\xff\xff":         "no printer takes that",
		"\x1c.\xd6\xd0\n":                    "outside two-byte mode",
		"\xd6\n":                             "half a character",
		"\xd6\x30\n":                         "no two-byte character",
		"\xfe\xfe\n":                         "no glyph",
		"a\x1dV\x00":                         "GS V in the middle of a line",
		"a\x1ba\x01":                         "in the middle of a line",
		"\x1d!\xff":                          "no such size",
		"\x1dr\x09":                          "no such status",
	} {
		p := New(Opts{})
		print(p, sent)
		if fault != "" {
			require.NotEmpty(t, p.Faults(), "% X", sent)
			assert.Contains(t, p.Faults()[0], fault)
		}
	}
}

func TestTheBitsOfItsAnswers(t *testing.T) {
	const all = "\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"
	for command, want := range map[string]string{
		"status":     "\x12\x12\x12\x12" + "\x10\x00\x00\x0f",
		"paper near": "\x12\x12\x12\x1e" + "\x10\x00\x03\x0f",
		"paper out":  "\x1a\x32\x12\x7e",
		"cover open": "\x1a\x16\x12\x12",
		"jam":        "\x1a\x52\x1a\x12",
		"silent on":  "",
		"mute on":    "",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := New(Opts{})
			do(t, p, command)
			assert.Equal(t, want, exchange(t, p, all+"\x1da\x0e"), command) // GS a is executed online only
		})
	}
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, "\x00\x00", exchange(t, New(Opts{}), "\x1dr\x01\x1dr1"))
	})
}

func TestTheProofFollowsThePaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Opts{})
		do(t, p, "paper out after 2")
		const slip = "\x1da\x0ea\nb\nc\n\x1d(H\x06\x0000ABCD"
		assert.Equal(t, "\x10\x00\x00\x0f"+"\x18\x00\x0f\x0f", exchange(t, p, slip))
		assert.Equal(t, "a\nb\n", p.Paper())
		assert.Equal(t, "\x10\x00\x00\x0f\x37\x22ABCD\x00", exchange(t, p, "", "paper ok"), "when the paper is back")
		assert.Equal(t, "a\nb\nc\n", p.Paper())
	})
}

func TestAJamMustBeClearedBeforeItIsRecovered(t *testing.T) {
	p := New(Opts{})
	print(p, "a\n")
	do(t, p, "jam")
	print(p, "b\n\x10\x05\x02")
	do(t, p, "jam clear")
	print(p, "c\n")
	assert.Equal(t, "a\n", p.Paper(), "the error stays until the host recovers")
	print(p, "\x10\x05\x01")
	assert.Equal(t, "a\nb\nc\n", p.Paper(), "DLE ENQ 1 goes on where it stopped")
	do(t, p, "jam", "jam clear")
	print(p, "d\n\x10\x05\x02e\n")
	assert.Equal(t, "a\nb\nc\ne\n", p.Paper(), "DLE ENQ 2 forgets")
	do(t, p, "jam cut")
	print(p, cut+"f\n")
	assert.Equal(t, "a\nb\nc\ne\n-- tear --\n", p.Paper(), "what was fed to the blade comes out with the jam")
}

func TestPowerForgetsEverythingButThePaper(t *testing.T) {
	p := New(Opts{Columns: 20})
	print(p, "a\n\x1ba\x02unfinished\x1d(")
	do(t, p, "silent on")
	print(p, "lost\n")
	do(t, p, "silent off")
	print(p, "b\n")
	assert.Equal(t, "a\nb\n", p.Paper())
}

func TestTheBufferIsFinite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Opts{})
		do(t, p, "cover open")
		assert.Equal(t, "\x13\x11", exchange(t, p, strings.Repeat("0123456789\n", 500), "cover closed"), "one XOFF, one XON")
		assert.Equal(t, []string{"receive buffer overflow: data lost"}, p.Faults())
		assert.Len(t, p.Paper(), receiveBuffer/11*11, "whole lines of eleven bytes")
	})
}

func TestHandsOnThePrinter(t *testing.T) {
	p := New(Opts{})
	for _, bad := range []string{"", "paper", "paper out after", "paper out after x", "paper out after 0", "silent", "silent maybe", "dance on"} {
		_, err := p.Command(bad)
		require.ErrorContains(t, err, "use paper out", bad)
	}
	state, err := p.Command("paper out after 3")
	require.NoError(t, err)
	assert.Equal(t, "paper out after 3, cover closed", state)
	print(p, "a\n")
	do(t, p, "feed", "feed")
	assert.Equal(t, []string{"a\n"}, p.Slips())
	assert.Equal(t, "a\n-- cut --\n", p.Paper())
}

func TestOneHostAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Opts{})
		_, machine := net.Pipe()
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- p.Serve(ctx, machine) }()
		synctest.Wait()
		require.ErrorContains(t, p.Serve(ctx, machine), "already connected")
		cancel()
		require.ErrorIs(t, <-served, context.Canceled)
	})
}

func TestPaperAsFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "paper")
	p := New(Opts{Columns: 32, PaperDir: dir})
	print(p, "\x1ba\x01\x1d!\x11\xc7\xa9\xb9\xba\xb5\xa5\n\x1d!\x00hello\n"+cut+"half a sl")
	print(p, "ip\n")
	roll, err := os.ReadFile(filepath.Join(dir, "paper.txt"))
	require.NoError(t, err)
	assert.Equal(t, p.Paper(), string(roll))
	assert.True(t, strings.HasSuffix(string(roll), "-- cut --\n          half a slip\n"), "what is printed shows at once")
	p.Wait()
	assert.Equal(t, []string{"001.png", "001.txt", "paper.txt"}, names(t, dir))
	text, err := os.ReadFile(filepath.Join(dir, "001.txt"))
	require.NoError(t, err)
	assert.Equal(t, p.Slips()[0], string(text))
	picture, err := os.Open(filepath.Join(dir, "001.png"))
	require.NoError(t, err)
	defer picture.Close()
	size, err := png.DecodeConfig(picture)
	require.NoError(t, err)
	assert.Equal(t, 32*12+2*sideDots+2*tableDots, size.Width)

	again := New(Opts{Columns: 32, PaperDir: dir}) // the simulator was killed and started again
	print(again, "next\n"+cut)
	again.Wait()
	assert.Equal(t, []string{"001.png", "001.txt", "002.png", "002.txt", "paper.txt"}, names(t, dir))
	assert.Empty(t, append(p.Faults(), again.Faults()...))
}

func TestPaperThatCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	p := New(Opts{PaperDir: file})
	require.NotEmpty(t, p.Faults())
	print(p, "a\n"+cut)
	assert.Len(t, p.Slips(), 1, "it prints all the same")
}

func names(t *testing.T, dir string) (all []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// FuzzReception: no stream of bytes breaks the printer, and when it has been switched off and on it prints again.
func FuzzReception(f *testing.F) {
	f.Add([]byte("\x1b@\x1ba\x01\x1d!\x11\xd6\xd0\n\x1d(H\x06\x0000ABCD" + cut))
	f.Add([]byte("\x1dv0\x00\x02\x00\x03\x00\x10\x04\x01"))
	f.Add([]byte("\x1d(k\x03\x001Q0\x10\x05\x02\xff\xfe"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		p := New(Opts{Columns: 20})
		p.receive(stream)
		do(t, p, "jam", "jam clear", "paper out after 1")
		p.receive(stream)
		do(t, p, "silent on", "silent off", "paper ok", "feed")
		p.receive([]byte("\x1b@ready\n" + cut))
		slips := p.Slips()
		require.Equal(t, "ready\n", slips[len(slips)-1])
		require.LessOrEqual(t, p.queued, receiveBuffer)
	})
}
