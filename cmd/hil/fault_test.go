//go:build linux && amd64

package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// Each write, sync and truncate of the store in a day of ten sales fails in turn, once or from then on, and does nothing,
// as a full or broken disk does. The power goes at the end of the day. After the next start, on a sound disk:
//
//	money held by the acquirer   ⇔ approved in the books    nothing acknowledged is lost
//	money ever held              ⇒ in the books             nothing was sent that was not durable
//	told or printed as approved  ⇒ held
//	told as refused or declined  ⇒ not held
//
// FAULTS=all tries every call; otherwise a spread of them.
func TestNoFailedCallOfTheStoreLosesMoney(t *testing.T) {
	t.Parallel()
	parent, err := os.MkdirTemp("/dev/shm", "faults")
	if err != nil {
		parent = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	for _, forever := range []bool{false, true} {
		for _, number := range []string{"EIO", "ENOSPC"} {
			t.Run(fmt.Sprintf("%s forever=%t", number, forever), func(t *testing.T) {
				t.Parallel()
				runs, told := 0, map[string]int{}
				for n := 1; ; n += stride(n) {
					dir := filepath.Join(parent, fmt.Sprintf("%s-%t-%d", number, forever, n))
					day, calls := dayWithFault(t, dir, n, number, forever)
					if calls < n {
						require.Greater(t, n, 60, "a day of ten sales has more calls than that")
						break
					}
					runs++
					for _, what := range day.told {
						told[what]++
					}
					require.NoError(t, os.RemoveAll(dir))
				}
				t.Logf("%d runs; customers were told: %v", runs, told)
				require.Positive(t, told["approved"])
				if forever {
					require.Positive(t, told["refused"], "a disk that stays broken refuses sales")
				}
			})
		}
	}
}

func stride(n int) int {
	if os.Getenv("FAULTS") == "all" {
		return 1
	}
	return 7 + n%5
}

// dayWithFault runs the day, and the morning after it on a sound disk. It returns how many calls the store made.
func dayWithFault(t *testing.T, dir string, n int, number string, forever bool) (outside, int) {
	t.Helper()
	run := exec.Command(filepath.Join(built, "hil"), "knife", "-fail", strconv.Itoa(n), "-errno", number,
		"-forever="+strconv.FormatBool(forever), "-at-once", "-under", dir, "/bin/sh", "-c", `exec "$0" >"$1"`, os.Args[0], dir+".said")
	run.Env = append(os.Environ(), faultChild+"="+dir, "GORACE=atexit_sleep_ms=0")
	var errs bytes.Buffer
	run.Stderr = &errs
	knifeSaid, err := run.Output()
	require.NoError(t, err, errs.String())
	calls := strings.Count(string(knifeSaid), "\n")
	said, err := os.ReadFile(dir + ".said")
	require.NoError(t, err)
	require.NoError(t, os.Remove(dir+".said"))
	day := outside{held: map[string]bool{}, printed: map[string]bool{}, told: map[string]string{}}
	day.read(string(said))
	everHeld := slices.Sorted(maps.Keys(day.held))

	where := fmt.Sprintf("call %d of %d (%s, forever=%t)\n%s", n, calls, number, forever, said)
	var morning bytes.Buffer
	s, err := openShop(dir, &morning)
	require.NoError(t, err, where)
	require.NoError(t, s.Recover(context.Background()), where)
	day.read(morning.String())
	books := map[string]txn.State{}
	require.NoError(t, s.store.Since(0, func(x txn.Txn) error { books[x.Reference] = x.State; return nil }), where)
	require.NoError(t, s.store.Close(), where)

	where += "--\n" + morning.String()
	for _, ref := range everHeld {
		assert.Contains(t, books, ref, "sent and not durable: %s", where)
	}
	for ref, state := range books {
		assert.Zero(t, state.Owes(), "%s is %s after the recovery: %s", ref, state, where)
		assert.Equal(t, day.held[ref], state == txn.Approved, "%s is %s: %s", ref, state, where)
	}
	for ref, what := range day.told {
		switch what {
		case "approved":
			assert.Equal(t, txn.Approved, books[ref], "%s was told as approved: %s", ref, where)
		case "refused", "declined", "reversed":
			assert.False(t, day.held[ref], "%s was told as %s: %s", ref, what, where)
		}
	}
	for ref, asSale := range day.printed {
		assert.True(t, !asSale || books[ref] == txn.Approved, "%s has a slip and is %s: %s", ref, books[ref], where)
	}
	if t.Failed() {
		t.FailNow()
	}
	return day, calls
}
