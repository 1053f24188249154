// Package pinpad drives a PIN pad that speaks Visa packets, as Uniform's PP791 and VeriFone's pads do (wire.go names the
// documents). The pad shows a prompt, takes the PIN, and gives it away encrypted: what comes out of here is a block for the
// acquirer and, with DUKPT, the serial number of the key. The PIN itself never enters this program.
//
//	host                               pad
//	 │ STX Z2 … ETX LRC ──────────────► │  shows the prompt
//	 │ ◄──────────────────────────  ACK │  NAK asks for it again, three times; EOT ends it
//	 │ STX Z60.account FS … ETX LRC ──► │
//	 │ ◄──────────────────────────  ACK │  keys are pressed
//	 │ ◄────────── STX 71 … ETX LRC     │  or EOT: cancelled, or nobody typed
//	 │ ACK ───────────────────────────► │
//
// The driver takes a port with deadlines. It does not open it, close it, log, or keep a goroutine between calls. After a
// failure it resets the pad before the next request, so that an answer that comes late is not taken for the next one's.
package pinpad
