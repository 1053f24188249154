package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// keyboard reads what persons type at a terminal, a serial line among them, without the terminal's echo. Each byte goes
// into a buffer of the caller's, who can clear it; the kernel keeps no line of its own meanwhile. What was typed before
// it opened and after it closed is thrown away, so that digits of a key do not end up at a shell.
type keyboard struct {
	in    *os.File
	out   io.Writer
	was   unix.Termios
	drop  bool // the next byte where it is a line feed: some terminals send two bytes for one key
	limit time.Duration
}

// Limits of the keyboard.
const (
	typingTime = 5 * time.Minute // nobody typed anything for so long: what was typed so far is given up
	lookEvery  = 100 * time.Millisecond
)

var (
	errNotTyped  = errors.New("keys are typed at a terminal, by two persons; for a file, use a signed bundle")
	errGivenUp   = errors.New("given up; nothing was changed")
	errTypedLong = errors.New("that was longer than anything asked for; type it again")
)

// openKeyboard turns the echo off. Close turns it on again.
func openKeyboard(in *os.File, out io.Writer) (*keyboard, error) {
	if in == nil {
		return nil, errNotTyped
	}
	was, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		return nil, errNotTyped
	}
	quiet := *was
	quiet.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	quiet.Iflag &^= unix.ICRNL | unix.INLCR | unix.IGNCR
	quiet.Cc[unix.VMIN], quiet.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(in.Fd()), unix.TCSETSF, &quiet); err != nil {
		return nil, fmt.Errorf("the terminal's echo cannot be turned off: %w", err)
	}
	return &keyboard{in: in, out: out, was: *was, limit: typingTime}, nil
}

// Close gives the terminal back as it was.
func (k *keyboard) Close() error {
	return unix.IoctlSetTermios(int(k.in.Fd()), unix.TCSETSF, &k.was)
}

// line reads one line into buf and returns how much of it is filled; shown has it appear as it is typed. Backspace takes
// a character back, Ctrl-U all of them; Ctrl-C and Ctrl-D give up.
func (k *keyboard) line(ctx context.Context, buf []byte, shown bool) (n int, err error) {
	defer fmt.Fprintln(k.out)
	long := false
	for {
		b, err := k.key(ctx)
		switch {
		case err != nil:
			return 0, err
		case b == '\r' || b == '\n':
			k.drop = b == '\r'
			if long {
				return 0, errTypedLong
			}
			return n, nil
		case b == 0x03 || b == 0x04:
			return 0, errGivenUp
		case b == 0x15:
			n, long = k.erase(buf[:n], shown), false
		case b == 0x7F || b == '\b':
			n = k.back(buf[:n], shown)
		case b < ' ':
		case n == len(buf):
			long = true
		default:
			buf[n] = b
			n++
			if shown {
				_, _ = k.out.Write(buf[n-1 : n])
			}
		}
	}
}

// back takes the last character away and returns how many bytes are left.
func (k *keyboard) back(typed []byte, shown bool) int {
	r, size := utf8.DecodeLastRune(typed)
	clear(typed[len(typed)-size:])
	for range widthOf(string(r)) {
		if shown && size > 0 {
			fmt.Fprint(k.out, "\b \b")
		}
	}
	return len(typed) - size
}

func (k *keyboard) erase(typed []byte, shown bool) int {
	for len(typed) > 0 {
		typed = typed[:k.back(typed, shown)]
	}
	return 0
}

// key waits for one byte.
func (k *keyboard) key(ctx context.Context) (byte, error) {
	for waited := time.Duration(0); waited < k.limit; waited += lookEvery {
		if ctx.Err() != nil {
			return 0, errGivenUp
		}
		ready := []unix.PollFd{{Fd: int32(k.in.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, int(lookEvery/time.Millisecond))
		if errors.Is(err, unix.EINTR) || err == nil && n == 0 {
			continue
		}
		var one [1]byte
		if err == nil {
			n, err = unix.Read(int(k.in.Fd()), one[:])
		}
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil || n == 0 {
			return 0, fmt.Errorf("the terminal is gone: %w", errors.Join(err, errGivenUp))
		}
		dropped := k.drop && one[0] == '\n'
		if k.drop = false; !dropped {
			return one[0], nil
		}
	}
	return 0, fmt.Errorf("nothing was typed for %s: %w", k.limit, errGivenUp)
}
