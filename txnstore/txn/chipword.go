package txn

import "encoding/hex"

// ChipWord is what a slip shows of a chip's part in a transaction, in hexadecimal digits; empty where it is not known. Nothing of it
// names the card or its holder (EMV Book 3, annex A).
type ChipWord struct {
	Certificate  string // 9F26, where 9F27 calls it a transaction certificate
	Verification string // 95, the terminal's verification results
	Counter      string // 9F36, the chip's own count of its transactions
}

// Word reads what was kept of a chip. Data that is cut ends there.
func (c Chip) Word() (w ChipWord) {
	var cryptogram string
	certified := false
	for b := c.BytesInTheClear(); len(b) > 2; {
		tag, head := uint(b[0]), 1
		if b[0]&0x1F == 0x1F {
			tag, head = tag<<8|uint(b[1]), 2
		}
		end := head + 1 + int(b[head])
		if b[head] >= 0x80 || end > len(b) {
			break
		}
		value := b[head+1 : end]
		switch said := hex.EncodeToString(value); tag {
		case 0x9F26:
			cryptogram = said
		case 0x9F27:
			certified = len(value) == 1 && value[0]&0xC0 == 0x40
		case 0x95:
			w.Verification = said
		case 0x9F36:
			w.Counter = said
		}
		b = b[end:]
	}
	if certified {
		w.Certificate = cryptogram
	}
	return w
}
