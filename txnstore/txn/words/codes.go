package words

// codeWords is what a response code means for the person at the terminal (field 39 of the direct-connection POS dialect):
// the cause, and what to do where that does not follow from it.
type codeWords struct {
	code      string
	cause, do Pair
}

// Published tables exist in which the rows of 03 and 04 have slipped. 04 keeps the card.
var codes = []codeWords{
	{"00", Pair{"交易成功", "approved"}, Pair{}},
	{"01", Pair{"请持卡人与发卡银行联系", "cardholder must call the issuer"}, Pair{}},
	{"02", Pair{"交易失败，请联系发卡行", "call the issuer, special condition"}, Pair{}},
	{"03", Pair{"无效商户", "merchant not valid"}, Pair{"请联系收单行", "call the acquirer"}},
	{"04", Pair{"此卡被没收", "card to be kept"}, Pair{"请保留卡片", "keep the card"}},
	{"05", Pair{"持卡人认证失败", "not honoured by the issuer"}, Pair{}},
	{"06", Pair{"出错，请联系发卡行", "error, call the issuer"}, Pair{}},
	{"07", Pair{"没收卡，请联系收单行", "card to be kept, special condition"}, Pair{"请保留卡片", "keep the card"}},
	{"09", Pair{"交易处理中", "still being processed"}, Pair{"将自动冲正", "it is being reversed"}},
	{"10", Pair{"部分金额承兑", "only part of the amount approved"}, Pair{"将自动冲正，请换卡", "it is being reversed, use another card"}},
	{"11", Pair{"交易成功，VIP客户", "approved, VIP"}, Pair{}},
	{"12", Pair{"无效交易", "transaction not valid"}, Pair{}},
	{"13", Pair{"无效金额", "amount not valid"}, Pair{}},
	{"14", Pair{"无效卡号", "card number not valid"}, Pair{"请换卡", "use another card"}},
	{"15", Pair{"此卡无对应发卡方", "no such issuer"}, Pair{}},
	{"19", Pair{"刷卡读取数据有误，请重做", "card data not readable, start again"}, Pair{}},
	{"20", Pair{"无效应答", "response not valid"}, Pair{}},
	{"21", Pair{"该卡未初始化或睡眠卡", "card not initialised or asleep"}, Pair{}},
	{"22", Pair{"操作有误，或超出交易允许天数", "wrong operation, or too many days passed"}, Pair{}},
	{"25", Pair{"没有原始交易，请联系发卡方", "original transaction not found"}, Pair{}},
	{"30", Pair{"报文格式错误", "message format refused"}, Pair{"请联系收单行", "call the acquirer"}},
	{"33", Pair{"过期卡，请没收", "expired card to be kept"}, Pair{"请保留卡片", "keep the card"}},
	{"34", Pair{"作弊卡，请没收", "suspected fraud"}, Pair{"请保留卡片", "keep the card"}},
	{"35", Pair{"请没收卡片，与收单行联系", "card to be kept, call the acquirer"}, Pair{"请保留卡片", "keep the card"}},
	{"36", Pair{"受限制的卡，请没收", "restricted card to be kept"}, Pair{"请保留卡片", "keep the card"}},
	{"37", Pair{"风险卡，请没收", "risk card to be kept"}, Pair{"请保留卡片", "keep the card"}},
	{"38", Pair{"密码错误次数超限", "PIN tries exceeded"}, Pair{"请与发卡方联系", "cardholder must call the issuer"}},
	{"40", Pair{"发卡方不支持的交易类型", "not supported by the issuer"}, Pair{}},
	{"41", Pair{"挂失卡，请没收", "lost card"}, Pair{"请保留卡片", "keep the card"}},
	{"42", Pair{"无效账户", "account not valid"}, Pair{}},
	{"43", Pair{"被窃卡，请没收", "stolen card"}, Pair{"请保留卡片", "keep the card"}},
	{"51", Pair{"可用余额不足", "not enough funds"}, Pair{"请换卡", "use another card"}},
	{"54", Pair{"该卡已过期", "card expired"}, Pair{"请换卡", "use another card"}},
	{"55", Pair{"密码错", "wrong PIN"}, Pair{}},
	{"57", Pair{"不允许此卡交易", "not allowed for this card"}, Pair{}},
	{"58", Pair{"发卡方不允许该卡在本终端进行此交易", "not allowed at this terminal"}, Pair{"请联系收单行", "call the acquirer"}},
	{"59", Pair{"卡片校验错", "card check value wrong"}, Pair{}},
	{"61", Pair{"交易金额超限", "amount limit exceeded"}, Pair{}},
	{"62", Pair{"受限制的卡", "restricted card"}, Pair{}},
	{"63", Pair{"违反安全保密规定", "security violation"}, Pair{}},
	{"64", Pair{"交易金额与原交易不匹配", "amount differs from the original"}, Pair{}},
	{"65", Pair{"超出消费次数限制", "count limit exceeded"}, Pair{}},
	{"67", Pair{"请没收卡片", "card to be kept"}, Pair{"请保留卡片", "keep the card"}},
	{"68", Pair{"交易超时，请重试", "issuer answered late"}, Pair{}},
	{"75", Pair{"密码错误次数超限", "PIN tries exceeded"}, Pair{"请与发卡方联系", "cardholder must call the issuer"}},
	{"77", Pair{"批次号不一致", "batch number differs"}, Pair{"终端将重新签到，请重做本笔交易", "the terminal signs in again; make the sale again"}},
	{"90", Pair{"系统日切，请稍后重试", "day change in progress, retry later"}, Pair{}},
	{"91", Pair{"发卡方状态不正常，请稍后重试", "issuer not available, retry later"}, Pair{}},
	{"92", Pair{"发卡方线路异常，请稍后重试", "line to the issuer down, retry later"}, Pair{}},
	{"94", Pair{"拒绝，重复交易", "duplicate"}, Pair{"请查询原交易", "look up the first one"}},
	{"96", Pair{"拒绝，交换中心异常", "switch not available, retry later"}, Pair{}},
	{"97", Pair{"终端未登记", "terminal not registered"}, Pair{"请联系收单行", "call the acquirer"}},
	{"98", Pair{"发卡方超时", "issuer did not answer, retry later"}, Pair{}},
	{"99", Pair{"PIN格式错", "PIN format wrong"}, Pair{"终端将重新签到，请重做本笔交易", "the terminal signs in again; make the sale again"}},
	{"A0", Pair{"MAC校验错", "message MAC refused"}, Pair{"终端将重新签到，请重做本笔交易", "the terminal signs in again; make the sale again"}},
	{"A1", Pair{"转账货币不一致", "transfer currency differs"}, Pair{}},
	{"A2", Pair{"交易成功，请向发卡行确认", "approved, confirm with the issuer"}, Pair{}},
	{"A3", Pair{"无效的转入账户", "transfer account not valid"}, Pair{}},
	{"A4", Pair{"交易成功，请向发卡行确认", "approved, confirm with the issuer"}, Pair{}},
	{"A5", Pair{"交易成功，请向发卡行确认", "approved, confirm with the issuer"}, Pair{}},
	{"A6", Pair{"交易成功，请向发卡行确认", "approved, confirm with the issuer"}, Pair{}},
	{"A7", Pair{"交换中心安全处理失败", "security processing failed"}, Pair{"终端将重新签到，请重做本笔交易", "the terminal signs in again; make the sale again"}},
}

// Advice is what the person at the terminal is told of a response code: the cause, and what to do.
func Advice(code string) Pair {
	for _, w := range codes {
		if w.code != code {
			continue
		}
		if w.do == (Pair{}) {
			return w.cause
		}
		return Pair{w.cause.ZH + "，" + w.do.ZH, w.cause.EN + "; " + w.do.EN}
	}
	return Pair{"交易失败", "refused"}
}
