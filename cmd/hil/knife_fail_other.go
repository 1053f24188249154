//go:build !amd64

package main

import (
	"errors"
	"syscall"
)

var errNoRegisters = errors.New("a call can be made to fail on x86-64 only; -at cuts everywhere")

func failCall(int) error                { return errNoRegisters }
func giveBack(int, syscall.Errno) error { return errNoRegisters }
