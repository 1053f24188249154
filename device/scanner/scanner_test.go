package scanner_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/scanner"
)

const (
	wechat   = "134567890123456789"
	alipay   = "2812345678901234"
	unionpay = "6212345678901234567"
)

type counter struct {
	sim   *devicetest.Scanner
	drive *scanner.Scanner
	far   net.Conn
}

func options(t *testing.T, kind scanner.Kind) *scanner.Opts {
	routes, err := scanner.NewRoutes([]scanner.Route{{Name: "wechat", Min: 18, Max: 18, First: "10", Last: "15"},
		{Name: "alipay", Min: 16, Max: 24, First: "25", Last: "30"}, {Name: "unionpay", Min: 19, Max: 19, First: "62", Last: "62"}})
	require.NoError(t, err)
	return &scanner.Opts{Kind: kind, Routes: routes, Key: []byte("a key of a terminal"), Wait: 30 * time.Second}
}

// atCounter runs a story in virtual time, with either kind of scanner.
func atCounter(t *testing.T, story func(t *testing.T, c counter)) {
	for _, kind := range []scanner.Kind{scanner.Plain, scanner.GM72} {
		t.Run(string(kind), func(t *testing.T) { withKind(t, kind, story) })
	}
}

func withKind(t *testing.T, kind scanner.Kind, story func(t *testing.T, c counter)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := counter{sim: devicetest.NewScanner(devicetest.ScannerOpts{Host: kind == scanner.GM72}), far: far}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- c.sim.Serve(ctx, far) }()
		var err error
		began := time.Now()
		c.drive, err = scanner.New(near, options(t, kind))
		require.NoError(t, err)
		assert.LessOrEqual(t, time.Since(began), 50*time.Millisecond, "woken in time, it understands at once")
		story(t, c)
		assert.False(t, c.sim.Looking(), "its light is left on")
		stop()
		assert.NoError(t, <-served)
		near.Close()
		far.Close()
	})
}

// scan waits for a code and does what people do, once it is waited for.
func (c counter) scan(t *testing.T, commands ...string) (scanner.Code, error) {
	t.Helper()
	time.AfterFunc(5*time.Second, func() {
		for _, command := range commands {
			_, err := c.sim.Command(command)
			assert.NoError(t, err)
		}
	})
	return c.drive.Scan(t.Context())
}

func TestACodeIsShown(t *testing.T) {
	atCounter(t, func(t *testing.T, c counter) {
		for text, route := range map[string]string{wechat: "wechat", alipay: "alipay", unionpay: "unionpay"} {
			code, err := c.scan(t, "show "+text)
			require.NoError(t, err)
			assert.Equal(t, route, code.Route())
			assert.Equal(t, text, code.DigitsInTheClear())
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", code, code, code), text[2:10])
		}
	})
}

// A scanner that stutters has shown one code: the second copy belongs to nobody's order.
func TestAStutterIsOneCode(t *testing.T) {
	atCounter(t, func(t *testing.T, c counter) {
		_, err := c.scan(t, "fault twice", "show "+wechat)
		require.NoError(t, err)
		_, err = c.scan(t)
		require.ErrorIs(t, err, scanner.ErrTimeout)
		again, err := c.scan(t, "show "+wechat) // whether it was used before is the books' question
		require.NoError(t, err)
		assert.Equal(t, wechat, again.DigitsInTheClear())
	})
}

func TestCodesThatCannotBeTaken(t *testing.T) {
	atCounter(t, func(t *testing.T, c counter) {
		for _, bad := range []struct {
			commands []string
			want     error
		}{
			{[]string{"show 6901234567892"}, scanner.ErrNotPayCode},
			{[]string{"show https://example.com/" + wechat}, scanner.ErrNotPayCode},
			{[]string{fmt.Sprintf("show %0200d", 7)}, scanner.ErrNotPayCode},
			{[]string{"fault damage", "show " + wechat}, scanner.ErrUnread},
			{[]string{"fault cut", "show " + wechat}, scanner.ErrTimeout},
		} {
			code, err := c.scan(t, bad.commands...)
			require.ErrorIs(t, err, bad.want)
			require.True(t, code.IsZero())
			require.NotContains(t, err.Error(), wechat)
		}
		_, err := c.scan(t, "show "+wechat)
		require.NoError(t, err, "none of them was handed out")
	})
}

// A stray digit in front of a code, or a code in two parts, is not taken for another code.
func TestAPauseWithinACodeSpoilsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		drive, err := scanner.New(near, options(t, scanner.Plain))
		require.NoError(t, err)
		for _, parts := range [][2]string{{"11", alipay}, {wechat[:1], alipay + "1"}, {unionpay[:5], unionpay[5:]}} {
			time.AfterFunc(5*time.Second, func() {
				_, _ = far.Write([]byte(parts[0]))
				time.Sleep(200 * time.Millisecond)
				_, _ = far.Write([]byte(parts[1] + "\r\n"))
			})
			_, err = drive.Scan(t.Context())
			require.ErrorIs(t, err, scanner.ErrUnread)
		}
		time.AfterFunc(5*time.Second, func() {
			for _, octet := range []byte(unionpay + "\r") { // slow, and whole
				_, _ = far.Write([]byte{octet})
				time.Sleep(100 * time.Millisecond)
			}
		})
		_, err = drive.Scan(t.Context())
		require.NoError(t, err)
		near.Close()
		far.Close()
		time.Sleep(time.Second)
	})
}

// A code that was shown when nobody asked belongs to nobody's order; a GM72 has not even looked.
func TestAnEarlierCodeIsDropped(t *testing.T) {
	withKind(t, scanner.Plain, func(t *testing.T, c counter) {
		_, err := c.sim.Command("show " + wechat)
		require.NoError(t, err)
		code, err := c.scan(t, "show "+alipay)
		require.NoError(t, err)
		assert.Equal(t, "alipay", code.Route())
	})
	withKind(t, scanner.GM72, func(t *testing.T, c counter) {
		_, err := c.sim.Command("show " + wechat) // it is still there when the light comes on
		require.NoError(t, err)
		code, err := c.drive.Scan(t.Context())
		require.NoError(t, err, "the answer and the code arrive together")
		assert.Equal(t, "wechat", code.Route())
	})
}

func TestWaitingEnds(t *testing.T) {
	atCounter(t, func(t *testing.T, c counter) {
		began := time.Now()
		_, err := c.drive.Scan(t.Context())
		require.ErrorIs(t, err, scanner.ErrTimeout)
		assert.Equal(t, 30*time.Second, time.Since(began).Truncate(time.Second))

		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		_, err = c.drive.Scan(ctx)
		require.ErrorIs(t, err, scanner.ErrCancelled)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.False(t, c.sim.Looking())

		time.AfterFunc(2*time.Second, func() {
			_, err := c.drive.Scan(context.Background())
			assert.ErrorIs(t, err, scanner.ErrBusy)
			assert.NoError(t, c.drive.Halt())
		})
		_, err = c.drive.Scan(t.Context())
		require.ErrorIs(t, err, scanner.ErrCancelled)
		require.NoError(t, c.drive.Halt())
		_, err = c.scan(t, "show "+wechat)
		require.NoError(t, err)
	})
}

func TestAScannerInHostModeFails(t *testing.T) {
	withKind(t, scanner.GM72, func(t *testing.T, c counter) {
		for _, fault := range []string{"refuse", "bad-answer"} {
			_, err := c.sim.Command("fault " + fault)
			require.NoError(t, err)
			_, err = c.scan(t, "show 1300000000000000"+map[string]string{"refuse": "01", "bad-answer": "02"}[fault])
			require.NoError(t, err, "%s: it is asked again", fault)
		}
		_, err := c.sim.Command("silent on")
		require.NoError(t, err)
		began := time.Now()
		_, err = c.drive.Scan(t.Context())
		require.ErrorIs(t, err, scanner.ErrNoAnswer)
		assert.Less(t, time.Since(began), 5*time.Second, "not a customer's patience")
		_, err = c.sim.Command("silent off")
		require.NoError(t, err)

		require.Zero(t, c.sim.Stored(), "a setting that wears the scanner is never stored in passing")
		require.NoError(t, c.drive.Provision(t.Context()))
		require.Equal(t, 1, c.sim.Stored())
	})
}

func TestALineThatTalksNonsense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		drive, err := scanner.New(near, options(t, scanner.Plain))
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() {
			for {
				if _, err := far.Write([]byte("UUUUUUUUUUUUUUUU")); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
		_, err = drive.Scan(t.Context())
		require.ErrorIs(t, err, scanner.ErrGarbage)
		_, err = drive.Scan(t.Context())
		require.ErrorIs(t, err, scanner.ErrGarbage, "and it does not fall silent")
		require.Error(t, drive.Provision(t.Context()))
		far.Close()
		_, err = drive.Scan(t.Context())
		require.ErrorContains(t, err, "scanner line")
		near.Close()
		time.Sleep(time.Second)
	})
}

func TestSettingsThatCannotBe(t *testing.T) {
	for name, spoil := range map[string]func(*scanner.Opts){
		"no routes": func(o *scanner.Opts) { o.Routes = scanner.Routes{} },
		"no key":    func(o *scanner.Opts) { o.Key = nil },
		"kind":      func(o *scanner.Opts) { o.Kind = "laser" },
		"wait":      func(o *scanner.Opts) { o.Wait = time.Hour },
	} {
		o := options(t, scanner.Plain)
		spoil(o)
		_, err := scanner.New(nil, o)
		require.Error(t, err, name)
	}
	_, err := scanner.New(nil, nil)
	require.Error(t, err)
}
