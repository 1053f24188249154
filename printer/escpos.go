package printer

import (
	"time"

	"posagent/printer/receipt"
)

// Every byte of ESC/POS that this package sends or expects. References:
//
//	[REF]  Epson, ESC/POS Command Reference for TM printers, entry named after the command
//	       (download4.epson.biz/sec_pubs/pos/reference_en/escpos)
//	[L90]  Epson, TM-L90 specification, GS ( H, ver. 10.01 p. 428-429
//	[U230] Epson, TM-U230 specification, appendix E "Transmission status identification", App.14
//	[CBM]  Citizen, CBM1000 manual, appendix 3 "Identification of send status"
//	[U220] Epson, TM-U220 manual p. 82-83, GS a
//	[ZJ]   Zijiang, ZJ-58 user's manual p. 67, FS ! and FS & of printers with a Chinese character ROM

const (
	nul  = 0x00
	lf   = 0x0A
	xon  = 0x11
	dle  = 0x10
	xoff = 0x13
	esc  = 0x1B
	fs   = 0x1C
	gs   = 0x1D
)

// Real-time commands: executed on reception, even out of paper and with a full buffer. A printer that is waiting for the
// parameter of another command may take them for it, so they are sent between whole commands only.

// askStatus is DLE EOT n [REF DLE EOT]. n: 1 printer, 2 offline cause, 3 error cause, 4 roll paper sensors.
func askStatus(n byte) []byte { return []byte{dle, 0x04, n} }

// askStatuses are all four, one behind the other.
func askStatuses() []byte {
	return []byte{dle, 0x04, 1, dle, 0x04, 2, dle, 0x04, 3, dle, 0x04, 4}
}

// recoverClearing is DLE ENQ 2 [REF DLE ENQ]: recover from an error after clearing the receive and print buffers. It
// works for an error that DLE ENQ can end, which is the cutter's; process ids of what is cleared are never answered.
func recoverClearing() []byte { return []byte{dle, 0x05, 0x02} }

// Answers to DLE EOT n [REF DLE EOT]: bits 1 and 4 are set, 0 and 7 clear.
const (
	printerOffline = 0x08 // n = 1
	printerFeedKey = 0x40 // n = 1, feed button held

	offlineCover    = 0x04 // n = 2
	offlineFeeding  = 0x08 // n = 2, being fed by the button
	offlinePaperEnd = 0x20 // n = 2, stopped by paper end

	errorCutter        = 0x08 // n = 3
	errorUnrecoverable = 0x20 // n = 3
	errorRecoverable   = 0x40 // n = 3, ends by itself: head temperature, voltage

	paperNearEnd = 0x0C // n = 4, both bits are one sensor
	paperEnd     = 0x60 // n = 4, both bits are one sensor
)

// Automatic status back, four bytes [REF GS a] [U220].
const (
	asbOffline       = 0x08 // byte 1
	asbCover         = 0x20 // byte 1
	asbFeedKey       = 0x40 // byte 1
	asbCutter        = 0x08 // byte 2
	asbUnrecoverable = 0x20 // byte 2
	asbRecoverable   = 0x40 // byte 2
	asbNearEnd       = 0x03 // byte 3
	asbPaperEnd      = 0x0C // byte 3
)

// Which answer a byte belongs to [U230 table E-1] [CBM appendix 3]: the bits of mask have the value of is.
const (
	realTimeMask, realTimeIs = 0x93, 0x12 // 0xx1xx10  DLE EOT
	asbFirstMask, asbFirstIs = 0x93, 0x10 // 0xx1xx00  automatic status, first byte
	plainMask, plainIs       = 0x90, 0x00 // 0xx0xxxx  automatic status, bytes 2 to 4; GS r; GS I
)

// The answer to GS ( H function 48: 37h 22h d1 d2 d3 d4 00h [REF GS ( H] [L90 p. 429].
const (
	blockHeader     = 0x37
	processIDMark   = 0x22
	processIDLength = 7
	processIDLow    = 0x20
	processIDHigh   = 0x7E
)

// Commands executed in order. None of them has a parameter of 10h (DLE), so no real-time command can arise from them.

// initialise is ESC @: clears the line under way and sets every mode to its value at power-on [REF ESC @].
func initialise(b []byte) []byte { return append(b, esc, '@') }

// automaticStatus is GS a n [REF GS a] [U220]: with n not 0 the status now, and again whenever it changes. 0Eh is online,
// errors and roll paper; the drawer would only ring for nothing.
func automaticStatus(b []byte, n byte) []byte { return append(b, gs, 'a', n) }

const (
	asbOff = 0x00
	asbOn  = 0x0E
)

// justify is ESC a n [REF ESC a]: 0 left, 1 centre, 2 right; at the beginning of a line only.
func justify(b []byte, n byte) []byte { return append(b, esc, 'a', n) }

// embolden is ESC E n [REF ESC E].
func embolden(b []byte, n byte) []byte { return append(b, esc, 'E', n) }

// enlarge sets the character size twice: GS ! n [REF GS !] for all characters, and FS ! m [ZJ] for the Chinese ones,
// because printers exist whose GS ! leaves those alone. Where both act, the second repeats the first.
func enlarge(b []byte, size, chinese byte) []byte { return append(b, gs, '!', size, fs, '!', chinese) }

// Sizes. Double width alone would be GS ! 10h, a DLE in the data; slips do not use it.
const (
	sizeNormal, chineseNormal = 0x00, 0x00
	sizeTall, chineseTall     = 0x01, 0x08
	sizeBig, chineseBig       = 0x11, 0x0C
)

// chineseOn is FS &, chineseOff FS . [REF FS &] [ZJ]: two-byte characters, or single bytes of a code page. Chinese
// printers often start with it on.
func chineseOn(b []byte) []byte  { return append(b, fs, '&') }
func chineseOff(b []byte) []byte { return append(b, fs, '.') }

// padding completes a command that was left half sent: NULs are taken for its missing parameters, and ignored after them.
// A picture is the longest of all, and is expected only where they are printed. Where that did not help so many times, a
// disturbed line has changed the length of a command: twice as many go out each time, up to what any printer's receive buffer
// holds.
func padding(codes CodeMode, silences int) []byte {
	least := paddingBytes
	if codes != NoCodes {
		least += bandBytes
	}
	return make([]byte, max(least, min(least<<min(silences, 16), bufferSafe)))
}

// feedLines is ESC d n [REF ESC d]; n stays below ten.
func feedLines(b []byte, n byte) []byte { return append(b, esc, 'd', n) }

// feedAndCut is GS V 66 0 [REF GS V]: feed to the cutting position, then cut leaving one point.
func feedAndCut(b []byte) []byte { return append(b, gs, 'V', 66, 0) }

// askProof is GS ( H function 48 [REF GS ( H] [L90 p. 428]: answers with id when the data before it has been printed.
func askProof(b []byte, id [4]byte) []byte {
	return append(b, gs, '(', 'H', 6, 0, 48, 48, id[0], id[1], id[2], id[3])
}

// askInOrder is GS r 1 [REF GS r]: the paper sensors, answered in its turn among the data. A printer that paper end has
// taken offline does not reach it.
func askInOrder(b []byte) []byte { return append(b, gs, 'r', 1) }

// bandHeader is GS v 0 m xL xH yL yH [REF GS v 0]: a raster picture of so many bytes a row and so many rows follows.
func bandHeader(b []byte, stride, rows int) []byte {
	return append(b, gs, 'v', '0', 0, byte(stride), byte(stride>>8), byte(rows), byte(rows>>8))
}

// Real-time commands begin with DLE and one of these [REF DLE EOT, DLE ENQ, DLE DC4]. Inside a picture they are executed
// all the same [REF DLE EOT, "Notes"].
const (
	eot = 0x04
	enq = 0x05
	dc4 = 0x14
)

// QR code, GS ( k with cn 49 [REF GS ( k <Function 165>, 167, 169, 180, 181]: model 2, size of a module in dots, error
// correction M, the data, print.
func qrCode(b []byte, module byte, text string) []byte {
	b = append(b, gs, '(', 'k', 4, 0, 49, 65, 50, 0)
	b = append(b, gs, '(', 'k', 3, 0, 49, 67, module)
	b = append(b, gs, '(', 'k', 3, 0, 49, 69, 49)
	b = append(b, gs, '(', 'k', byte(len(text)+3), byte((len(text)+3)>>8), 49, 80, 48)
	b = append(b, text...)
	return append(b, gs, '(', 'k', 3, 0, 49, 81, 48)
}

// escpos writes slips in ESC/POS.
type escpos struct{}

func (escpos) begin(b []byte) []byte {
	b = initialise(b)
	b = automaticStatus(b, asbOn) // ESC @ may have ended it, and so may a power cut since the last slip
	return chineseOff(b)
}

func (escpos) justify(b []byte, n byte) []byte   { return justify(b, n) }
func (escpos) feed(b []byte, n byte) []byte      { return feedLines(b, n) }
func (escpos) cut(b []byte) []byte               { return feedAndCut(b) }
func (escpos) code(b []byte, text string) []byte { return qrCode(b, nativeModule, text) }

func (escpos) embolden(b []byte, on bool) []byte {
	if on {
		return embolden(b, 1)
	}
	return embolden(b, 0)
}

func (escpos) chinese(b []byte, on bool) []byte {
	if on {
		return chineseOn(b)
	}
	return chineseOff(b)
}

func (escpos) size(b []byte, s receipt.Size) []byte {
	switch s {
	case receipt.Tall:
		return enlarge(b, sizeTall, chineseTall)
	case receipt.Big:
		return enlarge(b, sizeBig, chineseBig)
	}
	return enlarge(b, sizeNormal, chineseNormal)
}

// Numbers of our own choice.
const (
	bandBytes    = 512  // of a picture in one command, so that one that broke off is soon ended; codes are shorter
	nativeModule = 4    // dots: the largest code, of 65 modules, fits the narrowest paper
	paddingBytes = 16   // longer than any other command we send
	tearOffLines = 4    // fed instead of a cut, so that the last line passes the tear bar
	maxSlipLines = 400  // a metre and a half of paper
	pieceBytes   = 256  // written at once; between pieces the driver looks for XOFF
	bufferSafe   = 2048 // bytes that any printer's receive buffer holds (4 KiB in the smaller ones); common slips have 1500

	discardTime  = time.Millisecond // for what waits in the port's buffer when a conversation begins
	discardReads = 64               // of 256 bytes: a line that never rests is left to the demultiplexer
)
