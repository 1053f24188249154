package agent

import (
	"errors"

	"posagent/device/reader"
	"posagent/firmware/terminal"
	"posagent/txnstore/txn/words"
)

// cardWords is what the person at the counter is told of a charge that a guard refused: the cause, and what to do. nil is any
// other refusal.
func cardWords(err error) *words.Pair {
	for guard, text := range map[error]*words.Pair{
		terminal.ErrCardLimit: &words.CardLimit,
		terminal.ErrLimit:     &words.OverLimit,
		terminal.ErrBlocked:   &words.CardBlocked,
		terminal.ErrBin:       &words.CardNotTaken,
		terminal.ErrBinOnline: &words.CardOnline,
		terminal.ErrMasked:    &words.CardMasked,
		reader.ErrSetUp:       &words.ReaderSetUp,
	} {
		if errors.Is(err, guard) {
			return text
		}
	}
	return nil
}
