package keys

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// disk is what a power cut may leave: files by inode, and names whose changes reach the disk on their own.
type disk struct {
	inodes  map[int][]byte // content that is certain
	wrote   map[int][]byte // content that may be there in part
	names   map[string]int // names that are certain
	changes []change       // names that may or may not have changed
	next    int
}

type change struct {
	name  string
	inode int // 0 takes the name away
}

func diskWith(name string, content []byte) *disk {
	d := &disk{inodes: map[int][]byte{}, wrote: map[int][]byte{}, names: map[string]int{}, next: 1}
	if content != nil {
		d.inodes[1], d.names[name], d.next = content, 1, 2
	}
	return d
}

func (d *disk) lookUp(name string) (inode int) {
	inode = d.names[name]
	for _, c := range d.changes {
		if c.name == name {
			inode = c.inode
		}
	}
	return inode
}

func (d *disk) do(s step) {
	switch s.deed {
	case write:
		d.wrote[d.next] = s.content
		d.changes = append(d.changes, change{s.path, d.next})
		d.next++
	case overwrite:
		i := d.lookUp(s.path)
		d.wrote[i] = make([]byte, len(d.inodes[i]))
	case syncFile:
		i := d.lookUp(s.path)
		if content, written := d.wrote[i]; written {
			d.inodes[i] = content
			delete(d.wrote, i)
		}
	case rename:
		d.changes = append(d.changes, change{s.to, d.lookUp(s.path)}, change{s.path, 0})
	case link:
		d.changes = append(d.changes, change{s.to, d.lookUp(s.path)})
	case remove:
		d.changes = append(d.changes, change{s.path, 0})
	case syncDir:
		for _, c := range d.changes {
			d.names[c.name] = c.inode
		}
		d.changes = nil
	}
}

// remains calls see with the files of every state that a power cut now may leave: each change of a name kept or lost,
// each unsynced content there up to any byte, with zeros behind or nothing.
func (d *disk) remains(see func(map[string]int, map[int][]byte)) {
	for kept := range 1 << len(d.changes) {
		names := map[string]int{}
		for name, i := range d.names {
			names[name] = i
		}
		for n, c := range d.changes {
			if kept&(1<<n) != 0 {
				names[c.name] = c.inode
			}
		}
		whole := map[int][]byte{}
		for i, content := range d.inodes {
			whole[i] = content
		}
		if len(d.wrote) == 0 {
			see(names, whole)
		}
		for i, content := range d.wrote {
			for n := range len(content) + 1 {
				before := d.inodes[i] // of an overwrite, what was there; of a new file, nothing or zeros
				if before == nil {
					whole[i] = content[:n]
					see(names, whole)
					before = make([]byte, len(content))
				}
				whole[i] = append(bytes.Clone(content[:n]), before[n:]...)
				see(names, whole)
			}
		}
	}
}

// lay puts one state into a directory.
func lay(t testing.TB, dir string, names map[string]int, inodes map[int][]byte) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		require.NoError(t, os.Remove(filepath.Join(dir, e.Name())))
	}
	first := map[int]string{}
	for name, i := range names {
		if i == 0 {
			continue
		}
		if other := first[i]; other != "" {
			require.NoError(t, os.Link(filepath.Join(dir, other), filepath.Join(dir, name)))
			continue
		}
		first[i] = name
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), inodes[i], 0o600))
	}
}

// The power is cut after every step of a save and inside each, over a set, over a key in the clear and over nothing; and
// again while what is left is mended. There is always the old set or the new one.
func TestAPowerCutInASave(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	old, fresh := setOf(t, sampleMaster, 1), setOf(t, "0123456789ABCDEFFEDCBA9876543210", 2)
	oldSealed, err := f.sealer.seal(old)
	require.NoError(t, err)
	freshSealed, err := f.sealer.seal(fresh)
	require.NoError(t, err)
	for name, before := range map[string][]byte{"a set": oldSealed, "a key in the clear": []byte(sampleMaster + "\n"), "nothing": nil} {
		t.Run("over "+name, func(t *testing.T) {
			steps := saving("tmk.key", freshSealed, before != nil)
			states, mended := 0, map[string]bool{}
			for cut := range len(steps) + 1 {
				d := diskWith("tmk.key", before)
				for _, s := range steps[:cut] {
					d.do(s)
				}
				d.remains(func(names map[string]int, inodes map[int][]byte) {
					states++
					lay(t, filepath.Dir(f.path), names, inodes)
					found := requireOldOrNew(t, f, before != nil, old, fresh)
					if cut == len(steps) {
						require.Equal(t, fresh.Master.CheckValue(), found, "the save is done")
					}
					if layout := fmt.Sprint(cut, names); !mended[layout] {
						mended[layout] = true
						mend(t, f, found)
					}
				})
			}
			t.Logf("%d states, %d of them mended", states, len(mended))
			assert.Greater(t, states, 2*len(freshSealed))
		})
	}
}

func requireOldOrNew(t testing.TB, f *File, mustBe bool, old, fresh *Set) (found CheckValue) {
	t.Helper()
	got, err := f.Load()
	if err != nil {
		require.False(t, mustBe, "no set at all: %v", err)
		require.ErrorIs(t, err, ErrNoKeys)
		return CheckValue{}
	}
	found = got.Master.CheckValue()
	require.Contains(t, []CheckValue{old.Master.CheckValue(), fresh.Master.CheckValue()}, found)
	return found
}

// mend does what the next start does, and then the next save.
func mend(t testing.TB, f *File, found CheckValue) {
	t.Helper()
	require.NoError(t, f.Mend())
	if found != (CheckValue{}) {
		got, err := f.Load()
		require.NoError(t, err)
		require.Equal(t, found, got.Master.CheckValue())
	}
	for _, left := range []string{newName, oldName} {
		there, err := isThere(f.path + left)
		require.NoError(t, err)
		require.False(t, there, left)
	}
	third := setOf(t, "46B0AA84C9AB2CC87FBD7C736E515C06", 3)
	require.NoError(t, f.Save(third))
	got, err := f.Load()
	require.NoError(t, err)
	requireSet(t, third, got)
}

// The power is cut after every step of a destruction and inside each. Once the first sync has come back there is no key,
// and before it there is the whole set or none; a second destruction always ends what is left.
func TestAPowerCutInADestruction(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	set := setOf(t, sampleMaster, 1)
	sealed, err := f.sealer.seal(set)
	require.NoError(t, err)
	steps := destroying("tmk.key")
	states, keys := 0, 0
	for cut := range len(steps) + 1 {
		d := diskWith("tmk.key", sealed)
		for _, s := range steps[:cut] {
			d.do(s)
		}
		again := map[string]bool{}
		d.remains(func(names map[string]int, inodes map[int][]byte) {
			states++
			lay(t, filepath.Dir(f.path), names, inodes)
			got, err := f.Load()
			if err == nil {
				keys++
				require.Less(t, cut, 2, "the overwriting was synced and there is a key")
				requireSet(t, set, got)
			} else {
				require.True(t, isNoKey(err), "%v", err)
			}
			if layout := fmt.Sprint(cut, names); !again[layout] {
				again[layout] = true
				require.NoError(t, f.Destroy())
				_, err = f.Load()
				require.ErrorIs(t, err, ErrNoKeys)
			}
		})
	}
	t.Logf("%d states, the key in %d of them", states, keys)
	assert.Equal(t, 2, keys, "before the first byte, and with none of it on disk")
	assert.Greater(t, states, len(sealed))
}

// A destruction also ends what an interrupted save left.
func TestADestructionAfterAnInterruptedSave(t *testing.T) {
	f := fileAt(t, filepath.Join(t.TempDir(), "tmk.key"))
	sealed, err := f.sealer.seal(setOf(t, sampleMaster, 1))
	require.NoError(t, err)
	steps := saving(f.path, sealed, true)
	for cut := range len(steps) + 1 {
		require.NoError(t, os.WriteFile(f.path, sealed, 0o600))
		require.NoError(t, perform(steps[:cut]))
		require.NoError(t, f.Destroy())
		entries, err := os.ReadDir(filepath.Dir(f.path))
		require.NoError(t, err)
		require.Empty(t, entries, "after %d steps", cut)
	}
}
