package keys

import (
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// trackBlock is how many digits of a track are encrypted: eight bytes.
const trackBlock = 16

var errTrack = errors.New("the track cannot be encrypted")

// EncryptTrack encrypts what of track 2 or 3 an acquirer with a track key does not want to see in clear: the sixteen
// digits that end two before the end of a track with an even number of digits, one before the end of one with an odd
// number. They are packed two a byte, with D for the separator, encrypted with TDES, and put back as hexadecimal digits.
// The result holds what of the track is not encrypted: it is card data still.
func EncryptTrack(k Key, track string) (string, error) {
	if k.isAES() {
		return "", errKeyKind
	}
	digits := strings.ReplaceAll(track, "=", "D")
	end := len(digits) - 2 + len(digits)%2
	if end < trackBlock {
		return "", fmt.Errorf("%w: it has %d digits, too few", errTrack, len(digits))
	}
	begin := end - trackBlock
	b, err := hex.DecodeString(digits[begin:end])
	if err != nil {
		return "", fmt.Errorf("%w: it holds something else than digits", errTrack)
	}
	defer clear(b)
	if err := k.use(func(c cipher.Block) { encryptECB(c, b, b) }); err != nil {
		return "", fmt.Errorf("%w: %w", errTrack, err)
	}
	return digits[:begin] + strings.ToUpper(hex.EncodeToString(b)) + digits[end:], nil
}

// EnciphersTo is how many hexadecimal digits EncryptWholeTrack makes of a track of so many: whole blocks of eight bytes.
func EnciphersTo(digits int) int { return (digits + trackBlock - 1) / trackBlock * trackBlock }

// EncryptWholeTrack encrypts all of track 2 or 3: its digits two a byte, with D for the separator and F to the end of the last
// block of eight bytes, TDES in CBC mode from a vector of zeros, as hexadecimal digits. The vector may be zeros because a DUKPT
// data key encrypts one message and no second.
func EncryptWholeTrack(k Key, track string) (string, error) {
	if k.isAES() {
		return "", errKeyKind
	}
	digits := strings.ReplaceAll(track, "=", "D")
	if digits == "" {
		return "", fmt.Errorf("%w: it is empty", errTrack)
	}
	b, err := hex.DecodeString(digits + strings.Repeat("F", EnciphersTo(len(digits))-len(digits)))
	if err != nil {
		return "", fmt.Errorf("%w: it holds something else than digits", errTrack)
	}
	defer clear(b)
	if err := k.use(func(c cipher.Block) { cipher.NewCBCEncrypter(c, make([]byte, c.BlockSize())).CryptBlocks(b, b) }); err != nil {
		return "", fmt.Errorf("%w: %w", errTrack, err)
	}
	return strings.ToUpper(hex.EncodeToString(b)), nil
}
