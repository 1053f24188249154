package main

import (
	"fmt"
	"syscall"
)

// failCall makes a thread that is stopped at the entry of a system call skip it: the kernel knows no call of number -1.
// giveBack then puts the error where the program looks for the result (ptrace(2), x86-64 calling convention).
func failCall(tid int) error {
	return changeRegisters(tid, func(r *syscall.PtraceRegs) { r.Orig_rax = ^uint64(0) })
}

func giveBack(tid int, number syscall.Errno) error {
	return changeRegisters(tid, func(r *syscall.PtraceRegs) { r.Rax = uint64(-int64(number)) })
}

func changeRegisters(tid int, change func(*syscall.PtraceRegs)) error {
	var r syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &r); err != nil {
		return fmt.Errorf("registers of the stopped thread: %w", err)
	}
	change(&r)
	if err := syscall.PtraceSetRegs(tid, &r); err != nil {
		return fmt.Errorf("registers of the stopped thread: %w", err)
	}
	return nil
}
