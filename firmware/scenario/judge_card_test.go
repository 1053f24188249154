package scenario

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/txnstore/txn"
)

// A sale with a chip in the slot needs the chip's word; one word is not enough for two sales, and a card that taps needs none.
func TestTheJudgeAsksTheCards(t *testing.T) {
	const card = "424242******4242"
	inserted := func(b *Books, at ...int) {
		for _, i := range at {
			b.Here[i].Entry, b.Here[i].Card = txn.Inserted, card
		}
	}
	for name, c := range map[string]struct {
		spoil func(*Books)
		found int
	}{
		"nobody was in the slot":      {func(b *Books) { b.Cards = []Word{} }, 0},
		"the card agreed":             {func(b *Books) { inserted(b, 0); b.Cards = []Word{{card, 1250, true}} }, 0},
		"the card refused":            {func(b *Books) { inserted(b, 0); b.Cards = []Word{{card, 1250, false}} }, 1},
		"the card was never asked":    {func(b *Books) { inserted(b, 0); b.Cards = []Word{} }, 1},
		"it agreed to another amount": {func(b *Books) { inserted(b, 0); b.Cards = []Word{{card, 8800, true}} }, 1},
		"one word for two sales": {func(b *Books) {
			inserted(b, 0, 1)
			b.Cards = []Word{{card, 1250, true}, {card, 1250, true}}
		}, 1},
		"what was reversed needs none":  {func(b *Books) { inserted(b, 2); b.Cards = []Word{{card, 3330, false}} }, 0},
		"the bench's cards do not tell": {func(b *Books) { inserted(b, 0) }, 0},
	} {
		b := agreeing()
		c.spoil(&b)
		wrong := Judge(b)
		assert.Len(t, wrong, c.found, name)
		for _, w := range wrong {
			assert.Contains(t, w, "its card did not complete it", name)
		}
	}
}
