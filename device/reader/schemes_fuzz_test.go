package reader

import (
	"testing"

	"posagent/txnstore/txn"
)

// What a reader answers about its keys and applications is read to its end, or refused.
func FuzzWhatAReaderHolds(f *testing.F) {
	f.Add([]byte{0xA0, 0, 0, 3, 0x33, 0x0B, 0xA0, 0, 0, 0, 3, 0x92}, false)
	f.Add([]byte{1, 0, 7, 0, 0xA0, 0, 0, 3, 0x33, 1, 1}, true)
	f.Add([]byte{2, 0, 0x9F, 0x1B, 4, 0, 0, 0, 0, 0xDF, 0xEE, 0x15, 1, 1}, true)
	wanted := appArticle(txn.SchemeRow{Name: []byte{0xA0, 0, 0, 3, 0x33, 1, 1}, Says: []byte{txn.SaysFloor, 4, 0, 0, 0, 0, txn.SaysPartial, 1, 1}})
	f.Fuzz(func(t *testing.T, answer []byte, apps bool) {
		names, err := listed(answer, apps)
		size := 0
		for _, name := range names {
			size += len(name)
		}
		if err == nil && (size > len(answer) || !apps && size != len(answer)) {
			t.Fatalf("%d bytes of names in %d", size, len(answer))
		}
		if wanted.in(string(answer)) && len(answer) < 12 {
			t.Fatal("less than was set passes for it")
		}
	})
}
