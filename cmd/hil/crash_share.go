package main

import (
	"bufio"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"io"
	"os"
)

// plan is what all workers know: it is written once and read by each.
//
//	calls of a history (gobs) ── calls of the next ── … ── the plan without them (gob) ── where that begins, 8 bytes
//
// A worker with all calls in memory would need a hundred bytes of it for each state, and its collector would go round
// through memory that no cache holds.
type plan struct {
	Histories []history
	Seed      uint64
}

func (p plan) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := &placed{w: bufio.NewWriterSize(f, 1<<20)}
	brief := plan{Seed: p.Seed}
	for _, h := range p.Histories {
		calls := gob.NewEncoder(w) // one by one, or a reader would hold a whole history twice
		ops := h.Ops
		h.Ops, h.At, h.Length = nil, w.n, len(ops)
		brief.Histories = append(brief.Histories, h)
		for i := range ops {
			if err := calls.Encode(&ops[i]); err != nil {
				return errors.Join(err, f.Close())
			}
		}
	}
	at := binary.BigEndian.AppendUint64(nil, uint64(w.n))
	err = gob.NewEncoder(w).Encode(brief)
	_, written := w.Write(at)
	return errors.Join(err, written, w.w.Flush(), f.Close())
}

// readPlan leaves the file open for the histories' calls.
func readPlan(path string) (p plan, err error) {
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	info, err := f.Stat()
	if err != nil {
		return p, errors.Join(err, f.Close())
	}
	var at [8]byte
	if _, err = f.ReadAt(at[:], info.Size()-8); err == nil {
		begin := int64(binary.BigEndian.Uint64(at[:]))
		err = gob.NewDecoder(bufio.NewReader(io.NewSectionReader(f, begin, info.Size()-8-begin))).Decode(&p)
	}
	if err != nil {
		return p, errors.Join(err, f.Close())
	}
	for i := range p.Histories {
		p.Histories[i].kept = f
	}
	return p, nil
}

// placed is a writer that knows how far it is.
type placed struct {
	w *bufio.Writer
	n int64
}

func (c *placed) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
