package printer

// answerKind says which question a printer's bytes answer.
type answerKind uint8

const (
	noise     answerKind = iota // belongs to nothing
	realTime                    // one byte: DLE EOT
	automatic                   // four bytes: automatic status back
	processID                   // four bytes: the data before this id is on paper
	inOrder                     // one byte: GS r
	goOn                        // XON
	hold                        // XOFF
)

type answer struct {
	kind  answerKind
	data  [4]byte // as many as the kind has, from the front
	count int     // of a Star printer's status
}

// ear hears what a printer of one family says.
type ear interface {
	feed(b byte, emit func(answer))
}

// demultiplexer tells the answers of a printer apart. They share one line, and an automatic status or a flow control byte
// may come at any moment, inside the answer to GS ( H too:
//
//	37 22 'A' 'B' 13 'C' 10 00 00 0F 'D' 00
//	└┬──┘         │      └────┬────┘
//	 process id   XOFF    automatic status
//
// The printers' fixed bits decide (escpos.go). Bit 4 is the important one: set in DLE EOT answers, in the first byte of an
// automatic status, in XON, XOFF and the block header; clear in bytes 2 to 4 of an automatic status, in GS r, and in the
// process ids of this driver, which are chosen that way (newID). So a lost or an added byte spoils one answer, never the
// next, and a whole process id answer is found behind any rubbish.
type demultiplexer struct {
	asb    [4]byte
	asbN   int // bytes of an automatic status so far
	block  [processIDLength]byte
	blockN int // bytes of a process id answer so far
}

// feed takes one byte and tells emit what it completes, if anything.
func (d *demultiplexer) feed(b byte, emit func(answer)) {
	switch {
	case b == xon:
		emit(answer{kind: goOn})
	case b == xoff:
		emit(answer{kind: hold})
	case b&plainMask == plainIs:
		d.plain(b, emit)
	default:
		if d.asbN > 0 { // three plain bytes should have followed
			d.asbN = 0
			emit(answer{kind: noise})
		}
		d.marked(b, emit)
	}
}

// plain takes a byte without bit 4.
func (d *demultiplexer) plain(b byte, emit func(answer)) {
	switch {
	case d.asbN > 0:
		d.asb[d.asbN] = b
		if d.asbN++; d.asbN == len(d.asb) {
			d.asbN = 0
			emit(answer{kind: automatic, data: d.asb})
		}
	case d.blockN == 0:
		emit(answer{kind: inOrder, data: [4]byte{b}})
	case d.fitsBlock(b):
		d.block[d.blockN] = b
		if d.blockN++; d.blockN == processIDLength {
			d.blockN = 0
			emit(answer{kind: processID, data: [4]byte(d.block[2:6])})
		}
	default:
		d.blockN = 0
		emit(answer{kind: noise})
	}
}

func (d *demultiplexer) fitsBlock(b byte) bool {
	switch d.blockN {
	case 1:
		return b == processIDMark
	case processIDLength - 1:
		return b == nul
	default:
		return b >= processIDLow && b <= processIDHigh
	}
}

// marked takes a byte with bit 4 or bit 7 set.
func (d *demultiplexer) marked(b byte, emit func(answer)) {
	switch {
	case b&realTimeMask == realTimeIs:
		emit(answer{kind: realTime, data: [4]byte{b}})
	case b&asbFirstMask == asbFirstIs:
		d.asb[0], d.asbN = b, 1
	case b == blockHeader:
		if d.blockN > 0 {
			emit(answer{kind: noise})
		}
		d.block[0], d.blockN = b, 1
	default:
		d.blockN = 0
		emit(answer{kind: noise})
	}
}

// newID spells n as a process id: four symbols of 40h-4Fh and 60h-6Fh, all inside the range that GS ( H allows and none
// with bit 4. It repeats after 2^20 slips.
func newID(n uint32) (id [4]byte) {
	for i := range id {
		id[i] = 0x40 | byte(n&0x0F) | byte(n&0x10)<<1
		n >>= 5
	}
	return id
}
