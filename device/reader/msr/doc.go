// Package msr drives a magnetic stripe reader that sends each swipe as text over a serial line, such as MagTek's RS-232
// swipe readers. The reader takes no commands: it sends when a card is swiped, whether anybody waits or not.
//
//	%B4242424242424242^TEST/CARD^3012201…?  CR     track 1, ISO/IEC 7813, 7-bit characters, at most 79
//	;4242424242424242=3012201…?             CR     track 2, ISO/IEC 7813, 5-bit characters, at most 40
//	;…? or +…?                              CR     track 3, ISO/IEC 4909, 5-bit characters, at most 107
//
// Sources: ISO/IEC 7811-2 annexes (characters, sentinels, LRC); ISO/IEC 7813; MagTek "Swipe Readers with RS-232
// IntelliHead", p. 6 (an E in place of a track that could not be read, tracks in one line or several, + before track 3).
//
// Parity of the line itself is the port's business. Readers check parity and LRC on the stripe; most then drop the LRC. Where
// one is set to pass it on, Opts.LRC says so and it is checked again, which covers the line too.
//
// # What is believed
//
// Track 2 alone is used: it is what field 35 carries. Track 1, where it was read, must name the same number and expiry.
// Track 3 is read past. Neither is kept. A number must have the right check digit, unless Opts say that some have none.
//
// # On failure
//
// No failure of this package has moved money. A swipe that is incomplete, damaged or contradictory is ErrBadSwipe, which is
// also reader.ErrCardUnread: the card is swiped again. A swipe made before Activate is dropped, so that a card swiped
// during one sale can never pay for the next. A reader that is unplugged cannot be told from one that nobody uses: both end
// in reader.ErrTimeout.
package msr
