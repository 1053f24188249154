package keys

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func entry(n int) Entry {
	return Entry{Deed: Loaded, Generation: uint64(n), At: testNow, Source: FromComponents, By: []string{fmt.Sprint("person ", n), "韩梅梅"}, Check: "08D7B4FB", Counter: uint64(n)}
}

func openLog(t testing.TB, path string) *Log {
	l, err := OpenLog(path, testDevice())
	require.NoError(t, err)
	return l
}

func TestTheLogRemembersNamesAndNoKeys(t *testing.T) {
	c := commission(t)
	_, err := Adopt(c.store, c.log, Set{Master: masterOf(t, sampleMaster), Source: FromComponents, By: []string{"Li Lei", "韩梅梅"}}, testNow)
	require.NoError(t, err)
	text, err := os.ReadFile(c.path)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"by":["Li Lei","韩梅梅"]`)
	assert.NotContains(t, strings.ToUpper(string(text)), sampleMaster[:8])
	info, err := os.Stat(c.path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
}

// The power is cut at every byte of an append. What was there before stays, and the next append goes on from it.
func TestAPowerCutInAnAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.log")
	l := openLog(t, path)
	require.NoError(t, l.Append(entry(1)))
	before := l.end
	require.NoError(t, l.Append(entry(2)))
	require.NoError(t, l.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := int(before); n <= len(whole); n++ {
		for _, behind := range []int{0, len(whole) - n} { // the length may be there before the bytes
			require.NoError(t, os.WriteFile(path, append(bytes.Clone(whole[:n]), make([]byte, behind)...), 0o600))
			l := openLog(t, path)
			require.NoError(t, l.Changed, "%d bytes and %d zeros", n, behind)
			want := []Entry{entry(1), entry(2)}[:1]
			if n == len(whole) {
				want = append(want, entry(2))
			}
			require.Equal(t, want, l.Entries)
			require.NoError(t, l.Append(entry(3)))
			require.NoError(t, l.Close())
			l = openLog(t, path)
			require.NoError(t, l.Changed)
			require.Equal(t, append(want, entry(3)), l.Entries)
			require.NoError(t, l.Close())
		}
	}
}

func TestAChangedLogIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.log")
	l := openLog(t, path)
	for n := range 3 {
		require.NoError(t, l.Append(entry(n+1)))
	}
	require.NoError(t, l.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bytes.SplitAfter(whole, []byte{'\n'})[:3]
	changed := func(text []byte) error {
		require.NoError(t, os.WriteFile(path, text, 0o600))
		l := openLog(t, path)
		defer l.Close()
		return l.Changed
	}
	join := func(order ...int) (text []byte) {
		for _, n := range order {
			text = append(text, lines[n]...)
		}
		return text
	}
	require.NoError(t, changed(whole))
	for i := range whole[:len(whole)-1] {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1
		require.ErrorIs(t, changed(damaged), ErrLog, "byte %d", i)
	}
	for name, text := range map[string][]byte{"first gone": join(1, 2), "second gone": join(0, 2), "swapped": join(1, 0, 2), "twice": join(0, 0, 1, 2),
		"put in": append(join(0), append([]byte("{}\t00\n"), join(1, 2)...)...)} {
		require.ErrorIs(t, changed(text), ErrLog, name)
	}
	other, err := OpenLog(path, bytes.Repeat([]byte{1}, DeviceKeyLength))
	require.NoError(t, err)
	require.ErrorIs(t, other.Changed, ErrLog, "another device's")
	require.ErrorIs(t, other.Append(entry(9)), ErrLog)
	require.NoError(t, other.Close())
}

func TestOneAtATimeIsAtTheKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.log")
	l := openLog(t, path)
	_, err := OpenLog(path, testDevice())
	require.ErrorIs(t, err, errLocked)
	require.NoError(t, l.Close())
	require.NoError(t, openLog(t, path).Close())
	require.NoError(t, os.WriteFile(path, make([]byte, maxLog+1), 0o600))
	_, err = OpenLog(path, testDevice())
	require.ErrorContains(t, err, "longer than")
}

// Power lost between the set and its line: the next start writes the line.
func TestALineThatIsOwed(t *testing.T) {
	c := commission(t)
	set := setOf(t, sampleMaster, 1)
	require.NoError(t, c.store.Save(set))
	found, err := c.store.Load()
	require.NoError(t, err)
	require.NoError(t, c.log.Settle(found))
	require.NoError(t, c.log.Settle(found))
	require.NoError(t, c.log.Settle(nil))
	require.Len(t, c.log.Entries, 1)
	assert.Equal(t, set.By, c.log.Entries[0].By)
}

func FuzzLog(f *testing.F) {
	key, err := derive(testDevice(), purposeLog)
	require.NoError(f, err)
	path := filepath.Join(f.TempDir(), "keys.log")
	l := openLog(f, path)
	require.NoError(f, l.Append(entry(1)))
	require.NoError(f, l.Append(entry(2)))
	require.NoError(f, l.Close())
	whole, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte("{}\t\n\n\t"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := &Log{key: key}
		l.read(text)
		require.LessOrEqual(t, l.end, int64(len(text)))
		require.True(t, bytes.HasPrefix(whole, text[:l.end]), "a line that nobody wrote counts")
	})
}
