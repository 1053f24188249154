package simrig

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"posagent/firmware/agent"
)

// poweredFiles keeps downloads beside the store, and the power can fail before, inside and after each.
type poweredFiles struct {
	agent.Folder
	store *poweredStore
}

func (l *life) files() agent.Files {
	return &poweredFiles{agent.Folder(l.dir + string(filepath.Separator)), &poweredStore{l.store, l}}
}

func (f *poweredFiles) Read(name string) ([]byte, error) {
	if f.store.life.dead() {
		return nil, errPower
	}
	return f.Folder.Read(name)
}

func (f *poweredFiles) Keep(name string, content []byte) error {
	return f.store.commit("download", func() error { return f.Folder.Keep(name, content) })
}

// halfDownload is half for a file that is written beside the old one and renamed over it: the new one is there, or the old one
// with any part of the new one beside it.
func halfDownload(before, after remains, dice *rand.Rand) (remains, string) {
	for _, name := range slices.Sorted(maps.Keys(after)) {
		old, was := before[name]
		now := after[name]
		if was && old.equal(now) {
			continue
		}
		if dice.IntN(3) == 0 {
			return after, name + " renamed"
		}
		r := maps.Clone(after)
		delete(r, name)
		if was {
			r[name] = old
		}
		part := now.bytes[:dice.IntN(len(now.bytes)+1)]
		r[name+".new"] = content{part, int64(len(part))}
		return r, name + " old, and part of the new one beside it"
	}
	return after, "nothing to write"
}

var _ agent.Files = (*poweredFiles)(nil)
