// Package iso8583 packs and unpacks the messages a terminal and its acquirer exchange: ISO 8583:1987 with a table per
// dialect. It allocates nothing for a message that is reused, and takes well under a microsecond.
//
//	 2 bytes   8 bytes            in the order of their numbers
//	┌───────┬──────────────┬─────────┬─────────┬─ ─ ─┬──────────┐
//	│  MTI  │    bitmap    │ field 2 │ field 3 │     │ field 64 │
//	│  BCD  │ bit n: field │         │         │     │          │
//	└───────┴──────────────┴─────────┴─────────┴─ ─ ─┴──────────┘
//	                          fixed  ┌────────────────┐
//	                                 │     value      │
//	                                 └────────────────┘
//	                          LLVAR  ┌────┬───────────┐   the length is BCD and counts digits
//	                          LLLVAR │ LL │   value   │   of n and z fields, bytes of the others
//	                                 └────┴───────────┘
//
// There is no secondary bitmap: a message has fields 2 to 64. TPDU, application header and length prefix belong to the
// link, not to the message.
//
// Values are what people write: a number is its digits, a track has '=' between number and expiry. A Message cannot be
// printed with card data in it, whatever the verb; an error names the field and what is wrong with it, never its value.
//
// What goes wrong is a *FieldError, or ErrShort when the input ends inside the message. Nothing panics on input.
package iso8583
