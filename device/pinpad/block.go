package pinpad

import (
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

// Block is a PIN as the pad encrypted it. It prints as nothing but its kind.
type Block struct {
	Cipher [8]byte
	KSN    []byte // 10 bytes with DUKPT, none with master and session keys
	Empty  bool   // the customer has no PIN and pressed enter; Cipher then means nothing
}

func (b Block) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, b.String()) }
func (b Block) LogValue() slog.Value       { return slog.StringValue(b.String()) }

func (b Block) String() string {
	switch {
	case b.Empty:
		return "no PIN"
	case b.KSN != nil:
		return "PIN block under DUKPT"
	}
	return "PIN block"
}

const ksnBytes = 10

// parseBlock reads packet 71 or 73. With DUKPT the serial number stands before the block, its leading Fs left out; with
// master and session keys the PIN's length and the format do.
func parseBlock(data []byte, dukpt bool) (Block, error) {
	text := string(data)
	refuse := func(what string) (Block, error) {
		return Block{}, fmt.Errorf("%w: %s", ErrAnswer, what)
	}
	rest, is71 := strings.CutPrefix(text, packetBlock)
	if !is71 {
		var is73 bool
		if rest, is73 = strings.CutPrefix(text, packetBlock2); !is73 {
			return refuse("it is no PIN block")
		}
	}
	if len(rest) == 1 {
		return Block{}, &RefusedError{Code: strings.Map(printable, rest)}
	}
	rest = strings.TrimPrefix(rest, ".")
	if dukpt {
		return parseDUKPT(rest, is71, refuse)
	}
	if len(rest) != 1+2+2+16 || rest[0] != '0' || rest[3:5] != formatANSI {
		return refuse("its length or format is not that of master and session keys")
	}
	length, err := strconv.Atoi(rest[1:3])
	if err != nil || length != 0 && (length < 4 || length > 12) {
		return refuse("the PIN's length is impossible")
	}
	b := Block{Empty: length == 0}
	if _, err := hex.Decode(b.Cipher[:], []byte(rest[5:])); err != nil {
		return refuse("the block is not hexadecimal")
	}
	return b, nil
}

func parseDUKPT(rest string, is71 bool, refuse func(string) (Block, error)) (Block, error) {
	flag := "00000" // [MX p. 327]
	if is71 {
		flag = "0"
	}
	rest, ok := strings.CutPrefix(rest, flag)
	serial := len(rest) - 16
	switch {
	case !ok:
		return refuse("its flag is not known")
	case serial == 0 || rest == "":
		return Block{Empty: true}, nil // the serial number is there only if a PIN was entered
	case serial < 10 || serial > 2*ksnBytes:
		return refuse("the key's serial number has an impossible length")
	}
	var b Block
	ksn, err := hex.DecodeString(strings.Repeat("F", 2*ksnBytes-serial) + rest[:serial])
	if err != nil {
		return refuse("the key's serial number is not hexadecimal")
	}
	if _, err := hex.Decode(b.Cipher[:], []byte(rest[serial:])); err != nil {
		return refuse("the block is not hexadecimal")
	}
	b.KSN = ksn
	return b, nil
}

func printable(r rune) rune {
	if r < 0x20 || r > 0x7E {
		return '?'
	}
	return r
}
