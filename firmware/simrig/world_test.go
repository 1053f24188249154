package simrig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
)

func testCards(t testing.TB) *Cards {
	cards, err := LoadCards(filepath.Join("..", "..", "testdata", "cards", "cards.toml"))
	require.NoError(t, err)
	return cards
}

// fastDir is a new directory on a file system in memory, where there is one: a million syncs would wear a disk.
func fastDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "simrig-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// inWorld plays in a new world, in a bubble of its own, and ends it.
func inWorld(t *testing.T, o Options, play func(*World) error) (err error) {
	synctest.Test(t, func(t *testing.T) {
		w, bad := New(o)
		require.NoError(t, bad)
		err = play(w)
		if bad := w.Close(); err == nil {
			err = bad
		}
	})
	return err
}

func story(t *testing.T, lines ...string) scenario.Story {
	s, err := scenario.Parse("story", strings.Join(lines, "\n")+"\n")
	require.NoError(t, err)
	return s
}

func TestOneSaleOneCutAndItsRecovery(t *testing.T) {
	cards := testCards(t)
	for _, at := range []string{"before commit pending", "inside commit pending", "after commit pending", "on send 0200", "on recv 0210",
		"on byte 40 of send 0200", "inside commit approved", "after commit approved", "on byte 300 to printer"} {
		t.Run(at, func(t *testing.T) {
			s := story(t, "present visa-4242", "sale 12.50", "cut power "+at, "restore power", "settle", "expect books agree")
			require.NoError(t, inWorld(t, Options{Seed: 1, Dir: fastDir(t), Cards: cards, Trace: true}, func(w *World) error {
				err := scenario.Run(s, w)
				if err != nil || testing.Verbose() {
					t.Log("\n" + w.trace.text())
				}
				return err
			}))
		})
	}
}

// A store that cannot be opened again is a violation with a name, not the end of the campaign.
func TestAStoreThatDoesNotOpenIsFound(t *testing.T) {
	o := Options{Seed: 1, Dir: fastDir(t), Cards: testCards(t)}
	require.NoError(t, inWorld(t, o, func(w *World) error {
		w.CutPower()
		for name := range w.life.left {
			w.life.left[name] = content{[]byte("spoilt"), 6}
		}
		require.ErrorContains(t, w.RestorePower(), "the store does not open")
		require.False(t, w.Powered())
		return nil
	}))
}
