package iso8583

import "slices"

// trackDigits are the sixteen nibbles of a track as characters: D is the separator (ISO/IEC 7813), the other letters
// occur only where a part of the track is enciphered.
const trackDigits = "0123456789ABC=EF"

// appendBCD appends checked digits or track characters, two a byte.
func appendBCD(dst, digits []byte, align Encoding) []byte {
	start := len(dst)
	dst = slices.Grow(dst, (len(digits)+1)/2)[:start+(len(digits)+1)/2]
	out := dst[start:]
	if len(digits)%2 == 1 && align == BCDRight {
		out[0] = nibble(digits[0])
		out, digits = out[1:], digits[1:]
	}
	for i := range len(digits) / 2 {
		out[i] = nibble(digits[2*i])<<4 | nibble(digits[2*i+1])
	}
	if len(digits)%2 == 1 {
		out[len(digits)/2] = nibble(digits[len(digits)-1]) << 4
	}
	return dst
}

// nibble works for digits, for '=' (3D hex, thus D) and for letters A to F.
func nibble(char byte) byte {
	if char >= 'A' {
		return char - 'A' + 10
	}
	return char & 0x0F
}

// readBCD fills dst with digits. It reports false when a nibble is not a digit; the filling nibble is not looked at.
func readBCD(dst, src []byte, align Encoding) bool {
	var bad byte
	if len(dst)%2 == 1 && align == BCDRight {
		low := src[0] & 0x0F
		bad |= low + 6
		dst[0] = '0' + low
		dst, src = dst[1:], src[1:]
	}
	for len(dst) >= 2 {
		high, low := src[0]>>4, src[0]&0x0F
		bad |= (high + 6) | (low + 6) // a nibble above 9 carries into bit 4
		dst[0], dst[1] = '0'+high, '0'+low
		dst, src = dst[2:], src[1:]
	}
	if len(dst) == 1 {
		high := src[0] >> 4
		bad |= high + 6
		dst[0] = '0' + high
	}
	return bad < 16
}

func readTrack(dst, src []byte) {
	for i := range dst {
		pair := src[i/2]
		if i%2 == 0 {
			pair >>= 4
		}
		dst[i] = trackDigits[pair&0x0F]
	}
}

// readTrackText reads a track of characters. Some hosts write the separator as the D that it is as a nibble.
func readTrackText(dst, src []byte) {
	for i, char := range src {
		if char == 'D' {
			char = '='
		}
		dst[i] = char
	}
}

const hexDigits = "0123456789ABCDEF"

func appendHex(dst, value []byte) []byte {
	for _, b := range value {
		dst = append(dst, hexDigits[b>>4], hexDigits[b&0x0F])
	}
	return dst
}

// readHex reads two characters a byte, in capitals or small. It reports false when one is no hexadecimal digit.
func readHex(dst, src []byte) bool {
	for i := range dst {
		high, low := hexNibble(src[2*i]), hexNibble(src[2*i+1])
		if high|low > 15 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// hexNibble is 255 for what is no hexadecimal digit.
func hexNibble(char byte) byte {
	switch {
	case char-'0' <= 9:
		return char - '0'
	case (char|0x20)-'a' <= 5:
		return (char | 0x20) - 'a' + 10
	}
	return 255
}

// bcdByte writes 0 to 99.
func bcdByte(n int) byte { return byte(n/10<<4 | n%10) }

// badDigit and its siblings give the index of the first character that the class does not allow, or -1.
func badDigit[T string | []byte](value T) int {
	for i := range len(value) {
		if value[i]-'0' > 9 {
			return i
		}
	}
	return -1
}

func badTrack(value []byte) int {
	for i, char := range value {
		if char-'0' > 9 && char != '=' && (char < 'A' || char > 'F') {
			return i
		}
	}
	return -1
}

func badAlphanumeric(value []byte) int {
	for i, char := range value {
		if char-'0' > 9 && (char|0x20)-'a' > 25 && char != ' ' {
			return i
		}
	}
	return -1
}

func badText(value []byte) int {
	for i, char := range value {
		if char < ' ' || char == 0x7F {
			return i
		}
	}
	return -1
}
