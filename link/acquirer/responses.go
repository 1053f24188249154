package acquirer

// Class says what a response code asks of the terminal and the person before it.
type Class byte

const (
	Success    Class = 'A' // the money is held
	MayRetry   Class = 'B' // refused; another try may succeed
	DoNotRetry Class = 'C' // refused; the same try will be refused again
	Operator   Class = 'D' // refused; a person must act: keep the card, call somebody
	SystemDown Class = 'E' // refused; the network is at fault
)

// Response is one row of the table of field 39.
type Response struct {
	Code    string
	Class   Class
	zh, en  string // cause, for the person at the terminal
	doZH    string // what to do, when the cause does not say it
	doEN    string
	signIn  bool // the acquirer no longer accepts our working keys or batch: sign in before the next message
	unclear bool // neither an approval we can keep nor a refusal: the sale must be reversed
}

// Approved reports whether the money is held for the merchant. It follows from the class alone, but 10 (part of the
// amount approved) is no approval here, because a sale knows one amount only: it is unclear, and reversed.
func (r Response) Approved() bool { return r.Class == Success && !r.unclear }

// responses is the table of the direct-connection POS dialect. Every code that is not in it is a refusal.
//
// Published copies of this table exist in which the rows of 03 and 04 have slipped, so that 04, keep the card, reads as
// a success. The test of this file pins each success by name.
var responses = [...]Response{
	{Code: "00", Class: Success, zh: "交易成功", en: "approved"},
	{Code: "01", Class: DoNotRetry, zh: "请持卡人与发卡银行联系", en: "cardholder must call the issuer"},
	{Code: "02", Class: DoNotRetry, zh: "交易失败，请联系发卡行", en: "call the issuer, special condition"},
	{Code: "03", Class: DoNotRetry, zh: "无效商户", en: "merchant not valid", doZH: "请联系收单行", doEN: "call the acquirer"},
	{Code: "04", Class: Operator, zh: "此卡被没收", en: "card to be kept", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "05", Class: DoNotRetry, zh: "持卡人认证失败", en: "not honoured by the issuer"},
	{Code: "06", Class: SystemDown, zh: "出错，请联系发卡行", en: "error, call the issuer"},
	{Code: "07", Class: Operator, zh: "没收卡，请联系收单行", en: "card to be kept, special condition", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "09", Class: MayRetry, zh: "交易处理中", en: "still being processed", doZH: "将自动冲正", doEN: "it is being reversed", unclear: true},
	{Code: "10", Class: Success, zh: "部分金额承兑", en: "only part of the amount approved", doZH: "将自动冲正，请换卡", doEN: "it is being reversed, use another card", unclear: true},
	{Code: "11", Class: Success, zh: "交易成功，VIP客户", en: "approved, VIP"},
	{Code: "12", Class: DoNotRetry, zh: "无效交易", en: "transaction not valid"},
	{Code: "13", Class: MayRetry, zh: "无效金额", en: "amount not valid"},
	{Code: "14", Class: MayRetry, zh: "无效卡号", en: "card number not valid", doZH: "请换卡", doEN: "use another card"},
	{Code: "15", Class: DoNotRetry, zh: "此卡无对应发卡方", en: "no such issuer"},
	{Code: "19", Class: DoNotRetry, zh: "刷卡读取数据有误，请重做", en: "card data not readable, start again"},
	{Code: "20", Class: DoNotRetry, zh: "无效应答", en: "response not valid"},
	{Code: "21", Class: DoNotRetry, zh: "该卡未初始化或睡眠卡", en: "card not initialised or asleep"},
	{Code: "22", Class: DoNotRetry, zh: "操作有误，或超出交易允许天数", en: "wrong operation, or too many days passed", signIn: true},
	{Code: "25", Class: DoNotRetry, zh: "没有原始交易，请联系发卡方", en: "original transaction not found"},
	{Code: "30", Class: DoNotRetry, zh: "报文格式错误", en: "message format refused", doZH: "请联系收单行", doEN: "call the acquirer"},
	{Code: "33", Class: Operator, zh: "过期卡，请没收", en: "expired card to be kept", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "34", Class: Operator, zh: "作弊卡，请没收", en: "suspected fraud", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "35", Class: Operator, zh: "请没收卡片，与收单行联系", en: "card to be kept, call the acquirer", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "36", Class: Operator, zh: "受限制的卡，请没收", en: "restricted card to be kept", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "37", Class: Operator, zh: "风险卡，请没收", en: "risk card to be kept", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "38", Class: Operator, zh: "密码错误次数超限", en: "PIN tries exceeded", doZH: "请与发卡方联系", doEN: "cardholder must call the issuer"},
	{Code: "40", Class: DoNotRetry, zh: "发卡方不支持的交易类型", en: "not supported by the issuer"},
	{Code: "41", Class: Operator, zh: "挂失卡，请没收", en: "lost card", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "42", Class: MayRetry, zh: "无效账户", en: "account not valid"},
	{Code: "43", Class: Operator, zh: "被窃卡，请没收", en: "stolen card", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "51", Class: DoNotRetry, zh: "可用余额不足", en: "not enough funds", doZH: "请换卡", doEN: "use another card"},
	{Code: "54", Class: DoNotRetry, zh: "该卡已过期", en: "card expired", doZH: "请换卡", doEN: "use another card"},
	{Code: "55", Class: DoNotRetry, zh: "密码错", en: "wrong PIN"},
	{Code: "57", Class: DoNotRetry, zh: "不允许此卡交易", en: "not allowed for this card"},
	{Code: "58", Class: DoNotRetry, zh: "发卡方不允许该卡在本终端进行此交易", en: "not allowed at this terminal", doZH: "请联系收单行", doEN: "call the acquirer"},
	{Code: "59", Class: DoNotRetry, zh: "卡片校验错", en: "card check value wrong"},
	{Code: "61", Class: DoNotRetry, zh: "交易金额超限", en: "amount limit exceeded"},
	{Code: "62", Class: DoNotRetry, zh: "受限制的卡", en: "restricted card"},
	{Code: "63", Class: DoNotRetry, zh: "违反安全保密规定", en: "security violation"},
	{Code: "64", Class: DoNotRetry, zh: "交易金额与原交易不匹配", en: "amount differs from the original"},
	{Code: "65", Class: DoNotRetry, zh: "超出消费次数限制", en: "count limit exceeded"},
	{Code: "67", Class: Operator, zh: "请没收卡片", en: "card to be kept", doZH: "请保留卡片", doEN: "keep the card"},
	{Code: "68", Class: DoNotRetry, zh: "交易超时，请重试", en: "issuer answered late"},
	{Code: "75", Class: DoNotRetry, zh: "密码错误次数超限", en: "PIN tries exceeded", doZH: "请与发卡方联系", doEN: "cardholder must call the issuer"},
	{Code: "77", Class: MayRetry, zh: "批次号不一致，请重新签到", en: "batch number differs", doZH: "将自动签到后重试", doEN: "signing in again, then retry", signIn: true},
	{Code: "90", Class: DoNotRetry, zh: "系统日切，请稍后重试", en: "day change in progress, retry later"},
	{Code: "91", Class: DoNotRetry, zh: "发卡方状态不正常，请稍后重试", en: "issuer not available, retry later"},
	{Code: "92", Class: DoNotRetry, zh: "发卡方线路异常，请稍后重试", en: "line to the issuer down, retry later"},
	{Code: "94", Class: DoNotRetry, zh: "拒绝，重复交易", en: "duplicate", doZH: "请查询原交易", doEN: "look up the first one"},
	{Code: "96", Class: DoNotRetry, zh: "拒绝，交换中心异常", en: "switch not available, retry later"},
	{Code: "97", Class: Operator, zh: "终端未登记", en: "terminal not registered", doZH: "请联系收单行", doEN: "call the acquirer", signIn: true},
	{Code: "98", Class: SystemDown, zh: "发卡方超时", en: "issuer did not answer, retry later"},
	{Code: "99", Class: MayRetry, zh: "PIN格式错，请重新签到", en: "PIN format wrong", doZH: "将自动签到后重试", doEN: "signing in again, then retry", signIn: true},
	{Code: "A0", Class: MayRetry, zh: "MAC校验错，请重新签到", en: "message MAC refused", doZH: "将自动签到后重试", doEN: "signing in again, then retry", signIn: true},
	{Code: "A1", Class: DoNotRetry, zh: "转账货币不一致", en: "transfer currency differs"},
	{Code: "A2", Class: Success, zh: "交易成功，请向发卡行确认", en: "approved, confirm with the issuer"},
	{Code: "A3", Class: DoNotRetry, zh: "无效的转入账户", en: "transfer account not valid"},
	{Code: "A4", Class: Success, zh: "交易成功，请向发卡行确认", en: "approved, confirm with the issuer"},
	{Code: "A5", Class: Success, zh: "交易成功，请向发卡行确认", en: "approved, confirm with the issuer"},
	{Code: "A6", Class: Success, zh: "交易成功，请向发卡行确认", en: "approved, confirm with the issuer"},
	{Code: "A7", Class: DoNotRetry, zh: "交换中心安全处理失败", en: "security processing failed", doZH: "将自动签到后重试", doEN: "signing in again, then retry", signIn: true},
}

// ResponseOf finds the row of a code. A code that is not in the table is a refusal and never a success.
func ResponseOf(code string) Response {
	for _, r := range responses {
		if r.Code == code {
			return r
		}
	}
	return Response{Code: code, Class: DoNotRetry, zh: "交易失败", en: "refused"}
}

// Advice is what the person at the terminal is told of a response code, in Chinese and in English: the cause, and what
// to do where that does not follow from the cause.
func Advice(code string) (zh, en string) {
	r := ResponseOf(code)
	zh, en = r.zh, r.en
	if r.doZH != "" {
		zh += "，" + r.doZH
	}
	if r.doEN != "" {
		en += "; " + r.doEN
	}
	return zh, en
}

// endsReversal reports whether a 0410 with this code ends the repetition of a 0400: undone (00), nothing to undo (12),
// or original not found or undone before (25).
func endsReversal(code string) bool { return code == "00" || code == "12" || code == "25" }
