package txnstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Everything this package writes is in a frame, because bbolt has no checksum over data and one flipped bit in a page
// would otherwise be read as money:
//
//	 0        2      3         4        6            6+n       10+n
//	┌────────┬──────┬─────────┬────────┬────────────┬──────────┐
//	│ 'p''T' │ kind │ version │ n      │ payload    │ CRC32C   │   integers big-endian
//	└────────┴──────┴─────────┴────────┴────────────┴──────────┘
//	                                                 over all bytes before it
const (
	frameMagic    = "pT"
	frameVersion  = 1
	frameHeader   = 6
	frameOverhead = frameHeader + 4
	maxPayload    = 2048 // more than any payload here; a longer one is a damaged length
)

type frameKind byte

const (
	recordFrame   frameKind = 'R'
	countersFrame frameKind = 'C'
	identityFrame frameKind = 'I'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errNoFrame = errors.New("no frame")

func putFrame(kind frameKind, payload []byte) []byte {
	return endFrame(kind, append(make([]byte, frameHeader, frameOverhead+len(payload)), payload...))
}

// endFrame makes a frame of a payload that stands behind room for the header.
func endFrame(kind frameKind, b []byte) []byte {
	copy(b, frameMagic)
	b[2], b[3] = byte(kind), frameVersion
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-frameHeader))
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// cutFrame reads the frame at the start of b and returns its payload, which is part of b, and what follows it.
func cutFrame(kind frameKind, b []byte) (payload, rest []byte, err error) {
	switch {
	case len(b) < frameOverhead || string(b[:2]) != frameMagic:
		return nil, nil, errNoFrame
	case frameKind(b[2]) != kind:
		return nil, nil, fmt.Errorf("frame of kind %q where %q belongs", b[2], byte(kind))
	case b[3] != frameVersion:
		return nil, nil, fmt.Errorf("frame version %d, this program reads %d", b[3], frameVersion)
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if n > maxPayload || n > len(b)-frameOverhead {
		return nil, nil, fmt.Errorf("frame claims %d bytes of %d", n, len(b)-frameOverhead)
	}
	end := frameHeader + n
	if binary.BigEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) {
		return nil, nil, errors.New("checksum does not match")
	}
	return b[frameHeader:end], b[end+4:], nil
}

// openFrame is cutFrame for a value that must be one frame and nothing else.
func openFrame(kind frameKind, b []byte) ([]byte, error) {
	payload, rest, err := cutFrame(kind, b)
	if err == nil && len(rest) != 0 {
		err = fmt.Errorf("%d bytes after the frame", len(rest))
	}
	return payload, err
}
