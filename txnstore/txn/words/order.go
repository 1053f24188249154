package words

// ofOrderAlarm names what orders of the acquirer have met.
func ofOrderAlarm(kind string) (Pair, bool) {
	switch kind {
	case "order-left":
		return Pair{"收单行的指令需人工处理", "an order of the acquirer is for people"}, true
	case "order-failed":
		return Pair{"收单行的指令多次执行失败", "an order of the acquirer fails again and again"}, true
	case "order-repeated":
		return Pair{"收单行反复下达同一指令", "an order that was obeyed is given again and again"}, true
	case "odd-parameter":
		return Pair{"下载的参数无法使用", "a downloaded parameter cannot be used"}, true
	}
	return Pair{}, false
}

// OfOrder names what an acquirer orders in the header of an answer.
func OfOrder(what string) Pair {
	switch what {
	case "parameters":
		return Pair{"下载参数", "download parameters"}
	case "status":
		return Pair{"上送状态", "upload the status"}
	case "sign-in":
		return Pair{"重新签到", "sign in again"}
	case "capk":
		return Pair{"下载IC卡公钥", "download card scheme keys"}
	case "aid":
		return Pair{"下载IC卡参数", "download card application parameters"}
	case "software":
		return Pair{"更新软件", "update the software"}
	case "blocklist":
		return Pair{"下载黑名单", "download the blocklist"}
	case "contactless":
		return Pair{"下载非接参数", "download contactless parameters"}
	case "install":
		return Pair{"写入读卡器", "put into the card reader"}
	}
	return Pair{"未知指令", "an unknown order"}
}

// OfOrderState says what became of one.
func OfOrderState(state string) Pair {
	switch state {
	case "waiting":
		return Pair{"待执行", "waiting"}
	case "done":
		return Pair{"已执行", "done"}
	case "failed":
		return Pair{"失败", "failed"}
	case "left":
		return Pair{"请联系维护人员", "call the service"}
	}
	return Pair{state, state}
}

// OfChips names one of the sets for chip cards in Chinese.
func OfChips(what string) string {
	if what == "keys of card schemes" {
		return "IC卡公钥"
	}
	return "IC卡参数"
}

// OfInstall says whether the card reader holds the keys and applications that were downloaded for it.
func OfInstall(state string) Pair {
	switch state {
	case "done":
		return Pair{"已写入读卡器", "the card reader holds them"}
	case "waiting":
		return Pair{"尚未写入读卡器，程序自动重试", "not yet in the card reader; tried again by itself"}
	case "left":
		return Pair{"读卡器不支持，请联系维护人员", "the card reader does not take them; call the service"}
	case "unknown":
		return Pair{"程序未运行，读卡器状态未知", "whether the card reader holds them is known while the agent runs"}
	}
	return Pair{state, state}
}

// OfUse says what becomes of a downloaded parameter.
func OfUse(use string) Pair {
	switch use {
	case "in force":
		return Pair{"生效", "in force"}
	case "recorded":
		return Pair{"仅记录", "recorded"}
	case "refused":
		return Pair{"不可用", "refused"}
	}
	return Pair{use, use}
}
