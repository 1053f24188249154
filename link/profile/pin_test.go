package profile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func TestAProfileSaysWhichKindsAskForAPIN(t *testing.T) {
	usual := []txn.Kind{txn.Sale, txn.PreAuth}
	for text, want := range map[string][]txn.Kind{
		"": usual, "[pin]\nasked = []\n": nil, "[pin]\nasked = [\"sale\", \"preauth\"]\n": usual,
		"[pin]\nasked = [\"sale\", \"void\", \"completion\"]\n": {txn.Sale, txn.Void, txn.Completion},
	} {
		p, err := Read("own.toml", "base = \"iso87\"\nname = \"own\"\n"+text)
		require.NoError(t, err)
		again, err := Read("full.toml", p.Text())
		require.NoError(t, err)
		assert.Equal(t, p.Mark, again.Mark)
		for _, k := range txn.Kinds() {
			assert.Equal(t, contains(want, k), p.AsksPIN(k), "%s: %s", text, k)
			assert.Equal(t, p.AsksPIN(k), again.AsksPIN(k))
		}
	}
	assert.True(t, UnionPay().AsksPIN(txn.Sale))
	assert.False(t, UnionPay().AsksPIN(txn.Void))
}

func TestAProfileSaysUnderWhichKeyAPINGoes(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "[pin]\nasked = [\"sale\"]\ncipher = \"session\"\n": 0,
		"[pin]\nasked = [\"sale\"]\ncipher = \"dukpt\"\nserial = \"59\"\n[fields]\n59 = \"b10 hex\"\n": 59,
		"[pin]\nasked = [\"sale\"]\ncipher = \"dukpt\"\nserial = \"59\"\n[fields]\n59 = \"an20\"\n":    59,
	} {
		p, err := Read("own.toml", "base = \"iso87\"\nname = \"own\"\n"+text)
		require.NoError(t, err, text)
		assert.Equal(t, want, p.PINSerial, text)
		again, err := Read("full.toml", p.Text())
		require.NoError(t, err, text)
		assert.Equal(t, []any{p.Mark, want}, []any{again.Mark, again.PINSerial}, text)
	}
	assert.Zero(t, UnionPay().PINSerial)
}

func contains(some []txn.Kind, k txn.Kind) bool {
	for _, one := range some {
		if one == k {
			return true
		}
	}
	return false
}

func TestWhatAProfileCannotSayOfPINs(t *testing.T) {
	for text, why := range map[string]string{
		"[pin]\nasked = \"void\"":                                         "asked: want a list",
		"[pin]\nasked = [\"lend\"]":                                       "\"lend\" is no kind of transaction",
		"[pin]\nasked = [\"refund\"]":                                     "a PIN is kept nowhere; leave it out",
		"[pin]\nasked = [\"offline-sale\", \"void\"]":                     "a PIN is kept nowhere; leave it out",
		"[pin]\nwanted = [\"void\"]":                                      "[pin] has no asked",
		"[pin]\nasked = [\"void\"]\ncipher = \"rsa\"":                     "write one of session, dukpt",
		"[pin]\nasked = [\"void\"]\ncipher = \"dukpt\"":                   "belong together",
		"[pin]\nasked = [\"void\"]\nserial = \"59\"":                      "belong together",
		"[pin]\nasked = [\"void\"]\ncipher = \"dukpt\"\nserial = \"ksn\"": "does not hold a key serial number",
		"[pin]\nasked = [\"void\"]\ncipher = \"dukpt\"\nserial = \"3\"":   "does not hold a key serial number",
		"[pin]\nasked = [\"void\"]\ncipher = \"dukpt\"\nserial = \"999\"": "does not hold a key serial number",
		"[pin]\nasked = [\"void\"]\ncipher = \"dukpt\"\nserial = \"55\"":  "another use",
		"[pin]\nasked = [\"void\"]\n[fields]\n52 = \"\"":                  "field 52: is not in the table",
	} {
		_, err := Read("own.toml", "base = \"iso87\"\nname = \"own\"\n"+text+"\n")
		assert.ErrorContains(t, err, why, text)
	}
}
