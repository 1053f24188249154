package txnstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
)

const (
	maxSTAN     = 999_999 // field 11, six digits
	maxBatch    = 999_999 // field 60.2, six digits
	maxTerminal = 8       // field 41
	maxMerchant = 15      // field 42
)

// counters is what must never run backwards. It is written in the same commit as the record that uses it, into hot.db and
// into every block of shadow, and into archive.db with every commit there. Whichever copy is ahead is right.
type counters struct {
	Boot     uint32
	NextID   uint64
	Serial   uint64 // STANs handed out in the terminal's life: unlike the STAN it never wraps, so two copies compare
	Batch    uint32
	Commit   uint64 // commits of hot.db: tells which of hot.db and shadow missed one
	Terminal string
}

func newCounters(terminal string) counters {
	return counters{NextID: 1, Batch: 1, Terminal: terminal}
}

// inService reports whether a store with these counters was ever opened. Birth writes boot 0.
func (c counters) inService() bool { return c.Boot > 0 }

// stan is the last STAN handed out, 1 to 999999, or 0 when there was none.
func (c counters) stan() uint32 {
	if c.Serial == 0 {
		return 0
	}
	return uint32((c.Serial-1)%maxSTAN) + 1
}

// raised is the higher of both in every respect.
func (c counters) raised(o counters) counters {
	c.Boot = max(c.Boot, o.Boot)
	c.NextID = max(c.NextID, o.NextID)
	c.Serial = max(c.Serial, o.Serial)
	c.Batch = max(c.Batch, o.Batch)
	c.Commit = max(c.Commit, o.Commit)
	return c
}

// skipped passes over what may have been counted last by nobody else.
func (c counters) skipped() counters {
	c.NextID, c.Serial, c.Commit = c.NextID+skipped, c.Serial+skipped, c.Commit+skipped
	return c
}

// past raises c beyond a record that exists. It matters only when every copy of the counters is older than the record:
// the STAN is then followed forward, at most half its cycle.
func (c counters) past(t *txn.Txn) counters {
	c.Boot = max(c.Boot, t.Boot, t.EndBoot)
	c.Batch = max(c.Batch, t.Batch)
	if uint64(t.ID) < c.NextID {
		return c
	}
	c.NextID = uint64(t.ID) + 1
	if ahead := (uint64(t.STAN) + maxSTAN - uint64(c.stan())) % maxSTAN; ahead < maxSTAN/2 {
		c.Serial += ahead
	}
	return c
}

func (c counters) frame() []byte {
	b := binary.AppendUvarint(make([]byte, frameHeader, 64), uint64(c.Boot))
	b = binary.AppendUvarint(b, c.NextID)
	b = binary.AppendUvarint(b, c.Serial)
	b = binary.AppendUvarint(b, uint64(c.Batch))
	b = binary.AppendUvarint(b, c.Commit)
	return endFrame(countersFrame, append(b, c.Terminal...))
}

func openCounters(frame []byte) (counters, error) {
	b, err := openFrame(countersFrame, frame)
	if err != nil {
		return counters{}, fmt.Errorf("counters: %w", err)
	}
	return readCounters(b)
}

func readCounters(b []byte) (counters, error) {
	var n [5]uint64
	for i := range n {
		v, size := binary.Uvarint(b)
		if size <= 0 {
			return counters{}, errors.New("counters: cut short")
		}
		n[i], b = v, b[size:]
	}
	c := counters{Boot: uint32(n[0]), NextID: n[1], Serial: n[2], Batch: uint32(n[3]), Commit: n[4], Terminal: string(b)}
	switch {
	case uint64(c.Boot) != n[0], uint64(c.Batch) != n[3], c.Batch > maxBatch, c.NextID == 0:
		return counters{}, errors.New("counters: out of range")
	case len(b) == 0 || len(b) > maxTerminal:
		return counters{}, errors.New("counters: no terminal number")
	}
	return c, nil
}
