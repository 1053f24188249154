package txnstore

import (
	"os"
	"path/filepath"
)

// startingName counts starts that did not come to their end: each writes one byte more before bbolt is given a file, and
// removes the file when it is done, or has refused. A process that dies in between leaves it. bbolt is given nothing that
// the verifier calls damaged, so this is for what nobody has thought of: after mostDeaths such starts both databases are put
// aside and built anew, rather than dying of them for ever.
//
// It is not synced, because only the end of a process is to be noticed; after a power cut it may be there or not, and a start
// that is cut off by the power as often costs a salvage and nothing else.
const (
	startingName = "starting"
	mostDeaths   = 3
)

// startsDied announces a start and returns how many before it have died. On a disk that takes no file it is none.
func startsDied(dir string) int {
	path := filepath.Join(dir, startingName)
	was, _ := os.ReadFile(path)
	_ = os.WriteFile(path, make([]byte, len(was)+1), 0o600)
	return len(was)
}

func startEnded(dir string) { _ = os.Remove(filepath.Join(dir, startingName)) }
