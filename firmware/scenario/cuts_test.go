package scenario

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestThePlanTakesFirstAndLastAndSpreadsTheRest(t *testing.T) {
	counts := map[Event]int{
		{Kind: ByteTo, What: "printer"}:  1001,
		{Kind: ByteFrom, What: "line"}:   2,
		{Kind: Before, What: "pending"}:  3,
		{Kind: Inside, What: "pending"}:  1,
		{Kind: After, What: "mark"}:      4000,
		{Kind: ByteFrom, What: "reader"}: 1,
	}
	plan := Plan(counts, 3)
	assert.Equal(t, []Event{
		{Kind: Before, What: "pending", Nth: 1}, {Kind: Before, What: "pending", Nth: 2}, {Kind: Before, What: "pending", Nth: 3},
		{Kind: Inside, What: "pending", Nth: 1},
	}, plan[:4])
	assert.Len(t, plan, 4+24+3+2+1)
	assert.Equal(t, Event{Kind: After, What: "mark", Nth: 1}, plan[4])
	assert.Equal(t, Event{Kind: After, What: "mark", Nth: 4000}, plan[3+24])
	assert.Equal(t, []Event{
		{Kind: ByteTo, What: "printer", N: 1}, {Kind: ByteTo, What: "printer", N: 501}, {Kind: ByteTo, What: "printer", N: 1001},
		{Kind: ByteFrom, What: "line", N: 1}, {Kind: ByteFrom, What: "line", N: 2}, {Kind: ByteFrom, What: "reader", N: 1},
	}, plan[4+24:])
	assert.Equal(t, plan, Plan(counts, 3), "the same each time")

	seen := map[Event]bool{}
	for _, e := range Plan(counts, 0) {
		assert.False(t, seen[e], "%s twice", e)
		seen[e] = true
	}
	assert.Len(t, seen, 1001+2+3+1+4000+1)
}
