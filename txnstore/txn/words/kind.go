package words

import "posagent/txnstore/txn"

// What is said of a kind of transaction where the words of a sale would be wrong about the money.

// OfEnding is the closing line of a transaction of a kind: money, goods, card.
func OfEnding(k txn.Kind, o Outcome) Pair {
	switch k {
	case txn.Void:
		return ofVoid(o)
	case txn.Refund:
		return ofRefund(o)
	}
	if t, known := tradeOf(k); known {
		return t.ending(o)
	}
	return OfOutcome(o)
}

// OutcomeIn is OutcomeOf for a kind: what is done at the counter once it is recorded is not unknown while it waits to be told.
func OutcomeIn(k txn.Kind, s txn.State) Outcome {
	if k.Final() && s == txn.Advising {
		return OutcomeQueued
	}
	return OutcomeOf(s)
}

// OfAmount stands over the amount on the slip of a kind.
func OfAmount(k txn.Kind) Pair {
	if t, known := tradeOf(k); known {
		return t.amount
	}
	if k.Credits() {
		return GivenBack
	}
	return AmountLabel
}

// OfMeaning is what an approved transaction of a kind does to the money, on its slip; a sale needs no such line.
func OfMeaning(k txn.Kind) (Pair, bool) {
	if t, known := tradeOf(k); known {
		return t.means, true
	}
	return MoneyBack, k.Credits()
}

// OfAgreement is what a cardholder signs.
func OfAgreement(k txn.Kind) Pair {
	switch {
	case k == txn.PreAuth:
		return HoldAgreement
	case k == txn.PreAuthCancel:
		return FreeAgreement
	case k.TakesBack():
		return BackAgreement
	}
	return Agreement
}

// OfReversed is what a reversal's notice says did not happen, and what is true of the money instead.
func OfReversed(k txn.Kind) (failed, stands Pair) {
	if t, known := tradeOf(k); known {
		return t.failed, t.stands
	}
	if k == txn.Void {
		return VoidNotDone, SaleStands
	}
	return NotSuccessful, NotCharged
}

// GivenBackSale is said of a sale that was approved and then voided, or refunded as a whole.
var GivenBackSale = Pair{"本笔消费曾成功，后已全额撤销或退货，款项退回付款人。", "This sale was approved and has since been given back as a whole, by void or refund."}

func ofVoid(o Outcome) Pair {
	switch o {
	case OutcomeApproved:
		return Pair{"撤销成功。原消费已作废，款项退回持卡人。", "Voided. The sale no longer counts; its money goes back to the card."}
	case OutcomeDeclined:
		return Pair{"撤销被拒绝。原消费仍然有效，款项未退。", "The void was declined. The sale stands; no money went back."}
	case OutcomeNotDone:
		return Pair{"撤销未发出。原消费仍然有效，可以重新撤销。", "The void was not sent. The sale stands; it may be voided again."}
	case OutcomeReversed:
		return Pair{"撤销未成功，已冲正。原消费仍然有效，可以重新撤销。", "The void was undone, confirmed by the acquirer. The sale stands; it may be voided again."}
	case OutcomeUnknown:
		return Pair{"撤销结果未知，请勿重复撤销，正在确认。请记下凭证号，必要时致电收单行。",
			"Outcome of the void unknown. Do not void again; it is being confirmed. Note the voucher number in case the acquirer must be called."}
	case OutcomeRefused:
		return Pair{"未受理。没有发生撤销，原交易不变。", "Not accepted. No void was begun; the original stands as it was."}
	default:
		return OfOutcome(o)
	}
}

func ofRefund(o Outcome) Pair {
	switch o {
	case OutcomeApproved:
		return Pair{"退货成功。款项将退回持卡人账户。", "Refunded. The money goes back to the card's account."}
	case OutcomeDeclined:
		return Pair{"退货被拒绝。款项未退。", "The refund was declined. No money went back."}
	case OutcomeNotDone:
		return Pair{"退货未发出。款项未退，可以重新退货。", "The refund was not sent. No money went back; it may be made again."}
	case OutcomeUnknown:
		return Pair{"退货结果未知，请勿重复退货，终端将自动重发直到收单行应答。",
			"Outcome of the refund unknown. Do not refund again; the terminal repeats it until the acquirer has answered."}
	case OutcomeRefused:
		return Pair{"未受理。没有发生退货，款项未退。", "Not accepted. No refund was begun; no money went back."}
	default:
		return OfOutcome(o)
	}
}

// OfStageIn is the line shown while a step of a transaction of a kind lasts.
func OfStageIn(k txn.Kind, s Stage) Pair {
	if k != txn.Void && k != txn.Refund {
		if t, known := tradeOf(k); known && s == Unknown {
			return t.confirming
		}
		return OfStage(s)
	}
	switch s {
	case Unknown:
		if k == txn.Refund {
			return Pair{"退货结果未知，请勿重复退货，正在确认", "Outcome unknown. Do not refund again. Confirming"}
		}
		return Pair{"撤销结果未知，请勿重复撤销，正在确认", "Outcome unknown. Do not void again. Confirming"}
	case PaperOwed:
		return Pair{"交易已完成，单据待补打", "It is done; the slip is still to be printed"}
	default:
		return OfStage(s)
	}
}
