// Package scanner drives a barcode scanner on a serial line and reads payment codes with it: the numbers that a customer's
// phone shows and that a payment platform charges once. Two kinds of scanners are spoken to:
//
//   - Plain sends each code as a line of text, whenever it sees one.
//   - GM72 (Grow GM72 in host mode) looks for a code only between a start and a stop command; see the package gm72.
//
// In both the text ends with CR or LF, which must be switched on in the scanner: without it a code that was cut on the line
// could be taken for a shorter code of another platform. That a GM72 sends a code as plain text behind its ACK, and not
// packed in a frame of its own, is its factory setting as its manual shows it; it is to be confirmed on hardware.
//
// # A code is money
//
// Whoever has the number can charge the phone's owner, once, for about a minute. Code therefore prints its first two and
// last four digits whatever the verb. Which platform a code belongs to is data, given by the caller: see Routes.
//
// A code must never be charged under two orders: when the first order's fate is unknown, the second would be a second charge
// if the first one went through. Whether a code was used is the books' question and not the driver's, which forgets with
// the power: Code.Fingerprint names a code without showing it, is recorded with the order in the commit that makes the order
// durable, before the first byte leaves, and refuses the code under any other order. A query or a reversal of the first order
// goes by the order's own number, never by the code.
//
// # On failure
//
// No failure of this package has moved money. A code that was shown before Scan is dropped: it belongs to nobody's order.
// A code that is damaged, interrupted by a pause, or too long, and what is no payment code, ends the Scan with an error that
// says so. A plain scanner that is
// unplugged cannot be told from one that sees nothing: both end in ErrTimeout.
package scanner
