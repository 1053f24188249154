// Package serial opens serial lines: UARTs, USB-serial adapters and, for simulators and tests, pseudo terminals. It is
// the only place of the program that opens a tty. A Port behaves like a net.Conn: deadlines hold to the millisecond,
// Close always returns, and a line that is gone is never mistaken for one that is silent.
//
// github.com/tarm/serial opens the line and sets speed and character format. Its own descriptor blocks: a read ends by
// a timer of 100 ms steps whose expiry looks like a hang-up, a write to a stalled far end never returns, and neither
// does Close while one of them waits. So the bytes travel over a second descriptor of the same tty, opened
// non-blocking, on which the Go runtime's poller keeps the time:
//
//	            flock, TIOCEXCL, settings tarm leaves out, modem lines
//	           ┌──────────────────────────────────────────────────────┐
//	Port ──────┤  second descriptor, O_NONBLOCK, parked on the poller ├──────► tty ──── wire
//	           └──────────────────────────────────────────────────────┘         ▲
//	tarm ── first descriptor: speed, bits, parity, raw mode (TCSETS), then closed ┘
//
// Settings belong to the tty and survive the first descriptor as long as the second is open. The lock is taken before
// the first setting is written, so that a second opener is refused without disturbing the line's owner.
//
// On failure: an error of Open names the device and what to do about it. ErrHangup from any verb means that the far end
// or the adapter is gone: close the port and open it again, by a name that follows the adapter (usb.go), because a
// re-plugged one may come back under another ttyUSB number. A byte received with a parity or framing error is
// dropped (IGNPAR); the protocol above notices by its check sum. A received break reads as one zero byte.
//
// Documents: POSIX.1-2017 chapter 11 (General Terminal Interface), termios(3), ioctl_tty(2); Universal Serial Bus
// Specification 2.0 chapter 9; Linux Documentation/ABI/stable/sysfs-bus-usb.
package serial
