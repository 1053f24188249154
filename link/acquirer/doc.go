// Package acquirer speaks with the acquirer's host in the direct-connection POS dialect (直联POS终端规范, ISO 8583:1987):
// sign-in and working keys, sale, void, refund, reversal, settlement, echo. It turns a transaction into a message and an answer into a verdict.
//
//	                    ┌──────────────── no working keys ───────────────┐
//	Request, Reverse ──►│ 0800 sign-in ► field 62: keys, each verified   │
//	       │            └────────────────────────┬───────────────────────┘
//	       ▼                                     ▼
//	   0200 or 0400 with the MAC of today's key ──► link ──► 0210 or 0410
//	                                                             │
//	          approved or refused ◄── every check holds ◄────────┤
//	          *AnswerError with a reversal reason ◄── any fails ─┘
//
// An answer counts only if it is ours: message type, processing code, STAN, terminal, merchant and amount agree, and the
// MAC verifies. What does not count is neither an approval nor a refusal; it is an *AnswerError, which says for what
// reason the transaction must be reversed and how far its request got. errors.Is(err, txn.ErrNotSent) holds only if not
// one byte of the financial message left, whatever a sign-in before it may have sent.
//
// A refusal needs no MAC in this dialect, so somebody on the line can forge one while the acquirer holds the money.
// Options.MACOnDeclines closes that door with acquirers that sign everything.
//
// Messages are built from the record each time, never kept packed: a sign-in changes the key that a reversal, days
// later, is signed with.
package acquirer
