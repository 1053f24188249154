// Package words holds what people read, in Chinese and in English, side by side in one place so that it can be
// reviewed as language. It is part of the vocabulary and knows nobody.
//
// The person at the terminal is told what happened to the money, whether to hand over the goods, whether to present the
// card again, and whom to call with which number.
package words

import "posagent/txnstore/txn"

// Pair is one sentence in both languages.
type Pair struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Stage names a step of a sale that the person waiting can see.
type Stage string

const (
	Recovering Stage = "recovering"
	SigningIn  Stage = "signing-in"
	Present    Stage = "present-card"
	CardRead   Stage = "card-read"
	ShowCode   Stage = "show-code"
	CodeRead   Stage = "code-read"
	EnterPIN   Stage = "enter-pin"
	Recorded   Stage = "recorded"
	Connecting Stage = "connecting"
	Sending    Stage = "sending"
	Waiting    Stage = "waiting"
	Unknown    Stage = "unknown"

	// Of a chip card, which has the last word.
	Confirming  Stage = "card-confirming"
	CardRefused Stage = "card-refused"
	CardRemoved Stage = "card-removed"
	CardLost    Stage = "card-lost"

	Held      Stage = "approved"
	Printing  Stage = "printing"
	PaperOwed Stage = "paper-owed"

	// Of a balance enquiry.
	Enquired Stage = "enquired"

	// Of what is done at the counter and told later.
	Queued Stage = "queued"

	// Of the closing of a batch.
	Settling    Stage = "settling"
	Uploading   Stage = "uploading"
	EndingBatch Stage = "ending-batch"
)

// OfStage is the line shown while a step lasts.
func OfStage(s Stage) Pair {
	switch s {
	case Recovering:
		return Pair{"正在处理上一笔未完成的交易", "Finishing an earlier transaction first"}
	case SigningIn:
		return Pair{"正在签到", "Signing in to the acquirer"}
	case Present:
		return Pair{"请刷卡、插卡或挥卡", "Present the card"}
	case CardRead:
		return Pair{"已读卡", "Card read"}
	case ShowCode:
		return Pair{"请顾客出示付款码，对准扫码器", "The customer shows the payment code to the scanner"}
	case CodeRead:
		return Pair{"已读付款码", "Payment code read"}
	case EnterPIN:
		return Pair{"请持卡人在密码键盘上输入密码", "The cardholder enters the PIN at the PIN pad"}
	case Recorded:
		return Pair{"交易已登记，不能再取消", "Recorded; it can no longer be cancelled"}
	case Connecting:
		return Pair{"正在连接收单行", "Connecting to the acquirer"}
	case Sending:
		return Pair{"正在发送", "Sending"}
	case Waiting:
		return Pair{"已发送，等待银行应答", "Sent, waiting for the bank"}
	case Unknown:
		return Pair{"结果未知，请勿重刷，正在确认", "Outcome unknown. Do not present the card again. Confirming"}
	case Confirming:
		return Pair{"银行已应答，等待卡片确认，请勿拔卡", "The bank has answered; waiting for the card. Leave it in"}
	case CardRefused:
		return Pair{"卡片拒绝交易，正在冲正，不扣款", "The card refused. The bank's approval is being reversed; nothing will be charged"}
	case CardRemoved:
		return Pair{"卡片过早拔出，正在冲正，不扣款", "The card was taken out too early. The bank's approval is being reversed; nothing will be charged"}
	case CardLost:
		return Pair{"读卡器未能完成交易，正在冲正，不扣款", "The reader could not finish with the card. The bank's approval is being reversed; nothing will be charged"}
	case Held:
		return Pair{"交易成功", "Approved"}
	case Printing:
		return Pair{"正在打印", "Printing"}
	case PaperOwed:
		return Pair{"款项已入账，签购单待补打", "The money is held; the slip is still to be printed"}
	case Queued:
		return Pair{"已登记，待联机后自动通知收单行", "Recorded; the acquirer is told of it as soon as it can be reached"}
	case Enquired:
		return Pair{"余额已查到", "The balance is known"}
	case Settling:
		return Pair{"正在对账", "Comparing totals with the acquirer"}
	case Uploading:
		return Pair{"对账不平，正在上送明细", "The totals differ; sending the records"}
	case EndingBatch:
		return Pair{"正在结束批次", "Ending the batch"}
	default:
		return Pair{string(s), string(s)}
	}
}

// Prompts of a card reader that the people at the counter should see. Others say nothing new.
var (
	HoldStill    = Pair{"请勿移开卡片", "Keep the card still"}
	Reading      = Pair{"正在读卡", "Reading the card"}
	PresentAgain = Pair{"请重新挥卡", "Present the card again"}
	OneCard      = Pair{"请只出示一张卡", "Present one card only"}
	OtherWay     = Pair{"请刷卡或插卡", "Swipe or insert the card"}
	PleaseWait   = Pair{"请稍候", "Please wait"}
	CardFailed   = Pair{"读卡失败", "The card could not be read"}
	InsertChip   = Pair{"芯片卡请插卡", "This card has a chip: insert it"}
	SwipeInstead = Pair{"芯片无法读取，请拔卡后刷卡", "The chip cannot be read: take the card out and swipe it"}
	RemoveCard   = Pair{"请取走卡片", "Take the card out"}
	FirstChosen  = Pair{"卡上有多个应用，已选第一个", "The card has several applications; the first was taken"}
	NoPINHere    = Pair{"读卡器要求输入密码，本机不在读卡器上输入", "The reader asks for a PIN; none is entered at the reader here"}
	NoOtherSwipe = Pair{"读卡器要求在别处刷卡，本机没有其他刷卡器", "The reader asks for a swipe elsewhere; there is no other stripe reader"}
)

// Prompt names what a card reader wants or reports, for programs that have a picture or a sound for it.
type Prompt string

const (
	PromptHoldStill    Prompt = "hold-still"
	PromptReading      Prompt = "reading"
	PromptAgain        Prompt = "present-again"
	PromptOneCard      Prompt = "one-card"
	PromptOtherWay     Prompt = "swipe-or-insert"
	PromptWait         Prompt = "wait"
	PromptFailed       Prompt = "card-failed"
	PromptInsert       Prompt = "insert-chip"
	PromptSwipe        Prompt = "swipe"
	PromptRemove       Prompt = "remove-card"
	PromptFirstChosen  Prompt = "first-application"
	PromptNoPIN        Prompt = "no-pin-at-reader"
	PromptNoOtherSwipe Prompt = "no-other-stripe-reader"
)

// CardNotDone stands in place of the acquirer's advice where it approved and the card did not complete.
var CardNotDone = Pair{"银行曾批准，但卡片未完成交易，已撤回该批准，可重新交易或换卡",
	"the bank had approved and the card did not complete it, so the approval is taken back; try again or use another card"}

// Outcome is how a request ended for the person who made it. It has a third value besides yes and no.
type Outcome string

const (
	OutcomeApproved Outcome = "approved" // the money is held
	OutcomeDeclined Outcome = "declined" // the acquirer said no; nothing charged
	OutcomeNotDone  Outcome = "not-done" // nothing was sent; nothing charged
	OutcomeReversed Outcome = "reversed" // undone and confirmed by the acquirer; nothing charged
	OutcomeUnknown  Outcome = "unknown"  // not yet proven either way
	OutcomeQueued   Outcome = "queued"   // done at the counter; the acquirer is told as soon as it can be reached
	OutcomeResolved Outcome = "resolved" // closed by people, with evidence
	OutcomeRefused  Outcome = "refused"  // the request was not accepted; no transaction was begun
)

// OutcomeOf reads the outcome from a record's state. Whatever is not proven is unknown, never declined.
func OutcomeOf(s txn.State) Outcome {
	switch s {
	case txn.Approved:
		return OutcomeApproved
	case txn.Declined:
		return OutcomeDeclined
	case txn.Abandoned:
		return OutcomeNotDone
	case txn.Reversed:
		return OutcomeReversed
	case txn.Resolved:
		return OutcomeResolved
	default:
		return OutcomeUnknown
	}
}

// OfOutcome is the closing line: money, goods, card.
func OfOutcome(o Outcome) Pair {
	switch o {
	case OutcomeApproved:
		return Pair{"交易成功。款项已入账，可以交货。", "Approved. The money is held; hand over the goods."}
	case OutcomeDeclined:
		return Pair{"交易被拒绝。未扣款，请勿交货，可换卡再试。", "Declined. Nothing was charged; keep the goods; another card may be tried."}
	case OutcomeNotDone:
		return Pair{"交易未发出。未扣款，请勿交货，可以重新交易。", "Not sent. Nothing was charged; keep the goods; the sale may be made again."}
	case OutcomeReversed:
		return Pair{"交易已冲正。未扣款，请勿交货，可以重新交易。", "Reversed, confirmed by the acquirer. Nothing is charged; keep the goods; the sale may be made again."}
	case OutcomeUnknown:
		return Pair{"结果未知，请勿重刷，正在确认。暂勿交货；请记下凭证号，必要时致电收单行。",
			"Outcome unknown. Do not present the card again; it is being confirmed. Keep the goods; note the voucher number in case the acquirer must be called."}
	case OutcomeQueued:
		return Pair{"交易已完成，待联机后自动通知收单行。可以交货，请勿重复操作。", "Done. The acquirer is told as soon as it can be reached. Hand over the goods; do not do it again."}
	case OutcomeResolved:
		return Pair{"该笔已由人工凭证据处理完毕。", "Closed by people, with evidence."}
	case OutcomeRefused:
		return Pair{"未受理。没有发生交易，未扣款。", "Not accepted. No transaction was begun; nothing was charged."}
	default:
		return Pair{string(o), string(o)}
	}
}

// PaperStillDue is said beside an outcome that no longer depends on paper.
var PaperStillDue = Pair{"单据待补打：请检查打印机的纸、盖和电源，恢复后自动补打。",
	"A slip is still due. Check the printer's paper, cover and power; it then prints by itself."}

// ReferenceTaken is said when a reference belongs to another sale, which is shown below it.
var ReferenceTaken = Pair{"该参考号已用于另一笔交易（见下），本次未受理。", "This reference belongs to another sale, shown below; this request was not accepted."}

// CodeUsed is said when a payment code was submitted under another order, which is shown below it.
var CodeUsed = Pair{"该付款码已用于另一笔订单（见下），同一付款码不能再次提交，本次未扣款。请顾客刷新付款码后重试。",
	"This payment code was used for another order, shown below. A code is never submitted twice; nothing was charged now. Ask the customer for a fresh code."}

// What may become of a payment code before anything was begun.
var (
	NoCode     = Pair{"未读到付款码。没有发生交易，未扣款。请顾客重新出示付款码。", "No payment code was read. No transaction was begun; nothing was charged. Ask the customer to show the code again."}
	NotPayCode = Pair{"这不是可受理的付款码。没有发生交易，未扣款。请顾客在支付应用中打开付款码。", "This is no payment code that is taken here. No transaction was begun; nothing was charged. Ask the customer to open the payment code in the app."}
	NoCodes    = Pair{"本终端不受理付款码。没有发生交易，未扣款。请改用银行卡。", "This terminal takes no payment codes. No transaction was begun; nothing was charged. Ask for a card."}
)

// CodeInDoubt is shown while the fate of a sale by payment code is not known.
var CodeInDoubt = Pair{"结果未知，请勿让顾客再次付款，正在确认", "Outcome unknown. Do not let the customer pay again. Confirming"}

// OfCodeEnding is the closing line of a transaction by payment code where it differs from that of a card: the same code is never
// taken twice, and money goes back the way it came, to an account that the customer's telephone knows.
func OfCodeEnding(k txn.Kind, o Outcome) (Pair, bool) {
	switch {
	case k == txn.Void && o == OutcomeApproved:
		return Pair{"撤销成功。原消费已作废，款项原路退回顾客的付款账户。", "Voided. The sale no longer counts; its money goes back to the account behind the customer's payment app."}, true
	case k == txn.Refund && o == OutcomeApproved:
		return Pair{"退货成功。款项将原路退回顾客的付款账户。", "Refunded. The money goes back to the account behind the customer's payment app."}, true
	case k != txn.Sale:
		return Pair{}, false
	}
	switch o {
	case OutcomeDeclined:
		return Pair{"交易被拒绝。未扣款，请勿交货。可请顾客刷新付款码或换一种方式再试。", "Declined. Nothing was charged; keep the goods; the customer may try a fresh code or pay otherwise."}, true
	case OutcomeNotDone:
		return Pair{"交易未发出。未扣款，请勿交货。请顾客刷新付款码后重新交易。", "Not sent. Nothing was charged; keep the goods; the sale may be made again with a fresh code."}, true
	case OutcomeReversed:
		return Pair{"交易已冲正。未扣款，请勿交货。请顾客刷新付款码后重新交易。", "Reversed, confirmed by the acquirer. Nothing is charged; keep the goods; the sale may be made again with a fresh code."}, true
	case OutcomeUnknown:
		return Pair{"结果未知，请勿让顾客再次付款，正在确认。暂勿交货；请记下凭证号，必要时致电收单行。",
			"Outcome unknown. Do not let the customer pay again; it is being confirmed. Keep the goods; note the voucher number in case the acquirer must be called."}, true
	}
	return Pair{}, false
}

// OfState names a record's state in the books.
func OfState(s txn.State) Pair {
	switch s {
	case txn.Pending:
		return Pair{"待定", "pending"}
	case txn.Abandoned:
		return Pair{"未发出", "not sent"}
	case txn.Declined:
		return Pair{"被拒绝", "declined"}
	case txn.Authorized:
		return Pair{"待卡片确认", "authorized"}
	case txn.Approved:
		return Pair{"成功", "approved"}
	case txn.Reversing:
		return Pair{"待冲正", "reversing"}
	case txn.Reversed:
		return Pair{"已冲正", "reversed"}
	case txn.Suspense:
		return Pair{"挂账待查", "suspense"}
	case txn.Resolved:
		return Pair{"已人工处理", "resolved"}
	case txn.Advising:
		return Pair{"待通知", "advising"}
	default:
		return Pair{"状态不明", "unknown state"}
	}
}
