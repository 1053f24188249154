// Package reader drives an ID TECH NEO 2 card reader (ViVOpay "ViVOtech2" protocol 2) over a serial line, in clear or enciphering:
// magnetic stripe and contactless by the command Activate Transaction 02-01, or 02-40, and chip cards in its slot by the three contact commands
// 60-10, 60-11 and 60-12 (contact.go draws them). The line is 115200 8N1 (IDG 2.7.1).
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
// refused with ErrBusy during Activate, and while a card in the slot waits for Complete.
//
// # On failure
//
// No failure of Activate has moved money: nothing has been sent to an acquirer when it returns. A failure of Complete has an
// approval behind it that did not come about at the card, and says so. Answers carry
// no number, so one that comes late could be taken for the answer to a later sale. Three things prevent it: after an
// exchange that ended in doubt the line is read empty, and 05-01 is sent, before the next activation; every activation
// begins behind a ping; and a contactless answer is refused when the amount or the currency it signed is not the one
// asked for. A card's agreement counts only with a certificate of the very transaction that went online. A damaged answer cannot be asked for again: the card must be presented again.
//
// # Published and assumed
//
// Read in the guide, in frames printed there, or in the maker's published test scripts: frame, checksum orders, status
// and error codes, 02-01 request and answer (track 1, 2 and 3 with their lengths, a flag, E1, TLVs; the older order
// without track 3 that p. 407-409 still shows is accepted too), tag 9F39 and FFEE01/DFEE30 naming the entry mode, status
// 23h also on magnetic stripe mode cards, tracks of such cards without sentinels, failure data, event 02-0E, 05-01,
// 29-00, the boot frame 14-01, the flow of 60-10, 60-11 and 60-12 with their tags and the result 0004h (p. 160, 178-189), the
// first answer 63h, 2C-18 (p. 300), 25-07 (p. 118), and the asks 61-01 to 61-03 (p. 160, 206). Results other than 0004h and the
// modes of 61-01 are those of the maker's SDK headers. Front lamp and buzzer: signal.go says what of them. RF state names are those of the maker's SDK headers.
//
// Assumed, to be confirmed on hardware: event frames 03-03 (their message indexes are published, their frame is not);
// that 02-01 answers a swipe with clear tracks in the layout above; that an idle reader answers 05-01; that a reader
// answers a cancel with 05 alone and not also with 02 (both are accepted); where no tag names the entry mode, that track
// data with sentinels was swiped and without was tapped. The boot notification must be switched on, in its frame form, when
// the reader is provisioned (IDG p. 149); without it a restart shows as ErrNoAnswer.
//
// Of chip cards it is assumed besides: that a card put into the slot ends 02-01 with entry mode 05 or source 01, which it does
// where the reader is provisioned for all three ways; that 60-10 then reads it from the beginning; that a second answer is two
// bytes of result and then objects; that 60-12 takes 8A, 89, 91, 71 and 72 as objects; and what ask.go says of our answers.
//
// Of keys and applications (schemes.go), commands, layouts and status codes are those of IDG p. 161-163 and 172-175; assumed are
// the layout of 60-0A, whose page is not public, as that in which a key is read (p. 173), what 60-01 answers as that of 60-04 (p.
// 164), that a key or application is written over another only once that was removed, and the meaning of the selection indicator.
// The keys of the contactless side are those of p. 247-250; assumed are the answer of D0-07, whose page is not public, and that the
// order of the checksum printed there is a slip: either is accepted. Its applications (04-02, p. 151) are not written: one that is
// not the reader's own must name an application flow, and of UnionPay's the guide gives no number (p. 91); and each belongs to a
// group (04-03) with a kernel's limits and terminal qualifiers, which no acquirer's list of applications has.
//
// # A reader that enciphers
//
// 02-01 works only while no data encryption key is loaded in the reader (IDG p. 208). With Opts.Sealed the driver asks by 02-40
// instead and takes masks and ciphertext, which are for whoever holds the key; this terminal does not. Either kind of reader where
// the other is expected is refused with ErrSetUp, and its text says what to do.
//
// Published: 02-40, the attribution byte and tag DFEE12 before the objects, failure data in FFEE1F, DFEE23 around a swipe, DFEE26
// (IDG p. 232, 236, 238); in the maker's test scripts, the bytes A1h and C1h between tag and length, C for a hidden digit, bytes C1h
// and E1h at the head of a chip's answer and E8h and ECh of a swipe's, and that what is enciphered is the whole object, tag and
// length included, filled up with zeros; the swipe's frame (ID TECH 80172501-001, p. 23-31), confirmed by the bytes that Bluefin
// prints of one, and that track 2 is enciphered as text, sentinels and check character included (test scripts).
//
// Assumed: that bit 5 of the swipe's field 8 says that the service code begins with 2 or 6 (in the scripts it is set for all cards
// of which that holds, and for no other; the public page reserves it); that the six digits which a reader can be told to show of a
// stripe can be had of chips too; that objects DFEF18 and FFEE14 are enciphered like 57, as whole objects; whether an attribution
// byte stands before the objects of 60-xx, so both are taken; that a card put into the slot ends 02-40 as it ends 02-01; and that
// 02-01 is answered "not allowed" where there is a key. Which DUKPT variant the data key is (C7-A3) is between reader and acquirer.
// AES, keys that are fixed, TransArmor, a MAC or a session's number behind a swipe are refused.
package reader
