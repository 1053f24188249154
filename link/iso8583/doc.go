// Package iso8583 packs and unpacks the messages a terminal and its acquirer exchange: ISO 8583:1987 with a table per
// dialect. It allocates nothing for a message that is reused, and takes well under a microsecond.
//
//	 2 bytes   8 bytes        8 bytes          in the order of their numbers
//	┌───────┬──────────────┬─ ─ ─ ─ ─ ─ ─ ─ ┬─────────┬─────────┬─ ─ ─┬───────────┐
//	│  MTI  │    bitmap    │ second bitmap  │ field 2 │ field 3 │     │ field 128 │
//	│       │ bit n: field │ if bit 1 is set│         │         │     │           │
//	└───────┴──────────────┴─ ─ ─ ─ ─ ─ ─ ─ ┴─────────┴─────────┴─ ─ ─┴───────────┘
//	                          fixed  ┌────────────────┐
//	                                 │     value      │
//	                                 └────────────────┘
//	                          LLVAR  ┌────┬───────────┐   the length counts digits of n and z fields,
//	                          LLLVAR │ LL │   value   │   bytes of the others
//	                                 └────┴───────────┘
//
// That is the compact notation. In the readable one the type is four characters, a bitmap sixteen and a length two or
// three; a dialect says for each of them which it is, and for each field how its value travels. The second bitmap goes
// out exactly when there is a field above 64. TPDU, application header and length prefix belong to the link, not to the
// message.
//
// Values are what people write: a number is its digits, a track has '=' between number and expiry. A Message cannot be
// printed with card data in it, whatever the verb; an error names the field and what is wrong with it, never its value.
//
// What goes wrong is a *FieldError, or ErrShort when the input ends inside the message. Nothing panics on input.
package iso8583
