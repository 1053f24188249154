package link

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// TCP dials an address.
type TCP struct {
	Address string // host:port
}

var _ Dialer = TCP{}

// Dial connects, with the kernel told to give up on a peer that acknowledges nothing. The connection is a Meter.
func (t TCP) Dial(ctx context.Context) (Conn, error) {
	began := time.Now()
	var known atomic.Pointer[time.Time] // when the name had become an address; two may be tried at a time
	dialer := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
		Control: func(_, _ string, raw syscall.RawConn) error {
			now := time.Now()
			known.CompareAndSwap(nil, &now)
			return onSocket(raw, func(fd int) error {
				return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT,
					int(tcpUserTimeout/time.Millisecond)))
			})
		},
	}
	conn, err := dialer.DialContext(ctx, "tcp", t.Address)
	if at := known.Load(); at != nil {
		report(ctx, Resolved, at.Sub(began))
		if err == nil {
			report(ctx, Reached, time.Since(*at))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.Address, err)
	}
	return &tcpConn{TCPConn: conn.(*net.TCPConn)}, nil
}

func (t TCP) String() string { return "tcp " + t.Address }

// tcpConn counts what it hands to the kernel, and asks the kernel what has arrived.
type tcpConn struct {
	*net.TCPConn
	handed atomic.Int64
	last   atomic.Int64 // what had arrived when it was closed, and one more, so that 0 is nothing known
}

var _ Meter = (*tcpConn)(nil)

func (c *tcpConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.handed.Add(int64(n))
	return n, err
}

func (c *tcpConn) Handed() int64 { return c.handed.Load() }

// Acknowledged is what was handed over, less what the send queue still holds (tcp(7), SIOCOUTQ).
func (c *tcpConn) Acknowledged() (int64, error) {
	if last := c.last.Load(); last > 0 {
		return last - 1, nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	queued := 0
	handed := c.handed.Load()
	err = onSocket(raw, func(fd int) (err error) {
		queued, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ) // the same number as SIOCOUTQ
		return os.NewSyscallError("ioctl", err)
	})
	return max(0, handed-int64(queued)), err
}

func (c *tcpConn) Close() error {
	if arrived, err := c.Acknowledged(); err == nil {
		c.last.CompareAndSwap(0, arrived+1)
	}
	return c.TCPConn.Close()
}

func onSocket(raw syscall.RawConn, do func(fd int) error) error {
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}
