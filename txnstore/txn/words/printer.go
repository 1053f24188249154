package words

// PrinterState is the worst thing that is to be said of a receipt printer.
type PrinterState string

const (
	PrinterReady    PrinterState = "ready"
	PrinterNearEnd  PrinterState = "paper-near-end" // prints
	PrinterPaperOut PrinterState = "paper-out"
	PrinterCover    PrinterState = "cover-open"
	PrinterCutter   PrinterState = "cutter"
	PrinterHot      PrinterState = "pausing" // head temperature or voltage: ends by itself
	PrinterBroken   PrinterState = "error"   // power off and on, or service
	PrinterOffline  PrinterState = "offline" // says no reason, or somebody holds its feed button
	PrinterSilent   PrinterState = "no-answer"
)

// PrinterStates are all of them, the harmless ones first.
func PrinterStates() []PrinterState {
	return []PrinterState{PrinterReady, PrinterNearEnd, PrinterHot, PrinterOffline, PrinterPaperOut, PrinterCover, PrinterCutter, PrinterSilent, PrinterBroken}
}

// OfPrinter says what is the matter with a printer, and what to do about it; nothing is to be done about one that is ready.
func OfPrinter(s PrinterState) (what, do Pair) {
	switch s {
	case PrinterReady:
		return Pair{"打印机就绪", "the printer is ready"}, Pair{}
	case PrinterNearEnd:
		return Pair{"打印纸将尽", "the paper is nearly used up"}, Pair{"请备好新纸卷", "have a new roll at hand"}
	case PrinterPaperOut:
		return Pair{"打印机缺纸", "the printer is out of paper"}, Pair{"请装入新纸卷，将自动补打整张单据", "put in a new roll; the whole slip is then printed by itself"}
	case PrinterCover:
		return Pair{"打印机盖未合上", "the printer's cover is open"}, Pair{"请合上机盖", "close the cover"}
	case PrinterCutter:
		return Pair{"切刀卡住", "the cutter is jammed"}, Pair{"请关机，清除刀口的纸，再开机", "switch it off, clear the paper from the blade, switch it on"}
	case PrinterHot:
		return Pair{"打印头过热或电压异常，暂停打印", "the printer is pausing: its head is too hot, or its voltage out of range"},
			Pair{"请等候一分钟，将自动继续", "wait a minute; it goes on by itself"}
	case PrinterBroken:
		return Pair{"打印机故障", "the printer has an error that it cannot recover from"},
			Pair{"请关机后再开机；仍有故障请联系维修", "switch it off and on; if that does not help, call service"}
	case PrinterOffline:
		return Pair{"打印机脱机", "the printer is offline"}, Pair{"请松开走纸键，检查联机指示灯", "release the feed button, check its online light"}
	default:
		return Pair{"打印机无应答", "the printer does not answer"},
			Pair{"请检查电源和电缆，并按自检页核对波特率与校验", "check that it is switched on, its cable, and speed and parity as on its self-test page"}
	}
}
