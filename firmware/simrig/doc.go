// Package simrig is a simulated world for the terminal: the production agent with its real drivers, codec and store, in
// virtual time (testing/synctest), on wires whose far ends are simulated machines. Its World is a scenario.Rig.
//
//	                     ┌──────────────── mains: cut at any step ────────────────┐
//	till ── wire ──► socket │ agent.New + Run │ ── wire 115200 ──► card reader        (device/devicetest)
//	                     │                    │ ── wire 9600 ────► PIN pad, where there is one (device/devicetest)
//	                     │  engine, drivers   │ ── wire 115200 ──► printer, paper     (printer/printertest)
//	                     │  link, codec       │ ── wire 9600 ────► modem ── phone ──┐ (link/linktest)
//	                     │  txnstore, files   │ ── network ─────────────────────────┴► acquirer, its ledger
//	                     └────────────────────┘
//
// # What we promise to survive
//
// After everything below has ended, both sides' books agree to the cent, every approved sale has its paper, nothing is
// owed but what truly waits for people, and no card data stands anywhere in clear. The judge is package scenario.
//
//   - Power fails at any byte to or from a machine, before, inside and after any commit, during recovery too, and in the
//     middle of a boot. What was synced is on the disk. Of a commit that is not finished, any set of 512-byte sectors of
//     the pages in flight is, a 4 KiB page may be shorn (zeros or noise) where no synced data stands, and bbolt's meta is
//     written after its pages.
//   - The network delays, stalls, splits, drops connections and is unplugged: bytes arrive in order or not at all.
//   - The telephone: busy, no dial tone, no answer, carrier lost, a line cut that the modem does not notice, noise before a
//     result code, a modem that is dead or talks nonsense. Its serial line stands still, loses, doubles and flips bytes, in
//     commands and in messages.
//   - The acquirer is silent, late, drops the line before or after posting, answers twice, in parts, byte by byte, with a
//     wrong MAC, without one, with another STAN, amount, terminal or merchant, with rubbish, with wrong keys, and asks for a
//     new sign-in at any time. Somebody on the line forges a refusal; the terminal demands a MAC on refusals here.
//   - The reader's line loses, doubles and flips bytes; the reader is dead, talks nonsense, restarts, finds no card, is
//     unplugged and plugged in again.
//   - A chip is pulled at any moment, refuses what the acquirer approved, or decides by itself; the reader restarts, is silent,
//     late or not understood at each of the card's three steps. What a card has completed is asked of the card.
//   - The PIN pad's line stands still, loses, doubles and flips bytes, the pad is off or unplugged, and the cardholder types a wrong
//     PIN, none, nothing at all, or presses cancel. A sale that a PIN belongs to is made with it, or not begun.
//   - The case is opened, at any moment: nothing leaves any more, over restarts too, until a technician has loaded new keys, and
//     what was owed is owed until then. The supply warns before it fails, or warns and recovers: nothing leaves after the warning.
//     The judge is told of each message that begins once the terminal has had 5 ms with power to take note (edges.go).
//   - The card reader enciphers: no number passes on any wire, and what it gave is found nowhere afterwards.
//   - Tracks go under DUKPT: over all cuts no counter is used twice, and what is owed is reversed without one.
//   - The printer runs out of paper, or nearly, has its cover open, jams, is too hot, has its feed button held, is broken, is
//     switched off, answers nothing or rubbish, is unplugged. Its
//     line stands still, loses, doubles and flips bytes: the money is right then, and so is what is printed afterwards.
//   - An adapter that is unplugged comes back as another tty. A terminal's ports are named by what follows it (by-path, by-id,
//     usb:…); how such a name is looked up is the business of package device/serial and its tests.
//   - Every other kind of transaction, and the closing of a batch, meets any of this at each of its messages and commits, and the
//     acquirer's business day changes. What needs no line is done without one.
//   - The acquirer orders downloads at any time, and any of this meets them: the set in force is the old one or the new one,
//     whole.
//   - The terminal's wall clock jumps by hours, back and forth. The till loses its connection in a cut and asks again with
//     the same reference.
//
// # What we do not
//
//   - A mark of an opened case or a failing supply, and the file of DUKPT keys, is on the disk whole or not at all here. Torn ones
//     are the tests' of those who write them. No edge of a line is lost here, so that a line which is still is not read.
//   - A slip that is printed over a noisy line: ESC/POS has no checksum, so the terminal cannot know what its bytes became.
//     The judge takes it for any slip that is missing.
//   - Bits that fall over in the settlement of a batch over the telephone: its messages carry no MAC in this dialect, and a
//     wrong digit of a total is a total. The same is true of a downloaded parameter. The line between two modems corrects errors (V.42); the cable to the modem does not.
//   - A disk that loses or changes what it has acknowledged: cmd/hil crash and the store's own tests are about that.
//   - A refusal forged where the acquirer sends refusals without a MAC, as this dialect allows: nobody could tell.
//   - Two faults of hardware that hide each other's evidence, such as both copies of a record gone bad.
//
// # How a world is the same each time
//
// One seed makes a world. Every wire, every kind of commit and every machine throws dice of its own (stream.go), and every
// event gets an instant of its own: a wire adds nanoseconds that it draws, a commit takes a drawn moment. So goroutines
// that the scheduler may run in any order have nothing to race for, and a seed gives the same trace, byte for byte.
//
// # How the power fails
//
// At the cut the near end of every wire goes dead, the socket's connections break, the log falls silent, and the files are
// taken away as they stand, or as half a commit would leave them. The goroutines of the dead terminal meet nothing but
// errors from then on; whatever they still do reaches no wire, no paper and no file of the next life, which gets a
// directory of its own.
package simrig
