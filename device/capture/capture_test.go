package capture_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/capture"
)

var known = []string{"4242424242424242", "6200000000000005", "134567890123456789"}

func opts() capture.Opts {
	return capture.Opts{Development: true, Device: "thing", Note: "a note", Known: known}
}

// record lets a terminal and a device say things to each other, and returns the recording.
func record(t *testing.T, o capture.Opts, said ...string) *capture.Recorder {
	t.Helper()
	var r *capture.Recorder
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		var err error
		r, err = capture.NewRecorder(near, o)
		require.NoError(t, err)
		for i, text := range said {
			time.Sleep(1500 * time.Microsecond)
			from, to := io.Writer(r), io.Reader(far)
			if i%2 == 1 {
				from, to = far, r
			}
			go func() { _, _ = from.Write([]byte(text)) }()
			got := make([]byte, len(text))
			_, err := io.ReadFull(to, got)
			require.NoError(t, err)
			require.Equal(t, text, string(got), "a recorder changes nothing")
			synctest.Wait()
		}
		require.NoError(t, r.SetReadDeadline(time.Now()))
		_, err = r.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, r.Close())
		far.Close()
	})
	return r
}

func TestARecordingIsWrittenAndRead(t *testing.T) {
	long := strings.Repeat("\x00\xffab", 40)
	var file bytes.Buffer
	require.NoError(t, record(t, opts(), "ask", long, "thanks").Save(&file))
	rows := strings.Split(file.String(), "\n")
	assert.Equal(t, []string{"posagent capture 1", "device thing", "note a note", "      0.001500 > 61736b"}, rows[:4])
	assert.Len(t, rows, 9, "160 bytes are three lines")
	c, err := capture.Read(&file)
	require.NoError(t, err)
	require.Len(t, c.Events, 3)
	assert.Equal(t, capture.Event{At: 1500 * time.Microsecond, To: capture.ToDevice, Bytes: []byte("ask")}, c.Events[0])
	assert.Equal(t, capture.Event{At: 3 * time.Millisecond, To: capture.FromDevice, Bytes: []byte(long)}, c.Events[1])
}

// packed is digits two to a byte.
func packed(digits string) string {
	var out []byte
	for i := 0; i < len(digits); i += 2 {
		out = append(out, (digits[i]-'0')<<4|digits[i+1]-'0')
	}
	return string(out)
}

func withParity(text string) string {
	out := []byte(text)
	for i := range out {
		out[i] |= 0x80
	}
	return string(out)
}

const strange = "5555555555554444" // a test number that the recordings below do not name

func TestNothingIsWrittenWhereACardMayBe(t *testing.T) {
	test, other := known[0], strange
	for name, c := range map[string]struct {
		said []string
		ok   bool
	}{
		"no number":                  {[]string{"hello", "world 12345678901"}, true},
		"track 2 of a test card":     {[]string{"x", ";" + test + "=30122011234567890123?"}, true},
		"tracks of a test card":      {[]string{"x", "%B" + test + "^TEST/CARD^30122010000000000?\r;" + test + "=3012201000000000?\r"}, true},
		"in groups":                  {[]string{"x", "4242 4242 4242 4242"}, true},
		"chip track of a test card":  {[]string{"x", "\x57\x0c" + packed(test) + "\xd3\x01\x22\x01"}, true},
		"chip number of a test card": {[]string{"x", "\x5a\x08" + packed(test)}, true},
		"test payment code":          {[]string{"x", "134567890123456789\r\n"}, true},
		"amount and date":            {[]string{"\x9f\x02\x06" + packed("000000001234") + "\x9a\x03" + packed("260304")}, true},

		"a track 2":                {[]string{"x", ";" + other + "=30122011234567890123?"}, false},
		"its number alone":         {[]string{"x", other}, false},
		"sent to the device":       {[]string{other}, false},
		"in two pieces":            {[]string{"x", other[:9], "x", other[9:]}, false},
		"in groups of four":        {[]string{"x", "5555 5555 5555 4444"}, false},
		"with hyphens":             {[]string{"x", "5555-5555-5555-4444"}, false},
		"with parity":              {[]string{"x", withParity(";" + other + "=3012")}, false},
		"one digit longer":         {[]string{"x", test + "0"}, false},
		"one digit damaged":        {[]string{"x", strings.Replace(test, "42", "43", 1)}, false},
		"number cut by noise":      {[]string{"x", other[:8] + "\x7f" + other[9:] + "=30122011234567890123?"}, false},
		"chip track":               {[]string{"x", "\x57\x0c" + packed(other) + "\xd3\x01\x22\x01"}, false},
		"chip track of odd length": {[]string{"x", packed("620000000000000000")[:9] + "\x3d\x31\x03\x22\x01"}, false},
		"chip number":              {[]string{"x", "\x5a\x08" + packed(other)}, false},
		"chip number of 19":        {[]string{"x", "\x5a\x0a" + packed("620000000000000000") + "\x3f"}, false},
		"payment code":             {[]string{"x", "2812345678901234\r\n"}, false},
		"track 1, other card":      {[]string{"x", "%B" + other + "^TEST/CARD^3012201?"}, false},
		"behind a test card":       {[]string{"x", ";" + test + "=3012201?\r;" + other + "=3012201?"}, false},
	} {
		var file bytes.Buffer
		err := record(t, opts(), c.said...).Save(&file)
		if c.ok {
			require.NoError(t, err, name)
			require.NotZero(t, file.Len())
			continue
		}
		require.ErrorIs(t, err, capture.ErrCardData, name)
		require.Zero(t, file.Len(), name)
		require.NotContains(t, err.Error(), "5555")
	}
	o := opts()
	o.Note = "card " + strange
	var file bytes.Buffer
	require.ErrorIs(t, record(t, o, "x").Save(&file), capture.ErrCardData)
	require.Zero(t, file.Len())
}

func TestRecordingIsForDevelopment(t *testing.T) {
	for name, spoil := range map[string]func(*capture.Opts){
		"not said":     func(o *capture.Opts) { o.Development = false },
		"no device":    func(o *capture.Opts) { o.Device = "" },
		"a path":       func(o *capture.Opts) { o.Device = "../x" },
		"two lines":    func(o *capture.Opts) { o.Note = "a\nb" },
		"short number": func(o *capture.Opts) { o.Known = []string{"42"} },
	} {
		o := opts()
		spoil(&o)
		_, err := capture.NewRecorder(nil, o)
		require.Error(t, err, name)
	}
	_, err := capture.NewRecorder(nil, capture.Opts{})
	require.ErrorIs(t, err, capture.ErrDevelopmentOnly)
}

// sink takes everything and is never read.
type sink struct{ capture.Port }

func (sink) Write(p []byte) (int, error) { return len(p), nil }

func TestARecordingHasAnEnd(t *testing.T) {
	r, err := capture.NewRecorder(sink{}, opts())
	require.NoError(t, err)
	piece := bytes.Repeat([]byte("x"), 1000)
	for range 400 {
		_, err := r.Write(piece)
		require.NoError(t, err)
	}
	var file bytes.Buffer
	require.ErrorContains(t, r.Save(&file), "was cut")
	c, err := capture.Read(&file)
	require.NoError(t, err, "what was written can be read")
	total := 0
	for _, e := range c.Events {
		total += len(e.Bytes)
	}
	assert.Equal(t, capture.MaxBytes/1000*1000, total)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = r.Write(piece) }))

	r, err = capture.NewRecorder(sink{}, opts())
	require.NoError(t, err)
	for range capture.MaxEvents + 1 {
		_, _ = r.Write([]byte("x"))
	}
	require.ErrorContains(t, r.Save(io.Discard), "was cut")
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFullDiskIsTold(t *testing.T) {
	require.ErrorIs(t, record(t, opts(), "x").Save(full{}), errFull)
}

const head = "posagent capture 1\ndevice thing\nnote \n"

func TestFilesThatAreNoRecording(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "other file": "hello\n", "other version": "posagent capture 2\ndevice a\nnote \n 0.000000 > 00\n",
		"no device": "posagent capture 1\nnote \n", "nothing passed": head,
		"no moment": head + "> 00\n", "no direction": head + "0.000000 00\n", "other direction": head + "0.000000 = 00\n",
		"no bytes": head + "0.000000 > \n", "odd digits": head + "0.000000 > 000\n", "no digits": head + "0.000000 > 0g\n",
		"too many": head + "0.000000 > " + strings.Repeat("00", 65) + "\n", "back in time": head + "0.000001 > 00\n0.000000 > 00\n",
		"milliseconds": head + "0.000 > 00\n", "negative": head + "-1.000000 > 00\n", "long line": head + strings.Repeat("0", 600),
		"more behind": head + "0.000000 > 00 00\n",
	} {
		_, err := capture.Read(strings.NewReader(file))
		require.ErrorIs(t, err, capture.ErrFormat, name)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(head + "      0.000000 > 00ff\n      0.000000 > 01\n     12.345678 < 3b\n")
	files, _ := filepath.Glob("../../testdata/captures/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, file string) {
		c, err := capture.Read(strings.NewReader(file))
		if err != nil {
			require.ErrorIs(t, err, capture.ErrFormat)
			return
		}
		at := time.Duration(0)
		for _, e := range c.Events {
			require.NotEmpty(t, e.Bytes)
			require.GreaterOrEqual(t, e.At, at)
			at = e.At
		}
		_ = c.Judge(known)
	})
}

// FuzzJudge hides a number that is not known in noise, in each form, and wants it found wherever it is.
func FuzzJudge(f *testing.F) {
	f.Add([]byte("noise"), []byte(";"), uint8(0))
	f.Add([]byte{0x57, 0x11}, []byte{0xD3}, uint8(1))
	f.Add([]byte{}, []byte("="), uint8(2))
	f.Fuzz(func(t *testing.T, before, after []byte, form uint8) {
		number := strange
		switch form % 4 {
		case 1:
			number = "\x57\x0c" + packed(strange) + "\xd3\x01\x22\x01"
		case 2:
			number = "\x5a\x08" + packed(strange)
		case 3:
			number = withParity(strange)
		}
		if n := len(before); n > 0 && strings.ContainsAny(string(before[n-1]&0x7F), "0123456789=Dd^ -") {
			return // it would be another number, or the rest of a track
		}
		c := capture.Capture{Events: []capture.Event{{To: capture.FromDevice, Bytes: append(append(before, number...), after...)}}}
		require.ErrorIs(t, c.Judge(known), capture.ErrCardData)
	})
}
