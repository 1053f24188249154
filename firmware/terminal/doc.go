// Package terminal decides the order of deeds: what a sale is, what is owed after any failure, and when paper may come
// out. It knows neither bbolt nor serial lines nor ISO 8583; it speaks txn, and to four interfaces.
//
// A sale reads top-down as its story (sale.go), and recovery (recover.go) is not a separate path: every sale begins with
// it, and so do boot and the agent's timer.
//
//	recover what is owed ─► read the card ─► Begin: durable ─► Request on the line
//	                                                             │
//	                 not one byte left ──► abandoned             │
//	                 refused ────────────► declined              │
//	                 approved ───────────► approved ─► paper ◄───┤
//	                 anything else ──────► reversing ─► Reverse ◄┘
//
// A void is the same story (void.go): a request of its own, reversed when its fate is unknown, and then its sale stands
// again. A refund (refund.go) is an advice: told until it is acknowledged, never reversed. The closing of a batch (batch.go,
// settle.go) is a row of steps, each committed before the next, that recovery resumes; until it is over nothing is sold.
//
// Three rules hold everywhere:
//
//   - Nothing is sent before the commit that says it may have been.
//   - Nothing is shown or printed as approved before the commit that says so.
//   - Only txn.ErrNotSent abandons. A time-out is never a decline.
package terminal
