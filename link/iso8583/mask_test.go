package iso8583

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAMessagePrintsMasked(t *testing.T) {
	m := new(Message)
	require.Equal(t, "[empty message]", fmt.Sprint(m))
	bigSale(m)
	m.Set(44, "01020000\x1b[2J")
	require.Equal(t, "0200 2:622424******0113 3:000000 4:000000001250 11:000024 14:[4] 22:071 23:001 25:00 26:12 "+
		"35:[34] 41:10000001 42:898000000000001 44:01020000?[2J 49:156 52:[8] 53:[16] 55:[140] 60:22000024000600 64:[8]",
		m.String())
	m.Reset()
	m.Set(2, "62242429000")
	require.Equal(t, "---- 2:[11]", m.String(), "what is not a card number may be a mistyped one")
}

// TestNoWayOfPrintingShowsCardData tries every verb and encoder, on the message and on structs that hide it.
func TestNoWayOfPrintingShowsCardData(t *testing.T) {
	const pan, expiry, track, pin, tags = "6224242900000113", "2806", "28062013949031013", "PINBLOCK", "chip tags"
	m := new(Message)
	bigSale(m)
	m.Set(36, track)
	m.Set(45, track)
	m.Set(48, pan)
	m.Set(52, pin)
	m.Set(55, tags)
	m.Set(62, tags)
	m.Set(63, pan)
	type hidden struct{ m Message }
	type hiddenPointer struct{ m *Message }
	type shown struct{ M Message }
	type nested struct {
		inner hidden
		list  []*Message
		byKey map[string]Message
	}
	secrets := []string{pan, pan[6:12], expiry + "2013", pin, tags,
		fmt.Sprintf("%x", pan), fmt.Sprintf("%x", pin), fmt.Sprintf("%x", tags), fmt.Sprint([]byte(pin))[1:20]}
	check := func(how, out string) {
		for _, secret := range secrets {
			if strings.Contains(out, secret) {
				t.Fatalf("%s shows card data", how) // and this does not
			}
		}
	}
	values := []any{m, *m, hidden{*m}, &hidden{*m}, hiddenPointer{m}, &hiddenPointer{m}, shown{*m}, &shown{*m},
		nested{hidden{*m}, []*Message{m}, map[string]Message{"k": *m}}, []Message{*m}, []any{m}, &m}
	for _, v := range values {
		for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
			for _, flags := range []string{"", "+", "#", "+#", " ", "0", "-40", ".3", "200.100"} {
				format := "%" + flags + string(verb)
				check(fmt.Sprintf("%s of %T", format, v), fmt.Sprintf(format, v))
			}
		}
		check("Sprint", fmt.Sprint(v))
		encoded, err := json.Marshal(v)
		require.NoError(t, err)
		check("json", string(encoded))
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("sent", "message", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("sent", "message", v)
		check("slog", log.String())
	}
	require.Contains(t, fmt.Sprintf("%x", m), "622424******0113", "the verb does not matter")
}
