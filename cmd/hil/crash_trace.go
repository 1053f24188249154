package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// record runs a program under ptrace, as the knife does, and keeps what it asks of the files of one directory, with the
// bytes, and the lines it writes to standard output. A call is placed where it began and kept if it succeeded.
func record(ctx context.Context, dir string, log io.Writer, argv ...string) ([]op, error) {
	if strconv.IntSize != 64 {
		return nil, errors.New("recording needs a 64-bit machine: file offsets are read from one register")
	}
	type result struct {
		ops []op
		err error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // ptrace belongs to one thread; it ends with the goroutine
		r := recorder{dir: filepath.Clean(dir), open: map[int]int{}}
		err := r.run(ctx, log, argv)
		done <- result{r.ops(), err}
	}()
	got := <-done
	return got.ops, got.err
}

// recorder belongs to the thread that traces.
type recorder struct {
	dir   string
	pid   int
	calls []recorded
	open  map[int]int // thread -> its call that has not returned
}

type recorded struct {
	op
	succeeded bool
}

// Parts of ptrace's answer about the exit of a system call (ptrace(2), PTRACE_GET_SYSCALL_INFO).
const (
	infoExit   = 2
	infoResult = 24
)

func (r *recorder) run(ctx context.Context, log io.Writer, argv []string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.pid = cmd.Process.Pid
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(r.pid, syscall.SIGKILL) })
	defer stop()
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(r.pid, &status, 0, nil); err != nil {
		return err
	}
	if err := syscall.PtraceSetOptions(r.pid, ptraceOptions); err != nil {
		return fmt.Errorf("ptrace is not allowed here: %w", err)
	}
	if err := syscall.PtraceSyscall(r.pid, 0); err != nil {
		return err
	}
	var end error
	for {
		// Children of other threads, which are not traced from here, are not waited for.
		tid, err := syscall.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			return errors.Join(end, ctx.Err())
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return err
		}
		if tid == r.pid && (status.Signaled() || status.Exited() && status.ExitStatus() != 0) {
			end = fmt.Errorf("the recorded program ended with %v: %v", status, argv[1:])
		}
		if !status.Stopped() {
			continue
		}
		deliver := 0
		switch signal := status.StopSignal(); signal {
		case syscall.SIGTRAP | 0x80:
			r.stopped(tid)
		case syscall.SIGTRAP, syscall.SIGSTOP:
		default:
			deliver = int(signal)
		}
		_ = syscall.PtraceSyscall(tid, deliver)
	}
}

func (r *recorder) stopped(tid int) {
	var info [infoBytes]byte
	n, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, ptraceSyscallInfo, uintptr(tid), infoBytes, uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return
	}
	word := func(at int) uint64 { return binary.NativeEndian.Uint64(info[at:]) }
	switch {
	case info[0] == infoEntry && int(n) >= infoArgument+4*8:
		arg := func(i int) uint64 { return word(infoArgument + 8*i) }
		if o, ok := r.call(word(infoNumber), arg); ok {
			r.open[tid] = len(r.calls)
			r.calls = append(r.calls, recorded{op: o})
		}
	case info[0] == infoExit:
		if at, ok := r.open[tid]; ok {
			delete(r.open, tid)
			r.calls[at].succeeded = int64(word(infoResult)) >= int64(len(r.calls[at].Data))
		}
	}
}

// call reads what a thread is about to do, if it concerns the directory or is a line.
func (r *recorder) call(number uint64, arg func(int) uint64) (op, bool) {
	switch number {
	case unix.SYS_WRITE:
		return op{Kind: opLine, Text: strings.TrimSpace(string(r.memory(arg(1), arg(2))))}, arg(0) == 1
	case unix.SYS_PWRITE64:
		name, ok := r.file(arg(0))
		if !ok {
			return op{}, false
		}
		return op{Kind: opWrite, Name: name, Data: r.memory(arg(1), arg(2)), Offset: int64(arg(3)), Durable: r.durable(arg(0))}, true
	case unix.SYS_FTRUNCATE:
		name, ok := r.file(arg(0))
		return op{Kind: opTruncate, Name: name, Offset: int64(arg(1))}, ok
	case unix.SYS_FSYNC, unix.SYS_FDATASYNC:
		name, ok := r.file(arg(0))
		return op{Kind: opSync, Name: name}, ok
	case unix.SYS_OPENAT:
		path := r.text(arg(1))
		name, ok := r.inside(path)
		if _, err := os.Lstat(path); err == nil {
			return op{}, false
		}
		return op{Kind: opCreate, Name: name}, ok && arg(2)&unix.O_CREAT != 0
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		from, ok := r.inside(r.text(arg(1)))
		to, _ := r.inside(r.text(arg(3)))
		return op{Kind: opRename, Name: from, To: to}, ok
	case unix.SYS_UNLINKAT:
		name, ok := r.inside(r.text(arg(1)))
		return op{Kind: opRemove, Name: name}, ok && arg(2)&unix.AT_REMOVEDIR == 0
	}
	return op{}, false
}

func (r *recorder) ops() (list []op) {
	for _, c := range r.calls {
		if c.succeeded {
			list = append(list, c.op)
		}
	}
	return list
}

func (r *recorder) memory(at, n uint64) []byte {
	b := make([]byte, n)
	for got := 0; got < len(b); {
		local := []unix.Iovec{{Base: &b[got]}}
		local[0].SetLen(len(b) - got)
		remote := []unix.RemoteIovec{{Base: uintptr(at) + uintptr(got), Len: int(n) - got}}
		m, err := unix.ProcessVMReadv(r.pid, local, remote, 0)
		if err != nil || m <= 0 {
			return b[:got]
		}
		got += m
	}
	return b
}

// text reads a string that ends with a zero byte, never across a page that may not be there.
func (r *recorder) text(at uint64) string {
	var all []byte
	for len(all) < unix.PathMax {
		part := r.memory(at, 256-at%256)
		if end := strings.IndexByte(string(part), 0); end >= 0 || len(part) == 0 {
			return string(append(all, part[:max(end, 0)]...))
		}
		all, at = append(all, part...), at+uint64(len(part))
	}
	return string(all)
}

// unsyncedMarker is for a process that dies, not for the power: with it or without it the store says the same after a cut.
const unsyncedMarker = "starting"

// inside tells the name of a path in the directory.
func (r *recorder) inside(path string) (name string, ok bool) {
	if filepath.Dir(path) != r.dir || filepath.Base(path) == unsyncedMarker {
		return "", false
	}
	return filepath.Base(path), true
}

// file tells the name that a descriptor has now; it is empty for the directory itself.
func (r *recorder) file(fd uint64) (name string, ok bool) {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", r.pid, fd))
	if err != nil {
		return "", false
	}
	if path == r.dir {
		return "", true
	}
	return r.inside(path)
}

// durable reads whether a descriptor was opened O_DSYNC, from the octal flags in fdinfo (proc(5)).
func (r *recorder) durable(fd uint64) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", r.pid, fd))
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(value), 8, 32)
			return err == nil && flags&unix.O_DSYNC != 0
		}
	}
	return false
}
