package acquirer

import (
	"fmt"
	"testing"

	"posagent/txnstore/txn/words"

	"github.com/stretchr/testify/assert"
)

func TestTheOnlyApprovals(t *testing.T) {
	var approved []string
	for a := range 0x80 {
		for b := range 0x80 {
			if code := string([]byte{byte(a), byte(b)}); ResponseOf(code).Approved() {
				approved = append(approved, code)
			}
		}
	}
	assert.Equal(t, []string{"00", "11", "A2", "A4", "A5", "A6"}, approved)
	for _, odd := range []string{"", "0", "000", " 00", "00 ", "ａ０"} {
		assert.False(t, ResponseOf(odd).Approved(), "%q", odd)
	}
}

func TestKeepingTheCardIsNoSuccess(t *testing.T) {
	assert.Equal(t, Operator, ResponseOf("04").Class)
	advice := words.Advice("04")
	assert.Contains(t, advice.ZH, "没收")
	assert.Contains(t, advice.EN, "keep the card")
}

func TestAnUnknownCodeIsARefusal(t *testing.T) {
	for _, code := range []string{"", "ZZ", "100", "\x00\x00"} {
		assert.Equal(t, words.Pair{ZH: "交易失败", EN: "refused"}, words.Advice(code))
		assert.NotEqual(t, Success, ResponseOf(code).Class)
	}
}

func TestPartialAndPendingAreNeitherKeptNorRefused(t *testing.T) {
	for _, code := range []string{"09", "10"} {
		assert.True(t, ResponseOf(code).unclear, code)
		assert.False(t, ResponseOf(code).Approved(), code)
	}
}

func TestEveryRowIsCompleteAndUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range responses {
		assert.Len(t, r.Code, 2)
		assert.False(t, seen[r.Code], r.Code)
		seen[r.Code] = true
		assert.Contains(t, "ABCDE", string(r.Class), r.Code)
		assert.NotEqual(t, "交易失败", words.Advice(r.Code).ZH, "%s has words of its own", r.Code)
	}
	for _, code := range []string{"A0", "99", "77", "97"} {
		assert.True(t, ResponseOf(code).signIn, code)
	}
	assert.False(t, ResponseOf("51").signIn)
}

func TestOnlyThreeCodesEndAReversal(t *testing.T) {
	var ending []string
	for n := range 100 {
		if code := fmt.Sprintf("%02d", n); New(nil, Options{}).endsReversal(code) {
			ending = append(ending, code)
		}
	}
	assert.Equal(t, []string{"00", "12", "25"}, ending)
}
