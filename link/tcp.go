package link

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// TCP dials an address.
type TCP struct {
	Address string // host:port
}

var _ Dialer = TCP{}

// Dial connects, with the kernel told to give up on a peer that acknowledges nothing.
func (t TCP) Dial(ctx context.Context) (Conn, error) {
	dialer := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
		Control: func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) {
				failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT,
					int(tcpUserTimeout/time.Millisecond))
			})
			if err != nil {
				return err
			}
			return os.NewSyscallError("setsockopt", failed)
		},
	}
	conn, err := dialer.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.Address, err)
	}
	return conn, nil
}

func (t TCP) String() string { return "tcp " + t.Address }
