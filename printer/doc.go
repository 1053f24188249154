// Package printer drives ESC/POS receipt printers, by Epson's ESC/POS command reference and the manuals of the makers that
// follow it (escpos.go names the page for every byte).
//
// A slip counts as printed when the printer says so, not when the line has taken the bytes:
//
//	host                                             printer
//	 │ DLE EOT 1 2 3 4 ───────────────────────────────► │  paper, cover, cutter?  a fault: nothing is sent
//	 │ ESC @, GS a, text, text, text … ───────────────► │
//	 │ GS ( H 48 <id> ────────────────────────────────► │  remembers the id behind the text
//	 │ GS V ──────────────────────────────────────────► │
//	 │                                                  │  prints
//	 │ ◄─────────────────────────────── 37 22 <id> 00   │  the text before the id is on paper: Proven
//
// When the paper ends on the way, or the cover opens, or the blade jams, the printer says so by itself (automatic status
// back) or when asked again, and Print returns that fault with the slip's fate: not proven. The caller then prints the
// slip again, marked as a duplicate. A printer keeps what it has not printed and prints it when the paper returns, so the
// first copy may still come out: that is why the mark is needed.
//
// Star printers prove otherwise, by a counter (star.go). A printer that cannot prove leaves its slips unconfirmed, and
// they are recorded so.
//
// The driver takes a port with deadlines. It does not open it, close it, log, or keep a goroutine between calls.
// Flow control belongs to the port: prefer DTR/DSR or RTS/CTS. Where the bytes XON and XOFF reach the driver it obeys
// them, but what waits in the port's buffer it cannot hold back. IXANY must be off, or any status byte would wake a printer that is full.
package printer
