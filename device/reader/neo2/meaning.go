package neo2

import "fmt"

// What the numbers of wire.go mean, in words for people.

var statuses = map[byte]string{
	OK:              "OK",
	0x01:            "incorrect header",
	UnknownCommand:  "unknown command",
	UnknownSub:      "unknown sub-command",
	BadChecksum:     "checksum error in the command",
	BadParameter:    "incorrect parameter",
	0x06:            "parameter not supported",
	Malformed:       "malformed data",
	TimedOut:        "no card in time",
	Failed:          "failed",
	NotAllowed:      "command not allowed",
	0x0C:            "sub-command not allowed",
	0x0D:            "data too long for the reader",
	UserInterface:   "user interface event",
	0x10:            "boot loader: clear firmware needed",
	0x11:            "communication type not supported",
	0x12:            "secure interface not working",
	0x19:            "frame too large",
	0x1C:            "card command could not be encoded",
	WrongHash:       "the key does not agree with its hash",
	Tampered:        "tamper detected",
	OnlineRequested: "online authorization requested",
	0x42:            "data of a key invalid",
	TapExists:       "the key is there already",
	TapNoProvider:   "no room for another provider",
	TapNoSuchKey:    "no such key in the reader",
	TapFull:         "all key slots are full",
	NoSuchData:      "no such data in the reader",
	Full:            "the reader's list is full",
	Continues:       "understood, the result follows",
}

// KnownStatus reports whether the guide gives the status a meaning that this program may meet.
func KnownStatus(status byte) bool { return statuses[status] != "" }

// StatusText is the meaning of a status code, or says that it has none.
func StatusText(status byte) string {
	if text := statuses[status]; text != "" {
		return text
	}
	return "not a status of this protocol"
}

var codes = map[byte]string{
	0x01:            "command out of sequence",
	CodeGoToContact: "use the contact interface",
	0x03:            "amount is zero",
	CodeCardError:   "the card answered with an error",
	CodeCollision:   "more than one card in the field",
	CodeOverLimit:   "amount over the contactless limit",
	CodeOnline:      "online authorization requested",
	CodeLost:        "the card left the field",
	CodeBlocked:     "card blocked or not supported by the reader's settings",
	CodeExpired:     "card expired",
	CodeUnsupported: "card type not supported",
	CodeNoResponse:  "the card did not respond",
	CodeAAC:         "the card declined",
	CodeARQC:        "the card asked to go online and the reader is set offline only",
	0x44:            "card does not support the data authentication asked for",
	0x50:            "data authentication: certification authority key missing in the reader",
	0x51:            "data authentication: issuer key could not be recovered",
	0x52:            "data authentication: static data wrong",
	0x53:            "data authentication: card key could not be recovered",
	0x54:            "data authentication: dynamic signature wrong",
	0x55:            "processing restrictions failed",
	0x56:            "terminal risk management failed",
	0x57:            "cardholder verification failed",
	0x58:            "terminal action analysis failed",
	CodeGeneric:     "general error",
	CodeTornLog:     "torn transaction log could not be cleaned",
	0x80:            "no merchant configured in the reader",
	0x81:            "card data is not TLV",
	0x83:            "reader memory error",
	0x85:            "application version wrong",
}

// CodeText is the meaning of an error code, or its number.
func CodeText(code byte) string {
	if text := codes[code]; text != "" {
		return text
	}
	return fmt.Sprintf("error code %02Xh", code)
}

var results = map[uint16]string{
	ResultApprovedOffline: "the card approved offline",
	ResultDeclinedOffline: "the card declined offline",
	ResultApproved:        "approved",
	ResultDeclined:        "declined",
	ResultGoOnline:        "go online",
	ResultCallBank:        "call the bank",
	ResultNotAccepted:     "not accepted",
	ResultFallback:        "the chip cannot be used",
	ResultTimeout:         "no card in time",
	ResultAuthenticate:    "started",
	ResultCancelled:       "cancelled",
	ResultCardFailed:      "the card failed",
	ResultFallbackNow:     "the chip cannot be used",
	ResultCardAbsent:      "no card in the slot",
	ResultNoApplication:   "no application in common",
	ResultCardRejected:    "the card was rejected",
	ResultCardBlocked:     "card blocked",
	ResultCardLost:        "communication with the card failed",
}

// ResultText is the meaning of a contact result, or its number.
func ResultText(result uint16) string {
	if text := results[result]; text != "" {
		return text
	}
	return fmt.Sprintf("result %04Xh", result)
}

// RF state codes: which card command failed (IDG table 9; names as in ID TECH's published SDK headers).
var states = [...]string{"", "PPSE", "SELECT", "GET PROCESSING OPTIONS", "READ RECORD", "GENERATE AC",
	"COMPUTE CRYPTOGRAPHIC CHECKSUM", "INTERNAL AUTHENTICATE", "static data authentication", "dynamic data authentication"}

// StateText names the step between reader and card in which it failed; empty for "not known".
func StateText(rf byte) string {
	if int(rf) < len(states) {
		return states[rf]
	}
	return fmt.Sprintf("RF state %02Xh", rf)
}
