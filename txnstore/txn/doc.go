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
//	advising ──(repeated until acknowledged)──► approved
package txn
