// Package neo2 is the wire vocabulary of ID TECH NEO 2 card readers (ViVOpay "ViVOtech2", protocol 2): frames, their
// checksum, the TLV objects inside, and every number of the protocol that this program uses. The driver speaks it from
// the terminal's side, the simulated reader from the other; the bytes are written down here once.
//
// Source: ID TECH "NEO 2 Interface Developer's Guide" (2019), called IDG below with its page numbers. EMV tags follow
// EMV Book 3, annex A and B.
//
//	 0                  9   10      11       12     13    14          14+n   15+n
//	+--------------------+--------+--------+------+------+-----------+------+------+
//	| V i V O t e c h 2 0| command|  sub   | len  | len  |   data    | CRC  | CRC  |   terminal to reader
//	|                    |        |        | MSB  | LSB  |  n bytes  | LSB  | MSB  |
//	+--------------------+--------+--------+------+------+-----------+------+------+
//	| V i V O t e c h 2 0| command| status | len  | len  |   data    | CRC  | CRC  |   reader to terminal
//	|                    |        |        | MSB  | LSB  |  n bytes  | MSB  | LSB  |
//	+--------------------+--------+--------+------+------+-----------+------+------+
//
// The checksum is CRC-16/CCITT, polynomial 1021h, initial value FFFFh, over everything before it. Its two bytes travel in
// opposite order in the two directions (IDG p. 42, p. 407-409: verified against the frames printed there), except in
// frames that the reader starts by itself, which the guide draws in either order (p. 132, 376). A Decoder for the
// terminal's side therefore takes both.
//
// There is no sequence number, no acknowledgement and no repetition in this protocol: an answer is known only by its
// command byte, and an answer that is damaged on the line is lost.
package neo2
