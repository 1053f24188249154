package words

// OfAlarm names what a guard of the terminal has met.
func OfAlarm(kind string) Pair {
	switch kind {
	case "other-merchant":
		return Pair{"跳码：应答商户号不一致", "an answer named another merchant"}
	case "other-terminal":
		return Pair{"应答终端号不一致", "an answer named another terminal"}
	case "repeated":
		return Pair{"疑似重复交易", "the same card and amount within minutes"}
	case "over-limit":
		return Pair{"超出交易限额", "more than may be charged"}
	case "blocked-card":
		return Pair{"黑名单卡", "a blocked card"}
	case "refused-range":
		return Pair{"不受理的卡段", "a card of a range that is not charged, or not so"}
	case "wrong-password":
		return Pair{"主管密码错误", "a wrong supervisor password"}
	case "locked-out":
		return Pair{"主管已锁定", "a supervisor locked out"}
	}
	if p, known := ofOrderAlarm(kind); known {
		return p
	}
	return Pair{"告警 " + kind, kind}
}
