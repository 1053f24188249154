package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/txnstore/txn/words"
)

func TestTextsFitTheTerminal(t *testing.T) {
	for _, columns := range []int{20, 67, 80} {
		for _, o := range []words.Outcome{words.OutcomeApproved, words.OutcomeDeclined, words.OutcomeNotDone, words.OutcomeReversed,
			words.OutcomeUnknown, words.OutcomeResolved, words.OutcomeRefused} {
			pair := words.OfOutcome(o)
			for _, text := range []string{pair.ZH, pair.EN} {
				lines := wrap(text, columns)
				for i, line := range lines {
					assert.LessOrEqual(t, widthOf(line), columns, line)
					assert.NotEmpty(t, line)
					assert.False(t, i > 0 && strings.ContainsAny(line[:len("，")], "，。；"), "%q begins with a full stop", line)
				}
				unspaced := func(s string) string { return strings.ReplaceAll(s, " ", "") }
				assert.Equal(t, unspaced(text), unspaced(strings.Join(lines, "")), "nothing is lost")
			}
		}
	}
}

func TestLinesAreBrokenWhereAReaderExpectsIt(t *testing.T) {
	assert.Equal(t, []string{"one two", "three"}, wrap("one two three", 9))
	assert.Equal(t, []string{"交易成功。", "款项已入", "账，可以"}, wrap("交易成功。款项已入账，可以", 11))
	assert.Equal(t, []string{"未知，请", "勿"}, wrap("未知，请勿", 9))
	assert.Equal(t, []string{"a", "muchlongerword", "b"}, wrap("a muchlongerword b", 6))
	assert.Equal(t, []string{"一 two", "三"}, wrap("一 two三", 6))
	assert.Equal(t, []string{"as it is"}, wrap("as it is", 0))
	assert.Equal(t, []string{""}, wrap("", 10))
}

func TestClippedTextSaysSo(t *testing.T) {
	assert.Equal(t, "till-7-0042", clip("till-7-0042", 11))
	assert.Equal(t, "till-7-00…", clip("till-7-0042", 10))
	assert.Equal(t, "收银…", clip("收银台七", 6))
	assert.Equal(t, "收银…", clip("收银台七", 5))
	assert.Equal(t, "收银台七", clip("收银台七", 8))
	assert.Equal(t, "whole", clip("whole", 0))
}

func TestAReferenceCannotSteerTheTerminal(t *testing.T) {
	assert.Equal(t, "?[2Jtill?", plain("\x1b[2Jtill\n"))
	assert.Equal(t, "收银台 7", plain("收银台 7"))
	assert.Equal(t, "a\uFFFDb", plain("a\xffb"))
}
