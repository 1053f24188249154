package words

import "posagent/txnstore/txn"

// The words of a settlement, for the screen and for its report.
var (
	ReportTitle      = Pair{"批结算单", "SETTLEMENT REPORT"}
	DebitSide        = Pair{"借记", "DEBIT"}
	CreditSide       = Pair{"贷记", "CREDIT"}
	DomesticCards    = Pair{"内卡", "DOMESTIC CARDS"}
	ForeignCards     = Pair{"外卡", "FOREIGN CARDS"}
	AllCards         = Pair{"合计", "TOTAL"}
	NetTotal         = Pair{"净额", "NET"}
	HostTotals       = Pair{"收单行记录", "ACQUIRER'S RECORDS"}
	OwnTotals        = Pair{"终端记录", "TERMINAL'S RECORDS"}
	DifferenceLabel  = Pair{"差额", "DIFFERENCE"}
	RecordsTold      = Pair{"已上送明细", "RECORDS SENT"}
	CertificatesTold = Pair{"已上送交易证书(TC)", "CERTIFICATES SENT"}
	RecordsUnread    = Pair{"终端无法读取的记录", "RECORDS NOT READABLE HERE"}
	RecordsRefused   = Pair{"收单行未接受", "NOT ACCEPTED"}
	NextBatch        = Pair{"下一批次号", "NEXT BATCH"}
	ExplainsIt       = Pair{"以下挂账交易正好构成差额，请致电收单行处理", "THESE TRANSACTIONS IN SUSPENSE MAKE UP THE DIFFERENCE EXACTLY. CALL THE ACQUIRER"}
	AlsoDoubtful     = Pair{"另有挂账交易，结果未知", "ALSO IN SUSPENSE, RESULT UNKNOWN"}
	NothingExplains  = Pair{"终端内没有交易能说明差额，请致电收单行", "NOTHING ON THIS TERMINAL EXPLAINS THE DIFFERENCE. CALL THE ACQUIRER"}
	DoNotClaim       = Pair{"挂账交易未计入以上终端记录", "TRANSACTIONS IN SUSPENSE ARE NOT IN THIS TERMINAL'S RECORDS ABOVE"}
)

// OfVerdict is what the acquirer says of the totals.
func OfVerdict(v txn.Verdict) Pair {
	switch v {
	case txn.Balanced:
		return Pair{"对账平", "TOTALS AGREE"}
	case txn.Unbalanced:
		return Pair{"对账不平", "TOTALS DIFFER"}
	case txn.Mistaken:
		return Pair{"对账出错", "THE ACQUIRER COULD NOT COMPARE"}
	}
	return Pair{"未对账", "NOT COMPARED"}
}

// OfClosing is the closing line of a settlement; the zero Closing is one that was not begun.
func OfClosing(c txn.Closing) Pair {
	switch {
	case c.Batch == 0:
		return Pair{"批结算未开始，批次不变。", "The batch was not closed and nothing was begun; it stays as it is."}
	case c.Step == txn.Refused:
		return Pair{"收单行拒绝结算。批次未结，可以继续交易，请致电收单行。", "The acquirer does not settle this batch. It stays open and may go on selling; call the acquirer."}
	case c.Step != txn.Closed:
		return Pair{"批结算未完成。终端将自动继续，完成前不能交易。", "The batch is not closed yet. The terminal goes on by itself; nothing can be sold until it is done."}
	case c.Agrees():
		return Pair{"批结算完成，对账平。下一批次已开。", "The batch is closed and the totals agree. The next batch is open."}
	default:
		return Pair{"批结算完成，对账不平，明细已上送。请核对结算单。", "The batch is closed, the totals differ, and every record was sent. Compare the report."}
	}
}

// OfStep names where a closing stands.
func OfStep(s txn.Step) Pair {
	switch s {
	case txn.Asking:
		return Pair{"对账中", "comparing totals"}
	case txn.Details, txn.Advices, txn.Certificates:
		return Pair{"上送明细中", "sending records"}
	case txn.Ending:
		return Pair{"结束批次中", "ending the batch"}
	case txn.Closed:
		return Pair{"已结", "closed"}
	case txn.Refused:
		return Pair{"被拒绝", "refused"}
	}
	return Pair{"未结", "open"}
}
