package acquirer

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// A published sign-in answer and the master key it was made under.
const (
	sampleMaster  = "CA5D92598DCA48CE8A4C76361A9269E9"
	sampleField62 = "6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return raw
}

func sampleWorking(t testing.TB) keys.Working {
	master, err := keys.NewMaster(unhex(t, sampleMaster))
	require.NoError(t, err)
	w, err := keys.OpenWorking(master, unhex(t, sampleField62), "")
	require.NoError(t, err)
	return w
}

func TestOnlyTheKeysThatFailedAreDisowned(t *testing.T) {
	h := New(nil, Options{})
	older, newer := sampleWorking(t), sampleWorking(t)
	h.adopt(newer)
	h.disown(older)
	assert.True(t, h.SignedIn(), "somebody signed in meanwhile")
	h.disown(newer)
	assert.False(t, h.SignedIn())
}

func TestKeysDoNotPrint(t *testing.T) {
	raw := unhex(t, sampleMaster)
	h := New(nil, Options{Terminal: "10000001", Merchant: "898310148160001", TMK: raw,
		STAN: func() (uint32, error) { return 0, nil }, Batch: func() uint32 { return 0 }})
	h.adopt(sampleWorking(t))
	require.Len(t, h.Keys(), 3)
	holder := struct{ inner *Host }{h}
	secrets := []string{"CA5D", "202 93", "0XCA, 0X5D", "5BB5C72C", "91 181 199", "6701EAD6", "103 1 234"}
	for _, value := range []any{h, holder, &holder, h.Keys(), h.o, Options{TMK: raw}, &Options{TMK: raw}, h.current(), h.master} {
		var all strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
			fmt.Fprintf(&all, verb, value)
		}
		slog.New(slog.NewTextHandler(&all, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&all, nil)).Info("x", "value", value)
		text, _ := json.Marshal(value)
		all.Write(text)
		for _, secret := range secrets {
			assert.NotContains(t, strings.ToUpper(all.String()), secret, "%T", value)
		}
	}
}

func TestDestroyedKeysSignNothingAndAskForNothing(t *testing.T) {
	h := New(nil, Options{Terminal: "10000001", Merchant: "898310148160001", TMK: unhex(t, sampleMaster),
		STAN: func() (uint32, error) { t.Fatal("a STAN was taken for a message that cannot be sent"); return 0, nil }, Batch: func() uint32 { return 1 }})
	working := sampleWorking(t)
	h.adopt(working)
	h.DestroyKeys()
	assert.False(t, h.SignedIn())
	assert.Empty(t, h.Keys())
	assert.ErrorIs(t, h.SignIn(t.Context()), ErrMasterKey)
	m := new(iso8583.Message)
	m.SetMTI("0200")
	assert.ErrorIs(t, h.sign(working, m), keys.ErrDestroyed, "a copy taken before is no key any more")
	_, _, err := h.Request(t.Context(), txn.Txn{Terminal: "10000001"}, txn.Presented{})
	assert.ErrorIs(t, err, txn.ErrNotSent)
}
