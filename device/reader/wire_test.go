package reader_test

import (
	"context"
	"encoding/hex"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader"
	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// bench is a wire whose far end a test plays by hand, byte for byte.
type bench struct {
	t   *testing.T
	far net.Conn
}

// onBench connects a driver to a far end that first answers the ping of New.
func onBench(t *testing.T, story func(t *testing.T, b *bench, drive *reader.Reader)) {
	onBenchWith(t, nil, story)
}

func onBenchWith(t *testing.T, opts *reader.Opts, story func(t *testing.T, b *bench, drive *reader.Reader)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		b := &bench{t: t, far: far}
		go func() {
			b.expect("18 01 00 00 b3 cd")
			b.answer(neo2.Ping, neo2.OK, nil)
		}()
		drive, err := reader.New(near, opts)
		require.NoError(t, err)
		synctest.Wait()
		story(t, b, drive)
		near.Close()
		far.Close()
	})
}

// expect reads one frame and compares everything behind the header, checksum included.
func (b *bench) expect(want string) {
	b.t.Helper()
	wire := unhex(b.t, want)
	got := make([]byte, len(neo2.Header)+len(wire))
	for n := 0; n < len(got); {
		m, err := b.far.Read(got[n:])
		if !assert.NoError(b.t, err) {
			return
		}
		n += m
	}
	assert.Equal(b.t, neo2.Header+string(wire), string(got))
}

// frame reads one whole frame.
func (b *bench) frame() neo2.Frame {
	b.t.Helper()
	decoder, buffer := neo2.Decoder{Accept: neo2.LowFirst}, make([]byte, 512)
	for {
		if item, ok := decoder.Next(); ok {
			assert.Equal(b.t, neo2.Whole, item.Fault)
			return item.Frame
		}
		n, err := b.far.Read(buffer)
		if !assert.NoError(b.t, err) {
			return neo2.Frame{}
		}
		decoder.Write(buffer[:n])
	}
}

func (b *bench) answer(command, status byte, data []byte) {
	b.send(neo2.Frame{Command: command, Sub: status, Data: data}.Append(nil, neo2.HighFirst))
}

func (b *bench) send(wire []byte) {
	b.t.Helper()
	_, err := b.far.Write(wire)
	assert.NoError(b.t, err)
}

// fence plays what precedes the first activation: a cancel of what may have been left running, and a ping.
func (b *bench) fence() {
	b.t.Helper()
	b.expect("05 01 00 00 92 ef")
	b.answer(neo2.Cancel, neo2.OK, nil)
	b.ping()
}

func (b *bench) ping() {
	b.t.Helper()
	b.expect("18 01 00 00 b3 cd")
	b.answer(neo2.Ping, neo2.OK, nil)
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

const (
	plainOrder  = "02 01 00 16 1e 9f0206000000001234 9c0100 5f2a020156 5f360102 38 37" // 30 s, 12.34 CNY
	swipeAnswer = "00 26 3b343234323432343234323432343234323d333031323130313132333435363738393031 323f 00 00"
)

var plain = reader.Request{Amount: 1234, Currency: yuan, Timeout: 30 * time.Second}

func activate(ctx context.Context, drive *reader.Reader, q reader.Request) <-chan result {
	done := make(chan result, 1)
	go func() {
		card, err := drive.Activate(ctx, q)
		done <- result{card, err}
	}()
	return done
}

func TestTheBytesOfATransaction(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		done := activate(t.Context(), drive, plain)
		b.fence()
		b.expect(plainOrder)
		b.answer(neo2.Activate, neo2.OK, unhex(t, swipeAnswer))
		got := <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Swiped, got.card.Card.Entry)

		done = activate(t.Context(), drive, plain) // the second time nothing can have been left running
		b.ping()
		b.expect(plainOrder)
		b.send(neo2.Frame{Command: neo2.Activate, Sub: neo2.TimedOut}.Append(nil, neo2.LowFirst)) // the other checksum order
		assert.ErrorIs(t, (<-done).err, reader.ErrTimeout)
	})
}

func TestAnAnswerMayArriveByteByByte(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		done := activate(t.Context(), drive, plain)
		b.fence()
		b.expect(plainOrder)
		for _, octet := range (neo2.Frame{Command: neo2.Activate, Data: unhex(t, swipeAnswer)}).Append(nil, neo2.HighFirst) {
			time.Sleep(100 * time.Millisecond)
			b.send([]byte{octet})
		}
		assert.NoError(t, (<-done).err)
	})
}

// The card is read in the moment of the cancel: its data crosses the cancel on the wire.
func TestACardThatCrossesTheCancelIsDropped(t *testing.T) {
	for name, answers := range map[string][]byte{
		"card, then cancelled": {neo2.Activate, neo2.Cancel},
		"cancelled, then card": {neo2.Cancel, neo2.Activate},
		"card only":            {neo2.Activate},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
				ctx, cancel := context.WithCancel(t.Context())
				done := activate(ctx, drive, plain)
				b.fence()
				b.expect(plainOrder)
				cancel()
				b.expect("05 01 00 00 92 ef")
				go func() {
					for _, command := range answers {
						data := []byte(nil)
						if command == neo2.Activate {
							data = unhex(t, swipeAnswer)
						}
						b.answer(command, neo2.OK, data)
					}
				}()
				got := <-done
				assert.ErrorIs(t, got.err, reader.ErrCancelled)
				assert.True(t, got.card.Card.PAN.IsZero() && got.card.Track.IsZero())

				done = activate(t.Context(), drive, plain) // the next customer does not get that card
				b.fence()
				b.expect(plainOrder)
				b.answer(neo2.Activate, neo2.TimedOut, nil)
				assert.ErrorIs(t, (<-done).err, reader.ErrTimeout)
			})
		})
	}
}

func TestACardThatSignedAnotherAmountIsRefused(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		done := activate(t.Context(), drive, plain)
		b.fence()
		b.expect(plainOrder)
		b.answer(neo2.Activate, neo2.OnlineRequested, unhex(t, "00 00 00 00 9f0206000000000100 9f2608 0102030405060708"))
		b.expect("05 01 00 00 92 ef") // the reader may still be waiting for ours
		b.answer(neo2.Cancel, neo2.OK, nil)
		got := <-done
		assert.ErrorIs(t, got.err, reader.ErrGarbage)
		assert.ErrorContains(t, got.err, "another amount")
	})
}

func TestFailuresKeepTheirCodesAndSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status byte
		data   string
		cause  error
		text   string
	}{
		{neo2.Failed, "30 6985 05", reader.ErrCardUnread, "did not respond; card status 6985; during GENERATE AC"},
		{neo2.Failed, "21 0000 00", reader.ErrCardUnread, "more than one card"},
		{neo2.Failed, "22 0000 00", reader.ErrUseContact, "over the contactless limit"},
		{neo2.Failed, "42 0000 05", reader.ErrCardRefused, "the card declined"},
		{neo2.Failed, "25 6283 02", reader.ErrCardRefused, "card status 6283; during SELECT"},
		{neo2.Failed, "", reader.ErrCardUnread, "status 0Ah, failed"},
		{neo2.Failed, "30", reader.ErrCardUnread, "failed"},
		{neo2.Tampered, "", reader.ErrTampered, "1Dh"},
		{neo2.TimedOut, "", reader.ErrTimeout, "08h"},
		{0x0B, "", nil, "command not allowed"},
	} {
		onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
			done := activate(t.Context(), drive, plain)
			b.fence()
			b.expect(plainOrder)
			b.answer(neo2.Activate, c.status, unhex(t, c.data))
			got := <-done
			var raw *reader.StatusError
			require.ErrorAs(t, got.err, &raw)
			assert.Equal(t, c.status, raw.Status)
			assert.ErrorContains(t, got.err, "02-01")
			assert.ErrorContains(t, got.err, c.text)
			if c.cause != nil {
				assert.ErrorIs(t, got.err, c.cause)
			}
		})
	}
}

func TestALineThatNeverFallsSilentIsNotWaitedForForEver(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		stop := make(chan struct{})
		go func() { // another device, or the wrong speed
			for b.far.SetWriteDeadline(time.Now().Add(time.Minute)) == nil {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
				if _, err := b.far.Write([]byte("\xff\x00ViVOtech2\x00\x02\x00\x0f\xff")); err != nil {
					return
				}
			}
		}()
		go func() {
			for buffer := make([]byte, 64); ; {
				if _, err := b.far.Read(buffer); err != nil {
					return
				}
			}
		}()
		began := time.Now()
		assert.ErrorIs(t, drive.Ping(t.Context()), reader.ErrGarbage)
		_, err := drive.Activate(t.Context(), plain)
		assert.ErrorIs(t, err, reader.ErrGarbage)
		assert.Less(t, time.Since(began), 30*time.Second)
		close(stop)
	})
}

func TestAReaderThatDoesNotTakeBytesIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		began := time.Now()
		_, err := reader.New(near, &reader.Opts{Answer: 3 * time.Second})
		assert.ErrorIs(t, err, reader.ErrNoAnswer)
		assert.ErrorContains(t, err, "not usable")
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestOrdinaryCommandsBetweenSales(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		do := func(command func() error, play func()) error {
			done := make(chan error, 1)
			go func() { done <- command() }()
			play()
			return <-done
		}
		cancel := func() error { return drive.Cancel(t.Context()) }
		const cancelFrame = "05 01 00 00 92 ef"
		assert.NoError(t, do(cancel, func() { b.expect(cancelFrame); b.answer(neo2.Cancel, neo2.OK, nil) }))
		assert.NoError(t, do(cancel, func() { b.expect(cancelFrame); b.answer(neo2.Cancel, neo2.NotAllowed, nil) }),
			"nothing to cancel is as good")
		var refused *reader.StatusError
		require.ErrorAs(t, do(cancel, func() { b.expect(cancelFrame); b.answer(neo2.Cancel, neo2.BadChecksum, nil) }), &refused)
		assert.Equal(t, neo2.BadChecksum, refused.Status)

		version := func() error { _, err := drive.Version(t.Context()); return err }
		assert.ErrorIs(t, do(version, func() { b.expect("29 00 00 00 de a0"); b.answer(neo2.Version, neo2.OK, []byte{0, 1, 2}) }),
			reader.ErrGarbage)

		ctx, giveUp := context.WithCancel(t.Context())
		err := do(func() error { return drive.Ping(ctx) }, func() { b.expect("18 01 00 00 b3 cd"); giveUp() })
		assert.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, reader.ErrGarbage)
		assert.NoError(t, do(func() error { return drive.Ping(t.Context()) }, func() {
			b.answer(neo2.Ping, neo2.Tampered, nil) // the late answer to the ping given up: thrown away with the doubt
			b.ping()
		}))
	})
}

func TestACommandWaitsForItsTurnAsLongAsItsContext(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		first := make(chan error, 1)
		go func() { first <- drive.Ping(t.Context()) }()
		b.expect("18 01 00 00 b3 cd")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := drive.Ping(ctx)
		assert.ErrorIs(t, err, reader.ErrBusy)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		b.answer(neo2.Ping, neo2.OK, nil)
		assert.NoError(t, <-first)
	})
}

func TestForeignFramesDoNotEndATransactionUntilThereAreTooMany(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		for _, foreign := range []int{16, 17} {
			done := activate(t.Context(), drive, plain)
			if foreign == 16 {
				b.fence()
			} else {
				b.ping()
			}
			b.expect(plainOrder)
			b.answer(neo2.Screen, neo2.ScreenSub, []byte{0x55}) // an event nobody knows
			for range foreign {
				b.answer(0xF2, 0x00, []byte{1}) // a switch notification, IDG p. 384
			}
			if foreign == 16 {
				b.answer(neo2.Activate, neo2.OK, unhex(t, swipeAnswer))
				assert.NoError(t, (<-done).err)
				continue
			}
			b.expect("05 01 00 00 92 ef")
			b.answer(neo2.Cancel, neo2.OK, nil)
			assert.ErrorIs(t, (<-done).err, reader.ErrGarbage)
		}
	})
}
