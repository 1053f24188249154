package words

import (
	"strings"

	"posagent/txnstore/txn"
)

// The words of a slip stand on one page, for a translator or a bank's certification.

// Both joins the pair for one line.
func (p Pair) Both() string { return p.Line(Bilingual) }

// Line is the pair for one line of a slip in a language.
func (p Pair) Line(l Language) string { return strings.Join(p.In(l), " ") }

// Titles and marks.
var (
	SaleTitle     = Pair{"POS签购单", "SALES SLIP"}
	ReversalTitle = Pair{"冲正通知", "REVERSAL NOTICE"}
	SuspenseTitle = Pair{"结果未知", "RESULT UNKNOWN"}
	DuplicateMark = Pair{"重打印", "DUPLICATE"}
	CodeLabel     = Pair{"扫码查询本笔交易", "SCAN TO LOOK THIS UP"}
	NotAReceipt   = Pair{"本单不是付款凭证", "NOT A RECEIPT OF PAYMENT"}
	Interrupted   = Pair{"打印中断 此联作废", "INTERRUPTED - THIS SLIP IS VOID"}
)

// What a chip card has certified goes by these letters in every language (EMV Book 3, annex A).
var (
	CertificateLabel  = Pair{EN: "TC"}
	VerificationLabel = Pair{EN: "TVR"}
	CounterLabel      = Pair{EN: "ATC"}
)

// Labels of the rows.
var (
	MerchantNo      = Pair{"商户编号", "MERCHANT NO"}
	TerminalNo      = Pair{"终端编号", "TERMINAL NO"}
	OperatorNo      = Pair{"操作员号", "OPERATOR NO"}
	CardNo          = Pair{"卡号", "CARD NO"}
	PlatformName    = Pair{"支付平台", "PAID WITH"}
	PayCodeNo       = Pair{"付款码", "PAYMENT CODE"}
	IssuerName      = Pair{"发卡行", "ISSUER"}
	AcquirerName    = Pair{"收单行", "ACQUIRER"}
	KindLabel       = Pair{"交易类型", "TYPE"}
	BatchNo         = Pair{"批次号", "BATCH NO"}
	VoucherNo       = Pair{"凭证号", "VOUCHER NO"}
	AuthCode        = Pair{"授权码", "AUTH NO"}
	Reference       = Pair{"参考号", "REF NO"}
	DateTime        = Pair{"日期/时间", "DATE/TIME"}
	AmountLabel     = Pair{"金额", "AMOUNT"}
	AidLabel        = Pair{"应用标识", "AID"}
	AppLabel        = Pair{"应用标签", "APP LABEL"}
	SequenceNo      = Pair{"卡序列号", "CARD SEQ NO"}
	OrderNo         = Pair{"订单号", "ORDER NO"}
	NoteLabel       = Pair{"备注", "NOTE"}
	SignatureLabel  = Pair{"持卡人签名", "CARDHOLDER SIGNATURE"}
	OriginalKind    = Pair{"原交易类型", "ORIGINAL TYPE"}
	OriginalVoucher = Pair{"原凭证号", "ORIGINAL VOUCHER"}
	OriginalTime    = Pair{"原交易时间", "ORIGINAL TIME"}
	OriginalAmount  = Pair{"原交易金额", "ORIGINAL AMOUNT"}
	ReasonLabel     = Pair{"冲正原因", "REASON"}
	LastAnswer      = Pair{"应答码", "RESPONSE"}
	DoubtfulAmount  = Pair{"待确认金额", "AMOUNT IN DOUBT"}
	AuthMode        = Pair{"授权方式", "AUTHORISED BY"}
	AuthUnit        = Pair{"授权机构", "AUTHORISER"}
	ApproverNo      = Pair{"主管号", "SUPERVISOR NO"}
	OriginalRef     = Pair{"原参考号", "ORIGINAL REF"}
	OriginalAuth    = Pair{"原授权码", "ORIGINAL AUTH"}
	OriginalBatch   = Pair{"原批次号", "ORIGINAL BATCH"}
	OriginalDate    = Pair{"原交易日期", "ORIGINAL DATE"}
	GivenBack       = Pair{"退回金额", "AMOUNT GIVEN BACK"}
)

// Sentences.
var (
	Agreement      = Pair{"本人确认以上交易同意记入本卡账户", "I ACKNOWLEDGE THIS TRANSACTION AND AGREE TO PAY THE ABOVE AMOUNT FROM THIS CARD"}
	NotSuccessful  = Pair{"本笔交易未成功", "THIS PAYMENT WAS NOT MADE"}
	NotCharged     = Pair{"款项未扣/已退回", "NOT CHARGED"}
	NeitherProves  = Pair{"银行结果未知，正在确认", "THE RESULT AT THE BANK IS NOT KNOWN YET AND IS BEING CONFIRMED"}
	VoidNotDone    = Pair{"本笔撤销未成功", "THIS VOID WAS NOT MADE"}
	SaleStands     = Pair{"原消费仍有效", "THE SALE STANDS"}
	MoneyBack      = Pair{"款项退回持卡人账户", "THE MONEY GOES BACK TO THE CARD'S ACCOUNT"}
	PaidBack       = Pair{"款项退回原付款账户", "THE MONEY GOES BACK TO THE ACCOUNT THAT PAID"}
	ToBeTold       = Pair{"待上送收单行，无需重复操作", "RECORDED, STILL TO BE SENT TO THE ACQUIRER. DO NOT DO IT AGAIN"}
	DoNotUndo      = Pair{"请勿重复操作", "DO NOT REPEAT IT"}
	BackAgreement  = Pair{"本人确认以上款项退回本卡账户", "I ACKNOWLEDGE THAT THE ABOVE AMOUNT GOES BACK TO THIS CARD"}
	HoldAgreement  = Pair{"本人同意在本卡上冻结以上额度", "I AGREE THAT THE ABOVE AMOUNT IS HELD ON THIS CARD"}
	FreeAgreement  = Pair{"本人确认以上额度已解除冻结", "I ACKNOWLEDGE THAT THE ABOVE AMOUNT IS NO LONGER HELD"}
	DoNotSwipe     = Pair{"请勿重刷", "DO NOT PAY AGAIN"}
	DoNotPayAgain  = Pair{"请勿重复付款", "DO NOT PAY AGAIN"}
	CallAcquirer   = Pair{"商户请致电收单行，并报以下信息：", "MERCHANT: CALL ACQUIRER, QUOTE:"}
	CustomerAdvice = Pair{"持卡人请保留本单，如已扣款请联系发卡行", "CARDHOLDER: KEEP THIS NOTE. IF YOU WERE CHARGED, CONTACT YOUR BANK"}
)

// OfPlatform is the name of a payment platform as customers know it, where this version does.
func OfPlatform(name string) Pair {
	switch name {
	case "wechat":
		return Pair{"微信支付", "WeChat Pay"}
	case "alipay":
		return Pair{"支付宝", "Alipay"}
	case "unionpay":
		return Pair{"银联二维码", "UnionPay QR"}
	default:
		return Pair{ZH: name}
	}
}

// OfCopy names a paper copy, and OfKind a transaction type, where this version knows it.
func OfCopy(c txn.Copy) (Pair, bool) {
	switch c {
	case txn.MerchantCopy:
		return Pair{"商户存根", "MERCHANT COPY"}, true
	case txn.CustomerCopy:
		return Pair{"持卡人存根", "CUSTOMER COPY"}, true
	}
	return Pair{}, false
}

func OfKind(k txn.Kind) (Pair, bool) {
	switch k {
	case txn.Sale:
		return Pair{"消费", "SALE"}, true
	case txn.Void:
		return Pair{"消费撤销", "VOID"}, true
	case txn.Refund:
		return Pair{"退货", "REFUND"}, true
	}
	t, known := tradeOf(k)
	return t.name, known
}

// OfMode says how the authorisation of an offline sale was given.
func OfMode(mode string) Pair {
	switch mode {
	case "":
		return Pair{}
	case txn.ByTelephone:
		return Pair{"电话", "TELEPHONE"}
	}
	return Pair{"方式 " + mode, "MODE " + mode}
}

// OfReason says why a transaction was undone, for people. A reason this version does not know is shown as it is.
func OfReason(r txn.Reason) Pair {
	switch r {
	case txn.NoAnswer:
		return Pair{"银行未在规定时间内应答", "NO ANSWER FROM THE BANK IN TIME"}
	case txn.NotDone:
		return Pair{"终端未能完成交易", "THE TERMINAL COULD NOT FINISH"}
	case txn.BadMAC:
		return Pair{"应答校验不符", "THE ANSWER FAILED ITS CHECK"}
	case txn.OtherCause:
		return Pair{"通讯或应答异常", "LINE OR ANSWER FAULT"}
	case "":
		return Pair{"未记录", "NOT RECORDED"}
	}
	return Pair{"代码 " + string(r), "CODE " + string(r)}
}
