package acquirer_test

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/acquirer"
	"posagent/link/acquirer/keys"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// The base derivation key, initial key and serial number of ANSI X9.24-1:2009, annex A.4.
const (
	baseKey    = "0123456789ABCDEFFEDCBA9876543210"
	initialKey = "6AC292FAA1315B4D858AB3A3D7D5933A"
	serial     = "FFFF9876543210E00000"
)

func unhex(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	require.NoError(t, err)
	return b
}

// dukptTerminal is a terminal's DUKPT keys, loaded as keys load has it.
func dukptTerminal(t *testing.T, ksn string) *keys.FamilyFile {
	dir := t.TempDir()
	device := make([]byte, keys.DeviceKeyLength)
	f, err := keys.NewFamilyFile(filepath.Join(dir, "dukpt.key"), device, terminal)
	require.NoError(t, err)
	log, err := keys.OpenLog(filepath.Join(dir, "keys.log"), device)
	require.NoError(t, err)
	defer log.Close()
	initial, err := keys.NewMaster(unhex(t, initialKey))
	require.NoError(t, err)
	number, err := keys.ParseKSN(ksn)
	require.NoError(t, err)
	require.NoError(t, keys.Begin(f, log, keys.Set{Master: initial, Source: keys.FromComponents}, number, time.Now()))
	return f
}

func familyOf(t *testing.T, f *keys.FamilyFile) *keys.Family {
	family, err := f.Load()
	require.NoError(t, err)
	return family
}

// inDUKPTWorld has an acquirer with the published base key, and the profile that the documentation shows.
func inDUKPTWorld(t *testing.T, family *keys.Family, more string, story func(*world)) {
	p := dukptProfile(t, more)
	inWorld(t, settings{profile: p, host: func(o *acquirer.Options) { o.DUKPT = family },
		bank: func(o *linktest.AcquirerOpts) { o.DUKPT = map[string][]byte{"FFFF987654": unhex(t, baseKey)} }}, story)
}

func dukptProfile(t *testing.T, text string) *profile.Profile {
	if text == "" {
		p, err := profile.Open(filepath.Join("..", "..", "testdata", "profiles", "dukpt.toml"))
		require.NoError(t, err)
		return p
	}
	p, err := profile.Read("own.toml", text)
	require.NoError(t, err)
	return p
}

// Each request with a track takes a counter of its own; the acquirer, who has the base key alone, finds the account by what it
// deciphers. What carries no track takes none.
func TestASaleWithItsTrackUnderDUKPT(t *testing.T) {
	for name, text := range map[string]string{
		"characters": "",
		"compact":    "base = \"unionpay\"\nname = \"own\"\n[tracks]\ncipher = \"dukpt\"\nserial = \"59\"\n[fields]\n35 = \"z..48 bcd-left\"\n36 = \"\"\n",
		"as text":    "base = \"iso87\"\nname = \"own\"\n[tracks]\ncipher = \"dukpt\"\nserial = \"58\"\n[fields]\n35 = \"z..48\"\n36 = \"\"\n58 = \"an20\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			family := familyOf(t, dukptTerminal(t, serial))
			inDUKPTWorld(t, family, text, func(w *world) {
				used := func() string { return family.KSN().String()[14:] }
				assert.Equal(t, "E00001", used())
				for i, entry := range []txn.Entry{txn.Swiped, txn.Inserted, txn.Contactless, txn.Tapped} {
					sale, card := w.sale("visa", entry, 1250)
					answer := w.asked(sale, card)
					require.True(t, answer.Approved)
					assert.Equal(t, fmt.Sprintf("E%05X", i+2), used())
				}
				seen := w.lastSeen("0200")
				assert.Contains(t, seen.Fields, w.profile.Serial)
				assert.Contains(t, seen.Fields, 35)

				keyed, card := w.sale("visa", txn.Keyed, 1250)
				require.True(t, w.asked(keyed, card).Approved)
				assert.NotContains(t, w.lastSeen("0200").Fields, w.profile.Serial, "no track, no serial number")
				w.fault("silent")
				lost, card := w.sale("visa", txn.Swiped, 300)
				_, _, err := w.host.Request(w.ctx, lost, card)
				require.Error(t, err)
				assert.Equal(t, "E00006", used())
				w.reversed(lost)
				assert.Equal(t, "E00006", used(), "a reversal carries no track")
				undo := w.lastSeen(w.profile.Reversal(txn.Sale).Type)
				assert.NotContains(t, undo.Fields, 35)
				assert.NotContains(t, undo.Fields, w.profile.Serial)

				_, err = w.host.Enquire(w.ctx, yuan, card)
				require.NoError(t, err)
				assert.Equal(t, "E00007", used())
			})
		})
	}
}

// What leaves holds no digit of the track behind the acquirer's back, and what the host prints none of the keys.
func TestNothingOfADUKPTTrackIsShown(t *testing.T) {
	family := familyOf(t, dukptTerminal(t, serial))
	inDUKPTWorld(t, family, "", func(w *world) {
		sale, card := w.sale("visa", txn.Swiped, 1250)
		require.True(t, w.asked(sale, card).Approved)
		var b strings.Builder
		slog.New(slog.NewTextHandler(&b, nil)).Info("all", "host", w.host, "family", family, "keys", w.host.Keys())
		fmt.Fprintf(&b, "%+v %#v %x", w.host, w.host, w.host)
		assert.NotContains(t, b.String(), cards["visa"].number)
		assert.NotContains(t, strings.ToUpper(b.String()), initialKey)
		status := w.host.Keys()
		last := status[len(status)-1]
		assert.Equal(t, "DUKPT", last.Name)
		assert.Equal(t, family.CheckValue().String(), last.Check)
	})
}

// A restart, whether or not the power was cut, repeats no counter: the acquirer refuses any that it has seen.
func TestSalesGoOnAfterARestart(t *testing.T) {
	f := dukptTerminal(t, serial)
	inDUKPTWorld(t, familyOf(t, f), "", func(w *world) {
		for range 3 {
			for range 4 {
				sale, card := w.sale("visa", txn.Swiped, 100)
				require.True(t, w.asked(sale, card).Approved)
			}
			w.host = w.newHost(func(o *acquirer.Options) { o.DUKPT = familyOf(t, f) })
		}
		sale, card := w.sale("visa", txn.Swiped, 100)
		require.True(t, w.asked(sale, card).Approved)
	})
}

// An acquirer that does not know the key set refuses, and has booked nothing.
func TestAnUnknownKeySetIsRefused(t *testing.T) {
	inDUKPTWorld(t, familyOf(t, dukptTerminal(t, "FFFF0000000000000000")), "", func(w *world) {
		sale, card := w.sale("visa", txn.Swiped, 1250)
		answer, _, err := w.host.Request(w.ctx, sale, card)
		require.NoError(t, err)
		assert.False(t, answer.Approved)
		assert.Equal(t, "30", answer.Code)
		assert.Empty(t, w.rowState(sale))
	})
}

// Keys that are spent or gone: nothing is sent, and the error says what to do.
func TestWithoutADUKPTKeyNothingIsSent(t *testing.T) {
	f := dukptTerminal(t, serial)
	family := familyOf(t, f)
	inDUKPTWorld(t, family, "", func(w *world) {
		sale, card := w.sale("visa", txn.Swiped, 1250)
		require.True(t, w.asked(sale, card).Approved)
		w.host.DestroyKeys()
		_, err := family.Next()
		require.ErrorIs(t, err, keys.ErrExhausted)
	})
	family = familyOf(t, f)
	family.Destroy()
	inDUKPTWorld(t, family, "", func(w *world) {
		sale, card := w.sale("visa", txn.Swiped, 1250)
		_, sent, err := w.host.Request(w.ctx, sale, card)
		require.ErrorIs(t, err, keys.ErrExhausted)
		assert.ErrorContains(t, err, "posagent keys load -dukpt")
		assert.Equal(t, txn.Evidence{}, sent)
		assert.Zero(t, w.acquirer.Counts()["0200"])
		keyed, card := w.sale("visa", txn.Keyed, 1250)
		assert.True(t, w.asked(keyed, card).Approved, "which has no track")
	})
}

func TestContradictionsAboutTracks(t *testing.T) {
	dukpt, family := dukptProfile(t, ""), familyOf(t, dukptTerminal(t, serial))
	own := func(cipher string) *profile.Profile {
		return dukptProfile(t, "base = \"iso87\"\nname = \"own\"\n[tracks]\ncipher = \""+cipher+"\"\n")
	}
	for name, c := range map[string]struct {
		o   acquirer.Options
		why string
	}{
		"both":               {acquirer.Options{Profile: dukpt, DUKPT: family, EncryptTracks: true}, "leave one of them out"},
		"none and some":      {acquirer.Options{Profile: own("none"), EncryptTracks: true}, "leave one of them out"},
		"no initial key":     {acquirer.Options{Profile: dukpt}, "no initial key"},
		"a reader's cipher":  {acquirer.Options{Profile: readerProfile(t), EncryptTracks: true}, "leave one of them out"},
		"a reader's alone":   {acquirer.Options{Profile: readerProfile(t)}, ""},
		"a track key twice":  {acquirer.Options{Profile: own("tdk"), EncryptTracks: true}, ""},
		"a track key":        {acquirer.Options{Profile: own("tdk")}, ""},
		"one of DUKPT":       {acquirer.Options{Profile: dukpt, DUKPT: family}, ""},
		"nothing is said":    {acquirer.Options{Profile: profile.ISO87()}, ""},
		"the configuration,": {acquirer.Options{Profile: profile.ISO87(), EncryptTracks: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Terminal, c.o.Merchant, c.o.TMK = terminal, merchant, master(t)
			c.o.STAN, c.o.Batch = func() (uint32, error) { return 1, nil }, func() uint32 { return 1 }
			if err := c.o.Check(); c.why != "" {
				assert.ErrorContains(t, err, c.why)
			} else {
				assert.NoError(t, err)
			}
		})
	}
}

// The profile asks for the track key as the configuration does.
func TestAProfileAsksForATrackKey(t *testing.T) {
	p := dukptProfile(t, "base = \"unionpay\"\nname = \"own\"\n[tracks]\ncipher = \"tdk\"\n")
	inStrictWorldOf(t, field62With(t, true), func(o *acquirer.Options) { o.Profile = p }, func(t *testing.T, h *acquirer.Host, far *strictHost) {
		require.NoError(t, h.SignIn(t.Context()))
		assert.Equal(t, "00000001004", (<-far.seen).Get(60))
		assert.Len(t, h.Keys(), 4)
	})
}
