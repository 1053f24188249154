package agent

import (
	"posagent/device/reader"
	"posagent/txnstore/txn/words"
)

// prompt is what the reader wants shown, under a name for programs, in words and as a sign.
type prompt struct {
	name words.Prompt
	text words.Pair
	sign pattern
}

// promptOf leaves out prompts that say no more than the stage itself.
func promptOf(p reader.Prompt) (prompt, bool) {
	switch p {
	case reader.CardFound:
		return prompt{name: words.PromptHoldStill, text: words.HoldStill}, true
	case reader.Processing:
		return prompt{name: words.PromptReading, text: words.Reading}, true
	case reader.TryAgain:
		return prompt{words.PromptAgain, words.PresentAgain, otherwiseSign}, true
	case reader.OneCardOnly:
		return prompt{words.PromptOneCard, words.OneCard, otherwiseSign}, true
	case reader.UseOtherWay:
		return prompt{words.PromptOtherWay, words.OtherWay, otherwiseSign}, true
	case reader.Wait:
		return prompt{name: words.PromptWait, text: words.PleaseWait}, true
	case reader.CardFailed:
		return prompt{words.PromptFailed, words.CardFailed, otherwiseSign}, true
	case reader.InsertCard:
		return prompt{words.PromptInsert, words.InsertChip, otherwiseSign}, true
	case reader.SwipeCard:
		return prompt{words.PromptSwipe, words.SwipeInstead, otherwiseSign}, true
	case reader.RemoveCard:
		return prompt{words.PromptRemove, words.RemoveCard, takeAwaySign}, true
	case reader.FirstChosen:
		return prompt{name: words.PromptFirstChosen, text: words.FirstChosen}, true
	case reader.NoPINHere:
		return prompt{name: words.PromptNoPIN, text: words.NoPINHere}, true
	case reader.NoOtherStripe:
		return prompt{name: words.PromptNoOtherSwipe, text: words.NoOtherSwipe}, true
	default:
		return prompt{}, false
	}
}
