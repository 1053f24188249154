// Package scenario is the language in which stories of a terminal are told, what runs them, and the judge.
//
// A story is one screen of text that a merchant's engineer can read. The same file runs in the simulated world and on a
// bench of real processes or boards; both are a Rig.
//
//	# The power fails after the acquirer has approved and before the answer is recorded.
//	present visa-4242
//	sale 12.50
//	cut power on recv 0210
//	restore power
//	expect host reversal of last
//	expect store reversed
//	expect paper 冲正
//
// One step stands on a line, words are separated by one space, and lines that begin with # are for people. The language
// is strict: what is not understood is an error that names file and line and says what may stand there, and every story
// prints back to the text it was read from.
//
// # Deeds
//
//	present CARD                      a card of cards.toml is put to the reader
//	insert CARD, swipe CARD           its chip is put into the slot, where it stays until "reader remove"; its stripe is swiped
//	show CODE                         a payment code, wechat-N, alipay-N or unionpay-N, is shown to the scanner until it is read or
//	                                  "scanner remove"; goods-N and stranger-N are none that is taken
//	sale AMOUNT [scanned] [again] [as NAME]     the till asks for a sale and waits for its end; NAME is its reference
//	void [of NAME] [by WHO] [as NAME] a sale is taken back, which the supervisor with the number WHO allows, or "nobody";
//	                                  without it one who may. The card is presented again
//	refund AMOUNT [of NAME] [by WHO] [as NAME]   money of a sale is given back
//	preauth AMOUNT [again] [as NAME]  money is held on the card
//	cancel preauth [by code] [of NAME] [by WHO] [as NAME]   it is let go; "by code" names it as its slip does, by
//	                                  authorisation code and date, as the till was told them
//	complete AMOUNT [by code] [of NAME] [as NAME]   it is charged
//	cancel completion [of NAME] [by WHO] [as NAME]  the charge is undone, and the money held again
//	notice AMOUNT [by code] [of NAME] [as NAME]     it is charged without asking first; needs no line
//	offline AMOUNT auth CODE [again] [as NAME]      a sale that was authorised by telephone; needs no line
//	balance [printed]                 what the card's account holds, on a slip if the cardholder wants one
//	batch close|totals|report
//	ask OP [AMOUNT] [of NAME]         the till asks for anything else: recover, reprint, status, list, recount
//	cancel                            the cashier presses cancel
//	cut power, restore power
//	wait DURATION                     "90s", "25h"
//	settle                            time passes until nothing is owed but what waits for people
//	reader|scanner|pinpad|printer|modem|acquirer WORDS   as the simulators' Command methods understand them
//	line down|up|drop                 the network: unplugged, plugged in, its connections broken
//	wire reader|scanner|pinpad|printer|modem|line WORDS  what the rig can do to a wire; each rig's page says what
//	clock +DURATION|-DURATION         the terminal's wall clock is set forward or back
//	case open|closed|serviced         somebody opens the terminal's case; closing it again does not undo that. A technician
//	                                  does, who switches it off for that: "restore power" comes next
//	supply failing|steady             the supply warns that it fails; it may recover, or "cut power" comes
//
// # Events
//
// A deed with an event behind it happens in the course of the step above it. All such lines below a step are armed
// before the step begins, so that a story means the same where time is real. A step ends once its armed deeds have
// happened; one that does not happen at all fails the story.
//
//	cut power on send 0200            the last byte of the request has left
//	cut power on recv 0210            the last byte of the answer has come, and nobody has read it
//	cut power on byte 17 of send 0200
//	cut power before commit pending   also inside (half of it is on the disk) and after
//	cut power on byte 200 to printer  also from; to line, modem, reader,
//	                                  pinpad, printer, scanner
//	cut power on printing line 3
//	line down on card read
//	cancel on stage present-card
//	present visa-4242 on outcome refused   a till has been told that, and not before
//	line up after 45s
//	cut power on 2nd send 0400
//
// # Expectations
//
//	expect till OUTCOME ["WORDS"] [of NAME]     approved declined not-done reversed unknown queued resolved refused lost
//	expect store STATE [of NAME]                or nothing
//	expect host held|voided|refunded|given|completed|cancelled|lapsed|done|reversed|declined|absent|nothing [of NAME]
//	expect host reversal [of NAME]
//	expect host saw N of MTI
//	expect paper WORD… [times N] [marked|unmarked] [of NAME]
//	expect owed N, expect suspense N, expect slips owed N
//	expect journal "WORDS" [of NAME]
//	expect reason|code|tries|bearer VALUE [of NAME]
//	expect shown STAGE, expect not shown STAGE
//	expect closing STEP|none ["WORDS"]         how far the till was told that the batch is that was to be closed last
//	expect batch N                             the terminal's open one
//	expect books agree
//
// NAME is a name given with "as"; "last", or nothing, is the newest.
//
// At the end of every story the world is put right: faults end, power and lines return, paper is put in. Then everything
// that is owed must be finished in bounded time, and the judge compares both sides' books, paper and everything that
// was left lying about.
package scenario
