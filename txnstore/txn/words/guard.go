package words

// What is said when the terminal itself forbids trade. Nothing was begun.
var (
	CaseOpened = Pair{"终端机壳曾被打开，密钥已销毁。未受理，未扣款。请停用本机并联系维护人员。",
		"The terminal's case was opened and its keys are destroyed. Not accepted; nothing was charged. Take it out of service and call the technician."}
	NoPIN = Pair{"未输入密码，交易取消。未受理，未扣款。可重新刷卡。",
		"No PIN was entered, and so nothing was begun. Nothing was charged. The card may be presented again."}
	NoPINPad = Pair{"密码键盘不可用，无法输入密码。未受理，未扣款。请检查密码键盘后重试。",
		"The PIN pad does not work, so no PIN can be entered. Not accepted; nothing was charged. Check the PIN pad and try again."}
	PowerFails = Pair{"终端供电异常。未受理，未扣款。请检查电源后重试。",
		"The terminal's power fails. Not accepted; nothing was charged. Check the supply and try again."}
)
