// Package keys holds a terminal's keys: how they come in, where they lie, what is derived from them, and how they end.
//
//	two components, two persons ─┐
//	a signed bundle ─────────────┼──► Set (master key TMK) ──► KeyStore: sealed file, or the kernel's keyring
//	a file of earlier versions ──┘          │                       │
//	                                        ▼                       └──► Destroy, when the case was opened
//	              field 62 of a sign-in ► Working: MAC key, track key, each with its check value
//	                                        │
//	                                        └──► MAC (field 64), EncryptTrack (fields 35 and 36)
//
//	DUKPT has a family of its own: an initial key, which comes in the same two ways, and from it one key a transaction, never
//	the same twice (FamilyFile). The whole track of a request goes under its data key where a profile wants that.
//
// What it promises. A key is adopted whole and verified, or the keys that were there stay. A power cut leaves the old set
// or the new one. A key does not print: its type shows a check value under every verb, to the log and in JSON. Nothing
// here logs.
//
// What it cannot promise. Go copies what it is given as a string and keeps cipher schedules where nobody can clear them,
// so clearing is done for every buffer that this package owns and for none that the runtime does; the program forbids core
// files and tracing beside it. Flash may keep an overwritten block: what is destroyed on it was sealed under the device
// key, and a device key that is not on the same flash (the kernel's keyring) is what makes that final.
package keys
