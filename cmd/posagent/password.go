package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"posagent/txnstore/txn"
)

// passwords are asked for at the keyboard, or read a line each from a file descriptor. They never stand on a command line,
// which every process of the machine can read.
type passwords struct {
	descriptor int
	lines      *bufio.Reader
}

func (p *passwords) define(f *flag.FlagSet) {
	f.IntVar(&p.descriptor, "password-fd", -1, "read the password, one line, from the open file descriptor `N`; asked for at the keyboard if left out")
}

// maxPasswordLine bounds a line, in bytes.
const maxPasswordLine = 256

// ask reads the next password.
func (p *passwords) ask(c *command, prompt string) (txn.Password, error) {
	if p.descriptor >= 0 {
		return p.next()
	}
	if keyboard := int(os.Stdin.Fd()); term.IsTerminal(keyboard) {
		fmt.Fprintf(c.err, "%s: ", prompt)
		text, err := term.ReadPassword(keyboard)
		fmt.Fprintln(c.err)
		return txn.NewPassword(string(text)), err
	}
	return txn.Password{}, errors.New("a password is needed: type it at a keyboard, or hand it over with -password-fd N")
}

func (p *passwords) next() (txn.Password, error) {
	if p.lines == nil {
		file := os.NewFile(uintptr(p.descriptor), "password")
		if file == nil {
			return txn.Password{}, fmt.Errorf("-password-fd %d: it is not open", p.descriptor)
		}
		p.lines = bufio.NewReaderSize(io.LimitReader(file, 4*maxPasswordLine), maxPasswordLine)
	}
	line, err := p.lines.ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return txn.Password{}, fmt.Errorf("-password-fd %d: no password there: %w", p.descriptor, err)
	}
	return txn.NewPassword(line), nil
}

// approval asks for a supervisor's password where the terminal has a list of them.
func (c *command) approval(config *Config, number string, p *passwords) (txn.Password, error) {
	if config.Terminal.Supervisors == "" || number == "" {
		return txn.Password{}, nil
	}
	return p.ask(c, fmt.Sprintf("主管 %s 密码 password of supervisor %s", plain(number), plain(number)))
}
