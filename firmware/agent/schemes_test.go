package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/link/acquirer"
)

const (
	firstKeys = "capk A000000333:08 A000000333:0B A000000003:92"
	otherKeys = "capk A000000333:0B:20401231 A000000003:92 A000000004:F1 A000000004:EF"
	firstApps = "aid A000000333010101 A0000000031010"
	otherApps = "aid A000000333010101=00002710 A0000000031010 A0000000041010 A000000333010102"
)

func (w *world) holds(keys, apps int) {
	w.t.Helper()
	k, a, _ := w.reader.Holds()
	assert.Equal(w.t, [2]int{keys, apps}, [2]int{k, a}, "keys and applications in the reader")
}

func TestOrderedKeysAreKeptAndPutIntoTheReader(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk(firstKeys + " A000000004:FA:20191231") // virtual time begins in 2000; this one ends later
		w.desk(firstApps)
		w.desk("order capk")
		w.desk("order aid")
		approved(t, w.sell("visa-4242", "12.50"))
		w.holds(0, 0)
		w.after(20 * time.Second)
		assert.Equal(t, "done", w.order("capk").State, "%+v", w.order("capk"))
		assert.Equal(t, "done", w.order("aid").State)
		assert.Equal(t, 2, w.done("capk-list"))
		assert.Equal(t, 1, w.done("capk-end"))
		assert.Equal(t, 1, w.done("aid-end"))
		w.holds(4, 2)
		s := w.agent.Status()
		assert.Equal(t, InstallDone, s.Installed)
		require.Len(t, s.Chips, 2)
		assert.Equal(t, 4, s.Chips[0].Entries)
		assert.Equal(t, acquirer.SchemeApplications.String(), s.Chips[1].What)

		_, _, written := w.reader.Holds()
		for range 3 {
			w.cutPower()
			w.boot()
			w.after(time.Minute)
			assert.Equal(t, InstallDone, w.agent.Status().Installed)
		}
		approved(t, w.sell("visa-4242", "13.50"))
		w.after(time.Minute)
		_, _, now := w.reader.Holds()
		assert.Equal(t, written, now, "what is there is not written again")

		w.do(w.reader.Command("memory replace"))
		w.cutPower()
		w.boot()
		w.after(10 * time.Second)
		w.holds(4, 2)
	})
}

// Whatever happens to a download, the old set is kept, byte for byte, and in the reader, until the new one is whole.
func TestASetForChipCardsThatIsSpoiledLeavesTheOldOne(t *testing.T) {
	faults := strings.Split("silent,lost,late 45s,drop,garbage,cut,twice,wrongterminal,decline 96,badpart,tornpart,samepart,longpart", ",")
	for _, aim := range []string{"capk-list", "capk", "capk-end", "aid-list", "aid", "aid-end"} {
		for _, fault := range faults {
			if strings.HasSuffix(fault, "part") && strings.HasSuffix(aim, "end") || fault == "badpart" && aim == "aid" {
				continue // an end has no part, and no hash proves an application
			}
			t.Run(aim+", "+fault, func(t *testing.T) {
				inWorld(t, func(w *world) {
					what, _, _ := strings.Cut(aim, "-")
					w.desk(firstKeys)
					w.desk(firstApps)
					w.obeyed(what)
					old, err := w.files.Read(what)
					require.NoError(t, err)
					w.desk(otherKeys)
					w.desk(otherApps)
					w.after(2 * time.Hour)
					w.desk("order " + what)
					w.fault("approve for " + aim) // the first of its kind is good
					if strings.HasSuffix(aim, "end") {
						w.desk("order none")
						w.desk("order " + what)
					}
					w.fault(fault + " for " + aim)
					approved(t, w.sell("visa-4242", "12.50"))
					w.after(4 * time.Second)
					now, err := w.files.Read(what)
					require.NoError(t, err)
					if !strings.HasSuffix(aim, "end") && fault != "twice" {
						assert.Equal(t, string(old), string(now), "nothing of it is used")
						if what == "capk" {
							w.holds(3, 0)
						} else {
							w.holds(0, 2)
						}
					}
					w.after(time.Hour)
					assert.Equal(t, "done", w.order(what).State, "%+v", w.order(what))
					now, err = w.files.Read(what)
					require.NoError(t, err)
					assert.NotEqual(t, string(old), string(now))
					if what == "capk" {
						w.holds(4, 0)
					} else {
						w.holds(0, 4)
					}
					approved(t, w.sell("visa-4242", "13.50"))
				})
			})
		}
	}
}

func TestAFullReaderIsToldOfAndTriedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.do(w.reader.Command("memory keys most 2"))
		w.desk(firstKeys)
		w.obeyed("capk")
		assert.Equal(t, InstallWaits, w.agent.Status().Installed)
		assert.Contains(t, w.agent.Status().InstallFault, "no room for all")
		w.after(10 * time.Minute)
		assert.Equal(t, 1, w.alarms()[OrderFailed].Count)
		assert.Contains(t, w.alarms()[OrderFailed].What, "install")
		approved(t, w.sell("visa-4242", "12.50"))
		w.after(5 * time.Hour)
		assert.Equal(t, 1, w.alarms()[OrderFailed].Count, "once a day")
		w.do(w.reader.Command("memory keys most 3"))
		w.after(31 * time.Minute)
		w.holds(3, 0)
		assert.Equal(t, InstallDone, w.agent.Status().Installed)
		assert.Empty(t, w.agent.Status().InstallFault)
	})
}

func TestAnotherReaderIsGivenTheSetWhileNobodyTrades(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk(firstKeys)
		w.obeyed("capk")
		w.holds(3, 0)
		w.do(w.reader.Command("memory replace"))
		w.agent.card.port.Close() // its line, with the old one
		w.after(2 * time.Minute)
		w.holds(3, 0)
		approved(t, w.sell("visa-4242", "12.50"))
	})
}

func TestAReaderThatKeepsNoKeysIsToldOfOnce(t *testing.T) {
	cards, err := devicetest.LoadCards(filepath.Join("..", "..", "testdata", "cards", "cards.toml"))
	require.NoError(t, err)
	inWorld(t, func(w *world) {
		stripe := devicetest.NewStripe(devicetest.StripeOpts{Cards: cards})
		w.with(ReaderMSR, func(ctx context.Context, c net.Conn) { _ = stripe.Serve(ctx, c) })
		w.desk(firstKeys)
		w.desk("order capk for ever")
		for range 5 {
			require.NoError(t, w.agent.host.SignIn(w.ctx))
			w.after(10 * time.Minute)
		}
		assert.Equal(t, "left", w.order("capk").State)
		assert.Zero(t, w.done("capk-list"), "nothing is downloaded for it")
		assert.Equal(t, 1, w.alarms()[OrderLeft].Count)
		assert.Empty(t, w.agent.Status().Installed)
	})
	inWorld(t, func(w *world) {
		w.do(w.reader.Command("memory unknown"))
		w.desk(firstKeys)
		w.obeyed("capk")
		for n := range 5 {
			w.after(time.Hour)
			approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
		}
		assert.Equal(t, InstallLeft, w.agent.Status().Installed)
		assert.Contains(t, w.agent.Status().InstallFault, "takes no keys")
		assert.Equal(t, 1, w.alarms()[OrderLeft].Count)
		asked := strings.Count(w.log.String(), `msg="obeying an order" order=install`)
		assert.Equal(t, 1, asked, "and it is not asked again on this line")
	})
}

func TestADamagedOrForeignSetIsAskedForAgain(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"a bit":            func(b []byte) []byte { b[len(b)-20] ^= 1; return b },
		"torn":             func(b []byte) []byte { return b[:len(b)/2] },
		"empty":            func([]byte) []byte { return nil },
		"a short key":      func(b []byte) []byte { return shortKey(b) },
		"another terminal": func(b []byte) []byte { return reseal(b, testTerminal, "30010002") },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk(firstKeys)
				w.obeyed("capk")
				w.cutPower()
				content, err := w.files.Read("capk")
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(string(w.files.(Folder))+"capk", spoil(content), 0o600))
				w.boot()
				w.after(20 * time.Second)
				assert.Equal(t, 2, w.done("capk-end"))
				w.holds(3, 0)
				assert.Equal(t, InstallDone, w.agent.Status().Installed)
			})
		})
	}
}

// shortKey writes a set that a reader could not be given.
func shortKey(content []byte) []byte {
	var set SchemeSet
	if openFile("capk", content, &set) != nil {
		return nil
	}
	set.Rows[0].Says = set.Rows[0].Says[:20]
	sealed, err := sealFile("capk", set)
	if err != nil {
		return nil
	}
	return sealed
}

func FuzzReadSchemes(f *testing.F) {
	good, err := sealFile("capk", SchemeSet{})
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte("posagent capk 1 \n{}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := Folder(t.TempDir() + "/")
		require.NoError(t, os.WriteFile(string(dir)+"capk", content, 0o600))
		_, _ = ReadSchemes(dir, acquirer.SchemeKeys)
	})
}
