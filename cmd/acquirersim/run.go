package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"posagent/link"
	"posagent/link/linktest"
)

// maxCommand bounds a line of the control socket, in bytes.
const maxCommand = 4096

// run serves until ctx ends, which is no error, or a listener or the books fail.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	acquirer := linktest.NewAcquirer(o.acquirer)
	if o.acquirer.Keep != nil {
		// Before the first terminal calls, so that a place that cannot be written is found now.
		if err := o.acquirer.Keep(acquirer.Ledger()); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	var doors []door
	defer func() {
		for _, d := range doors {
			_ = d.listener.Close()
		}
	}()
	secured, err := o.secured()
	if err != nil {
		return fmt.Errorf("-tls-dir: %w", err)
	}
	ready := "ready"
	for _, d := range []struct {
		name, address string
		serve         func(context.Context, net.Listener) error
	}{
		{"listen", o.listen, func(ctx context.Context, l net.Listener) error { return acquirer.Serve(ctx, l, link.LengthPrefixed) }},
		{"dial", o.dial, func(ctx context.Context, l net.Listener) error { return acquirer.Serve(ctx, l, link.SelfDelimited) }},
		{"tls", o.tls, func(ctx context.Context, l net.Listener) error {
			return acquirer.Serve(ctx, tls.NewListener(l, secured), link.LengthPrefixed)
		}},
		{"control", o.control, func(ctx context.Context, l net.Listener) error { return serveControl(ctx, l, acquirer) }},
	} {
		if d.address == "" {
			continue
		}
		listener, err := open(d.address)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		doors = append(doors, door{listener, d.serve})
		ready += fmt.Sprintf(" %s=%s", d.name, shown(listener))
	}
	if _, err := fmt.Fprintln(stdout, ready); err != nil {
		return err
	}

	ended := make(chan error)
	for _, d := range doors {
		go func() { ended <- d.serve(ctx, d.listener) }()
	}
	var failures []error
	for range doors {
		failures = append(failures, <-ended)
		stop() // one door closed closes all
	}
	return errors.Join(failures...)
}

// secured is how the door for TLS proves who it is; nil where there is none.
func (o options) secured() (*tls.Config, error) {
	if o.tls == "" {
		return nil, nil
	}
	own, ca, err := linktest.KeepAuthority(o.tlsDir, o.tlsName, time.Now())
	if err != nil {
		return nil, err
	}
	if !o.tlsMutual {
		ca = nil
	}
	return linktest.ServerTLS(own, ca), nil
}

// door is one address with what answers there.
type door struct {
	listener net.Listener
	serve    func(context.Context, net.Listener) error
}

// open listens on HOST:PORT or unix:PATH. A socket file that a killed predecessor left, and at which nobody answers, is
// taken over.
func open(address string) (net.Listener, error) {
	path, unix := strings.CutPrefix(address, "unix:")
	if !unix {
		return net.Listen("tcp", address)
	}
	listener, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if answering, dialErr := net.Dial("unix", path); dialErr == nil {
			_ = answering.Close()
			return nil, fmt.Errorf("%s: another program answers there", path)
		}
		if info, statErr := os.Lstat(path); statErr != nil || info.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("%s is there and is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
		listener, err = net.Listen("unix", path)
	}
	if err != nil {
		return nil, err
	}
	return listener, os.Chmod(path, 0o600)
}

func shown(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return l.Addr().String()
}

// serveControl answers commands until ctx ends.
func serveControl(ctx context.Context, listener net.Listener, acquirer *linktest.Acquirer) error {
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	var callers sync.WaitGroup
	defer callers.Wait()
	for {
		caller, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("control: %w", err)
		}
		callers.Go(func() {
			defer caller.Close()
			defer context.AfterFunc(ctx, func() { _ = caller.Close() })()
			obey(caller, acquirer)
		})
	}
}

// obey answers each line with one line, until the caller leaves.
func obey(caller io.ReadWriter, acquirer *linktest.Acquirer) {
	lines := bufio.NewScanner(caller)
	lines.Buffer(make([]byte, 0, maxCommand), maxCommand)
	for lines.Scan() {
		answer, err := acquirer.Command(lines.Text())
		verdict := "ok " + answer
		if err != nil {
			verdict = "error " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		if _, err := fmt.Fprintln(caller, verdict); err != nil {
			return
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		_, _ = fmt.Fprintf(caller, "error a command has at most %d bytes\n", maxCommand)
	}
}
