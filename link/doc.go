// Package link carries one message to the acquirer and its answer back, over the first of several lines that works.
//
//	         Exchange ──► pack ──► frame ──► Write ─────────────────┐
//	            ▲                                                    ▼
//	turn: one at a time                                     bearer 1: a TCP address
//	            │                                           bearer 2: a modem
//	            ▼                                           …
//	Reply ◄── matched ◄── unpack ◄── deframe ◄── reader ────────────┘
//	            │
//	            └── late, duplicate, foreign ──► Stray, never delivered
//
// The frame is that of the UnionPay-style direct connection: on a network line two bytes of length, big-endian, of
// what follows; then a TPDU of 5 bytes (60, destination, source), an application header of 6 bytes, the message. A
// dialled line has no length; the codec says when a message is whole.
//
// What matters most is what a failure means for money. Every failure of Exchange is an *ExchangeError that tells how
// many bytes were handed to the line. errors.Is(err, ErrNotSent) holds exactly when that number is zero, and only
// then may a caller believe that nothing happened. After the first byte the link never changes the bearer and never
// sends again by itself: repeating is a decision about money, and that is not made here.
//
// One goroutine per session owns reading. It notices a dead or half-closed line before the next exchange is written
// into it, and it drains answers that came too late.
package link
