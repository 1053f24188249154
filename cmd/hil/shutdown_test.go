package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// mounting runs a verb that needs mounts, and skips the test where this machine does not allow them.
func mounting(t *testing.T, args ...string) (report string, err error) {
	t.Helper()
	var said bytes.Buffer
	verb := exec.Command(filepath.Join(built, "hil"), args...)
	verb.Stderr = &said
	out, err := verb.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == statusUnable {
		t.Skipf("%s", said.String())
	}
	t.Logf("%s%s", said.String(), out)
	return string(out), err
}

// A small run, on the kind of disk on which everything that can be wrong is wrong.
func TestAFewAbruptShutdownsLoseNothing(t *testing.T) {
	t.Parallel()
	report, err := mounting(t, "shutdown", "-cuts", "8", "-only", "disk with a cache", "-seed", "3")
	require.NoError(t, err)
	assert.Contains(t, report, "0 lost, 0 invented, 0 changed, 0 repeated, 0 unowed, 0 silent, 0 refused, 0 death, 0 hang")
	for _, name := range cutControls() {
		assert.Contains(t, report, "  "+name)
	}
	assert.NotContains(t, report, "NOT AS IT MUST BE")
}

// ran is a run that found nothing wrong, for the tests of its judgement.
func ran() (*shutdowns, []cutClass) {
	classes := cutClasses()
	p := newShutdowns(shutdownSettings{cuts: len(classes)}, "", io.Discard)
	for _, c := range classes {
		p.count(c, round{})
		for _, name := range controlsOf(c) {
			p.countControl(name, c, name != controlRight)
		}
	}
	return p, classes
}

func TestAShutdownReportJudges(t *testing.T) {
	for _, one := range []struct {
		name  string
		spoil func(*shutdowns, []cutClass)
		want  string
	}{
		{"nothing", func(*shutdowns, []cutClass) {}, ""},
		{"a frail file system", func(p *shutdowns, c []cutClass) { p.countUnclean(c[4]) }, ""},
		{"another", func(p *shutdowns, c []cutClass) { p.countUnclean(c[0]) }, "1 file systems could not be mounted again"},
		{"a lost record", func(p *shutdowns, c []cutClass) { p.count(c[0], round{finding: finding{Kind: lost}}) }, "1 stores are wrong"},
		{"a missed control", func(p *shutdowns, c []cutClass) { p.controls[controlEarly+" "+c[1].String()].caught = 0 }, "1 controls did not"},
		{"a control that was never tried", func(p *shutdowns, c []cutClass) { delete(p.controls, controlUnsynced+" "+c[3].String()) }, "1 controls did not"},
		{"the right one caught", func(p *shutdowns, c []cutClass) { p.countControl(controlRight, c[2], true) }, "1 controls did not"},
		{"too few", func(p *shutdowns, c []cutClass) { p.cuts++ }, "only"},
	} {
		p, classes := ran()
		one.spoil(p, classes)
		err := p.report(io.Discard, classes, nil)
		if one.want == "" {
			assert.NoError(t, err, one.name)
		} else {
			assert.ErrorContains(t, err, one.want, one.name)
		}
	}
}

func TestATradeThatStraysFromItsRehearsalIsNoEvidence(t *testing.T) {
	told, err := scriptOf([]byte("TRY open\nACK {\"Boot\":1}\nTRY begin\nACK {\"STAN\":7}\n"))
	require.NoError(t, err)
	require.Equal(t, []int{0, 2}, told.deeds)
	require.Len(t, told.promises, 2)

	var p played
	require.NoError(t, p.listen(strings.NewReader("TRY open\nACK {\"Boot\":1}\nTRY begin\n"), told, 2, make(chan struct{})))
	assert.Equal(t, 1, p.acked)
	assert.True(t, p.flying)
	assert.False(t, p.over)

	reached := make(chan struct{})
	err = new(played).listen(strings.NewReader("TRY open\nACK {\"Boot\":2}\n"), told, 2, reached)
	require.ErrorContains(t, err, "not in the rehearsal")
	<-reached
}

func TestTheCopyOfADiskIsTheDisk(t *testing.T) {
	const size = 1 << 20
	from, err := blankImage(size)
	require.NoError(t, err)
	defer from.Close()
	for _, at := range []int64{0, 300_000, size - 5} {
		_, err := from.WriteAt([]byte("money"), at)
		require.NoError(t, err)
	}
	to, err := blankImage(size)
	require.NoError(t, err)
	defer to.Close()
	require.NoError(t, copyData(to, from))
	read := func(f *os.File) []byte {
		all, err := io.ReadAll(io.NewSectionReader(f, 0, size+1))
		require.NoError(t, err)
		return all
	}
	require.Equal(t, read(from), read(to))
	var is unix.Stat_t
	require.NoError(t, unix.Fstat(int(to.Fd()), &is))
	require.Less(t, is.Blocks*512, int64(size), "holes stay holes")
}

func TestEveryClassHasItsShare(t *testing.T) {
	p := &shutdowns{shutdownSettings: shutdownSettings{cuts: 1000, seed: 1}}
	jobs := p.planned(cutClasses())
	controls := 0
	for _, c := range cutClasses() {
		controls += len(controlsOf(c))
	}
	require.GreaterOrEqual(t, (len(jobs)-controls)*chainCuts, p.cuts, fmt.Sprint(len(jobs)))
}
