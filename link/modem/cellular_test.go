package modem

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
)

func TestAConnectionIsMadeUsedAndClosed(t *testing.T) {
	for _, mood := range []string{"echo on", "echo off", "chatter on"} {
		t.Run(mood, func(t *testing.T) {
			families(t, func(m *mast) {
				m.tell(mood)
				for range 2 {
					terminal, acquirer := m.dial()
					talk(m.t, terminal, acquirer)
					require.NoError(m.t, terminal.Close())
					assert.True(m.t, strings.HasPrefix(m.state(), "none"), "%s", m.state())
					_, err := io.ReadAll(acquirer)
					require.NoError(m.t, err, "nothing leaks")
				}
			})
		})
	}
}

func TestEveryPayloadPassesUnchanged(t *testing.T) {
	for name, payload := range map[string][]byte{
		"every byte":      allBytes(),
		"long":            []byte(strings.Repeat(string(allBytes()), 20)),
		"a result":        []byte("\r\nOK\r\n"),
		"a failure":       []byte("\r\nERROR\r\n\r\nSEND FAIL\r\n"),
		"a report":        []byte("\r\n+QIURC: \"closed\",0\r\n\r\n+IPCLOSE: 0,1\r\nRDY\r\n"),
		"an announcement": []byte("+QIRD: 7\r\n+CIPRXGET: 2,0,7,0\r\n"),
		"a prompt":        []byte("> "),
		"one byte":        {0},
		"a line end":      []byte("\r"),
	} {
		t.Run(name, func(t *testing.T) {
			families(t, func(m *mast) {
				for _, single := range []bool{false, true} {
					m.port.single = false
					terminal, acquirer := m.dial()
					m.port.single = single
					carry(m.t, acquirer, terminal, payload)
					carry(m.t, terminal, acquirer, payload)
					talk(m.t, terminal, acquirer)
					require.NoError(m.t, terminal.Close())
				}
			})
		})
	}
}

func TestBothWaysAtTheSameTime(t *testing.T) {
	families(t, func(m *mast) {
		terminal, acquirer := m.dial()
		down := []byte(strings.Repeat(string(allBytes()), 40))
		got := make(chan []byte, 1)
		go func() {
			b := make([]byte, len(down))
			_, err := io.ReadFull(terminal, b)
			assert.NoError(m.t, err)
			got <- b
		}()
		go func() { _, _ = acquirer.Write(down) }()
		written := make(chan struct{})
		go func() {
			defer close(written)
			for range 20 {
				_, err := terminal.Write(allBytes())
				assert.NoError(m.t, err)
			}
		}()
		up := make([]byte, 20*256)
		_, err := io.ReadFull(acquirer, up)
		require.NoError(m.t, err)
		require.Equal(m.t, strings.Repeat(string(allBytes()), 20), string(up))
		require.Equal(m.t, down, <-got)
		<-written // the far end has the last piece before the modem says so
		require.NoError(m.t, terminal.Close())
	})
}

func TestADialThatFailsSaysWhy(t *testing.T) {
	for mood, want := range map[string]error{
		"sim missing": ErrNoSIM, "sim locked": ErrSIMLocked, "register searching": ErrNotRegistered, "register denied": ErrDenied,
		"pdp fails": ErrNoContext, "open fails": ErrUnreachable, "open hangs": ErrUnreachable, "silent on": ErrNoModem, "busy 100": ErrModemBusy,
	} {
		t.Run(mood, func(t *testing.T) {
			families(t, func(m *mast) {
				m.tell(mood)
				err := m.fails(want)
				require.NotContains(m.t, err.Error(), "cmnet\r")
				m.tell(map[string]string{"sim": "sim ready", "register": "register roaming", "pdp": "pdp ok", "open": "open ok",
					"silent": "silent off", "busy": "busy 0"}[strings.Fields(mood)[0]])
				terminal, acquirer := m.dial()
				talk(m.t, terminal, acquirer)
				require.NoError(m.t, terminal.Close())
			})
		})
	}
}

func TestAModemThatIsBusyForAMomentIsWaitedFor(t *testing.T) {
	families(t, func(m *mast) {
		m.tell("busy 3")
		terminal, acquirer := m.dial()
		talk(m.t, terminal, acquirer)
		require.NoError(m.t, terminal.Close())
	})
}

func TestTheFarEndClosesAndItsLastWordsAreRead(t *testing.T) {
	families(t, func(m *mast) {
		terminal, acquirer := m.dial()
		talk(m.t, terminal, acquirer)
		synctest.Wait() // until the far end's acknowledgement has come
		go func() {
			_, err := acquirer.Write([]byte("last words"))
			assert.NoError(m.t, err)
			assert.NoError(m.t, acquirer.Close())
		}()
		got, err := io.ReadAll(terminal)
		require.ErrorIs(m.t, err, ErrNoCarrier)
		assert.Equal(m.t, "last words", string(got))
		n, err := terminal.Write([]byte("0200"))
		require.Error(m.t, err)
		require.Zero(m.t, n)
		acked, err := terminal.(link.Meter).Acknowledged()
		require.NoError(m.t, err)
		assert.EqualValues(m.t, len("question"), acked, "asked for before the connection was forgotten")
		require.NoError(m.t, terminal.Close())
	})
}

func TestWhatTheNetworkTakesAway(t *testing.T) {
	for _, what := range []string{"pdpdeact", "reboot"} {
		t.Run(what, func(t *testing.T) {
			families(t, func(m *mast) {
				terminal, acquirer := m.dial()
				talk(m.t, terminal, acquirer)
				m.tell(what)
				_, err := terminal.Read(make([]byte, 1))
				require.ErrorIs(m.t, err, ErrLost)
				n, err := terminal.Write([]byte("0200"))
				require.ErrorIs(m.t, err, ErrLost)
				require.Zero(m.t, n)
				require.NoError(m.t, terminal.Close())
				terminal, acquirer = m.dial()
				talk(m.t, terminal, acquirer)
				require.NoError(m.t, terminal.Close())
			})
		})
	}
}

// What a Write reports for each way in which a modem can fail in it: nothing only where no prompt came.
func TestAWriteThatFailsSaysWhatMayHaveLeft(t *testing.T) {
	payload := []byte("0200 and so on")
	for mood, want := range map[string]int{"refused": 0, "unprompted": 0, "unsaid": len(payload), "lost": len(payload), "silent": len(payload)} {
		t.Run(mood, func(t *testing.T) {
			families(t, func(m *mast) {
				terminal, acquirer := m.dial()
				talk(m.t, terminal, acquirer)
				m.tell("send " + mood)
				left := make(chan string, 1)
				go func() {
					b, _ := io.ReadAll(acquirer)
					left <- string(b)
				}()
				require.NoError(m.t, terminal.SetWriteDeadline(time.Now().Add(30*time.Second)))
				n, err := terminal.Write(payload)
				require.Error(m.t, err)
				assert.Equal(m.t, want, n)
				m.tell("send ok")
				if mood == "silent" {
					m.tell("silent off")
				}
				_ = terminal.Close()
				heard := <-left
				if n == 0 {
					assert.NotContains(m.t, heard, "0200")
				}
				terminal, acquirer = m.dial()
				talk(m.t, terminal, acquirer)
				require.NoError(m.t, terminal.Close())
			})
		})
	}
}

func TestAFullBufferIsTriedAgain(t *testing.T) {
	families(t, func(m *mast) {
		terminal, acquirer := m.dial()
		m.tell("send full")
		talk(m.t, terminal, acquirer)
		require.NoError(m.t, terminal.Close())
	})
}

func TestAWriteDeadlineEndsAWriteAndAReadDeadlineARead(t *testing.T) {
	families(t, func(m *mast) {
		terminal, _ := m.dial()
		require.NoError(m.t, terminal.SetReadDeadline(time.Now().Add(time.Minute)))
		spent := took(func() {
			_, err := terminal.Read(make([]byte, 1))
			require.ErrorIs(m.t, err, os.ErrDeadlineExceeded)
		})
		assert.Equal(m.t, time.Minute, spent)
		require.NoError(m.t, terminal.SetReadDeadline(time.Time{}))
		reading := make(chan error, 1)
		go func() {
			_, err := terminal.Read(make([]byte, 1))
			reading <- err
		}()
		m.tell("send unsaid")
		require.NoError(m.t, terminal.SetWriteDeadline(time.Now().Add(time.Hour)))
		time.AfterFunc(3*time.Second, func() { assert.NoError(m.t, terminal.SetWriteDeadline(longAgo)) })
		spent = took(func() {
			n, err := terminal.Write([]byte("0200"))
			require.ErrorIs(m.t, err, os.ErrDeadlineExceeded)
			require.Equal(m.t, 4, n)
		})
		assert.Equal(m.t, 3*time.Second, spent)
		require.Error(m.t, <-reading, "a connection with half a command on it is over")
		m.tell("send ok")
		require.NoError(m.t, terminal.Close())
		_, err := terminal.Read(make([]byte, 1))
		require.ErrorIs(m.t, err, net.ErrClosed)
		_, err = terminal.Write([]byte{1})
		require.ErrorIs(m.t, err, net.ErrClosed)
		require.ErrorIs(m.t, terminal.Close(), net.ErrClosed)
	})
}

func TestAHalfOpenConnectionIsFoundBeforeItIsUsed(t *testing.T) {
	families(t, func(m *mast) {
		terminal, acquirer := m.dial()
		talk(m.t, terminal, acquirer)
		m.tell("silent on")
		require.NoError(m.t, acquirer.Close()) // the report of it is lost
		time.Sleep(time.Minute)
		m.tell("silent off")
		n, err := terminal.Write([]byte("0200"))
		require.Error(m.t, err)
		require.Zero(m.t, n)
		require.NoError(m.t, terminal.Close())
	})
}

func TestDataWhoseReportWasLostIsFetchedAnyway(t *testing.T) {
	for _, family := range []Family{Quectel, SIMCom} {
		atMast(t, CellularOpts{Family: family}, func(m *mast) {
			terminal, acquirer := m.dial()
			talk(m.t, terminal, acquirer)
			m.tell("silent on")
			_, err := acquirer.Write([]byte("answer"))
			require.NoError(m.t, err)
			synctest.Wait()
			m.tell("silent off")
			got := make([]byte, 6)
			spent := took(func() {
				_, err := io.ReadFull(terminal, got)
				require.NoError(m.t, err)
			})
			assert.LessOrEqual(m.t, spent, lookAnyway)
			assert.Equal(m.t, "answer", string(got))
			require.NoError(m.t, terminal.Close())
		})
	}
}

func TestTheModemCountsWhatTheFarEndHasAcknowledged(t *testing.T) {
	families(t, func(m *mast) {
		terminal, acquirer := m.dial()
		talk(m.t, terminal, acquirer)
		meter := terminal.(link.Meter)
		m.tell("drop")
		n, err := terminal.Write([]byte("a sale that goes nowhere"))
		require.NoError(m.t, err, "the modem takes it all the same")
		require.Equal(m.t, 24, n)
		assert.EqualValues(m.t, 8+24, meter.Handed())
		acked, err := meter.Acknowledged()
		require.NoError(m.t, err)
		assert.EqualValues(m.t, 8, acked)
		require.NoError(m.t, terminal.Close())
		acked, err = meter.Acknowledged()
		require.NoError(m.t, err)
		assert.EqualValues(m.t, 8, acked, "known after the end, too")
		m.tell("drop off")
	})
}

// A process that is killed leaves the modem in any state: with an open connection, in data state, or waiting for payload.
func TestAKilledProcessIsFollowedByAnotherOne(t *testing.T) {
	for name, die := range map[string]func(*mast, link.Conn){
		"between two messages": func(*mast, link.Conn) {},
		"at the prompt":        func(m *mast, _ link.Conn) { _, _ = m.port.Write([]byte("AT+QISEND=0,20\r")) },
		"in a command":         func(m *mast, _ link.Conn) { _, _ = m.port.Write([]byte("AT+QIS")) },
	} {
		t.Run(name, func(t *testing.T) {
			families(t, func(m *mast) {
				terminal, acquirer := m.dial()
				talk(m.t, terminal, acquirer)
				die(m, terminal)
				terminal2, acquirer2 := m.dial()
				talk(m.t, terminal2, acquirer2)
				require.NoError(m.t, terminal2.Close())
			})
		})
	}
	atMast(t, CellularOpts{Family: Quectel, Access: Transparent}, func(m *mast) {
		terminal, acquirer := m.dial()
		talk(m.t, terminal, acquirer)
		terminal2, acquirer2 := m.dial()
		talk(m.t, terminal2, acquirer2)
		require.NoError(m.t, terminal2.Close())
	})
}

func TestTransparentModeIsTheConnectionItself(t *testing.T) {
	atMast(t, CellularOpts{Family: Quectel, Access: Transparent}, func(m *mast) {
		for _, payload := range [][]byte{allBytes(), []byte("+++"), []byte("\r\nNO CARRIER\r\nafter")} {
			terminal, acquirer := m.dial()
			assert.True(m.t, strings.HasPrefix(m.state(), "data"))
			time.Sleep(2 * time.Second)
			carry(m.t, terminal, acquirer, payload)
			time.Sleep(2 * time.Second)
			carry(m.t, acquirer, terminal, payload)
			left := make(chan string, 1)
			go func() {
				b, _ := io.ReadAll(acquirer)
				left <- string(b)
			}()
			require.NoError(m.t, terminal.Close())
			assert.Equal(m.t, "+++", <-left)
			assert.True(m.t, strings.HasPrefix(m.state(), "none"), m.state())
		}
		terminal, acquirer := m.dial()
		require.NoError(m.t, acquirer.Close())
		_, err := terminal.Read(make([]byte, 1))
		require.ErrorIs(m.t, err, ErrNoCarrier)
		require.NoError(m.t, terminal.Close())
		m.tell("open fails")
		m.fails(ErrUnreachable)
	})
}

func TestADialEndsSoonAfterItsContext(t *testing.T) {
	families(t, func(m *mast) {
		for _, mood := range []string{"open hangs", "register searching", "silent on"} {
			m.tell(mood)
			ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Second)
			spent := took(func() {
				_, err := m.driver().Dial(ctx)
				require.Error(m.t, err)
			})
			cancel()
			assert.LessOrEqual(m.t, spent, 3*time.Second, mood)
			m.tell("silent off")
			m.tell("register home")
			m.tell("open ok")
		}
		terminal, acquirer := m.dial()
		talk(m.t, terminal, acquirer)
		require.NoError(m.t, terminal.Close())
	})
}

func TestCellularOptionsAreChecked(t *testing.T) {
	good := CellularOpts{Family: Quectel, Address: address, APN: "cmnet"}
	require.NoError(t, good.Check())
	for name, change := range map[string]func(*CellularOpts){
		"no family":     func(o *CellularOpts) { o.Family = "huawei" },
		"no address":    func(o *CellularOpts) { o.Address = "" },
		"no port":       func(o *CellularOpts) { o.Address = "acquirer.example" },
		"a named port":  func(o *CellularOpts) { o.Address = "acquirer.example:https" },
		"injection":     func(o *CellularOpts) { o.Address = "a\"\rATH:1" },
		"no APN":        func(o *CellularOpts) { o.APN = "" },
		"APN injection": func(o *CellularOpts) { o.APN = `x",1` },
		"push on a sim": func(o *CellularOpts) { o.Family, o.Access = SIMCom, Pushed },
		"what mode":     func(o *CellularOpts) { o.Access = "fast" },
		"time":          func(o *CellularOpts) { o.Attach = time.Hour },
	} {
		o := good
		change(&o)
		require.Error(t, o.Check(), name)
		_, err := NewCellular(&port{}, &o)
		require.Error(t, err, name)
	}
	_, err := NewCellular(nil, &good)
	require.Error(t, err)
}

func TestAPasswordOfTheProviderIsInNoError(t *testing.T) {
	atMast(t, CellularOpts{Family: Quectel, User: "u", Secret: "very-secret"}, func(m *mast) {
		m.tell("pdp fails")
		err := m.fails(ErrNoContext)
		assert.NotContains(m.t, err.Error(), "very-secret")
	})
	err := hide(&ResultError{Code: "ERROR", sentinel: ErrRefused}, "AT+X=1", "AT+X")
	require.True(t, errors.Is(err, ErrRefused))
}
