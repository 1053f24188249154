package scanner_test

import (
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"posagent/device/scanner"
)

// A scanner that says anything, codes, answers, pieces of both and noise, comes to an end; and what it hands out as a
// code was shown as one, whole.
func TestAScannerThatSaysAnything(t *testing.T) {
	pieces := []string{wechat + "\r\n", wechat, alipay + "\r", "\x04\xd0\x00\x00\xff\x2c", "\x04\xd0\x00\x00", "\x05\xd1\x00\x00\x06\xff\x24",
		"\x00", "\xff\x80", "\r\n", "1", "6901234567892\r\n"}
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			random := rand.New(rand.NewPCG(seed, 2))
			go func() {
				for {
					if _, err := far.Write([]byte(pieces[random.IntN(len(pieces))])); err != nil {
						return
					}
					time.Sleep(time.Duration(151+random.IntN(200)) * time.Millisecond)
				}
			}()
			go func() {
				for buffer := make([]byte, 64); ; {
					if _, err := far.Read(buffer); err != nil {
						return
					}
				}
			}()
			kind := []scanner.Kind{scanner.Plain, scanner.GM72}[seed%2]
			began := time.Now()
			drive, err := scanner.New(near, options(t, kind))
			if err == nil {
				for range 5 {
					code, err := drive.Scan(t.Context())
					if err == nil {
						assert.Contains(t, []string{wechat, alipay}, code.DigitsInTheClear(), "seed %d", seed)
					} else {
						assert.True(t, code.IsZero())
					}
				}
			}
			assert.Less(t, time.Since(began), 4*time.Minute, "seed %d", seed)
			near.Close()
			far.Close()
			time.Sleep(time.Second) // virtual: whoever still writes finds the line closed
		})
	}
}
