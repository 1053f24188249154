package reader

import (
	"time"

	"posagent/device/reader/neo2"
)

// Prompt is what the reader wants shown, or what it reports, while a card is awaited.
type Prompt string

const (
	PresentCard   Prompt = "present card"
	CardFound     Prompt = "card found" // keep it still
	Processing    Prompt = "processing"
	TryAgain      Prompt = "present the card again"
	OneCardOnly   Prompt = "present one card only"
	UseOtherWay   Prompt = "swipe or insert the card"
	Wait          Prompt = "please wait"
	NoCard        Prompt = "no card"
	CardRead      Prompt = "card read"
	CardFailed    Prompt = "card failed"
	InsertCard    Prompt = "insert the chip" // a card with a chip was swiped
	SwipeCard     Prompt = "swipe the card"  // its chip could not be read
	RemoveCard    Prompt = "take the card out"
	FirstChosen   Prompt = "first application taken" // of a card with several; the reader asked which (61-01)
	NoPINHere     Prompt = "no PIN at the reader"    // the reader asked for one (61-02), and was told that none is entered there
	NoOtherStripe Prompt = "no other stripe reader"  // the reader asked for a swipe elsewhere (61-03)
	UnknownPrompt Prompt = "other message"           // see Event.Index
)

// Event is one user-interface event. It never carries card data.
type Event struct {
	At     time.Time // by Opts.Now
	Prompt Prompt
	Index  byte // the reader's own message index (IDG p. 124); 0 for CardFound
}

var prompts = map[byte]Prompt{
	neo2.ShowPresent:     PresentCard,
	neo2.ShowAmount:      PresentCard,
	neo2.ShowNoCard:      NoCard,
	neo2.ShowProcessing:  Processing,
	neo2.ShowThankYou:    CardRead,
	neo2.ShowFail:        CardFailed,
	neo2.ShowUseChip:     UseOtherWay,
	neo2.ShowTryAgain:    TryAgain,
	neo2.ShowOneCardOnly: OneCardOnly,
	neo2.ShowWait:        Wait,
}

// eventOf tells whether a frame is a user-interface event, and which.
func eventOf(f neo2.Frame, at time.Time) (Event, bool) {
	switch {
	case f.Command == neo2.Activate && f.Sub == neo2.UserInterface:
		if len(f.Data) == 1 && f.Data[0] == neo2.CardFound {
			return Event{At: at, Prompt: CardFound}, true
		}
		return Event{At: at, Prompt: UnknownPrompt}, true
	case f.Command == neo2.Screen && f.Sub == neo2.ScreenSub && len(f.Data) >= 1:
		if prompt, known := prompts[f.Data[0]]; known {
			return Event{At: at, Prompt: prompt, Index: f.Data[0]}, true
		}
		return Event{At: at, Prompt: UnknownPrompt, Index: f.Data[0]}, true
	default:
		return Event{}, false
	}
}
