package pinpad

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPacketsAsPublished(t *testing.T) {
	assert.Equal(t, "025a321a494e5345525420434152440352", hex.EncodeToString(frame(stx, []byte("Z2\x1aINSERT CARD"))))
	assert.Equal(t, "025a3432303330036c", hex.EncodeToString(frame(stx, []byte("Z42030"))))
}

func TestBlocksThatMakeNoSense(t *testing.T) {
	for _, text := range []string{"", "71", "72.0", "71.0040112345678", "71.00401123456789012345G", "71.0030112345678901234567", "71.1040112345678901234567"} {
		_, err := parseBlock([]byte(text), false)
		require.Error(t, err, text)
	}
	for _, text := range []string{"71012345678901234567", "7112345678901234567890123456", "73.0000012345678901234567890123456789012345678901234"} {
		_, err := parseBlock([]byte(text), true)
		require.ErrorIs(t, err, ErrAnswer, text)
	}
	b, err := parseBlock([]byte("73.0000001234567890123456789123456"), true)
	require.NoError(t, err, "the guide's own example")
	assert.Equal(t, "ffff", hex.EncodeToString(b.KSN)[:4])
}

func FuzzPad(f *testing.F) {
	f.Add(frame(stx, []byte("71.004011B9C1845EB993A7A")), false)
	f.Add(frame(stx, []byte("7109876543210E000011B9C1845EB993A7A")), true)
	f.Add(append([]byte{ack, nak, eot}, frame(si, []byte("020FEDCBA9876543210"))...), true)
	f.Fuzz(func(t *testing.T, line []byte, dukpt bool) {
		var d decoder
		for _, b := range line {
			it, whole := d.feed(b)
			require.LessOrEqual(t, len(d.data), maxPacket)
			if !whole || it.kind != packet {
				continue
			}
			block, err := parseBlock(it.data, dukpt)
			var refused *RefusedError
			require.True(t, err == nil || errors.Is(err, ErrAnswer) || errors.As(err, &refused))
			require.True(t, block.KSN == nil || len(block.KSN) == ksnBytes)
		}
		d.forget()
		for i, b := range frame(stx, []byte("72")) {
			it, whole := d.feed(b)
			require.Equal(t, i == 4, whole)
			require.True(t, !whole || it.kind == packet && string(it.data) == "72", "the next packet is heard")
		}
	})
}

// However much a line brings, the decoder holds one packet, and takes no memory once it has had its longest.
func TestADecoderHoldsOnePacket(t *testing.T) {
	var d decoder
	for _, wire := range [][]byte{{stx}, {si, '9'}, {0xFF}, frame(stx, bytes.Repeat([]byte{'7'}, maxPacket)), {stx, etx, 0}, {ack, nak, eot}} {
		stream := bytes.Repeat(wire, 64<<10/len(wire))
		read := func() {
			for _, b := range stream {
				d.feed(b)
			}
		}
		read()
		assert.Zero(t, testing.AllocsPerRun(3, read))
		assert.LessOrEqual(t, cap(d.data), 2*maxPacket)
	}
}
