package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Component sheets for tests, and what they make: check values as their sheets would have them.
const (
	sheetOne   = "4CA2161637D0133E5E151AEA45DA2A16"
	sheetTwo   = "A8F49B20E5C86EEF7A0D7C298C016ED5"
	sheetsMake = "E5578C37D3197CD0251967C2C8DA45C2" // odd parity
)

// desk is a person at a serial terminal with posagent on it. Everything that is seen is kept.
type desk struct {
	t      *testing.T
	dir    string
	master *os.File
	cmd    *exec.Cmd

	mu   sync.Mutex
	seen bytes.Buffer
	read int // of seen, by expect
	done chan struct{}
}

// sitDown starts posagent on a pseudo-terminal, in a directory of its own with the good configuration.
func sitDown(t *testing.T, dir string, args ...string) *desk {
	program, err := exec.LookPath("posagent")
	require.NoError(t, err)
	d := &desk{t: t, dir: dir, done: make(chan struct{})}
	d.cmd = exec.Command(program, append(args, "-config", "good.toml")...)
	d.cmd.Dir = dir
	d.cmd.Env = append(os.Environ(), "TZ=UTC", "GORACE=atexit_sleep_ms=0")
	d.master, err = pty.Start(d.cmd)
	require.NoError(t, err)
	go func() {
		defer close(d.done)
		buf := make([]byte, 4096)
		for {
			n, err := d.master.Read(buf)
			d.mu.Lock()
			d.seen.Write(buf[:n])
			d.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = d.cmd.Process.Kill(); _ = d.master.Close() })
	return d
}

func workplace(t *testing.T) string {
	dir := t.TempDir()
	good, err := os.ReadFile("testdata/good.toml")
	require.NoError(t, err)
	for name, text := range map[string]string{"good.toml": string(good), "reader": "", "printer": "", "modem": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

// expect waits until a text appears behind what was expected before.
func (d *desk) expect(text string) {
	d.t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		d.mu.Lock()
		at := strings.Index(d.seen.String()[d.read:], text)
		if at >= 0 {
			d.read += at + len(text)
			d.mu.Unlock()
			return
		}
		seen := d.seen.String()[d.read:]
		d.mu.Unlock()
		require.True(d.t, time.Now().Before(deadline), "%q does not appear; there is %q", text, seen)
	}
}

func (d *desk) types(text string) {
	_, err := io.WriteString(d.master, text)
	require.NoError(d.t, err)
}

// leaves waits for the end and returns the exit status.
func (d *desk) leaves() int {
	err := d.cmd.Wait()
	<-d.done
	if err != nil {
		require.IsType(d.t, &exec.ExitError{}, err)
	}
	return d.cmd.ProcessState.ExitCode()
}

func (d *desk) all() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen.String()
}

// dialogue loads the two sheets.
func (d *desk) dialogue() {
	d.expect("name of person 1: ")
	d.types("Li Lei\r")
	d.expect("component 1, 32 digits, not shown: ")
	d.types(strings.ToLower(sheetOne) + "\r")
	d.expect("check value of component 1: ")
	d.expect("(yes/no) ")
	d.types("yes\r")
	d.expect("The first person leaves now")
	d.expect("name of person 2: ")
	d.types("韩梅梅\r")
	d.expect("component 2, 32 digits, not shown: ")
	d.types(sheetTwo + "\r\n") // a terminal that sends both
	d.expect("check value of component 2: ")
	d.expect("(yes/no) ")
	d.types("yes\r")
	d.expect("check value of the master key: ")
	d.expect("is it to be loaded? (yes/no) ")
	d.types("yes\r")
}

// keyForms are how the sheets and what they make could be written anywhere.
func keyForms() (forms [][]byte) {
	for _, digits := range []string{sheetOne, sheetTwo, sheetsMake} {
		raw := make([]byte, 16)
		_, err := fmt.Sscanf(digits, "%x", &raw)
		if err != nil {
			panic(err)
		}
		decimal := strings.Trim(fmt.Sprint(raw[:8]), "[]")
		for _, half := range []int{0, 8} {
			forms = append(forms, raw[half:half+8], []byte(digits[2*half:2*half+12]), []byte(strings.ToLower(digits[2*half:2*half+12])))
		}
		forms = append(forms, []byte(decimal))
	}
	return forms
}

// requireNoKey searches what was seen and every file below a directory.
func requireNoKey(t *testing.T, dir string, seen ...string) {
	t.Helper()
	look := func(where string, text []byte) {
		for _, form := range keyForms() {
			require.False(t, bytes.Contains(text, form), "key material stands in %s", where)
		}
	}
	for _, text := range seen {
		look("the output", []byte(text))
	}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		look(e.Name(), text)
		return err
	}))
}

func run(t *testing.T, dir string, args ...string) (out string, status int) {
	program, err := exec.LookPath("posagent")
	require.NoError(t, err)
	cmd := exec.Command(program, append(args, "-config", "good.toml")...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TZ=UTC", "GORACE=atexit_sleep_ms=0")
	text, err := cmd.CombinedOutput()
	if err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func TestTwoPersonsLoadAKey(t *testing.T) {
	dir := workplace(t)
	d := sitDown(t, dir, "keys", "load")
	d.dialogue()
	require.Equal(t, 0, d.leaves(), d.all())
	assert.Contains(t, d.all(), "loaded: master key ")
	assert.Contains(t, d.all(), "Li Lei", "names are shown as they are typed")

	shown, status := run(t, dir, "keys", "show")
	require.Equal(t, 0, status, shown)
	assert.Regexp(t, `(?m)^master   [0-9A-F]{8}   components   20\d\d-\d\d-\d\d \d\d:\d\d \(\d min\) by Li Lei, 韩梅梅$`, shown)
	log, status := run(t, dir, "keys", "log")
	require.Equal(t, 0, status)
	assert.Regexp(t, `loaded    [0-9A-F]{8} components by Li Lei, 韩梅梅`, log)
	asJSON, status := run(t, dir, "keys", "show", "-json")
	require.Equal(t, 0, status)
	checked, status := run(t, dir, "config", "check")
	require.Equal(t, 0, status, checked)
	info, err := os.Stat(filepath.Join(dir, "tmk.key"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	requireNoKey(t, dir, d.all(), shown, log, asJSON, checked)
}

// The search above finds what it is to find.
func TestTheSearchForKeysFindsThem(t *testing.T) {
	found := 0
	for _, form := range keyForms() {
		if bytes.Contains([]byte("x"+strings.ToLower(sheetsMake)+"y"), form) {
			found++
		}
	}
	assert.Equal(t, 2, found)
}

func TestWhatIsTypedWrong(t *testing.T) {
	dir := workplace(t)
	d := sitDown(t, dir, "keys", "load")
	d.expect("name of person 1: ")
	d.types("\r")
	d.expect("a name is missing")
	d.types("Lix\x7f\r")
	for _, wrong := range []struct{ typed, says string }{
		{sheetOne[:31], "it has 31 digits and must have 32"},
		{"X" + sheetOne[1:], "character 1 is not one of 0 to 9"},
	} {
		d.expect("component 1, 32 digits, not shown: ")
		d.types(wrong.typed + "\r")
		d.expect(wrong.says)
	}
	d.expect("component 1, 32 digits, not shown: ")
	d.types("FF" + "\x15" + sheetOne + "0\x7f\n") // taken back: all of it, and one digit
	d.expect("check value of component 1: ")
	d.expect("(yes/no) ")
	d.types("y\r")
	d.expect("name of person 2: ")
	d.types("LI\r")
	d.expect("this component is for another person to type")
	d.expect("name of person 2: ")
	d.types("Han\r")
	d.expect("component 2, 32 digits, not shown: ")
	d.types(sheetOne + "\r")
	d.expect("(yes/no) ")
	d.types("yes\r")
	assert.Equal(t, 1, d.leaves())
	assert.Contains(t, d.all(), "both components are the same, and together no key")
	assert.NoFileExists(t, filepath.Join(dir, "tmk.key"))
	requireNoKey(t, dir, d.all())
}

func TestALoadThatIsGivenUp(t *testing.T) {
	for name, act := range map[string]func(*desk){
		"by Ctrl-C in a component": func(d *desk) { d.types(sheetOne[:20] + "\x03") },
		"by Ctrl-D":                func(d *desk) { d.types("\x04") },
		"by a signal":              func(d *desk) { d.types(sheetOne[:20]); _ = d.cmd.Process.Signal(syscall.SIGTERM) },
		"by a no": func(d *desk) {
			for range typingTries {
				d.types(sheetOne + "\r")
				d.expect("(yes/no) ")
				d.types("no\r")
			}
		},
		"after too many digits": func(d *desk) {
			for range typingTries {
				d.types(strings.Repeat("0", 2*mostTyped) + "\r")
				d.expect("longer than anything asked for")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := workplace(t)
			d := sitDown(t, dir, "keys", "load")
			d.expect("name of person 1: ")
			d.types("Li\r")
			d.expect("not shown: ")
			act(d)
			require.Equal(t, 1, d.leaves(), d.all())
			assert.Contains(t, d.all(), "nothing was changed")
			assert.NoFileExists(t, filepath.Join(dir, "tmk.key"))
			requireNoKey(t, dir, d.all())
		})
	}
}

// Digits that were typed early, late, or while the program ends, are shown by nobody and run by no shell.
func TestTheEchoComesBackAndWhatIsLeftIsThrownAway(t *testing.T) {
	dir := workplace(t)
	master, line, err := pty.Open()
	require.NoError(t, err)
	defer master.Close()
	defer line.Close()
	before, err := unix.IoctlGetTermios(int(line.Fd()), unix.TCGETS)
	require.NoError(t, err)
	k, err := openKeyboard(line, io.Discard)
	require.NoError(t, err)
	during, err := unix.IoctlGetTermios(int(line.Fd()), unix.TCGETS)
	require.NoError(t, err)
	assert.Zero(t, during.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG))
	_, err = master.WriteString(sheetOne + "\n")
	require.NoError(t, err)
	left := []unix.PollFd{{Fd: int32(line.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(left, 10_000)
	require.NoError(t, err)
	require.Equal(t, 1, n, "it has come")
	require.NoError(t, k.Close())
	after, err := unix.IoctlGetTermios(int(line.Fd()), unix.TCGETS)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	n, err = unix.Poll(left, 0)
	require.NoError(t, err)
	assert.Zero(t, n, "what was typed is gone")
	_, err = openKeyboard(nil, io.Discard)
	assert.ErrorIs(t, err, errNotTyped)
	out, status := run(t, dir, "keys", "load") // no terminal
	assert.Equal(t, 1, status)
	assert.Contains(t, out, "keys are typed at a terminal, by two persons; for a file, use a signed bundle")
}

func TestNobodyAtTheKeyboard(t *testing.T) {
	master, line, err := pty.Open()
	require.NoError(t, err)
	defer master.Close()
	defer line.Close()
	k, err := openKeyboard(line, io.Discard)
	require.NoError(t, err)
	k.limit = 2 * lookEvery
	var buf [8]byte
	_, err = k.line(t.Context(), buf[:], false)
	require.ErrorIs(t, err, errGivenUp)
	require.ErrorContains(t, err, "nothing was typed")
	require.NoError(t, k.Close())
	require.NoError(t, master.Close())
	_, err = k.line(t.Context(), buf[:], false)
	require.ErrorIs(t, err, errGivenUp)
}
