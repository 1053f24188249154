// Package txnstore keeps every transaction of one terminal on its disk. Nothing that it has acknowledged is lost by a
// power cut, and after one it says what was in the middle of an exchange and is therefore owed.
//
// It keeps three files in one directory. The two databases are go.etcd.io/bbolt files with 4 KiB pages; a transaction
// lives in hot.db while it is in the middle of an exchange and in archive.db afterwards.
//
//	hot.db      64 KiB, bbolt, never grows. Its whole content is one leaf page, so a commit is two pages and two syncs:
//
//	            root leaf, 4 KiB
//	            ┌────────┬────────┬────────┬────────┬────────┬──────────┐
//	            │ r0     │ r1     │ r2     │ r3     │ r4     │ c        │   six buckets, all inline
//	            │ t: rec │ t: rec │ t: rec │ t: rec │ t: rec │ n: count │   one value each
//	            └────────┴────────┴────────┴────────┴────────┴──────────┘
//	             rec   at most 720 bytes, a record frame (record.go), or nothing
//	             count boot, next ID, STANs handed out, batch, commit number, terminal (counters.go)
//
//	archive.db  bbolt, written off the customer's path, several transactions a commit:
//
//	            txn     ID, 8 bytes big-endian   -> record frame
//	            ref     caller's reference       -> ID
//	                    payment code's mark      -> ID  (paycode.go)
//	            owed    ID -> 1                     State.Owes() is not Nothing
//	            paper   ID -> 1                     a slip is still owed
//	            total   batch, currency, side -> sums   changed with the records (totals.go)
//	            meta    "identity", "counters"      as they were at the last commit here; "pruned", "recent"
//	                    "closing" and batch         where the settlement of a batch stands (closing.go)
//
//	shadow      sixteen blocks of 4 KiB, opened O_DSYNC: the second copy of what hot.db commits (shadow.go).
//
// A slot of hot.db is used again only when its record is not open any more and its copy in archive.db is synced. From
// that moment the archive's copy is the truth and takes further changes.
//
// # What happens on failure
//
//   - Power lost during a commit: the record is in its older or in its newer state, in hot.db or in shadow. The next Open
//     takes the newer one, writes it to both, and says so in its Report. A commit that was acknowledged is in both.
//   - A commit that returned an error is unknown, not undone. The store closes and reopens its files and reconciles them
//     before anything else; the call returns ErrUnknownCommit, and the record, if it surfaces, is owed like any other.
//   - A record that cannot be read (checksum, seal, contents) stops itself, not the store.
//   - A file is looked at with pread before bbolt maps it (verify.go); bbolt is given nothing that is damaged. A damaged
//     or missing file where the others show that the terminal has been in service is put aside under a dated name, never
//     deleted, and built anew from everything that can be read (salvage.go); never is it taken for a new and empty store.
//     What was found stays in report-….txt until somebody acknowledges it. Where nothing says whose store it is, Open
//     refuses with ErrDamaged and changes nothing.
//   - A disk that reports a flush and does not make it is told at the next start, because each file says what the others had
//     reached (heard.go), and archive.db what it was given last (recent.go).
//   - A page of archive.db that goes bad under a running agent refuses what needs it, and no more; the next Open looks at
//     everything and salvages.
//
// Card number, expiry and the chip data that a reversal repeats are sealed with AES-256-GCM (NIST SP 800-38D). Track data
// and the chip data of a request are never stored.
//
// The store needs Linux: flock on a directory, O_DSYNC.
package txnstore
