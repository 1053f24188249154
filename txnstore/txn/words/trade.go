package words

import "posagent/txnstore/txn"

// trade is what is said of a kind of transaction that is neither sale nor void nor refund, on the screen and on paper.
type trade struct {
	name   Pair // 交易类型
	amount Pair // over the amount of its slip
	means  Pair // what an approved one does to the money, on its slip

	approved, declined, notDone, reversed, unknown, refused Pair // closing lines: money, goods, card

	confirming Pair // while its outcome is unknown
	failed     Pair // on the notice of its reversal
	stands     Pair // and what is then true of the money, large
}

func tradeOf(k txn.Kind) (trade, bool) {
	switch k {
	case txn.PreAuth:
		return preAuth, true
	case txn.PreAuthCancel:
		return preAuthCancel, true
	case txn.Completion:
		return completion, true
	case txn.CompletionCancel:
		return completionCancel, true
	case txn.CompletionNotice:
		return completionNotice, true
	case txn.OfflineSale:
		return offlineSale, true
	}
	return trade{}, false
}

var preAuth = trade{
	name:       Pair{"预授权", "PRE-AUTH"},
	amount:     Pair{"预授权金额", "AMOUNT HELD"},
	means:      Pair{"仅冻结额度，尚未扣款", "HELD ON CARD, NOT YET CHARGED"},
	approved:   Pair{"预授权成功。额度已冻结，尚未扣款；请保存签购单上的授权码和日期。", "Held on the card; nothing is charged yet. Keep the authorisation code and the date on the slip."},
	declined:   Pair{"预授权被拒绝。未冻结额度，可换卡再试。", "The pre-authorisation was declined. Nothing is held; another card may be tried."},
	notDone:    Pair{"预授权未发出。未冻结额度，可以重新交易。", "The pre-authorisation was not sent. Nothing is held; it may be made again."},
	reversed:   Pair{"预授权未成功，已冲正。未冻结额度，可以重新交易。", "The pre-authorisation was undone, confirmed by the acquirer. Nothing is held; it may be made again."},
	unknown:    Pair{"预授权结果未知，请勿重复操作，正在确认。请记下凭证号，必要时致电收单行。", "Outcome of the pre-authorisation unknown. Do not make it again; it is being confirmed. Note the voucher number in case the acquirer must be called."},
	refused:    Pair{"未受理。没有发生预授权，未冻结额度。", "Not accepted. No pre-authorisation was begun; nothing is held."},
	confirming: Pair{"预授权结果未知，请勿重复操作，正在确认", "Outcome unknown. Do not make it again. Confirming"},
	failed:     Pair{"本笔预授权未成功", "THIS PRE-AUTHORISATION WAS NOT MADE"},
	stands:     Pair{"额度未冻结", "NOTHING HELD"},
}

var preAuthCancel = trade{
	name:       Pair{"预授权撤销", "PRE-AUTH CANCEL"},
	amount:     Pair{"解除金额", "AMOUNT LET GO"},
	means:      Pair{"冻结的额度已解除", "THE AMOUNT IS NO LONGER HELD"},
	approved:   Pair{"预授权撤销成功。冻结的额度已解除。", "The pre-authorisation is cancelled. The amount is no longer held."},
	declined:   Pair{"预授权撤销被拒绝。原预授权仍然有效。", "The cancellation was declined. The pre-authorisation stands."},
	notDone:    Pair{"预授权撤销未发出。原预授权仍然有效，可以重新撤销。", "The cancellation was not sent. The pre-authorisation stands; it may be cancelled again."},
	reversed:   Pair{"预授权撤销未成功，已冲正。原预授权仍然有效。", "The cancellation was undone, confirmed by the acquirer. The pre-authorisation stands."},
	unknown:    Pair{"预授权撤销结果未知，请勿重复撤销，正在确认。请记下凭证号，必要时致电收单行。", "Outcome of the cancellation unknown. Do not cancel again; it is being confirmed. Note the voucher number in case the acquirer must be called."},
	refused:    Pair{"未受理。没有发生撤销，原预授权不变。", "Not accepted. No cancellation was begun; the pre-authorisation stands as it was."},
	confirming: Pair{"撤销结果未知，请勿重复撤销，正在确认", "Outcome unknown. Do not cancel again. Confirming"},
	failed:     Pair{"本笔预授权撤销未成功", "THIS CANCELLATION WAS NOT MADE"},
	stands:     Pair{"预授权仍有效", "THE HOLD STANDS"},
}

var completion = trade{
	name:       Pair{"预授权完成", "COMPLETION"},
	amount:     Pair{"完成金额", "AMOUNT CHARGED"},
	means:      Pair{"预授权已完成并扣款", "CHARGED TO THE PRE-AUTHORISATION"},
	approved:   Pair{"预授权完成成功。款项已入账。", "Completed. The money is charged and held for you."},
	declined:   Pair{"预授权完成被拒绝。未扣款，原预授权仍然有效。", "The completion was declined. Nothing was charged; the pre-authorisation stands."},
	notDone:    Pair{"预授权完成未发出。未扣款，可以重新交易。", "The completion was not sent. Nothing was charged; it may be made again."},
	reversed:   Pair{"预授权完成未成功，已冲正。未扣款，原预授权仍然有效。", "The completion was undone, confirmed by the acquirer. Nothing is charged; the pre-authorisation stands."},
	unknown:    Pair{"预授权完成结果未知，请勿重复操作，正在确认。请记下凭证号，必要时致电收单行。", "Outcome of the completion unknown. Do not make it again; it is being confirmed. Note the voucher number in case the acquirer must be called."},
	refused:    Pair{"未受理。没有发生完成，未扣款。", "Not accepted. No completion was begun; nothing was charged."},
	confirming: Pair{"完成结果未知，请勿重复操作，正在确认", "Outcome unknown. Do not make it again. Confirming"},
	failed:     Pair{"本笔预授权完成未成功", "THIS COMPLETION WAS NOT MADE"},
	stands:     Pair{"未扣款", "NOT CHARGED"},
}

var completionCancel = trade{
	name:       Pair{"预授权完成撤销", "COMPLETION CANCEL"},
	amount:     Pair{"退回金额", "AMOUNT GIVEN BACK"},
	means:      Pair{"完成已撤销，预授权恢复有效", "THE COMPLETION IS CANCELLED AND THE AMOUNT HELD AGAIN"},
	approved:   Pair{"完成撤销成功。款项退回，原预授权恢复有效。", "The completion is cancelled. Its money goes back and the pre-authorisation is in force again."},
	declined:   Pair{"完成撤销被拒绝。原完成仍然有效，款项未退。", "The cancellation was declined. The completion stands; no money went back."},
	notDone:    Pair{"完成撤销未发出。原完成仍然有效，可以重新撤销。", "The cancellation was not sent. The completion stands; it may be cancelled again."},
	reversed:   Pair{"完成撤销未成功，已冲正。原完成仍然有效。", "The cancellation was undone, confirmed by the acquirer. The completion stands."},
	unknown:    Pair{"完成撤销结果未知，请勿重复撤销，正在确认。请记下凭证号，必要时致电收单行。", "Outcome of the cancellation unknown. Do not cancel again; it is being confirmed. Note the voucher number in case the acquirer must be called."},
	refused:    Pair{"未受理。没有发生撤销，原完成不变。", "Not accepted. No cancellation was begun; the completion stands as it was."},
	confirming: Pair{"撤销结果未知，请勿重复撤销，正在确认", "Outcome unknown. Do not cancel again. Confirming"},
	failed:     Pair{"本笔完成撤销未成功", "THIS CANCELLATION WAS NOT MADE"},
	stands:     Pair{"原完成仍有效", "COMPLETION STANDS"},
}

var completionNotice = trade{
	name:       Pair{"预授权完成通知", "COMPLETION NOTICE"},
	amount:     Pair{"完成金额", "AMOUNT CHARGED"},
	means:      Pair{"预授权已完成并扣款", "CHARGED TO THE PRE-AUTHORISATION"},
	approved:   Pair{"预授权完成通知成功。款项已入账。", "Completed and acknowledged. The money is charged and held for you."},
	declined:   Pair{"预授权完成通知被拒绝。未扣款，原预授权仍然有效。", "The completion notice was declined. Nothing was charged; the pre-authorisation stands."},
	notDone:    Pair{"预授权完成通知未发出。未扣款，可以重新交易。", "The completion notice was not sent. Nothing was charged; it may be made again."},
	reversed:   OfOutcome(OutcomeReversed),
	unknown:    Pair{"预授权完成通知结果未知，请勿重复操作，请致电收单行。", "Outcome of the completion notice unknown. Do not make it again; call the acquirer."},
	refused:    Pair{"未受理。没有发生完成，未扣款。", "Not accepted. No completion was begun; nothing was charged."},
	confirming: Pair{"完成结果未知，请勿重复操作，正在确认", "Outcome unknown. Do not make it again. Confirming"},
	failed:     Pair{"本笔预授权完成未成功", "THIS COMPLETION WAS NOT MADE"},
	stands:     Pair{"未扣款", "NOT CHARGED"},
}

var offlineSale = trade{
	name:       Pair{"离线消费", "OFFLINE SALE"},
	amount:     AmountLabel,
	means:      Pair{"凭电话授权码入账", "CHARGED ON A TELEPHONE AUTHORISATION"},
	approved:   Pair{"离线消费成功。款项已入账，可以交货。", "The offline sale is acknowledged. The money is held; hand over the goods."},
	declined:   Pair{"离线消费被拒绝。未扣款，请勿交货。", "The offline sale was declined. Nothing was charged; keep the goods."},
	notDone:    Pair{"离线消费未发出。未扣款，可以重新交易。", "The offline sale was not sent. Nothing was charged; it may be made again."},
	reversed:   OfOutcome(OutcomeReversed),
	unknown:    Pair{"离线消费结果未知，请勿重复操作，请致电收单行。", "Outcome of the offline sale unknown. Do not make it again; call the acquirer."},
	refused:    Pair{"未受理。没有发生交易，未扣款。", "Not accepted. No offline sale was begun; nothing was charged."},
	confirming: Pair{"结果未知，请勿重复操作，正在确认", "Outcome unknown. Do not make it again. Confirming"},
	failed:     Pair{"本笔离线消费未成功", "THIS OFFLINE SALE WAS NOT MADE"},
	stands:     Pair{"未扣款", "NOT CHARGED"},
}

func (t trade) ending(o Outcome) Pair {
	switch o {
	case OutcomeApproved:
		return t.approved
	case OutcomeDeclined:
		return t.declined
	case OutcomeNotDone:
		return t.notDone
	case OutcomeReversed:
		return t.reversed
	case OutcomeUnknown:
		return t.unknown
	case OutcomeRefused:
		return t.refused
	default:
		return OfOutcome(o)
	}
}
