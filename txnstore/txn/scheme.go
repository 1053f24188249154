package txn

import "fmt"

// What chip cards are proven and chosen by is public, comes from the acquirer, and lives in the card reader. It is spoken of here
// in rows that belong to neither dialect: the acquirer's tags end in package acquirer, the reader's begin in package reader.
//
//	a key           name: provider 5 bytes, index 1        says: SHA-1 20 bytes, exponent 4, modulus
//	an application  name: its identifier, 5 to 16 bytes    says: what 1 byte, length 1, value; again and again

// SchemeRow is a key of a card scheme's certification authority (EMV Book 2, 11.2.2), or how a terminal deals with one application
// of chip cards (EMV Book 4, 10.2).
type SchemeRow struct {
	Name []byte `json:"name"`
	Says []byte `json:"says"`
}

// Sizes of names, in bytes (ISO/IEC 7816-5), and where the parts of a key stand.
const (
	RIDSize  = 5           // registered application provider identifier
	KeyName  = RIDSize + 1 // with the index
	LeastAID = 5
	MostAID  = 16

	KeyExponent = 20
	KeyModulus  = KeyExponent + 4
)

// What a row of an application says. What is left out leaves the reader its own.
const (
	SaysVersion   = iota // 2 bytes
	SaysFloor            // limit in minor units, binary, 4 bytes
	SaysDDOL             // data for a card that has no list of its own
	SaysPartial          // 1 takes cards with a longer identifier too, 0 does not
	SaysDefault          // terminal action codes, 5 bytes
	SaysDenial           //
	SaysOnline           //
	SaysTarget           // percent chosen at random, two decimal digits
	SaysThreshold        // for that, minor units, binary, 4 bytes
	SaysMaxTarget        // percent
	SaysWhats            // how many there are
)

// String is the name in hexadecimal.
func (r SchemeRow) String() string { return fmt.Sprintf("%X", r.Name) }

// Each visits what an application says. A row that is cut ends there.
func (r SchemeRow) Each(visit func(what byte, value []byte)) {
	for rest := r.Says; len(rest) >= 2 && len(rest)-2 >= int(rest[1]); rest = rest[2+int(rest[1]):] {
		visit(rest[0], rest[2:2+int(rest[1])])
	}
}
