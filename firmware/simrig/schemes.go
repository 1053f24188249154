package simrig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"posagent/firmware/agent"
	"posagent/link/acquirer"
	"posagent/txnstore/txn"
)

// schemesApart says where the card reader holds something else than what the terminal has kept for it. A set that was never
// kept whole is none, and leaves the reader as it was.
func (w *World) schemesApart(l *life) (wrong []string) {
	keys, apps, taps := w.card.Memory()
	for i, held := range []map[string]string{keys, apps, taps} {
		which := acquirer.SchemeKeys
		if i == 1 {
			which = acquirer.SchemeApplications
		}
		set, err := agent.ReadSchemes(agent.Folder(l.dir+"/"), which)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("the kept %s cannot be read: %v", which, err))
			continue
		case held == nil: // a reader that takes none, or none on this side
			continue
		case len(set.Rows) != len(held):
			wrong = append(wrong, fmt.Sprintf("%d %s are kept, and the reader holds %d", len(set.Rows), which, len(held)))
		}
		for _, row := range set.Rows {
			if body := held[string(row.Name)]; !holds([]byte(body), row, which) {
				wrong = append(wrong, fmt.Sprintf("%s: the reader does not hold %s as it was sent", which, row))
			}
		}
	}
	return wrong
}

func holds(body []byte, row txn.SchemeRow, which acquirer.Schemes) bool {
	if which == acquirer.SchemeKeys { // the hash is over the exponent, which is read back from one side only
		return len(row.Says) > txn.KeyModulus && bytes.Contains(body, row.Says[:txn.KeyExponent]) && bytes.HasSuffix(body, row.Says[txn.KeyModulus:])
	}
	all := len(body) > 0
	row.Each(func(_ byte, value []byte) { all = all && bytes.Contains(body, value) })
	return all
}
