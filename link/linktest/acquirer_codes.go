package linktest

import (
	"slices"

	"posagent/link/iso8583"
)

// Message types (ISO 8583:1987) as the direct-connection POS dialect uses them.
const (
	mtiRequest  = "0200" // a sale, or the void of one, as field 60.1 says
	mtiRefund   = "0220"
	mtiReversal = "0400"
	mtiSettle   = "0500"
	mtiUpload   = "0320"
	mtiSignIn   = "0800"
	mtiManage   = "0820"
)

// Types of transaction (field 60.1).
const (
	typeBalance = "01"
	typeSale    = "22"
	typeVoid    = "23"
	typeRefund  = "25"
)

// kindOf is what a row calls a type of transaction; processing is the field 3 that goes with it.
func kindOf(private string) (kind Kind, processing string) {
	switch private {
	case typeVoid:
		return Void, "200000"
	case typeRefund:
		return Refund, "200000"
	default:
		return Sale, "000000"
	}
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
