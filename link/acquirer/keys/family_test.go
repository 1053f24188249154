package keys

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func familyFileAt(t testing.TB, path string) *FamilyFile {
	f, err := NewFamilyFile(path, testDevice(), testTerminal)
	require.NoError(t, err)
	return f
}

func initialSet(t testing.TB) Set {
	return Set{Master: masterOf(t, sampleInitial), Source: FromComponents, By: []string{"Li", "Han"}}
}

// begun is a family that was just loaded.
func begun(t testing.TB) (*FamilyFile, *Family) {
	f := familyFileAt(t, filepath.Join(t.TempDir(), "dukpt.key"))
	require.NoError(t, f.begin(masterOf(t, sampleInitial), ksnOf(t, sampleKSN), testNow))
	return f, loaded(t, f)
}

func loaded(t testing.TB, f *FamilyFile) *Family {
	family, err := f.Load()
	require.NoError(t, err)
	return family
}

func counterOf(t testing.TB, f *Family) uint32 {
	t.Helper()
	k, err := f.Next()
	require.NoError(t, err)
	defer k.Destroy()
	require.Equal(t, fmt.Sprintf("%X", hostKey(unhex(t, sampleInitial), k.KSN)), digitsOf(t, k.key), "%v", k.KSN)
	return k.KSN.counter()
}

// Every restart costs what was in reserve and repeats no counter; the acquirer derives each key.
func TestNoCounterTwiceOverRestarts(t *testing.T) {
	f, family := begun(t)
	assert.Equal(t, "FFFF9876543210E00001", family.KSN().String())
	last := uint32(0)
	for start := range 12 {
		for range start * 3 {
			counter := counterOf(t, family)
			require.Greater(t, counter, last)
			last = counter
		}
		family = loaded(t, f) // as after a power cut: nothing was said to the old one
	}
	assert.Greater(t, last, uint32(100))
	assert.Less(t, last, uint32(330), "at most nine of ten are lost at a restart")
}

// What lies on the disk leads to no key that was given out.
func TestTheDiskIsAheadOfWhatWasGivenOut(t *testing.T) {
	f, family := begun(t)
	for range 40 {
		k, err := family.Next()
		require.NoError(t, err)
		sealed, err := os.ReadFile(f.path)
		require.NoError(t, err)
		text, err := f.sealer.openText(sealed)
		require.NoError(t, err)
		require.NotContains(t, string(text), string(unhex(t, digitsOf(t, k.key))))
		require.NotContains(t, string(text), string(unhex(t, sampleInitial)))
		require.Greater(t, loaded(t, f).KSN().counter(), k.KSN.counter())
	}
	entries, err := os.ReadDir(filepath.Dir(f.path))
	require.NoError(t, err)
	assert.Len(t, entries, 2, "the family and its lock")
}

// The power is cut after every step of an advance and inside each: the state before, of which nothing was given out yet, or
// the one behind the reserve; once the save is done, only that one.
func TestAPowerCutInAnAdvance(t *testing.T) {
	f, family := begun(t)
	before, err := os.ReadFile(f.path)
	require.NoError(t, err)
	counterOf(t, family)
	after, err := os.ReadFile(f.path)
	require.NoError(t, err)
	steps, states := saving("dukpt.key", after, true), 0
	for cut := range len(steps) + 1 {
		d := diskWith("dukpt.key", before)
		for _, s := range steps[:cut] {
			d.do(s)
		}
		seen := map[string]bool{}
		d.remains(func(names map[string]int, inodes map[int][]byte) {
			states++
			if layout := fmt.Sprint(cut, names, len(inodes[names["dukpt.key"]]), inodes[names["dukpt.key"]][0]); seen[layout] && states%50 != 0 {
				return
			} else {
				seen[layout] = true
			}
			lay(t, filepath.Dir(f.path), names, inodes)
			require.NoError(t, f.Mend())
			found := loaded(t, f).KSN().counter()
			if cut == len(steps) {
				require.Equal(t, uint32(reserved+1), found)
			}
			require.Contains(t, []uint32{1, reserved + 1}, found)
			require.Greater(t, counterOf(t, loaded(t, f)), found-1)
		})
	}
	assert.Greater(t, states, len(after))
}

// A disk that takes no counter gives no key; tried again, none is lost.
func TestWithoutADiskThereIsNoKey(t *testing.T) {
	f, family := begun(t)
	require.NoError(t, os.Mkdir(f.path+newName, 0o700)) // where the new state would be written
	require.NoError(t, os.WriteFile(filepath.Join(f.path+newName, "in the way"), nil, 0o600))
	for range 3 {
		_, err := family.Next()
		require.ErrorContains(t, err, "cannot be kept")
	}
	require.NoError(t, os.RemoveAll(f.path+newName))
	assert.Equal(t, uint32(1), counterOf(t, family))
}

// Two processes at one file, or one whose keys were replaced or destroyed: the second to come for more keys gets none.
func TestKeysThatWereReplacedMeanwhile(t *testing.T) {
	f, family := begun(t)
	other := loaded(t, f)
	first := map[uint32]bool{}
	for range reserved {
		first[counterOf(t, family)] = true
	}
	_, err := other.Next()
	require.ErrorIs(t, err, ErrChanged)
	require.False(t, first[counterOf(t, loaded(t, f))])
	_, err = family.Next()
	require.ErrorIs(t, err, ErrChanged)

	family = loaded(t, f)
	require.NoError(t, f.Destroy())
	_, err = family.Next()
	require.ErrorIs(t, err, ErrChanged)
	_, err = f.Load()
	require.ErrorIs(t, err, ErrNoKeys, "and it is not written again")
	require.NoError(t, f.Destroy())
}

func TestASpentFamilySaysWhatToDo(t *testing.T) {
	f, _ := begun(t)
	near := &Family{file: f, device: deviceAt(t, 0x1FF000)}
	require.NoError(t, f.locked(near.saveLocked))
	family := loaded(t, f)
	given, last := 0, uint32(0)
	for {
		k, err := family.Next()
		if err != nil {
			require.ErrorIs(t, err, ErrExhausted)
			assert.ErrorContains(t, err, "keys load -dukpt")
			break
		}
		given, last = given+1, k.KSN.counter()
	}
	assert.Equal(t, uint32(0x1FF800), last)
	assert.Positive(t, given)
	assert.Equal(t, KSN{}, family.KSN())
	_, err := loaded(t, f).Next()
	require.ErrorIs(t, err, ErrExhausted, "after a restart too")
}

func TestAFamilyUsedByMany(t *testing.T) {
	_, family := begun(t)
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[KSN]bool{}
	for range 4 {
		all.Go(func() {
			for range 30 {
				k, err := family.Next()
				assert.NoError(t, err)
				mu.Lock()
				assert.False(t, seen[k.KSN])
				seen[k.KSN] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	assert.Len(t, seen, 120)
	family.Destroy()
	_, err := family.Next()
	assert.ErrorIs(t, err, ErrExhausted)
}

func TestAFamilyDoesNotPrint(t *testing.T) {
	f, family := begun(t)
	counterOf(t, family)
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d", "%s"} {
		fmt.Fprintf(&b, verb+verb+"\n", family, struct{ inner *Family }{family}.inner)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("is", "family", family)
	for _, k := range family.reserve {
		assert.NotContains(t, strings.ToUpper(b.String()), digitsOf(t, k.key))
	}
	for _, key := range (*family.device.held).future {
		if key != nil {
			assert.NotContains(t, strings.ToUpper(b.String()), strings.ToUpper(hex.EncodeToString(key)))
		}
	}
	assert.Contains(t, b.String(), family.CheckValue().String())
	sealed, err := os.ReadFile(f.path)
	require.NoError(t, err)
	assert.NotContains(t, string(sealed), "FFFF98")
	set, err := NewFile(f.path, testDevice(), testTerminal)
	require.NoError(t, err)
	_, err = set.Load()
	assert.ErrorIs(t, err, ErrSealed, "it is no master key")
}

// A serial number that was loaded once is never loaded again, also after the keys were destroyed.
func TestAnInitialKeyIsLoadedOnce(t *testing.T) {
	c := commission(t)
	f := familyFileAt(t, filepath.Join(filepath.Dir(c.path), "dukpt.key"))
	require.NoError(t, Begin(f, c.log, initialSet(t), ksnOf(t, sampleKSN), testNow))
	require.ErrorIs(t, Begin(f, c.log, initialSet(t), ksnOf(t, sampleKSN), testNow), ErrReused)
	assert.Equal(t, uint32(1), counterOf(t, loaded(t, f)))
	require.NoError(t, Wipe(c.store, f, c.log, testNow))
	_, err := f.Load()
	require.ErrorIs(t, err, ErrNoKeys)
	c.open(t)
	require.ErrorIs(t, Begin(f, c.log, initialSet(t), ksnOf(t, sampleKSN), testNow), ErrReused)
	require.ErrorIs(t, Begin(f, c.log, initialSet(t), ksnOf(t, "FFFF9876543210E00007"), testNow), ErrMasterKey)
	require.NoError(t, Begin(f, c.log, initialSet(t), ksnOf(t, "FFFF9876543211000000"), testNow))

	require.NoError(t, os.Truncate(c.path, 0))
	c.open(t)
	require.ErrorIs(t, Begin(f, c.log, initialSet(t), ksnOf(t, "FFFF9876543211000000"), testNow), ErrReused, "the family itself knows")
	require.NoError(t, os.WriteFile(c.path, []byte("nothing\n"), 0o600))
	c.open(t)
	require.ErrorIs(t, Begin(f, c.log, initialSet(t), ksnOf(t, "FFFF9876543213000000"), testNow), ErrLog)
}

func TestAnInitialKeyComesInABundle(t *testing.T) {
	private, signers := testSigner()
	c := commission(t)
	f := familyFileAt(t, filepath.Join(filepath.Dir(c.path), "dukpt.key"))
	text, err := MakeBundle(requestOf(t, 0), masterOf(t, sampleInitial), ksnOf(t, sampleKSN), []string{"Wang", "Zhao"}, private)
	require.NoError(t, err)
	set, ksn, err := OpenBundle(text, testDevice(), testTerminal, testMerchant, signers)
	require.NoError(t, err)
	assert.Equal(t, sampleKSN, ksn.String())
	require.NoError(t, Begin(f, c.log, set, ksn, testNow))
	counterOf(t, loaded(t, f))
	set.Master = masterOf(t, sampleInitial)
	require.ErrorIs(t, Begin(f, c.log, set, ksnOf(t, "FFFF9876543211000000"), testNow), ErrReplay)
	_, counter := c.log.Newest()
	assert.Equal(t, uint64(1), counter)
	_, err = MakeBundle(requestOf(t, 0), masterOf(t, sampleInitial), ksnOf(t, "FFFF9876543210E00001"), nil, private)
	assert.ErrorIs(t, err, ErrMasterKey)
}

// The parity of an initial key is part of it.
func TestComponentsOfAnInitialKey(t *testing.T) {
	one, other := unhex(t, "00112233445566778899AABBCCDDEEFE"), unhex(t, sampleInitial)
	for i := range other {
		other[i] ^= one[i]
	}
	first, err := ParseComponent([]byte(fmt.Sprintf("%X", one)), NoParity)
	require.NoError(t, err)
	second, err := ParseComponent([]byte(fmt.Sprintf("%X", other)), NoParity)
	require.NoError(t, err)
	k, err := CombineInitial(first, second)
	require.NoError(t, err)
	assert.Equal(t, sampleInitial, digitsOf(t, k))
}

func TestSerialNumbersThatAreRefused(t *testing.T) {
	for _, text := range []string{"", "FFFF9876543210E0000", "FFFF9876543210E000000", "FFFF9876543210E00001", "GFFF9876543210E00000", "00000000000000000000"} {
		_, err := ParseKSN(text)
		assert.ErrorIs(t, err, ErrMasterKey, text)
	}
	k, err := ParseKSN(strings.ToLower(sampleKSN))
	require.NoError(t, err)
	assert.Equal(t, sampleKSN, k.String())
}

// The published data key of the first counter, over a whole track of a test card.
func TestAWholeTrackUnderThePublishedDataKey(t *testing.T) {
	const track = "4012345678909=08121011143300000000"
	k, err := deviceAt(t, 1).Next()
	require.NoError(t, err)
	data, err := k.DataRequest()
	require.NoError(t, err)
	hidden, err := EncryptWholeTrack(data, track)
	require.NoError(t, err)
	assert.Len(t, hidden, EnciphersTo(len(track)))
	assert.Equal(t, "B13FE52C3CAEDD51764A49ABC5426F89860CE36D2575A579", hidden, "as openssl des-ede-cbc has it")
	for _, bad := range []string{"", "40123x=08"} {
		_, err = EncryptWholeTrack(data, bad)
		assert.ErrorIs(t, err, errTrack)
	}
	data.Destroy()
	_, err = EncryptWholeTrack(data, track)
	assert.ErrorIs(t, err, ErrDestroyed)
	assert.Equal(t, []int{16, 16, 32, 48, 112}, []int{EnciphersTo(1), EnciphersTo(16), EnciphersTo(17), EnciphersTo(37), EnciphersTo(104)})
}

func FuzzFamily(f *testing.F) {
	near := &Family{device: deviceAt(f, 1)}
	f.Add(near.encode())
	f.Add((&Family{device: deviceAt(f, 0x1FF000)}).encode())
	f.Add([]byte{familyLayout, 8})
	f.Fuzz(func(t *testing.T, text []byte) {
		family, err := decodeFamily(bytes.Clone(text))
		if err != nil {
			require.ErrorIs(t, err, ErrSealed)
			return
		}
		before := uint32(0)
		for range 40 {
			k, err := family.device.Next()
			if err != nil {
				require.ErrorIs(t, err, ErrExhausted)
				return
			}
			require.Greater(t, k.KSN.counter(), before)
			require.LessOrEqual(t, bits.OnesCount32(k.KSN.counter()), mostOnes)
			before = k.KSN.counter()
		}
	})
}
