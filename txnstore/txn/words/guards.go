package words

// What is said when a guard of this terminal refuses a charge, before anything is sent: what happened to the money, why, and
// what to do.
var (
	OverLimit    = Pair{"超出本终端交易限额。未受理，未扣款。请减少金额，或联系收单行。", "More than this terminal may charge. Not accepted; nothing was charged. Charge less, or call the acquirer."}
	CardLimit    = Pair{"该卡今日在本终端的交易已达上限。未受理，未扣款。请换卡，或明日再试。", "This card has reached what it may be charged here in a day. Not accepted; nothing was charged. Ask for another card, or try tomorrow."}
	CardBlocked  = Pair{"该卡在黑名单中。未受理，未扣款。请换卡，并联系收单行。", "This card is on a list of blocked cards. Not accepted; nothing was charged. Ask for another card, and call the acquirer."}
	CardNotTaken = Pair{"本商户不受理此类卡。未受理，未扣款。请换卡。", "Cards of this kind are not taken here. Not accepted; nothing was charged. Ask for another card."}
	CardOnline   = Pair{"此类卡须联机授权。未受理，未扣款。请在通讯正常时做联机交易，或换卡。", "A card of this kind needs the acquirer's own approval. Not accepted; nothing was charged. Make a sale once there is a line, or ask for another card."}
)
