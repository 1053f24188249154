package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/firmware/agent"
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

// The live line is redrawn each second, so it must never reach the last column: a terminal would scroll instead.
func TestTheLiveLineStaysOnItsLine(t *testing.T) {
	for _, columns := range []int{40, 80} {
		var out strings.Builder
		p := progress{out: &out, columns: columns}
		for _, s := range []words.Stage{words.Recovering, words.SigningIn, words.Present, words.CardRead, words.Recorded, words.Connecting,
			words.Sending, words.Waiting, words.Unknown, words.Held, words.Printing, words.PaperOwed} {
			text := words.OfStage(s)
			for _, seconds := range []int{0, 1, 59} {
				p.stage(agent.Event{Stage: s, Text: &text, Detail: "dialling dial, T95516,,,1234567890", Seconds: seconds})
			}
			unspaced := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\n", ""), " ", "") }
			assert.Contains(t, unspaced(out.String()), unspaced(text.ZH))
			assert.Contains(t, unspaced(out.String()), unspaced(text.EN), "said in full at %d columns", columns)
		}
		p.clear()
		for line := range strings.SplitSeq(out.String(), "\n") {
			redrawn := strings.Split(line, "\r\x1b[K")
			standing := len(redrawn) - 1
			assert.LessOrEqual(t, widthOf(redrawn[standing]), columns, redrawn[standing])
			for _, text := range redrawn[:standing] {
				assert.Less(t, widthOf(text), columns, text)
			}
		}
		assert.True(t, strings.HasSuffix(out.String(), "\r\x1b[K"), "nothing of it is left behind")
	}
}
