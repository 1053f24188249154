// Package receipt turns a transaction into a paper slip: lines of text with their style, ready for any printer of a given
// width. It is pure: it reads no clock, opens nothing, and knows no printer command.
//
// Three slips exist, and none can be taken for another:
//
//	approved   POS签购单   the customer may keep it: the amount is big, the merchant's copy carries the signature; that of a
//	                      void or a refund has the kind in big letters and names its sale
//	reversed   冲正通知    "NOT CHARGED" in big letters, or of a void "THE SALE STANDS", no signature line, and the words
//	                      "not a receipt of payment"
//	suspense   结果未知    whom to call, and with which numbers; not a receipt of payment either
//
// Every other state is refused: nothing has happened yet, or nothing that paper should claim.
//
// Width follows the printers: an ASCII character takes one column, every other one is printed from the double-byte
// character ROM (GBK, the two-byte area of GB 18030) and takes two. What the ROM lacks is replaced by a visible box.
package receipt
