package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// rawLog is the least that is durable: each state of a record is appended with its checksum to a file whose blocks were
// written before, by one pwrite and one fdatasync. It has one copy, finds nothing but by reading everything, and never
// gives space back.
//
//	┌──────────┬─────────────┬────────┬───────
//	│ number 8 │ record      │ CRC32C │ next …      a checksum that does not fit is the end
//	└──────────┴─────────────┴────────┴───────
type rawLog struct {
	f        *os.File
	at, size int64
	next     uint64
	frame    [8 + plainRecord + 4]byte
}

const logStep = 1 << 20 // bytes of zeros written ahead, between sales

var logTable = crc32.MakeTable(crc32.Castagnoli)

func openLog(path string) (*rawLog, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	l := &rawLog{f: f}
	if err = l.read(); err == nil {
		err = l.after()
	}
	return l, err
}

// read goes over the whole log to its end.
func (l *rawLog) read() error {
	all, err := os.ReadFile(l.f.Name())
	if err != nil {
		return err
	}
	l.at, l.size = 0, int64(len(all))
	for size := len(l.frame); len(all) >= size; all = all[size:] {
		frame := all[:size]
		if crc32.Checksum(frame[:size-4], logTable) != binary.BigEndian.Uint32(frame[size-4:]) || binary.BigEndian.Uint64(frame) == 0 {
			break
		}
		l.next = binary.BigEndian.Uint64(frame)
		l.at += int64(size)
	}
	return nil
}

func filledLog(dir string, records int) (*rawLog, error) {
	l, err := openLog(filepath.Join(dir, loopLog))
	if err != nil {
		return nil, err
	}
	var all []byte
	for range records {
		l.next++
		for outcome := range 2 {
			all = append(all, l.state(byte(outcome))...)
		}
	}
	_, err = l.f.WriteAt(all, l.at)
	l.at += int64(len(all))
	return l, errors.Join(err, l.after(), l.f.Sync())
}

func (l *rawLog) state(outcome byte) []byte {
	binary.BigEndian.PutUint64(l.frame[:], l.next)
	end := len(l.frame) - 4
	l.frame[end-1] = outcome
	binary.BigEndian.PutUint32(l.frame[end:], crc32.Checksum(l.frame[:end], logTable))
	return l.frame[:]
}

func (l *rawLog) append(outcome byte) error {
	n, err := l.f.WriteAt(l.state(outcome), l.at)
	l.at += int64(n)
	if err != nil {
		return err
	}
	return syscall.Fdatasync(int(l.f.Fd()))
}

func (l *rawLog) sale() (time.Duration, error) {
	l.next++
	began := time.Now()
	err := errors.Join(l.append(0), l.append(1))
	return time.Since(began), err
}

// after keeps written zeros ahead of the next sales.
func (l *rawLog) after() error {
	if l.size-l.at > logStep/2 {
		return nil
	}
	l.size = max(l.size, l.at)
	n, err := l.f.WriteAt(make([]byte, logStep), l.size)
	l.size += int64(n)
	return errors.Join(err, l.f.Sync())
}

func (l *rawLog) reopen() (time.Duration, error) {
	path, last := l.f.Name(), l.next
	if err := l.close(); err != nil {
		return 0, err
	}
	began := time.Now()
	again, err := openLog(path)
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	if *l = *again; l.next != last {
		return 0, fmt.Errorf("the log ends at record %d instead of %d", l.next, last)
	}
	return took, nil
}

func (l *rawLog) close() error { return l.f.Close() }
