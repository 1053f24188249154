package msr

// Characters of a stripe as a reader sends them (ISO/IEC 7811-2; MagTek IntelliHead p. 6).
const (
	start1    = '%'
	start2    = ';' // also track 3, behind track 2 (ISO/IEC 4909)
	start3    = '+' // track 3 of MagTek
	start3Too = '!' // "other symbols may be used for track 3": MagTek MT-211232 p. 16
	end       = '?'
	unread    = "E" // in place of a track's content

	separator1 = '^'
	separator2 = '='
	formatBank = 'B' // first character of a bank card's track 1
)

// Characters of a track between its sentinels: what ISO/IEC 7813 and 4909 allow, less both sentinels and the LRC.
const (
	maxTrack1 = 79 - 3
	maxTrack2 = 40 - 3
	maxTrack3 = 107 - 3
)

// What a reader may send between tracks and means nothing.
const framing = "\r\n\x02\x03\x1b\x00"

// lrc is the longitudinal redundancy check of a track: each bit makes the number of ones in its column even, sentinels
// included, over the characters without their parity (ISO/IEC 7811-2). Seven-bit characters are the six low bits of ASCII
// less 20h, five-bit characters the four low bits of ASCII less 30h.
func lrc(track int, start byte, content []byte) byte {
	base, mask := byte(0x30), byte(0x0F)
	if track == 0 {
		base, mask = 0x20, 0x3F
	}
	if track == 2 {
		start = start2 // whatever symbol the reader sends for it, the stripe has this one
	}
	sum := (start-base)&mask ^ (end-base)&mask
	for _, c := range content {
		sum ^= (c - base) & mask
	}
	return sum + base
}

// allowed reports whether a character can stand on a track.
func allowed(track int, c byte) bool {
	if track == 0 {
		return c >= ' ' && c <= '_' && c != start1 && c != end
	}
	return c >= '0' && c <= '>' && c != start2
}

// CheckDigit reports whether a number ends with the right check digit (ISO/IEC 7812-1 annex B, Luhn).
func CheckDigit(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return number != "" && sum%10 == 0
}
