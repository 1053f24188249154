package agent

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/txnstore/txn"
)

// A cashier who starts a second sale while the first one runs is refused, and the first one's prompts go on.
func TestARefusedSecondSaleDoesNotSilenceTheFirst(t *testing.T) {
	a := &Agent{wake: make(chan struct{}, 1), orders: newOrderBook(0, 0)}
	first, second := newSaleView(txn.Sale), newSaleView(txn.Sale)
	overFirst := a.watch(first)
	overSecond := a.watch(second)
	overSecond()
	assert.Same(t, first, a.watched())
	assert.True(t, a.traded.IsZero(), "the counter is not quiet yet")
	overFirst()
	assert.Nil(t, a.watched())
	assert.False(t, a.traded.IsZero())
}
