package terminal

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

var errWrongPassword = errors.New("wrong password")

// desk is a list of one supervisor.
type desk struct{ asked int }

func (d *desk) Allow(number string, password txn.Password) error {
	d.asked++
	if number != "00" || password.TextInTheClear() != "open sesame" {
		return errWrongPassword
	}
	return nil
}

func TestNothingGoesBackWithoutTheSupervisorsPassword(t *testing.T) {
	d := &desk{}
	c := newCounter(t, Options{Supervisors: d, Operator: "01"})
	sale := c.held()
	hold := c.preauthed(50000)
	completion := c.completed(c.preauthed(100), 100)
	deeds := []func(Order) (txn.Txn, error){
		func(o Order) (txn.Txn, error) { o.Original = Named{STAN: sale.STAN}; return c.Void(t.Context(), o) },
		func(o Order) (txn.Txn, error) {
			o.Original = Named{STAN: completion.STAN}
			return c.CancelCompletion(t.Context(), o)
		},
		func(o Order) (txn.Txn, error) {
			o.Original = Named{STAN: hold.STAN}
			return c.CancelPreAuth(t.Context(), o)
		},
		func(o Order) (txn.Txn, error) {
			o.Original, o.Amount = Named{STAN: completion.STAN}, 50
			return c.Refund(t.Context(), o)
		},
	}
	sent := c.host.requests
	for _, do := range deeds {
		for _, password := range []string{"", "open barley"} {
			o := c.order(0, Named{})
			o.Password = txn.NewPassword(password)
			_, err := do(o)
			require.ErrorIs(t, err, ErrApproval)
			require.ErrorIs(t, err, errWrongPassword)
			assert.NotContains(t, err.Error(), "barley")
		}
	}
	assert.Equal(t, sent, c.host.requests)
	assert.Equal(t, 8, d.asked)
	for _, do := range deeds[:3] {
		o := c.order(0, Named{})
		o.Password = txn.NewPassword("open sesame")
		x, err := do(o)
		require.NoError(t, err)
		assert.Equal(t, txn.Approved, x.State)
		assert.Equal(t, "00", x.Approver)
	}
}
