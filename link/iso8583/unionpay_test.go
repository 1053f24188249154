package iso8583

// UnionPay is the table of the built-in profile, stated a second time as Go: the dialect of point-of-sale terminals connected directly to a UnionPay acquirer (直联POS终端规范): BCD
// message type, one bitmap of 8 bytes, BCD numbers and lengths.
//
// Two rows are traps. Field 22 is three digits sent left-aligned ("021" travels as 02 10), field 23 three digits sent
// right-aligned ("001" travels as 00 01). Tracks travel as nibbles with D for the separator.
//
// Fields 37 and 38 are an in the standard and ans here. They are the acquirer's own words, covered by the MAC and
// compared with nothing: an approval whose absent authorisation code comes as six NULs, or whose reference has a dash, is
// an approval, and refusing it would reverse a sale that the customer has paid.
//
// The limit of field 59 is ours: acquirers differ, and what they ask for stays below it.
//
// The fields that this dialect does not use have the formats of ISO 8583:1987 in its encodings. An acquirer that repeats
// one of them in an approval must not have the sale reversed for it.
func UnionPay() *Dialect {
	number := func(name string, digits int) Field {
		return Field{Name: name, Format: Format{N, Fixed, BCDRight, digits}}
	}
	numberLL := func(name string, most int) Field { return Field{Name: name, Format: Format{N, LLVAR, BCDLeft, most}} }
	numberLLL := func(name string, most int) Field { return Field{Name: name, Format: Format{N, LLLVAR, BCDLeft, most}} }
	text := func(name string, c Class, bytes int) Field {
		return Field{Name: name, Format: Format{c, Fixed, ASCII, bytes}}
	}
	textLLL := func(name string, c Class, most int) Field {
		return Field{Name: name, Format: Format{c, LLLVAR, ASCII, most}}
	}
	binary := func(name string, bytes int) Field { return Field{Name: name, Format: Format{B, Fixed, Binary, bytes}} }
	binaryLLL := func(name string, most int) Field { return Field{Name: name, Format: Format{B, LLLVAR, Binary, most}} }

	return &Dialect{Name: "UnionPay", Fields: [lastField + 1]Field{
		2:  numberLL("card number", 19),
		3:  number("processing code", 6),
		4:  number("amount", 12),
		5:  number("settlement amount", 12),
		6:  number("billing amount", 12),
		7:  number("transmission date and time", 10),
		9:  number("settlement rate", 8),
		10: number("billing rate", 8),
		11: number("STAN", 6),
		12: number("local time", 6),
		13: number("local date", 4),
		14: number("expiry", 4),
		15: number("settlement date", 4),
		16: number("conversion date", 4),
		17: number("capture date", 4),
		18: number("merchant type", 4),
		19: number("acquirer's country", 3),
		22: {Name: "entry mode", Format: Format{N, Fixed, BCDLeft, 3}},
		23: number("card sequence number", 3),
		24: number("network", 3),
		25: number("POS condition", 2),
		26: number("PIN capture code", 2),
		32: numberLL("acquirer", 11),
		33: numberLL("forwarding institution", 11),
		35: {Name: "track 2", Format: Format{Z, LLVAR, BCDLeft, 37}},
		36: {Name: "track 3", Format: Format{Z, LLLVAR, BCDLeft, 104}},
		37: text("reference number", ANS, 12),
		38: text("authorisation code", ANS, 6),
		39: text("response code", AN, 2),
		41: text("terminal", ANS, 8),
		42: text("merchant", ANS, 15),
		40: text("service restriction", AN, 3),
		43: text("card acceptor", ANS, 40),
		44: {Name: "additional response", Format: Format{ANS, LLVAR, ASCII, 25}},
		48: numberLLL("totals or batch details", 322),
		49: text("currency", AN, 3),
		50: text("settlement currency", AN, 3),
		51: text("billing currency", AN, 3),
		52: binary("PIN block", 8),
		53: number("security control", 16),
		54: textLLL("balances", AN, 20),
		55: binaryLLL("chip data", 255),
		58: binaryLLL("purse data", 100),
		59: binaryLLL("terminal data", 600),
		60: numberLLL("type, batch, network code", 17),
		61: numberLLL("original data", 29),
		62: binaryLLL("private", 512),
		63: textLLL("private text", ANS, 163),
		64: binary("MAC", 8),
	}}
}
