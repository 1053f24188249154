package reader_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// tagsOf lists the tags of a TLV structure in order, and their values in hex.
func tagsOf(t *testing.T, tlv []byte) (order []string, values map[string]string) {
	t.Helper()
	values = make(map[string]string)
	require.NoError(t, neo2.Walk(tlv, func(tag uint32, value []byte) {
		name := strings.ToUpper(fmt.Sprintf("%x", tag))
		order = append(order, name)
		values[name] = hex.EncodeToString(value)
	}))
	return order, values
}

// assertChip checks field 55 of the request and of a reversal against what was asked.
func assertChip(t *testing.T, card devicetest.TestCard, got txn.Presented) {
	t.Helper()
	wanted := strings.Fields("9F26 9F27 9F10 9F37 9F36 95 9A 9C 9F02 5F2A 82 9F1A 9F03 9F33 9F34 9F35 9F1E 84 9F09 9F41")
	if strings.HasPrefix(card.AID, "A000000333") {
		wanted = append(wanted, "9F63")
	}
	order, values := tagsOf(t, got.Chip.BytesInTheClear())
	assert.Equal(t, wanted, order)
	assert.Equal(t, "000000001234", values["9F02"])
	assert.Equal(t, "0156", values["5F2A"])
	assert.Equal(t, "0156", values["9F1A"])
	assert.Equal(t, "80", values["9F27"])
	assert.Equal(t, strings.ToLower(card.AID), values["84"])
	assert.NotContains(t, hex.EncodeToString(got.Chip.BytesInTheClear()), card.PAN, "neither 57 nor 5A is among them")
	reversal, kept := tagsOf(t, got.Card.Chip.BytesInTheClear())
	assert.Equal(t, strings.Fields("95 9F1E 9F10 9F36"), reversal)
	for tag, value := range kept {
		assert.Equal(t, values[tag], value)
	}
	assert.LessOrEqual(t, len(got.Chip.BytesInTheClear()), 255)
}
