package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A knife runs a program under ptrace and kills it, as a power cut would, just before the n-th system call by which the
// world could notice it: a write to a line, a socket or a file of the store, a sync, a truncate. Killing before call
// n+1 is killing after call n, so trying every n tries every state that the outside can ever see.
//
// Counting starts when the word "arm" is read from standard input, or at once. Every noticed call is a line of standard
// output: its number, its name, what it is done to, and how many bytes are written where that is an argument.
//
// Instead of killing, a knife may let the n-th call, or every call from the n-th on, fail with an error number and do
// nothing, as a disk does that is full or broken. The fault ends when the word "heal" is read. Counting may also be kept
// to the files of one directory.

// strike says what happens, and when.
type strike struct {
	kill    int           // before this call; 0 never
	fail    int           // this call does nothing and returns number; 0 never
	number  syscall.Errno // such as EIO
	forever bool          // and so do all calls after it, until healed
	atOnce  bool          // count from the start
	under   string        // count the files below this directory only; empty counts every mark
}

// errorNumbers are what disks say.
var errorNumbers = map[string]syscall.Errno{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC, "EROFS": syscall.EROFS, "EDQUOT": syscall.EDQUOT}

// fails reports whether the n-th call is to fail.
func (c strike) fails(n int, healed bool) bool {
	return c.fail > 0 && !healed && (n == c.fail || c.forever && n > c.fail)
}

// noticed names the system calls that leave a mark outside the process. Their first argument is a file descriptor.
var noticed = map[uint64]string{
	unix.SYS_WRITE: "write", unix.SYS_WRITEV: "writev", unix.SYS_PWRITE64: "pwrite", unix.SYS_SENDTO: "sendto",
	unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FTRUNCATE: "ftruncate",
}

// sized are those of them whose third argument is a number of bytes.
var sized = map[string]bool{"write": true, "pwrite": true, "sendto": true}

// ptraceSyscallInfo is PTRACE_GET_SYSCALL_INFO and the parts of its answer used here (ptrace(2), Linux 5.3).
const (
	ptraceSyscallInfo = 0x420e
	infoBytes         = 88
	infoEntry         = 1 // first byte: stopped at the entry of a system call
	infoNumber        = 24
	infoArgument      = 32
)

// ptraceOptions: system call stops are marked, new threads are traced, and nothing outlives the tracer.
const ptraceOptions = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL

func knife(c strike, argv []string, in io.Reader, out io.Writer) error {
	runtime.LockOSThread() // ptrace belongs to one thread
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		return err
	}
	if err := syscall.PtraceSetOptions(pid, ptraceOptions); err != nil {
		return fmt.Errorf("ptrace is not allowed here: %w", err)
	}
	if err := syscall.PtraceSyscall(pid, 0); err != nil {
		return err
	}
	var armed, healed atomic.Bool
	armed.Store(c.atOnce)
	go func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			switch lines.Text() {
			case "arm":
				armed.Store(true)
			case "heal":
				healed.Store(true)
			}
		}
	}()
	failing := map[int]bool{} // threads inside a call that fails
	for calls := 0; ; {
		tid, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		if errors.Is(err, syscall.ECHILD) {
			return nil
		}
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		if err != nil || !status.Stopped() {
			continue
		}
		deliver := 0
		switch signal := status.StopSignal(); signal {
		case syscall.SIGTRAP | 0x80:
			if failing[tid] {
				delete(failing, tid)
				if err := giveBack(tid, c.number); err != nil {
					return err
				}
			} else if call, counts := noticedCall(pid, tid, c.under); counts && armed.Load() {
				calls++
				if failing[tid] = c.fails(calls, healed.Load()); failing[tid] {
					call += " fails"
					if err := failCall(tid); err != nil {
						return err
					}
				}
				fmt.Fprintf(out, "%d %s\n", calls, call)
				if calls == c.kill {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		case syscall.SIGTRAP, syscall.SIGSTOP: // a new thread, or an event of ptrace's own
		default:
			deliver = int(signal)
		}
		_ = syscall.PtraceSyscall(tid, deliver) // fails only for a thread that is gone
	}
}

// noticedCall reads what a stopped thread is about to do.
func noticedCall(pid, tid int, under string) (string, bool) {
	var info [infoBytes]byte
	n, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, ptraceSyscallInfo, uintptr(tid), infoBytes, uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 || int(n) < infoArgument+3*8 || info[0] != infoEntry {
		return "", false
	}
	name, known := noticed[binary.NativeEndian.Uint64(info[infoNumber:])]
	if !known {
		return "", false
	}
	fd := binary.NativeEndian.Uint64(info[infoArgument:])
	to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	if err != nil || strings.HasPrefix(to, "anon_inode:") || strings.HasPrefix(to, "pipe:") || strings.HasSuffix(to, ".log") {
		return "", false // wakes another thread, or is the log
	}
	if under != "" && !strings.HasPrefix(to, strings.TrimSuffix(under, "/")+"/") {
		return "", false
	}
	switch {
	case strings.HasPrefix(to, "socket:"):
		to = "socket"
	case !strings.HasPrefix(to, "/dev/"):
		to = filepath.Base(to)
	}
	if sized[name] {
		return fmt.Sprintf("%s %s %d", name, to, binary.NativeEndian.Uint64(info[infoArgument+2*8:])), true
	}
	return name + " " + to, true
}
