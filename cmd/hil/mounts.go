package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errUnable means that this machine does not allow what a verb needs, so that nothing was examined. Hil then exits with
// statusUnable, which automake's tests give the same meaning.
var errUnable = errors.New("this machine does not allow it, nothing was examined")

const statusUnable = 77

// endsWithin is how long a process that was told to stop has for that.
const endsWithin = 20 * time.Second

// inOwnMounts runs a verb of this program again, with "-inside DIR" added, in a mount namespace of its own
// (mount_namespaces(7)): what it mounts nobody else sees, and the kernel takes it down when the last process there has
// ended, however it ended. DIR is an empty directory for it (ownPlace). The loop devices go with their mounts, and their
// images are in memory without a name (volume.go). So nothing is left behind, and of a killed hil an empty directory.
func inOwnMounts(ctx context.Context, verb string, args []string, out, log io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(quickPlace(), "hil-"+verb)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	runtime.LockOSThread() // the child dies with the thread that made it
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, self, append([]string{verb, "-inside", dir}, args...)...)
	cmd.Stdout, cmd.Stderr = out, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endsWithin
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w: mounting needs root (CAP_SYS_ADMIN): %w", errUnable, err)
	}
	var exit *exec.ExitError
	switch err := cmd.Wait(); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() == statusUnable:
		return errUnable // the child has said why
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return fmt.Errorf("%s did not show what it must", verb) // so it has
	default:
		return err
	}
}

// ownPlace puts a file system in memory on the directory that inOwnMounts gave.
func ownPlace(dir string) error {
	if err := unix.Mount("hil", dir, "tmpfs", 0, "mode=0700"); err != nil {
		return fmt.Errorf("%w: mount tmpfs: %w", errUnable, err)
	}
	return nil
}
