package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHandshakesAreCounted(t *testing.T) {
	w, err := newWayfarer()
	require.NoError(t, err)
	rows, err := w.handshakes(t.Context())
	require.NoError(t, err)
	bytes := map[string]int{}
	for _, r := range rows {
		require.LessOrEqual(t, len(r.what), whatWidth, r.what)
		n, err := strconv.Atoi(strings.TrimSuffix(r.measured, " B"))
		require.NoError(t, err)
		bytes[strings.TrimPrefix(r.what, "handshake, ")] = n
		t.Logf("%-44s %s %s", r.what, r.measured, r.ratio)
	}
	assert.Greater(t, bytes["hybrid (Go's choice)"], bytes["X25519"]+2000, "the key shares of ML-KEM-768 have 1184 and 1088 bytes (FIPS 203)")
	assert.Less(t, bytes["X25519, resumed"], bytes["X25519"])
	assert.Greater(t, bytes["X25519, both prove themselves"], bytes["X25519"])
}
