package neo2

import "posagent/txnstore/txn"

// Header opens every frame of protocol 2 (IDG 2.1).
const Header = "ViVOtech2\x00"

// Sizes of a frame, in bytes. MaxData is our bound, not the guide's: the largest answer seen in clear mode (tracks,
// clearing record and TLVs) stays under 1 KiB.
const (
	HeadSize = len(Header) + 4 // header, command, sub-command or status, length
	MaxData  = 4096
	MaxFrame = HeadSize + MaxData + 2
)

// Commands and their sub-commands (IDG table 3).
const (
	Activate    byte = 0x02 // start a card transaction; p. 208
	ActivateSub byte = 0x01 // in clear
	SealedSub   byte = 0x40 // the same for a reader that enciphers card data, whose answer begins with an Attribution

	Cancel    byte = 0x05 // stop a card transaction; p. 242
	CancelSub byte = 0x01

	Ping    byte = 0x18 // p. 42
	PingSub byte = 0x01

	Version    byte = 0x29 // firmware version text; p. 131
	VersionSub byte = 0x00

	Boot    byte = 0x14 // the reader says that it has started, with its platform name; p. 150
	BootSub byte = 0x01

	// A contact EMV transaction is three commands (p. 160, 178-189). Each is answered twice: at once with status Continues,
	// and with its result when card and reader have done it.
	Contact             byte = 0x60
	ContactStart        byte = 0x10 // power on, select the application, read its records; p. 178
	ContactAuthenticate byte = 0x11 // up to the first cryptogram; p. 185
	ContactComplete     byte = 0x12 // the issuer's data, scripts, second cryptogram; p. 189

	// What the contact side proves and chooses cards by; p. 161-163 and p. 172-175. The reader keeps it without power. Each is
	// answered once; that they might be understood first with Continues is provided for. A key travels in both directions as
	// KeyHead, 20 bytes of SHA-1, 4 of exponent, 2 of the modulus's length, and the modulus (p. 173; the layout of 60-0A itself is on
	// a page that is not public, and taken to be the same). An application is set with two bytes of its identifier's length, the
	// identifier, two of the number of objects, and these; it is read back from the number on (taken from 60-04, p. 164). Numbers
	// of two bytes in 60-xx have their low byte first.
	ContactApp       byte = 0x01 // read one, by its identifier
	ContactRemoveApp byte = 0x02
	ContactSetApp    byte = 0x03
	ContactApps      byte = 0x07 // list: how many, and for each its length and itself
	ContactKey       byte = 0x08 // read one, by its provider and index
	ContactRemoveKey byte = 0x09
	ContactSetKey    byte = 0x0A
	ContactKeys      byte = 0x0B // list: provider and index of each

	// The contactless side has a store of keys of its own; p. 247-250. A key is set as provider, index, KeyHead, 20 bytes of SHA-1, 4
	// of exponent, 2 of the modulus's length, and the modulus, and read back without provider and index. Numbers of two bytes in
	// D0-xx have their high byte first. The list is asked in two steps; that the second's answer is one byte for each index is
	// taken from the list that the maker's published SDK makes of it.
	Tap          byte = 0xD0
	TapKey       byte = 0x01 // read one, by its provider and index
	TapSetKey    byte = 0x03
	TapRemoveKey byte = 0x04
	TapProviders byte = 0x06 // list: five bytes each; none is no error
	TapIndexes   byte = 0x07 // list of one provider's

	// Asks of the reader's own, in the course of these three; p. 160 and p. 206. The terminal answers with the same command.
	Ask         byte = 0x61
	AskDisplay  byte = 0x01 // show a message, or let one be chosen
	AskPIN      byte = 0x02
	AskStripe   byte = 0x03 // a swipe from a stripe reader of the terminal's
	PassThrough byte = 0x2C
	PowerOff    byte = 0x18 // contact card power off, before the card is taken out; p. 300
	PassMode    byte = 0x01 // pass-through mode: one byte, PassStart or PassStop. Assumed, p. 282-283 only presume it

	Lamp      byte = 0x0A
	FrontLamp byte = 0x03 // the lamp in front: three bytes, where, red, green; in pass-through mode only; p. 282-283

	Buzzer     byte = 0x0B
	ShortBeeps byte = 0x01 // one byte, how many: 1 to MaxBeeps; p. 284
	LongBeep   byte = 0x02 // one byte, its length: 0 for 200 ms, and 200 ms more for each step up to MaxLong; p. 284

	Clock     byte = 0x25
	SelfCheck byte = 0x07 // the minute of the daily self-check, after which the reader starts anew; p. 118

	// Screen with ScreenSub carries one message index to be shown by the terminal of a reader without display. The
	// indexes are published (p. 124); that they arrive in a frame 03-03 is taken from practice, not from the guide.
	Screen    byte = 0x03
	ScreenSub byte = 0x03
)

// Data of PassMode, FrontLamp and Buzzer.
const (
	PassStop   byte = 0x00
	PassStart  byte = 0x01
	LampFront  byte = 0x01
	LampOff    byte = 0x00
	LampOn     byte = 0x01
	LampBlinks byte = 0x02 // every 500 ms
	MaxBeeps        = 4
	MaxLong    byte = 0x03
)

// KeyHead is hash and key algorithm of a key, SHA-1 and RSA: the only ones there are (IDG p. 173).
const KeyHead = "\x01\x01"

// MostApps is how many applications the contact side takes (IDG p. 162).
const MostApps = 16

// CardFound is the data byte of an answer 02h with status UserInterface: the reader has found a card and begins; p. 221.
const CardFound byte = 0x01

// Message indexes (IDG p. 124, control user interface).
const (
	ShowWelcome     byte = 0x00
	ShowPresent     byte = 0x01
	ShowNoCard      byte = 0x02
	ShowProcessing  byte = 0x03
	ShowThankYou    byte = 0x04
	ShowFail        byte = 0x05
	ShowAmount      byte = 0x06
	ShowBalance     byte = 0x07
	ShowUseChip     byte = 0x08
	ShowTryAgain    byte = 0x09
	ShowOneCardOnly byte = 0x0A
	ShowWait        byte = 0x0B
)

// Status codes of an answer (IDG table 6, p. 28).
const (
	OK              byte = 0x00
	UnknownCommand  byte = 0x02
	UnknownSub      byte = 0x03
	BadChecksum     byte = 0x04
	BadParameter    byte = 0x05
	Malformed       byte = 0x07
	TimedOut        byte = 0x08
	Failed          byte = 0x0A
	NotAllowed      byte = 0x0B
	UserInterface   byte = 0x0E
	WrongHash       byte = 0x17 // of a key that was set; p. 175
	Tampered        byte = 0x1D
	OnlineRequested byte = 0x23
	TapExists       byte = 0x49 // the contactless side has such a key; p. 247, and so the next three
	TapNoProvider   byte = 0x4A
	TapNoSuchKey    byte = 0x4B
	TapFull         byte = 0x4F
	NoSuchData      byte = 0x60 // nothing of the kind is in the reader; p. 162, 172-175
	Full            byte = 0x61 // 16 applications are the most that it takes; p. 163, 175
	Continues       byte = 0x63 // first answer of a contact command; p. 160
)

// Error codes of a failed card transaction (IDG table 8, p. 31-34).
const (
	CodeGoToContact byte = 0x02
	CodeCardError   byte = 0x20
	CodeCollision   byte = 0x21
	CodeOverLimit   byte = 0x22
	CodeOnline      byte = 0x23
	CodeLost        byte = 0x24
	CodeBlocked     byte = 0x25
	CodeExpired     byte = 0x26
	CodeUnsupported byte = 0x27
	CodeNoResponse  byte = 0x30
	CodeAAC         byte = 0x42
	CodeARQC        byte = 0x43
	CodeGeneric     byte = 0x62
	CodeTornLog     byte = 0x73
)

// Results of a contact command: the first two bytes of its second answer, most significant first. 0004h is printed in IDG p.
// 185; the others are named in the maker's published SDK headers (EMV_RESULT_CODE).
const (
	ResultApprovedOffline uint16 = 0x0000
	ResultDeclinedOffline uint16 = 0x0001
	ResultApproved        uint16 = 0x0002
	ResultDeclined        uint16 = 0x0003
	ResultGoOnline        uint16 = 0x0004
	ResultCallBank        uint16 = 0x0005
	ResultNotAccepted     uint16 = 0x0006
	ResultFallback        uint16 = 0x0007
	ResultTimeout         uint16 = 0x0008
	ResultAuthenticate    uint16 = 0x0010 // started; 60-11 follows
	ResultCancelled       uint16 = 0x0012
	ResultCardFailed      uint16 = 0x3002
	ResultFallbackNow     uint16 = 0x3004
	ResultCardAbsent      uint16 = 0x3005
	ResultNoApplication   uint16 = 0x5005
	ResultCardRejected    uint16 = 0x5009
	ResultCardBlocked     uint16 = 0x5023
	ResultCardLost        uint16 = 0x5025 // communication with the card failed
)

// Modes of AskDisplay (LCD_DISPLAY_MODE of the maker's published SDK headers): whether, and how, the terminal answers.
const (
	DisplayMenu     byte = 1  // with the number of what was chosen, from 1
	DisplayPrompt   byte = 2  // with PromptAccept or PromptCancel
	DisplayMessage  byte = 3  // not at all
	DisplayLanguage byte = 8  // with the number of the language, from 1
	DisplayClear    byte = 16 // not at all

	PromptAccept byte = 'E'
	PINCancelled byte = 0x00 // the first data byte of an answer to AskPIN: nobody enters one
)

// Tags that the driver or the simulated reader name. Those of EMV are from EMV Book 3 annex A; 9F63 is UnionPay's product
// identification; the rest is ViVOpay's own (IDG p. 213-220).
const (
	TagAIDCard          = 0x4F
	TagScriptBefore     = 0x71 // issuer script for before the second cryptogram
	TagScriptAfter      = 0x72 // and for after it
	TagAuthResponse     = 0x89 // authorisation code
	TagResponseCode     = 0x8A // authorisation response code, two characters
	TagIssuerAuth       = 0x91 // issuer authentication data
	TagLabel            = 0x50
	TagTrack1Equivalent = 0x56
	TagTrack2Equivalent = 0x57
	TagPAN              = 0x5A
	TagExpiry           = 0x5F24
	TagCurrency         = 0x5F2A
	TagSequence         = 0x5F34
	TagExponent         = 0x5F36
	TagAIP              = 0x82
	TagDFName           = 0x84
	TagTVR              = 0x95
	TagDate             = 0x9A
	TagType             = 0x9C
	TagAmount           = 0x9F02
	TagAmountOther      = 0x9F03
	TagAID              = 0x9F06
	TagAppVersion       = 0x9F09
	TagIssuerData       = 0x9F10
	TagPreferredName    = 0x9F12
	TagCountry          = 0x9F1A
	TagSerial           = 0x9F1E
	TagCryptogram       = 0x9F26
	TagCryptogramInfo   = 0x9F27
	TagCapabilities     = 0x9F33
	TagCVMResults       = 0x9F34
	TagTerminalType     = 0x9F35
	TagATC              = 0x9F36
	TagUnpredictable    = 0x9F37
	TagEntryMode        = 0x9F39
	TagCounter          = 0x9F41
	TagScriptResults    = 0x9F5B
	TagProduct          = 0x9F63
	TagTrack2MSD        = 0x9F6B // Mastercard magnetic stripe mode

	TagScriptSent  = 0xDF31   // issuer script results as field 55 has them (UnionPay)
	TagOutputList  = 0xDFEE1A // tags that a contact answer shall hold; p. 179
	TagAutomatic   = 0xDFEF1F // two bytes: do 60-11 by itself, and always go online; p. 179
	TagSourceOld   = 0xDF30   // in GroupVivo: where the track came from; p. 220
	TagSource      = 0xDFEE30 // the same in present firmware
	TagKSN         = 0xDFEE12 // present only if the card data is encrypted; p. 236
	TagEncryption  = 0xDFEE26 // what of an answer is encrypted, and how; p. 238
	TagEnhancedMSR = 0xDFEE23 // a swipe in the enhanced encrypted format, answer to 02-40 only; p. 238
	TagFailure     = 0xFFEE1F // why a transaction failed, in an answer to 02-40: error code, SW1, SW2, RF state; p. 232
	TagTrack1Text  = 0xDFEF17 // track 1 of a contactless magnetic stripe mode, as text; p. 213
	TagTrack2Text  = 0xDFEF18 // track 2 of one
	TagTrack1TextB = 0xFFEE13 // the same two in older firmware
	TagTrack2TextB = 0xFFEE14

	GroupClearing = 0xE1     // field 55 as the reader composed it; p. 213
	GroupVivo     = 0xFFEE01 // p. 218
	GroupRecord   = 0xFF8105 // Mastercard data record; p. 218
	GroupDiscrete = 0xFF8106 // Mastercard discretionary data; p. 218
	TagAuthCode   = 0xE300   // not BER: two bytes although E3h would be a tag by itself; p. 216
)

// AppTags are the reader's tags for what an application says, in the order of the vocabulary (IDG p. 163). What the two values of
// the selection indicator mean is assumed from the tag for contactless cards (p. 100): 01 takes longer identifiers too.
var AppTags = [txn.SaysWhats]uint32{txn.SaysVersion: 0x9F09, txn.SaysFloor: 0x9F1B, txn.SaysDDOL: 0xDF25, txn.SaysPartial: 0xDFEE15,
	txn.SaysDefault: 0xDF13, txn.SaysDenial: 0xDF14, txn.SaysOnline: 0xDF15, txn.SaysTarget: 0xDF18, txn.SaysThreshold: 0xDF17, txn.SaysMaxTarget: 0xDF19}

// Values of TagEntryMode (IDG p. 238).
const (
	ModeContact   byte = 0x05
	ModeChipTap   byte = 0x07
	ModeFallback  byte = 0x80
	ModeSwipe     byte = 0x90
	ModeStripeTap byte = 0x91
)

// Values of TagSource (IDG p. 220, 238).
const (
	SourceTap     byte = 0x00
	SourceContact byte = 0x01
	SourceSwipe   byte = 0x0C
)

// Kinds of cryptogram, the two highest bits of TagCryptogramInfo (EMV Book 3, 6.5.5.4).
const (
	CryptogramMask byte = 0xC0
	CryptogramAAC  byte = 0x00 // declined by the card
	CryptogramTC   byte = 0x40 // approved offline
	CryptogramARQC byte = 0x80 // go online
)

// CVMOnlinePIN is the verification method "enciphered PIN, verified online" (EMV Book 3 C.3).
const CVMOnlinePIN = 0x02

// The attribution byte at the head of an answer to 02-40 (IDG p. 232): where the card was read, in bits 4, 3 and 0; the cipher, in
// bits 2 and 1, of which 00 is TDES; and what is enciphered, in bits 7 (stripes) and 6 (chips). Bit 5 announces more elsewhere.
const (
	FromMask        byte = 0x19
	FromContact     byte = 0x00
	FromTap         byte = 0x01 // chip data over the air
	FromStripeTap   byte = 0x11 // a stripe over the air
	FromSwipe       byte = 0x08 // and 09h: bit 0 says nothing here
	CipherMask      byte = 0x06
	CipherTDES      byte = 0x00
	StripesSealed   byte = 0x80
	ChipsSealed     byte = 0x40
	AttributionMore byte = 0x20
)

// A swipe as a reader reports it that enciphers it, "Enhanced Encrypted MSR Data Output" of ID TECH 80000502-001, laid out in the
// maker's SREDKey 2 Integration Manual (80172501-001) p. 23-31 and shown with real bytes by Bluefin (IDTech SecuRed):
//
//	02 · length 2, low byte first · card data · XOR of it · sum of it · 03
//	card data: type · status · lengths of tracks 1, 2, 3 · sent · sealed · [n · n bytes]
//	           masked tracks · enciphered tracks, each filled up to blocks · hashes · [reader's serial 10] · [key's serial 10]
const (
	SwipeStart byte = 0x02
	SwipeEnd   byte = 0x03
	SwipeHead       = 7
	SwipeFrame      = 6 // bytes around the card data

	SwipeBank     byte = 0x80 // type: a financial card (ISO/ABA)
	SwipeOptions  byte = 0x40 // status: n bytes of options follow the head
	SwipeTracks        = 3
	SwipeFixedKey byte = 0x08 // sent: the key is fixed, no DUKPT. Bits 0 to 2: that track's mask is there
	SwipeAES      byte = 0x10
	SwipeChip     byte = 0x20 // the service code says that the card has a chip. Assumed, see package reader
	SwipeReader   byte = 0x80 // the reader's serial number is there

	SwipeHashes  byte = 0x38 // sealed: bit 3 to 5, that track's hash is there. Bits 0 to 2: that track is there, enciphered
	SwipeSession byte = 0x40 // a session's number is there
	SwipeKSN     byte = 0x80 // the key's serial number is there

	SwipeLongHash byte = 0x01 // first option: hashes are SHA-256, of 32 bytes; otherwise of 20
	SwipeOther    byte = 0x02 // the cipher is named by further bits
	SwipeMAC      byte = 0x20 // a MAC is behind the key's serial number
	HashSize           = 20
	LongHashSize       = 32
	SerialSize         = 10
)
