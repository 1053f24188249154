// Package reader drives an ID TECH NEO 2 card reader (ViVOpay "ViVOtech2" protocol 2) over a serial line: magnetic
// stripe and contactless, in clear, by the command Activate Transaction 02-01. The line is 115200 8N1 (IDG 2.7.1).
//
// Source: ID TECH "NEO 2 Interface Developer's Guide" (2019), below IDG with page numbers. The numbers of the protocol
// are in the package neo2 beside this one.
//
//	terminal                                     reader
//	   │ 18-01 ping  ─────────────────────────────►│   fence: what came before its answer belongs to nobody
//	   │◄───────────────────────────── 18 OK       │
//	   │ 02-01 timeout, amount, currency ─────────►│
//	   │◄───────────────── 03-03 "present card"    │   events, any number, perhaps none
//	   │◄───────────────── 02-0E card found        │
//	   │◄───────────────── 02-00 or 02-23 + card   │   or 02-08 nobody came, 02-0A failed, 02-1D tampered
//	   │                                           │
//	   │ 05-01 cancel ────────────────────────────►│   context done: nothing else is sent until it is answered
//	   │◄───────────────────────────── 05 OK       │
//
// While a transaction is active the reader takes every other command for a cancel (IDG p. 208), so Ping and Version are
// refused with ErrBusy during Activate.
//
// # On failure
//
// No failure of this package has moved money: nothing has been sent to an acquirer when Activate returns. Answers carry
// no number, so one that comes late could be taken for the answer to a later sale. Three things prevent it: after an
// exchange that ended in doubt the line is read empty, and 05-01 is sent, before the next activation; every activation
// begins behind a ping; and a contactless answer is refused when the amount or the currency it signed is not the one
// asked for. A damaged answer cannot be asked for again: the card must be presented again.
//
// # Published and assumed
//
// Read in the guide, in frames printed there, or in the maker's published test scripts: frame, checksum orders, status
// and error codes, 02-01 request and answer (track 1, 2 and 3 with their lengths, a flag, E1, TLVs; the older order
// without track 3 that p. 407-409 still shows is accepted too), tag 9F39 and FFEE01/DFEE30 naming the entry mode, status
// 23h also on magnetic stripe mode cards, tracks of such cards without sentinels, failure data, event 02-0E, 05-01,
// 29-00, and the boot frame 14-01. RF state names are those of the maker's SDK headers.
//
// Assumed, to be confirmed on hardware: event frames 03-03 (their message indexes are published, their frame is not);
// that 02-01 answers a swipe with clear tracks in the layout above; that an idle reader answers 05-01; that a reader
// answers a cancel with 05 alone and not also with 02 (both are accepted); where no tag names the entry mode, that track
// data with sentinels was swiped and without was tapped. The boot notification must be switched on, in its frame form, when
// the reader is provisioned (IDG p. 149); without it a restart shows as ErrNoAnswer.
//
// 02-01 works only while no data encryption key is loaded in the reader (IDG p. 208). A reader that encrypts is refused
// with that reason.
package reader
