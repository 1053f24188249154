package acquirer_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// ownProfiles are those that a merchant might write, each with another habit of acquirers in it.
var ownProfiles = map[string]string{
	"a network number":      "base = \"unionpay\"\nname = \"own\"\n[every]\n24 = \"009\"\n",
	"another MAC":           "base = \"unionpay\"\nname = \"own\"\n[mac]\nscheme = \"x9.9\"\n",
	"where codes go":        "base = \"iso87\"\nname = \"own\"\n[sale.code]\n57 = \"\"\n58 = \"QR{code}\"\n",
	"no header":             "base = \"unionpay\"\nname = \"own\"\n[frame]\nhead = \"none\"\n",
	"digits of length":      "base = \"unionpay\"\nname = \"own\"\n[frame]\nlength = \"readable\"\nhead = \"tpdu\"\n",
	"one record a message":  "base = \"unionpay\"\nname = \"own\"\n[settlement]\ndetails = \"messages\"\n[detail]\n60 = \"{batch}99\"\n38 = \"\"\n61 = \"\"\n[refund.detail]\n60 = \"{batch}99\"\n[completion-notice.detail]\n60 = \"{batch}99\"\n[offline-sale.detail]\n60 = \"{batch}99\"\n",
	"compact and two maps":  "base = \"iso87\"\nname = \"own\"\n[message]\ntype = \"compact\"\nbitmap = \"compact\"\nlengths = \"compact\"\n",
	"half a MAC as text":    "base = \"iso87\"\nname = \"own\"\n[mac]\nscheme = \"ecb\"\nvalue = \"characters\"\n[fields]\n64 = \"b8\"\n128 = \"b8\"\n",
	"originals in field 62": "base = \"iso87\"\nname = \"own\"\n[fields]\n63 = \"b...512 hex\"\n62 = \"an20\"\n[answer]\nkeys = \"63\"\n[reversal]\nstan = \"fresh\"\n90 = \"\"\n62 = \"{of.type}{of.stan}0000000000\"\n",
}

func TestHabitsOfAcquirers(t *testing.T) {
	for name, text := range ownProfiles {
		t.Run(name, func(t *testing.T) {
			p, err := profile.Read("own.toml", text)
			require.NoError(t, err)
			inWorld(t, settings{profile: p}, func(w *world) {
				require.NoError(t, w.host.Echo(w.ctx))
				void, card := w.void(w.sold("visa", txn.Contactless, 1250))
				w.asked(void, card)
				w.reversed(void)
				hold, card := w.sale("unionpay", txn.Swiped, 50000)
				hold.Kind = txn.PreAuth
				held := w.asked(hold, card)
				w.asked(w.after(hold, held, txn.Completion, 57500), card)
				_, err := w.host.Enquire(w.ctx, yuan, card)
				require.NoError(t, err)
				code, p := w.byCode("134567890123456789", 1250)
				w.asked(w.voidByCode(code, w.asked(code, p)), txn.Presented{Card: code.Card})
				unknown, p := w.byCode("2812345678901234", 100)
				w.asked(unknown, p)
				w.reversed(unknown)
				w.fault("badmac")
				sale, card := w.sale("visa", txn.Keyed, 100)
				_, _, err = w.host.Request(w.ctx, sale, card)
				require.Error(t, err)
				assert.Equal(t, txn.BadMAC, w.reasonOf(err))
				w.reversed(sale)
			})
			inWorld(t, settings{profile: p}, func(w *world) {
				records, own := w.traded(3)
				c := closingOf(own)
				c.Own.Foreign.Debit.Count++
				_, domestic, foreign, err := w.host.Settle(w.ctx, c)
				require.NoError(t, err)
				c.Domestic, c.Foreign = domestic, foreign
				require.False(t, c.Agrees())
				for _, x := range records {
					require.NoError(t, w.host.Upload(w.ctx, c, []txn.Txn{x}))
				}
				c.Told = len(records)
				require.NoError(t, w.host.EndBatch(w.ctx, c))
				var details []linktest.Detail
				for _, closing := range w.acquirer.Ledger().Terminals[terminal].Closings {
					details = append(details, closing.Details...)
				}
				require.Len(t, details, len(records))
				for _, d := range details {
					assert.Equal(t, "match", d.Verdict)
				}
			})
		})
	}
}
