package agent

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/supervisor"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func TestAPasswordGoesOverTheSocketAndIntoNoLog(t *testing.T) {
	list := supervisor.Open(filepath.Join(t.TempDir(), "supervisors"))
	require.NoError(t, list.Set("00", txn.NewPassword("open sesame")))
	inWorld(t, func(w *world) {
		w.cutPower()
		w.options.Supervisors = list
		w.boot()
		approved(t, w.sell("visa-4242", "12.50"))
		w.do(w.reader.Command("present visa-4242"))
		q := Request{Op: "void", Reference: "v", Original: "till-1", Supervisor: "00", Password: txn.NewPassword("open barley")}
		ask := func() Event {
			c := w.till()
			defer c.conn.Close()
			line, err := sent(q)
			require.NoError(t, err)
			_, err = c.conn.Write(append(line, '\n'))
			require.NoError(t, err)
			e := c.next()
			for !e.Ends() {
				e = c.next()
			}
			return e
		}
		e := ask()
		assert.Equal(t, words.OutcomeRefused, e.Outcome)
		assert.Contains(t, e.Error, "number or password is wrong")
		q.Password = txn.NewPassword("open sesame")
		approved(t, ask())
		assert.NotContains(t, w.log.String(), "barley")
		assert.NotContains(t, w.log.String(), "sesame")
	})
}
