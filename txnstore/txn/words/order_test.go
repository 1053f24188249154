package words

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOrdersHaveWordsInBothLanguages(t *testing.T) {
	seen := map[Pair]bool{}
	for _, what := range []string{"parameters", "status", "sign-in", "capk", "aid", "software", "blocklist", "contactless", "unknown-8"} {
		p := OfOrder(what)
		assert.NotEmpty(t, p.ZH)
		assert.NotEmpty(t, p.EN)
		assert.False(t, seen[p], what)
		seen[p] = true
	}
	for _, kind := range []string{"order-left", "order-failed", "order-repeated", "odd-parameter", "refused-range"} {
		assert.NotContains(t, OfAlarm(kind).ZH, kind)
		assert.NotEqual(t, kind, OfAlarm(kind).EN)
	}
	for _, state := range []string{"waiting", "done", "failed", "left"} {
		assert.NotEqual(t, state, OfOrderState(state).ZH)
	}
	for _, state := range []string{"waiting", "done", "left", "unknown"} {
		assert.NotEqual(t, state, OfInstall(state).ZH)
	}
	for _, use := range []string{"in force", "recorded", "refused"} {
		assert.NotEqual(t, use, OfUse(use).ZH)
	}
}
