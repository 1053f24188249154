package acquirer

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"posagent/txnstore/txn"
)

// Parameters of a terminal travel in field 62 as tags of two digits with values of fixed lengths, in any order:
//
//	┌─────┬───────┬─────┬───────┬─────┐
//	│ tag │ value │ tag │ value │ ... │
//	└─────┴───────┴─────┴───────┴─────┘
//
// There is neither a length nor a checksum, so a tag that is not known cannot be passed over: it makes the set unreadable, as
// does one that comes twice or is cut short.

// Tags of parameters that mean something to a terminal of this make.
const (
	ParameterAnswer   = "12" // seconds that an answer is waited for
	ParameterMerchant = "22" // the merchant's name
	ParameterResends  = "23" // how often a reversal is sent again
)

type parameterShape byte

const (
	shapeDigits parameterShape = iota // ASCII digits
	shapePhone                        // a number with spaces behind it
	shapeText                         // GB18030 with spaces behind it
	shapeBytes                        // binary, in hexadecimal to people
)

// parameterTable is tag, name and width in bytes (parameter tags of the direct-connection POS dialect).
var parameterTable = []struct {
	tag, name string
	width     int
	shape     parameterShape
}{
	{"11", "application type", 2, shapeDigits},
	{ParameterAnswer, "answer time in seconds", 2, shapeDigits},
	{"13", "dials", 1, shapeDigits},
	{"14", "host telephone 1", 14, shapePhone},
	{"15", "host telephone 2", 14, shapePhone},
	{"16", "host telephone 3", 14, shapePhone},
	{"17", "management telephone", 14, shapePhone},
	{"18", "tips", 1, shapeDigits},
	{"19", "tip in percent", 2, shapeDigits},
	{"20", "card numbers by hand", 1, shapeDigits},
	{"21", "automatic sign-out", 1, shapeDigits},
	{ParameterMerchant, "merchant name", 40, shapeText},
	{ParameterResends, "reversals sent again", 1, shapeDigits},
	{"24", "offline transactions sent by", 1, shapeDigits},
	{"25", "master key index", 1, shapeDigits},
	{"26", "transactions that are open", 4, shapeBytes},
	{"27", "uploads at once", 2, shapeDigits},
}

// Parameter is one of a set. Value is as people read it: without padding, UTF-8, and hexadecimal where it is binary.
type Parameter struct {
	Tag   string `json:"tag"`
	Value string `json:"value"`
}

// Name says what the parameter is.
func (p Parameter) Name() string {
	for _, row := range parameterTable {
		if row.tag == p.Tag {
			return row.name
		}
	}
	return "unknown"
}

// Parameters is a whole set, in the order in which it came.
type Parameters []Parameter

// Get finds a value.
func (p Parameters) Get(tag string) (value string, there bool) {
	for _, one := range p {
		if one.Tag == tag {
			return one.Value, true
		}
	}
	return "", false
}

// ParseParameters reads a field 62. Its errors wrap ErrDownload: a set is whole or it is nothing.
func ParseParameters(field62 []byte) (Parameters, error) {
	var set Parameters
	for rest := field62; len(rest) > 0; {
		if len(rest) < 2 {
			return nil, broken("byte %d: no tag of two digits", len(field62)-len(rest)+1)
		}
		p := Parameter{Tag: string(rest[:2])}
		width, shape, known := shapeOf(p.Tag)
		switch _, twice := set.Get(p.Tag); {
		case !known:
			return nil, broken("byte %d: parameter %q is not known, so what follows cannot be read", len(field62)-len(rest)+1, p.Tag)
		case twice:
			return nil, broken("parameter %s comes twice", p.Tag)
		case len(rest) < 2+width:
			return nil, broken("parameter %s has %d of %d bytes", p.Tag, len(rest)-2, width)
		}
		var err error
		if p.Value, err = shape.read(rest[2 : 2+width]); err != nil {
			return nil, broken("parameter %s, %s: %w", p.Tag, p.Name(), err)
		}
		set, rest = append(set, p), rest[2+width:]
	}
	if len(set) == 0 {
		return nil, broken("there are no parameters in it")
	}
	return set, nil
}

func shapeOf(tag string) (width int, shape parameterShape, known bool) {
	for _, row := range parameterTable {
		if row.tag == tag {
			return row.width, row.shape, true
		}
	}
	return 0, 0, false
}

func (s parameterShape) read(raw []byte) (string, error) {
	text := strings.TrimRight(string(raw), " ")
	switch s { // what is not written as it was read is refused: it goes back to the acquirer with the terminal's state
	case shapeBytes:
		return hex.EncodeToString(raw), nil
	case shapeText:
		decoded, err := simplifiedchinese.GB18030.NewDecoder().String(text)
		again, encodeErr := simplifiedchinese.GB18030.NewEncoder().String(decoded)
		if err != nil || encodeErr != nil || again != text || strings.ContainsFunc(decoded, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
			return "", fmt.Errorf("is not text that can be printed")
		}
		return decoded, nil
	case shapePhone:
		if strings.Trim(text, "0123456789,*#TPW-") != "" {
			return "", fmt.Errorf("is not a telephone number")
		}
		return text, nil
	}
	if text == "" || len(text) != len(raw) || strings.Trim(text, "0123456789") != "" {
		return "", fmt.Errorf("is not a number of %d digits", len(raw))
	}
	return text, nil
}

// Field62 is a set as it travels.
func (p Parameters) Field62() ([]byte, error) {
	var out []byte
	for _, one := range p {
		width, shape, known := shapeOf(one.Tag)
		raw := []byte(one.Value)
		var err error
		switch {
		case !known:
			err = fmt.Errorf("is not known")
		case shape == shapeBytes:
			raw, err = hex.DecodeString(one.Value)
		case shape == shapeText:
			raw, err = simplifiedchinese.GB18030.NewEncoder().Bytes(raw)
		}
		if err == nil && (len(raw) > width || len(raw) < width && (shape == shapeDigits || shape == shapeBytes)) {
			err = fmt.Errorf("has %d bytes, want %d", len(raw), width)
		}
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", one.Tag, err)
		}
		out = fmt.Appendf(out, "%s%s%s", one.Tag, raw, strings.Repeat(" ", width-len(raw)))
	}
	return out, nil
}

// FetchParameters downloads the set that the acquirer has for this terminal (0800, network code 360). The evidence names the
// line that brought it. Errors: ErrDownload, *RefusedError, *link.ExchangeError.
func (h *Host) FetchParameters(ctx context.Context) (Parameters, txn.Evidence, error) {
	answer, sent, err := h.fetch(ctx, "parameters", typeDownload, networkParameters, nil)
	if err != nil {
		return nil, sent, err
	}
	set, err := ParseParameters(answer.Bytes(62))
	if err != nil {
		return nil, sent, fmt.Errorf("parameters: %w", err)
	}
	return set, sent, nil
}

// EndParameters tells the acquirer that a set was taken over whole (network code 361). It is repeated safely.
func (h *Host) EndParameters(ctx context.Context) error {
	_, _, err := h.fetch(ctx, "end of the parameters", typeDownload, networkParametersEnd, nil)
	return err
}

// State is what a status upload tells of the terminal.
type State struct {
	Parameters Parameters // in force
	Hours      int        // since the program started
	Dials      int        // in that time
	Connected  int        // of them
}

// The five hardware flags of a status upload, 1 for in order. No public text says which device each of them is, and the
// terminals that are described all send ones.
const hardwareFlags = "011021031041051"

const statusWork = "51" // hours 4, dials 5, dials that connected in percent 3

// TellState uploads the terminal's state (0820, network code 362). It is repeated safely.
func (h *Host) TellState(ctx context.Context, s State) error {
	parameters, err := s.Parameters.Field62()
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	percent := 100
	if s.Dials > 0 {
		percent = 100 * min(s.Connected, s.Dials) / s.Dials
	}
	field62 := append([]byte(hardwareFlags), parameters...)
	field62 = fmt.Appendf(field62, "%s%04d%05d%03d", statusWork, min(max(s.Hours, 0), 9999), min(max(s.Dials, 0), 99999), percent)
	_, _, err = h.fetch(ctx, "status", typeState, networkStatus, field62)
	return err
}
