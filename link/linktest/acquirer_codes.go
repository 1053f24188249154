package linktest

import (
	"slices"

	"posagent/link/iso8583"
)

// Message types (ISO 8583:1987) as the direct-connection POS dialect uses them.
const (
	mtiHold     = "0100" // a pre-authorisation, or its cancellation
	mtiRequest  = "0200" // a sale, a completion, or what undoes one, as field 60.1 says
	mtiAdvice   = "0220"
	mtiReversal = "0400"
	mtiSettle   = "0500"
	mtiUpload   = "0320"
	mtiSignIn   = "0800"
	mtiManage   = "0820"
)

// Types of transaction (field 60.1).
const (
	typeBalance          = "01"
	typePreAuth          = "10"
	typePreAuthCancel    = "11"
	typeCompletion       = "20"
	typeCompletionCancel = "21"
	typeSale             = "22"
	typeVoid             = "23"
	typeCompletionNotice = "24"
	typeRefund           = "25"
	typeOfflineSale      = "30"
)

// form is how a type of transaction is written: what a row calls it, the message it travels in, fields 3 and 25, and what it
// must and may carry beside the fields of its message.
type form struct {
	kind                       Kind
	mti, processing, condition string
	must, may                  string
}

// forms are those of the direct-connection POS dialect, by field 60.1.
var forms = map[string]form{
	typeSale:             {Sale, mtiRequest, "000000", "00", "", ""},
	typeVoid:             {Void, mtiRequest, "200000", "00", "37 61", "38"},
	typeRefund:           {Refund, mtiAdvice, "200000", "00", "37 61 63", ""},
	typePreAuth:          {PreAuth, mtiHold, "030000", "06", "", ""},
	typePreAuthCancel:    {PreAuthCancel, mtiHold, "200000", "06", "38 61", ""},
	typeCompletion:       {Completion, mtiRequest, "000000", "06", "38 61", ""},
	typeCompletionCancel: {CompletionCancel, mtiRequest, "200000", "06", "37 38 61", ""},
	typeCompletionNotice: {CompletionNotice, mtiAdvice, "000000", "06", "38 61", ""},
	typeOfflineSale:      {OfflineSale, mtiAdvice, "000000", "00", "38 61 63", ""},
}

// formOf finds the form of a message. A type that is none, or travels in another message, is a sale that fails its checks.
func formOf(m *iso8583.Message) form {
	if f, known := forms[typeOf(m)]; known {
		return f
	}
	return forms[typeSale]
}

// typeOf reads field 60.1.
func typeOf(m *iso8583.Message) string {
	private := m.Get(60)
	return private[:min(2, len(private))]
}

// Response codes that this acquirer gives by itself.
const (
	codeApproved    = "00"
	codeCallIssuer  = "01" // of a reversal: the original was refused
	codeNoMerchant  = "03"
	codePartial     = "10"
	codeBadTerms    = "12" // a message type or processing code that it does not serve
	codeNoCard      = "14"
	codeNoOriginal  = "25"
	codeFormat      = "30"
	codeNoFunds     = "51"
	codeExpired     = "54"
	codeWrongPIN    = "55"
	codeOtherAmount = "64"
	codeBatch       = "77"
	codeDuplicate   = "94"
	codeSystem      = "96"
	codeNoTerminal  = "97"
	codeMAC         = "A0"
)

// approves lists the codes after which the money is held.
func approves(code string) bool {
	return slices.Contains([]string{"00", "10", "11", "A2", "A4", "A5", "A6"}, code)
}

// reversalReason knows the reasons that a reversal may carry in field 39.
func reversalReason(code string) bool {
	return slices.Contains([]string{"98", "96", "A0", "06"}, code)
}
