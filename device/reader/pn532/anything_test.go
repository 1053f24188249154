package pn532_test

import (
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader/pn532"
	"posagent/device/reader/pn532/hsu"
)

// A board that answers in whole frames, or nearly, and says anything in them: the conversation ends, in a bounded time,
// without a panic and without a card.
func TestABoardThatSaysAnything(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			random := rand.New(rand.NewPCG(seed, 1))
			answers := make(chan []byte, 1000)
			go func() {
				defer close(answers)
				var d hsu.Decoder
				buffer := make([]byte, 512)
				for commands := 0; ; {
					n, err := far.Read(buffer)
					if err != nil {
						return
					}
					d.Write(buffer[:n])
					for item, ok := d.Next(); ok; item, ok = d.Next() {
						if item.Kind == hsu.Info && len(item.Data) > 0 {
							commands++
							answers <- anything(random, item.Data[0], commands)
						}
					}
				}
			}()
			go func() {
				for wire := range answers {
					_, _ = far.Write(wire)
				}
			}()
			drive, err := pn532.New(near, &pn532.Opts{Development: true})
			if err == nil {
				began := time.Now()
				card, err := drive.Activate(t.Context(), order)
				assert.Error(t, err, "seed %d", seed)
				assert.True(t, card.Card.PAN.IsZero())
				assert.Less(t, time.Since(began), order.Timeout+10*time.Second, "seed %d", seed)
			}
			near.Close()
			far.Close()
			synctest.Wait()
		})
	}
}

// anything is an answer to a command: of the first three, which configure the board, a right one.
func anything(random *rand.Rand, command byte, commands int) []byte {
	data := make([]byte, random.IntN(40))
	for i := range data {
		data[i] = []byte{0x00, 0x01, 0x6F, 0x57, 0x90, 0xD5, 0x20, byte(random.Uint32())}[random.IntN(8)]
	}
	switch {
	case command == hsu.GetFirmwareVersion:
		data = []byte{hsu.ChipPN532, 1, 6, 7}
	case command == hsu.InListPassiveTarget && random.IntN(4) > 0:
		data = []byte{1, 1, 0, 4, hsu.SpeaksISODEP, 4, 1, 2, 3, 4}
	case command == hsu.InDataExchange && random.IntN(4) > 0:
		data = append([]byte{hsu.StatusOK}, append(data, 0x90, 0x00)...)
	}
	wire := hsu.AppendInfo(hsu.AckFrame[:], hsu.FromChip, append([]byte{command + 1}, data...))
	if commands > 3 && random.IntN(6) == 0 {
		wire[random.IntN(len(wire))] ^= byte(random.Uint32())
	}
	if commands > 3 && random.IntN(20) == 0 {
		wire = wire[:random.IntN(len(wire))]
	}
	return wire
}

func TestNothingIsSentBeforeSomebodyTakesTheBlame(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	_, err := pn532.New(near, &pn532.Opts{})
	require.ErrorIs(t, err, pn532.ErrDevelopmentOnly)
	require.NoError(t, far.SetReadDeadline(time.Now()))
	n, err := far.Read(make([]byte, 1))
	require.Zero(t, n)
	require.Error(t, err)
}
