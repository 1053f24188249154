package linktest

import "slices"

// Message types (ISO 8583:1987) as the direct-connection POS dialect uses them.
const (
	mtiSale     = "0200"
	mtiReversal = "0400"
	mtiSignIn   = "0800"
	mtiManage   = "0820"
)

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
