// Package profile is how an acquirer wants to be spoken to, as data: which fields there are and how they travel, what each
// kind of transaction says, how an original is named, how a reversal is made and repeated, what goes around a message, and
// how long an answer is waited for.
//
//	unionpay.toml ─┐                       ┌► Dialect   the codec's table
//	iso87.toml    ─┼─ base ─► FILE ─► judged ─► Forms     what each message says, compiled
//	               │   file's own entries  └► Frame, MAC, reasons, codes, timers
//	               └ the same form as a merchant's file
//
// There is one form of a profile, a TOML file of sections, single-line strings, numbers, booleans and lists of strings.
// Two are built in; a merchant's names one of them as its base and says what is different. Read judges the whole and
// returns every fault at once, each with its line and what to do: unknown keys, a field's format that cannot be, a form
// that names what the table lacks or what its message does not know, two kinds that nobody could tell apart.
//
// A sale by payment code is a sale with a field more, which [sale.code] names. Where nothing says {code}, as with that field set
// to "", the acquirer takes none.
//
// A profile holds no card data and makes none: number, expiry, track and chip are put into a message by package acquirer
// as the way the card came in asks for. What is compiled here cannot fail later for its shape; only a value that a
// transaction does not have can be missing.
package profile
