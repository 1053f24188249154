// Package capture records what passes over a device's line, with the moments, as a text file; and reads such files. A recording
// of a real device, played by devicetest.Player to the real driver, is a test for ever.
//
//	posagent capture 1
//	device neo2
//	note a swipe, from New to the card
//	     0.000000 > 5669564f74656368320018010000b3cd
//	     0.000912 < 5669564f74656368320018000000fa83
//
// The moment is in seconds since the recording began; > is from the terminal to the device, < from it. A line holds 64 bytes at
// most; one that begins at the same moment and in the same direction as the line before goes on with it.
//
// # Card data
//
// What passes over the line of a card reader is the card: number, track, cardholder's name. Replacing them in passing would
// need a parser for each protocol, and fails just where recordings are most wanted, on damaged frames. So the rule is one of
// refusal, in two steps that do not rest on each other:
//
//  1. A Recorder is made for development only, and keeps what it hears in memory, bounded.
//  2. Save puts nothing into a file before all of it has been judged: every number in it that could be a card's or a payment
//     code must be one of those the caller names, which are test numbers. One that is not, and nothing is written. On doubt
//     nothing is written either.
//
// What the judgement knows is listed at Capture.Judge. It does not know PIN pads, encrypted tracks or keys: the lines of
// such devices must not be recorded.
//
// # On failure
//
// Recording never disturbs the conversation: what does not fit any more is left out, and Save says that the recording
// was cut. A process that dies leaves no recording.
package capture
