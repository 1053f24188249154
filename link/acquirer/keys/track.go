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
	if k.isAES() {
		return "", errKeyKind
	}
	if err := k.use(func(c cipher.Block) { encryptECB(c, b, b) }); err != nil {
		return "", fmt.Errorf("%w: %w", errTrack, err)
	}
	return digits[:begin] + strings.ToUpper(hex.EncodeToString(b)) + digits[end:], nil
}
