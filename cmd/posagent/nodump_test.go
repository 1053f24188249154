package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// crashing starts a program as somebody would who wants a core file of it, and lets it crash once it is ready.
func crashing(t *testing.T, dir, program string, ready func(pid int) bool, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -c unlimited 2>/dev/null; exec "$0" "$@"`, program}, args...)...)
	var said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &said, &said
	cmd.Env = append(os.Environ(), "GOTRACEBACK=crash", "POSAGENT_DEBUG=1", "GORACE=atexit_sleep_ms=0")
	require.NoError(t, cmd.Start())
	for deadline := time.Now().Add(4 * time.Minute); !ready(cmd.Process.Pid); time.Sleep(5 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "it never got ready")
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGABRT))
	_ = cmd.Wait()
	return cmd, said.String() + string(limits)
}

// A crash at full blast, with the kernel asked for a core file: none is written, and what Go says of the crash has no key
// in it, nor has any file or the log with everything turned on.
func TestACrashLeavesNoKeyBehind(t *testing.T) {
	dir := workplace(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tmk.key"), []byte(sheetsMake+"\n"), 0o600))
	out, status := run(t, dir, "keys", "seal")
	require.Equal(t, 0, status, out)
	program, err := exec.LookPath("posagent")
	require.NoError(t, err)
	socket := filepath.Join(dir, "agent.sock")
	cmd, said := crashing(t, dir, program, func(int) bool { _, err := os.Stat(socket); return err == nil }, "run", "-config", "good.toml")
	state := cmd.ProcessState.Sys().(syscall.WaitStatus)
	assert.True(t, state.Signaled() || state.ExitStatus() == 2, "%v", cmd.ProcessState)
	assert.False(t, state.CoreDump(), "the kernel wrote a core file")
	assert.Regexp(t, `Max core file size +0 +0`, said)
	assert.Contains(t, said, "goroutine ", "it did crash aloud")
	requireNoKey(t, dir, said)
	entries, err := filepath.Glob(filepath.Join(dir, "core*"))
	require.NoError(t, err)
	assert.Empty(t, entries)

	other, _ := crashing(t, t.TempDir(), "sleep", func(pid int) bool {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return string(name) == "sleep\n"
	}, "100")
	t.Logf("without that protection this machine writes a core file: %v", other.ProcessState.Sys().(syscall.WaitStatus).CoreDump())
}

func TestTheKernelIsToldToKeepMemoryIn(t *testing.T) {
	if traced() {
		t.Log("these tests run under a tracer, which sees everything")
		return
	}
	require.NoError(t, keepMemoryIn())
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	require.NoError(t, err)
	assert.Zero(t, dumpable)
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_CORE, &limit))
	assert.Equal(t, unix.Rlimit{}, limit)
	require.NoError(t, unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
}
