package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// asProgram, set in the environment, makes the test binary run as devicesim.
const asProgram = "DEVICESIM_AS_PROGRAM"

func program(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	argv := append([]string{os.Args[0]}, args...)
	if emulator := os.Getenv("EMULATOR"); emulator != "" {
		argv = append([]string{emulator}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var log bytes.Buffer
	cmd.Stderr = &log
	return cmd, &log
}

func TestTheProcessSaysReadyAndLeavesNothingBehind(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := shortDir(t)
		link, socket := filepath.Join(dir, "modem"), filepath.Join(dir, "control")
		cmd, log := program(t, "-modem", "pty:"+link, "-control", "unix:"+socket)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		word, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err, "%s", log)
		require.Equal(t, "ready\n", word)
		target, err := os.Readlink(link)
		require.NoError(t, err)
		require.FileExists(t, socket)

		require.NoError(t, cmd.Process.Signal(signal))
		require.NoError(t, cmd.Wait(), "%s", log)
		require.Contains(t, log.String(), "modem on pty:"+link+" ("+target+")")
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

func TestAKilledProcessIsFollowedByAnother(t *testing.T) {
	dir := shortDir(t)
	args := []string{"-modem", "unix:" + filepath.Join(dir, "modem"), "-printer", "pty:" + filepath.Join(dir, "printer"), "-control", "unix:" + filepath.Join(dir, "control")}
	for _, end := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		cmd, log := program(t, args...)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err, "%s", log)

		second, complaint := program(t, args...)
		require.Error(t, second.Run(), "two simulators on one line")
		require.Contains(t, complaint.String(), "another process answers there")
		require.NoError(t, cmd.Process.Signal(end))
		err = cmd.Wait()
		require.Equal(t, end == syscall.SIGTERM, err == nil)
	}
}

func TestExitStatusTellsWrongUseFromAFailedLine(t *testing.T) {
	dir := shortDir(t)
	occupied := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(occupied, []byte("mine"), 0o600))
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{0, "-baud-printer", []string{"-h"}},
		{2, "give -reader", nil},
		{1, "is not a link: remove it", []string{"-modem", "pty:" + occupied}},
		{1, "is not a socket: remove it", []string{"-modem", "unix:" + occupied}},
		{1, "no such device", []string{"-modem", "serial:" + filepath.Join(dir, "ttyUSB9"), "-baud-modem", "9600"}},
		{1, "no such file", []string{"-reader", "pty:" + filepath.Join(dir, "r"), "-cards", filepath.Join(dir, "none.toml")}},
		{1, "choose a shorter one", []string{"-modem", "unix:" + filepath.Join(dir, string(bytes.Repeat([]byte("x"), 110)))}},
		{1, "no such file", []string{"-modem", "pty:" + filepath.Join(dir, "missing", "m")}},
	} {
		cmd, log := program(t, c.args...)
		_ = cmd.Run()
		require.Equal(t, c.status, cmd.ProcessState.ExitCode(), "%v\n%s", c.args, log)
		require.Contains(t, log.String(), c.says)
	}
	kept, err := os.ReadFile(occupied)
	require.NoError(t, err)
	require.Equal(t, "mine", string(kept))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "a line that failed to open leaves nothing")
}

func TestASocketThatADeadProcessLeftIsReplaced(t *testing.T) {
	path := filepath.Join(shortDir(t), "left")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	dead.SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	l, err := listen(path)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = os.Lstat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestALinkOfAnotherIsNotRemoved(t *testing.T) {
	link := filepath.Join(shortDir(t), "line")
	first, err := openPty(link)
	require.NoError(t, err)
	second, err := openPty(link)
	require.NoError(t, err)
	require.NoError(t, first.Close())
	target, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, second.pty.Name(), target)
	require.NoError(t, second.Close())
	_, err = os.Readlink(link)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = io.ReadAll(first.pty)
	require.Error(t, err)
}
