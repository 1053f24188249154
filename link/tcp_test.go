package link

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestOverRealTCP runs on the loopback in real time, because net.Pipe has no kernel in it.
func TestOverRealTCP(t *testing.T) {
	defer goleak.VerifyNone(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	far := &farEnd{t: t}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c := &call{Conn: conn, farEnd: far}
			c.say(answer(c.hear())) // one exchange, then half-closed: a host that restarts does this
			_ = conn.(*net.TCPConn).CloseWrite()
			c.listen()
			_ = conn.Close()
		}
	}()
	l := New(Options{Header: header, Bearers: []Bearer{{Name: "ethernet", Dialer: TCP{Address: listener.Addr().String()}}}})
	for _, stan := range []string{"000001", "000002", "000003"} {
		reply, err := l.Exchange(ctx, sale(stan))
		require.NoError(t, err)
		require.Equal(t, stan, reply.Message.Get(11))
		require.Eventually(t, func() bool { return l.living() == nil }, 4*time.Minute, time.Millisecond,
			"a half-closed line is noticed without being used")
	}
	require.NoError(t, listener.Close())
	_, err = l.Exchange(ctx, sale("000004"))
	require.ErrorIs(t, err, ErrNotSent)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, l.Close())
	<-served
}

func TestTheKernelGivesUpOnASilentPeer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	conn, err := TCP{Address: listener.Addr().String()}.Dial(ctx)
	require.NoError(t, err)
	defer conn.Close()
	raw, err := conn.(*tcpConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		ms, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		require.NoError(t, err)
		require.Equal(t, 20_000, ms)
		idle, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
		require.NoError(t, err)
		require.Equal(t, 15, idle)
	}))
}
