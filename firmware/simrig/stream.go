package simrig

import (
	"hash/fnv"
	"math/rand/v2"
)

// stream gives each actor of a world dice of its own, so that what one of them throws never depends on how often another
// did. It is a function of the world's seed and the actor's name.
func stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails, by its contract
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
