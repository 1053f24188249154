// Package modem makes a telephone call with a Hayes modem and hands over the call as a stream of bytes with deadlines.
//
// It speaks the AT commands of ITU-T V.250 (07/2003), and for leaving data state the Hayes escape sequence with guard
// time, which V.250 5.8.1 leaves to manufacturers.
//
//	           sync, init          ATDT, CONNECT
//	unknown ─────────────► idle ────────────────► call ──┐
//	  ▲  ▲                  ▲ ▲                    │     │ NO CARRIER,
//	  │  │ no proof         │ └─ BUSY, NO CARRIER… │     │ DCD off
//	  │  └──────────────────┼──────────────────────┤     ▼
//	  │                     └── ATH, OK ───────────┴── lost
//	  └── the program starts; it may have been killed in the middle of a call
//
// Who owns the port: Dial, from its call to its return; then the call it returned, whose Read and Write may run at the
// same time, each once; then Close, as soon as both have left. A second Dial meanwhile is refused with ErrInUse. The
// package starts no goroutine, opens and closes no port, and logs nothing.
//
// What happens on failure: a Dial that fails leaves the modem on hook, or, where the modem gives no proof of that,
// remembers the doubt, and the next Dial first takes the modem out of any call (DTR, else the escape sequence). A new
// Modem starts in doubt, because the process before it may have died during a call: the modem would then send every
// command to the other side as payload. Payload that was received before a call was lost is delivered before the loss
// is reported.
package modem
