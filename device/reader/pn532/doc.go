// Package pn532 drives an NXP PN532 board over its high speed UART (115200 8N1) and reads contactless payment cards with
// it, for development only: New refuses Opts that do not say Development.
//
// Source: NXP UM0701-02 "PN532 User Manual", rev. 02; the numbers are in the package hsu, the card's side in emv.
//
//	terminal                                    board
//	   │ ACK, wake up, SAMConfiguration ─────────►│   whatever was going on ends; what came before is dropped
//	   │◄──────────────────────── ACK, answer     │
//	   │ InListPassiveTarget ────────────────────►│
//	   │◄──────────────────────── ACK … answer    │   a card has come; or ACK from us after the timeout ends the search
//	   │ InDataExchange, once for each APDU ─────►│
//	   │◄──────────────────────── ACK, answer     │
//	   │ RFConfiguration, field off ─────────────►│
//
// # Resending
//
// An answer that is damaged is asked for again with a NACK, twice at most: the chip repeats it and does nothing else. A
// command whose ACK does not come is sent again, twice at most, unless it went to the card: the chip may have carried it
// out, and a card counts. Then the card is presented again.
//
// # On failure
//
// No failure of this package has moved money. After every failure the search is ended with an ACK and the field switched
// off, as far as the board still listens. The next Activate begins by configuring the board anew, so a board that
// lost its power in between is found again.
//
// # What it is not
//
// It is no payment kernel: see the package emv. A card read by it is txn.Tapped, without chip data, as a contactless
// stripe would be; acquirers of real terminals have every right to refuse it.
package pn532
