package txn_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

const certified = "9F2608A1B2C3D4E5F60718" + "9F270140" + "95050880048000" + "9F36020017" + "9F100103"

func word(t *testing.T, kept string) txn.ChipWord {
	t.Helper()
	tlv, err := hex.DecodeString(kept)
	require.NoError(t, err)
	return txn.NewChip(tlv).Word()
}

func TestASlipShowsOfAChipWhatNamesNobody(t *testing.T) {
	assert.Equal(t, txn.ChipWord{"a1b2c3d4e5f60718", "0880048000", "0017"}, word(t, certified))
	refused := strings.Replace(certified, "9F270140", "9F270100", 1)
	assert.Equal(t, txn.ChipWord{"", "0880048000", "0017"}, word(t, refused), "a cryptogram that certifies nothing")
	assert.Equal(t, txn.ChipWord{"", "0000000000", "0001"}, word(t, "95050000000000"+"9F1E0853494D4E454F3032"+"9F36020001"), "what a reversal repeats")
	assert.Zero(t, txn.Chip{}.Word())
	assert.Zero(t, word(t, "5A086224242900000113"), "never the card's number")
}

func FuzzChipWord(f *testing.F) {
	whole, _ := hex.DecodeString(certified)
	for cut := range whole {
		f.Add(whole[:cut])
	}
	f.Add([]byte{0x9F, 0x26, 0x81, 1, 2})
	f.Fuzz(func(t *testing.T, kept []byte) {
		w := txn.NewChip(kept).Word()
		if len(w.Certificate)+len(w.Verification)+len(w.Counter) > 2*len(kept) {
			t.Fatal("more is said than was kept")
		}
	})
}
