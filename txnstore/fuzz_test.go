package txnstore

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRecord gives the decoder payloads behind a good checksum. It must not panic, and what it accepts must come back the
// same when it is written again.
func FuzzRecord(f *testing.F) {
	c := testCodec(f, "T1234567")
	for _, r := range []*record{usual(f), {Txn: usual(f).Txn, extra: []byte{201, 3, 'n', 'e', 'w'}}} {
		frame, _, err := c.encode(copied(r))
		require.NoError(f, err)
		f.Add(frame[frameHeader : len(frame)-4])
	}
	f.Add([]byte{1, 1, 7})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > maxPayload {
			return
		}
		r, err := c.decode(putFrame(recordFrame, payload))
		if err != nil {
			return
		}
		frame, stored, err := c.encode(copied(r))
		if err != nil {
			return // for instance longer than a slot: readable, and refused when it is changed
		}
		again, err := c.decode(frame)
		require.NoError(t, err)
		require.Equal(t, stored, again)
		require.Equal(t, r.ID, again.ID)
		require.Equal(t, r.State, again.State)
		require.Equal(t, r.Amount, again.Amount)
		require.Equal(t, r.extra, again.extra)
	})
}

// FuzzSealedCard gives the decoder what may be inside a seal.
func FuzzSealedCard(f *testing.F) {
	c := testCodec(f, "T1234567")
	f.Add(cardInTheClear(usual(f).Card))
	f.Add([]byte{16, '6'})
	f.Fuzz(func(t *testing.T, clear []byte) {
		if len(clear) > maxRecord {
			return
		}
		r := usual(t)
		got, err := c.decode(putFrame(recordFrame, c.payload(nil, r, c.seals.seal(purposeCard, uint64(r.ID), clear))))
		if err != nil {
			return
		}
		require.Equal(t, clear, cardInTheClear(got.Card))
	})
}

// FuzzFrame cuts frames from anything.
func FuzzFrame(f *testing.F) {
	f.Add(putFrame(recordFrame, []byte("payload")))
	f.Add(newCounters("T1234567").frame())
	f.Add(identity{"T1234567", make([]byte, 46), 1}.frame())
	f.Add(identity{"T1234567", make([]byte, 46), 3}.frame())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []frameKind{recordFrame, countersFrame, identityFrame} {
			payload, rest, err := cutFrame(kind, b)
			if err == nil {
				require.Equal(t, b, append(putFrame(kind, payload), rest...))
			}
		}
		_, _ = openIdentity(b)
	})
}

// FuzzTotal reads totals, and what they are made of, from anything behind a good checksum.
func FuzzTotal(f *testing.F) {
	c := testCodec(f, "T1234567")
	frame, _, err := c.encode(usual(f))
	require.NoError(f, err)
	whole := Total{Batch: 7, Currency: "156", Approved: Sum{3, 1250}, Open: Sum{1, 5}, Void: Sum{2, 99}}
	f.Add(whole.key(), whole.frame()[frameHeader:len(whole.frame())-4])
	f.Add(whole.key()[:3], frame[frameHeader:len(frame)-4])
	f.Fuzz(func(t *testing.T, key, payload []byte) {
		if total, err := openTotal(key, putFrame(totalFrame, payload)); err == nil {
			again, err := openTotal(total.key(), total.frame())
			require.NoError(t, err)
			require.Equal(t, total, again)
		}
		if share, err := readTally(putFrame(recordFrame, payload)); err == nil {
			all := totals{}
			all.count(share, +1)
			all.count(share, -1)
			require.Empty(t, all)
		}
		_ = mayBeOf([]byte("marked"), putFrame(recordFrame, payload))
		_, _ = openIdentity(putFrame(identityFrame, payload))
	})
}

// FuzzCounters reads counters behind a good checksum.
func FuzzCounters(f *testing.F) {
	whole := counters{3, 17, 99, 4, 250, "T1234567"}
	f.Add(whole.frame()[frameHeader : len(whole.frame())-4])
	f.Fuzz(func(t *testing.T, payload []byte) {
		count, err := readCounters(payload)
		if err != nil {
			return
		}
		again, err := openCounters(count.frame())
		require.NoError(t, err)
		require.Equal(t, count, again)
		require.LessOrEqual(t, len(count.frame()), 60, "hot.db has room for no more")
	})
}

// FuzzBlock gives the shadow's decoder blocks behind a good checksum, and damaged ones.
func FuzzBlock(f *testing.F) {
	c := testCodec(f, "T1234567")
	frame, _, err := c.encode(usual(f))
	require.NoError(f, err)
	count := counters{3, 17, 99, 4, 250, "T1234567"}
	f.Add(putBlock(nil, 4, count, frame)[blockHeader:1024], true)
	f.Add(putBlock(nil, 4, count, nil)[blockHeader:200], true)
	f.Add(putBlock(nil, 4, count, frame)[:1024], false)
	f.Fuzz(func(t *testing.T, b []byte, framed bool) {
		if len(b) > blockEnd-blockHeader {
			return
		}
		block := append(bytes.Clone(b), make([]byte, pageSize-len(b))...)
		if framed {
			block = sealBlock(4, b)
		}
		blk, err := openBlock(4, block)
		if err != nil {
			return
		}
		again, err := openBlock(4, putBlock(nil, 4, blk.count, blk.frame))
		require.NoError(t, err)
		require.Equal(t, blk, again)
		_, _ = c.decode(blk.frame)
	})
}

// FuzzChip walks BER-TLV.
func FuzzChip(f *testing.F) {
	f.Add([]byte{0x95, 5, 0, 0, 4, 0, 0, 0x9F, 0x36, 2, 1, 2})
	f.Add([]byte{0x77, 4, 0x5A, 2, 0x62, 0x24})
	f.Add([]byte{0x9F, 0x81, 0x82, 0x81, 3, 1, 2, 3})
	f.Fuzz(func(t *testing.T, tlv []byte) { _ = checkChip(tlv) })
}
