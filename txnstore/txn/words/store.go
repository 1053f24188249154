package words

// What is said when the terminal's own disk keeps a sale from being recorded. Nothing is ever sent that is not recorded,
// so nothing was charged.
var (
	DiskFull     = Pair{"终端存储空间已满。未受理，未扣款。请清理磁盘后重试。", "The terminal's disk is full. Not accepted; nothing was charged. Free some space and try again."}
	DiskReadOnly = Pair{"终端存储为只读。未受理，未扣款。请联系维护人员。", "The terminal's disk takes no writes. Not accepted; nothing was charged. Call the technician."}
	DiskFails    = Pair{"终端存储故障。未受理，未扣款。请联系维护人员。", "The terminal's disk fails. Not accepted; nothing was charged. Call the technician."}
)

// Labels of the store's state, for a technician.
var (
	StoreFault = Pair{"存储故障", "store fault"}
	LastKnown  = Pair{"以下为故障前的数据", "the figures below are the last known"}
)
