package words

import "strconv"

// What is said when a guard of this terminal refuses a charge, before anything is sent: what happened to the money, why, and
// what to do.
var (
	OverLimit    = Pair{"超出本终端交易限额。未受理，未扣款。请减少金额，或联系收单行。", "More than this terminal may charge. Not accepted; nothing was charged. Charge less, or call the acquirer."}
	CardLimit    = Pair{"该卡今日在本终端的交易已达上限。未受理，未扣款。请换卡，或明日再试。", "This card has reached what it may be charged here in a day. Not accepted; nothing was charged. Ask for another card, or try tomorrow."}
	CardBlocked  = Pair{"该卡在黑名单中。未受理，未扣款。请换卡，并联系收单行。", "This card is on a list of blocked cards. Not accepted; nothing was charged. Ask for another card, and call the acquirer."}
	CardNotTaken = Pair{"本商户不受理此类卡。未受理，未扣款。请换卡。", "Cards of this kind are not taken here. Not accepted; nothing was charged. Ask for another card."}
	CardOnline   = Pair{"此类卡须联机授权。未受理，未扣款。请在通讯正常时做联机交易，或换卡。", "A card of this kind needs the acquirer's own approval. Not accepted; nothing was charged. Make a sale once there is a line, or ask for another card."}

	CardMasked  = Pair{"读卡器不提供完整卡号，离线消费须凭卡号上送。未受理，未扣款。请在通讯正常时做联机消费。", "The card reader gives no whole card numbers, and an offline sale is told by its number. Not accepted; nothing was charged. Make a sale once there is a line."}
	ReaderSetUp = Pair{"读卡器的加密设置与收单行要求不符。未受理，未扣款。重刷无用，请联系维护人员。", "The card reader is not set up as the acquirer wants it. Not accepted; nothing was charged. Presenting the card again does not help: call the service desk."}
)

// NeverMet says of how many entries of a list of blocked cards no card can ever be found by, where the card reader shows masks alone.
func NeverMet(entries int) Pair {
	n := strconv.Itoa(entries)
	return Pair{"其中 " + n + " 条为完整卡号或六位以上的号段；读卡器只给出前六后四位，这些条目不起作用，由收单行把关",
		n + " of them are whole numbers or ranges of more than six digits; the card reader shows the first six and the last four digits alone, so these block nobody here and the acquirer must"}
}
