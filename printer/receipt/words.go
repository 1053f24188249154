package receipt

import "posagent/txnstore/txn"

// words is a fixed wording in the two languages of a slip. This file holds them all, so that a translator or a bank's
// certification reads one page.
type words struct{ zh, en string }

// both joins the pair for one line.
func (w words) both() string {
	if w.en == "" {
		return w.zh
	}
	return w.zh + " " + w.en
}

// Titles and marks.
var (
	saleTitle     = words{"POS签购单", "SALES SLIP"}
	reversalTitle = words{"冲正通知", "REVERSAL NOTICE"}
	suspenseTitle = words{"结果未知", "RESULT UNKNOWN"}
	duplicateMark = words{"重打印", "DUPLICATE"}
	notAReceipt   = words{"本单不是付款凭证", "NOT A RECEIPT OF PAYMENT"}
	interrupted   = words{"打印中断 此联作废", "INTERRUPTED - THIS SLIP IS VOID"}
)

// Labels of the rows.
var (
	merchantNo      = words{"商户编号", "MERCHANT NO"}
	terminalNo      = words{"终端编号", "TERMINAL NO"}
	operatorNo      = words{"操作员号", "OPERATOR NO"}
	cardNo          = words{"卡号", "CARD NO"}
	issuerName      = words{"发卡行", "ISSUER"}
	acquirerName    = words{"收单行", "ACQUIRER"}
	kindLabel       = words{"交易类型", "TYPE"}
	batchNo         = words{"批次号", "BATCH NO"}
	voucherNo       = words{"凭证号", "VOUCHER NO"}
	authCode        = words{"授权码", "AUTH NO"}
	reference       = words{"参考号", "REF NO"}
	dateTime        = words{"日期/时间", "DATE/TIME"}
	amountLabel     = words{"金额", "AMOUNT"}
	aidLabel        = words{"应用标识", "AID"}
	appLabel        = words{"应用标签", "APP LABEL"}
	orderNo         = words{"订单号", "ORDER NO"}
	noteLabel       = words{"备注", "NOTE"}
	signatureLabel  = words{"持卡人签名", "CARDHOLDER SIGNATURE"}
	originalKind    = words{"原交易类型", "ORIGINAL TYPE"}
	originalVoucher = words{"原凭证号", "ORIGINAL VOUCHER"}
	originalTime    = words{"原交易时间", "ORIGINAL TIME"}
	originalAmount  = words{"原交易金额", "ORIGINAL AMOUNT"}
	reasonLabel     = words{"冲正原因", "REASON"}
	lastAnswer      = words{"应答码", "RESPONSE"}
	doubtfulAmount  = words{"待确认金额", "AMOUNT IN DOUBT"}
)

// Sentences.
var (
	agreement      = words{"本人确认以上交易同意记入本卡账户", "I ACKNOWLEDGE THIS TRANSACTION AND AGREE TO PAY THE ABOVE AMOUNT FROM THIS CARD"}
	notSuccessful  = words{"本笔交易未成功", "THIS PAYMENT WAS NOT MADE"}
	notCharged     = words{"款项未扣/已退回", "NOT CHARGED"}
	neitherProves  = words{"银行结果未知，正在确认", "THE RESULT AT THE BANK IS NOT KNOWN YET AND IS BEING CONFIRMED"}
	doNotSwipe     = words{"请勿重刷", "DO NOT PAY AGAIN"}
	callAcquirer   = words{"商户请致电收单机构，并报以下信息", "MERCHANT: CALL THE ACQUIRER AND QUOTE"}
	customerAdvice = words{"持卡人请保留本单，如已扣款请联系发卡行", "CARDHOLDER: KEEP THIS NOTE. IF YOU WERE CHARGED, CONTACT YOUR BANK"}
)

func copyWords(c txn.Copy) (words, bool) {
	switch c {
	case txn.MerchantCopy:
		return words{"商户存根", "MERCHANT COPY"}, true
	case txn.CustomerCopy:
		return words{"持卡人存根", "CUSTOMER COPY"}, true
	}
	return words{}, false
}

func kindWords(k txn.Kind) (words, bool) {
	if k == txn.Sale {
		return words{"消费", "SALE"}, true
	}
	return words{}, false
}

// reasonWords says why a transaction was undone, for people. A reason this version does not know is shown as it is.
func reasonWords(r txn.Reason) words {
	switch r {
	case txn.NoAnswer:
		return words{"银行未在规定时间内应答", "NO ANSWER FROM THE BANK IN TIME"}
	case txn.NotDone:
		return words{"终端未能完成交易", "THE TERMINAL COULD NOT FINISH"}
	case txn.BadMAC:
		return words{"应答校验不符", "THE ANSWER FAILED ITS CHECK"}
	case txn.OtherCause:
		return words{"通讯或应答异常", "LINE OR ANSWER FAULT"}
	case "":
		return words{"未记录", "NOT RECORDED"}
	}
	return words{"代码", string(r)}
}

// entryLetter is how the card was read, as slips write it after the number.
func entryLetter(e txn.Entry) string {
	switch e {
	case txn.Swiped:
		return " /S"
	case txn.Inserted:
		return " /I"
	case txn.Contactless, txn.Tapped:
		return " /C"
	case txn.Keyed:
		return " /K"
	}
	return ""
}

// currencyMark is what slips write before an amount: the yuan is RMB in the trade, the others go by their letters.
func currencyMark(c txn.Currency) string {
	if c.Letters == "CNY" {
		return "RMB"
	}
	return c.Letters
}
