// Package txn is the vocabulary that every room of posagent may speak: the transaction record, its states and what
// each state owes, money in minor units, and card data that cannot be printed by accident.
//
// It is pure. It imports the standard library only, opens nothing, and knows no other package of this program.
//
// A state names what may already have happened, so that a restart needs nothing else:
//
//	          not a byte left
//	pending ─────────────────────► abandoned
//	 │  │ │
//	 │  │ └── refused ───────────► declined
//	 │  │
//	 │  └─ approved, card still to confirm ─► authorized ──► approved
//	 │                                            │  │           ▲
//	 │  approved, nothing more to do ─────────────┼──┼───────────┘
//	 │                                            │  │
//	 └── timeout, restart, bad MAC, mismatch ─► reversing ──► reversed
//	                                              │              ▲
//	                                              │        proof from the acquirer
//	                                              │              │
//	                                              └── no proof ► suspense ──► resolved
//	advising ──(repeated until answered)──► approved, declined, abandoned or suspense
//
// Sales and voids begin as pending, refunds as advising. Whether a sale was voided or refunded does not stand in its own
// record: it follows from the records that undo it (Txn.Undoes), so the two can never disagree.
package txn
