package main

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheTableFitsATerminal(t *testing.T) {
	require.LessOrEqual(t, tableWidth, 80)
	var out strings.Builder
	chapter{title: "The store", rows: []row{
		{"latency: begin and outcome", "401 µs", "6.51 x", "5.1 x"},
		{"  archive moves included", "568 µs", "", ""},
		{"unpack sale-contactless-0210", "12.34 MiB", "0.0012 x", "16 MiB"},
	}, notes: []string{strings.Repeat("a note ", 30)}}.print(&out)
	lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	for _, line := range lines {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
		assert.Equal(t, strings.TrimRight(line, " "), line)
	}
	require.Greater(t, len(lines), 6, "the note is wrapped")
	at := func(line, what string) int {
		before, _, found := strings.Cut(line, what)
		require.True(t, found, line)
		return utf8.RuneCountInString(before + what)
	}
	assert.Equal(t, at(lines[1], "401 µs"), at(lines[2], "568 µs"), "columns end alike")
	assert.Equal(t, at(lines[1], "6.51 x"), at(lines[3], "0.0012 x"))
	assert.Equal(t, at(lines[1], "5.1 x"), at(lines[3], "16 MiB"))
}

func TestFiguresHaveThreeDigitsThatMeanSomething(t *testing.T) {
	for d, want := range map[time.Duration]string{855: "855 ns", 61_600: "61.6 µs", 3_061_000: "3.06 ms", 24 * time.Second: "24 s", 0: "0 ns"} {
		assert.Equal(t, want, span(d))
	}
	for r, want := range map[float64]string{0.00213: "0.0021 x", 0.5: "0.50 x", 5.08: "5.08 x", 18.52: "18.5 x"} {
		assert.Equal(t, want, times(r))
	}
	assert.Equal(t, "4.50 MiB", mebibytes(9<<19))
	assert.Equal(t, "33.5 KiB", kibibytes(33.5*1024))
}

func TestMediansAndQuantiles(t *testing.T) {
	d := []time.Duration{9, 1, 5, 3, 7}
	assert.Equal(t, time.Duration(5), median(d))
	assert.Equal(t, time.Duration(9), quantile(d, 0.9))
	assert.Equal(t, []time.Duration{9, 1, 5, 3, 7}, d, "left as they were")
	assert.Zero(t, median[int64](nil))
}

func TestABareWriteIsTheUnitUntilItIsAskedFor(t *testing.T) {
	b, err := newBare(t.TempDir())
	require.NoError(t, err)
	defer b.close()
	for range 2 * bareBlocks {
		require.NoError(t, b.write())
	}
	assert.Positive(t, b.unit())
	assert.Zero(t, b.unit(), "the next unit begins anew")
	info, err := b.f.Stat()
	require.NoError(t, err)
	assert.Equal(t, int64(bareBlock*bareBlocks), info.Size(), "it never grows: growing is another cost")
}

// A sale as the tracer tells it: the card, commit 1 with its shadow, the request, commit 2, the paper, and what follows.
const saleTrace = `1 write /dev/pts/1 16
2 sendto socket 120
3 write /dev/pts/1 39
4 pwrite shadow 4096
5 pwrite hot.db 4096
6 fdatasync hot.db
7 pwrite hot.db 4096
8 fdatasync hot.db
9 sendto socket 312
10 pwrite hot.db 4096
11 fdatasync hot.db
12 pwrite shadow 4096
13 pwrite hot.db 4096
14 fdatasync hot.db
15 write /dev/pts/2 256
16 write /dev/pts/2 31
17 write socket 900
18 pwrite archive.db 8192
19 fdatasync archive.db
20 pwrite archive.db 4096
21 fdatasync archive.db`

func callsOf(t *testing.T, trace string) (calls []call) {
	t.Helper()
	for line := range strings.Lines(trace) {
		c, err := readCall(strings.TrimSpace(line))
		require.NoError(t, err)
		calls = append(calls, c)
	}
	return calls
}

func TestATraceIsCountedFromCardToPaper(t *testing.T) {
	path, later, err := customersPath(callsOf(t, saleTrace), "/dev/pts/1", "/dev/pts/2")
	require.NoError(t, err)
	require.Len(t, path, 16)
	require.Len(t, later, 5)
	waited := costOf(path)
	commits, err := waited.commits()
	require.NoError(t, err)
	assert.Equal(t, 2, commits)
	assert.Equal(t, 6, waited.flushes(), "four syncs and two synchronous writes")
	assert.Equal(t, int64(6*4096), waited.bytes, "bytes to lines are not the store's")
	assert.Equal(t, int64(12288), costOf(later).bytes)
	assert.Equal(t, 2, costOf(later).flushes())

	_, _, err = customersPath(path, "/dev/pts/1", "/dev/pts/9")
	require.ErrorContains(t, err, "printer")
	_, _, err = customersPath(nil, "/dev/pts/1", "/dev/pts/2")
	require.Error(t, err)
	_, err = costOf(path[:8]).commits()
	require.NoError(t, err)
	_, err = costOf(path[:6]).commits()
	require.Error(t, err, "half a commit is not a figure")
}

func TestALoopIsCountedBetweenItsMarks(t *testing.T) {
	calls, err := betweenMarks(callsOf(t, "1 pwrite hot.db 4096\n2 write mark 1\n3 fdatasync hot.db\n4 write mark 1\n5 fdatasync hot.db"))
	require.NoError(t, err)
	require.Equal(t, []call{{"fdatasync", "hot.db", 0}}, calls)
	_, err = betweenMarks(callsOf(t, "1 write mark 1\n2 fdatasync hot.db"))
	require.ErrorContains(t, err, "did not end well")
}

func TestWhatIsNoCallIsRefused(t *testing.T) {
	for _, line := range []string{"", "pwrite", "1 pwrite", "1 pwrite hot.db many", "1 pwrite hot.db 1 2"} {
		_, err := readCall(line)
		require.Error(t, err, "%q", line)
	}
}

func TestTheKernelsCountersAreRead(t *testing.T) {
	n, err := statusBytes("Name:\tposagent\nVmHWM:\t   13700 kB\nVmRSS:\t   13696 kB\n", "VmRSS")
	require.NoError(t, err)
	require.Equal(t, int64(13696<<10), n)
	_, err = statusBytes("Name:\tposagent\n", "VmRSS")
	require.Error(t, err)

	d, err := readDisk("   37718     7991  1781546    18622   307916    92672  9568096    86186        0    31316   115089    95037       53  7517872     5604   114477     4675\n")
	require.NoError(t, err)
	require.Equal(t, disk{9568096 * 512, 114477}, d)
	_, err = readDisk("1 2 3 4 5 6 7 8 9 10 11")
	require.Error(t, err, "a kernel that does not count flushes")
}

func TestOnlyAGoodCardAnswerIsTheCard(t *testing.T) {
	assert.True(t, isCardAnswer([]byte("ViVOtech2\x00\x02\x23\x00\x01")))
	assert.True(t, isCardAnswer([]byte("ViVOtech2\x00\x02\x00\x00\x01")))
	for _, other := range []string{"", "ViVOtech2\x00", "ViVOtech2\x00\x02\x0E\x00\x01", "ViVOtech2\x00\x18\x00\x00\x00", "ViVOtech2\x00\x02\x08\x00\x00"} {
		assert.False(t, isCardAnswer([]byte(other)), "%q", other)
	}
}

func TestASlipIsChargedWithTheIdleTimeAmongItsBytes(t *testing.T) {
	last := time.Now()
	a := &arrivals{at: []arrival{{total: 3}, {total: 12, idle: 10 * time.Millisecond}, {total: 20, idle: 14 * time.Millisecond},
		{112, 15 * time.Millisecond, last}, {total: 120, idle: time.Hour}}}
	idle, passed, err := a.between(t.Context(), 12, 112)
	require.NoError(t, err)
	require.Equal(t, 5*time.Millisecond, idle)
	require.Equal(t, last, passed)
	ended, end := context.WithCancel(t.Context())
	end()
	_, _, err = a.between(ended, 12, 121)
	require.ErrorIs(t, err, context.Canceled)
}

// Every loop runs as it does under the tracer.
func TestEveryLoopSells(t *testing.T) {
	for _, name := range loopNames() {
		dir := t.TempDir()
		require.NoError(t, tracedLoop(name, dir, 2*archiveEvery))
		require.NoError(t, tracedLoop(name, dir, 2), "and goes on where it ended")
	}
	require.Error(t, tracedLoop("idle", t.TempDir(), 1))
}

func TestARawLogIsReadToItsEnd(t *testing.T) {
	dir := t.TempDir()
	l, err := filledLog(dir, 3)
	require.NoError(t, err)
	for range 2 {
		_, _, err := sellOnce(l)
		require.NoError(t, err)
	}
	_, err = l.reopen()
	require.NoError(t, err, "it ends where it ended")
	require.Equal(t, uint64(5), l.next)
	_, err = l.f.WriteAt([]byte{0xFF}, l.at-2) // in the newest state's checksum
	require.NoError(t, err)
	_, err = l.reopen()
	require.NoError(t, err, "the sale's first state still stands")
	_, err = l.f.WriteAt([]byte{0xFF}, l.at-2)
	require.NoError(t, err)
	_, err = l.reopen()
	require.ErrorContains(t, err, "ends at record 4")
	require.NoError(t, l.close())
}

func TestTheRivalsFitATerminal(t *testing.T) {
	sizes := stores{middle: "m", records: 50_000}.sizes()
	require.Equal(t, []int{0, 500, 5000, 50_000}, sizes)
	all := make([][]figure, len(rivals))
	for i := range all {
		for range sizes {
			all[i] = append(all[i], figure{64 << 10, 6.5, 12.5, 31.4, 94_300_000})
		}
	}
	all[1][1].bytes = -1
	lines := besideTable("a disk", sizes, all)
	for _, line := range lines {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
	text := strings.Join(lines, "\n")
	assert.Contains(t, text, "busy", "what others disturbed is not shown")
	assert.Equal(t, 1, strings.Count(text, besideBudgets[2]))
}

func TestAMoveIsSharedByTheSalesItServes(t *testing.T) {
	assert.Equal(t, []time.Duration{4, 25}, moves([]time.Duration{1, 1, 1, 13, 25, 25, 25, 25, 7}))
}

func TestTheRivalsSellAndOpenAgain(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, sellInto(t.Context(), dir+"/empty", 0))
	m := &measuring{stores: stores{dir: dir, records: 50_000}}
	for _, one := range rivals {
		if one.name == "SQLite, WAL, FULL" {
			continue // a program that only make bench builds
		}
		r, err := one.open(m, t.TempDir(), 0)
		require.NoError(t, err, one.name)
		for range archiveEvery + 1 {
			_, _, err := sellOnce(r)
			require.NoError(t, err, one.name)
		}
		_, err = r.reopen()
		require.NoError(t, err, one.name)
		require.NoError(t, r.close(), one.name)
	}
}
