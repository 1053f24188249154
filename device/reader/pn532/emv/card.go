package emv

// Commands of a card (ISO/IEC 7816-4; EMV Book 3, 6.5; EMV Book 1, 11.3).
const (
	claISO, claEMV byte = 0x00, 0x80

	insSelect       byte = 0xA4
	insGetOptions   byte = 0xA8
	insReadRecord   byte = 0xB2
	insGetResponse  byte = 0xC0
	selectByName    byte = 0x04
	recordOfFile    byte = 0x04 // low bits of P2: P1 is a record's number
	commandTemplate byte = 0x83 // around the objects that the card asked for

	directory         = "2PAY.SYS.DDF01"
	formatOneTemplate = 0x80
	formatTwoTemplate = 0x77
	maxFile           = 30  // SFI, EMV Book 3, 5.3.2
	maxDOL            = 252 // what fits into a short command with its template
)

// Status words (ISO/IEC 7816-4, 5.1.3; EMV Contactless Books B and C).
const (
	sw1MoreWaits   byte = 0x61
	sw1OtherLength byte = 0x6C

	swOK              = 0x9000
	swNotFound        = 0x6A82
	swSelectedBlocked = 0x6283
	swBlocked         = 0x6A81
	swConditions      = 0x6985
	swOtherInterface  = 0x6984
	swLookAtPhone     = 0x6986
)

// Bounds of what a card may say, chosen by us.
const (
	maxApplications = 8
	maxRecords      = 32
	maxAnswer       = 1024 // bytes to one command
	maxRounds       = 4    // exchanges for one command
	maxRank         = 16   // an application without priority comes last
)

// Tags (EMV Book 3 annex A; EMV Contactless Book B for the directory).
const (
	TagDirectoryEntry = 0x61
	TagApplication    = 0x4F
	TagLabel          = 0x50
	TagTrack2         = 0x57
	TagPAN            = 0x5A
	TagFCI            = 0x6F
	TagRecord         = 0x70
	TagDFName         = 0x84
	TagPriority       = 0x87
	TagAFL            = 0x94
	TagAIP            = 0x82
	TagProprietary    = 0xA5
	TagExpiry         = 0x5F24
	TagCurrency       = 0x5F2A
	TagSequence       = 0x5F34
	TagDate           = 0x9A
	TagType           = 0x9C
	TagAmount         = 0x9F02
	TagCountry        = 0x9F1A
	TagTerminalType   = 0x9F35
	TagPDOL           = 0x9F38
	TagTTQ            = 0x9F66
	TagTrack2Stripe   = 0x9F6B // Mastercard's stripe mode
	TagDiscretionary  = 0xBF0C
	terminalType      = 0x22 // attended, of a merchant, online with offline capability
)

// qualifiers is 9F66: stripe and chip mode, online cryptogram wanted, so that a card shows its records (EMV Contactless
// Book A, 5.7).
var qualifiers = [4]byte{0xA0, 0x80, 0x00, 0x00}

// statusText is what a card's status words mean.
func statusText(sw int) string {
	switch sw {
	case swNotFound:
		return "not found"
	case swBlocked, swSelectedBlocked:
		return "blocked"
	case swConditions:
		return "conditions are not met"
	case swOtherInterface:
		return "use another interface"
	case swLookAtPhone:
		return "look at the phone"
	default:
		return "refused"
	}
}
