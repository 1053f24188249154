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
	keys, apps := w.card.Memory()
	for which, held := range map[acquirer.Schemes]map[string]string{acquirer.SchemeKeys: keys, acquirer.SchemeApplications: apps} {
		set, err := agent.ReadSchemes(agent.Folder(l.dir+"/"), which)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("the kept %s cannot be read: %v", which, err))
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
	if which == acquirer.SchemeKeys {
		return len(row.Says) > txn.KeyModulus && bytes.Contains(body, row.Says[:txn.KeyModulus]) && bytes.HasSuffix(body, row.Says[txn.KeyModulus:])
	}
	all := len(body) > 0
	row.Each(func(_ byte, value []byte) { all = all && bytes.Contains(body, value) })
	return all
}
