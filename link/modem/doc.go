// Package modem makes a connection with a modem and hands it over as a stream of bytes with deadlines: a telephone call
// with a Hayes modem (Modem), or a TCP connection of a cellular modem's own (Cellular: Quectel, SIMCom).
//
// A telephone call. It speaks the AT commands of ITU-T V.250 (07/2003), and for leaving data state the Hayes escape sequence with guard
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
//
// A cellular modem. It is spoken to by the commands of 3GPP TS 27.007 and of the maker's TCP/IP note, named at the head
// of quectel.go and simcom.go.
//
//	dial ──► SIM card ──► in a network ──► data connection ──► TCP ──► socket: Read and Write by commands
//	                                                              └──► call: the line is the connection (transparent)
//
// Read waits for the modem's reports, which may come in the middle of an answer, and lets Write have the line whenever
// it wants it. "SEND OK" means that the modem has the bytes; how many of them have arrived is asked for after a failure
// (socket is a link.Meter). A dial that fails is remembered in a Ladder, and the next one first does more: a new data
// connection, a restart, a power cycle. During a connection nothing is ever reset.
package modem
