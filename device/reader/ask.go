package reader

import "posagent/device/reader/neo2"

// reply serves what the reader asks of the terminal in the course of a contact command (61-xx, IDG p. 160, 206). Nobody stands
// at a keypad of ours: of a menu, which offers the card's applications in the card's own order, the first is taken, a prompt is
// accepted, a PIN is not entered, and there is no other stripe reader. What is only to be shown is shown and not answered, and
// what was answered for them is told to the people at the counter.
//
// Published: the commands, their modes, and that menus and PIN entry are answered with the same command. Assumed: that the mode
// is the first data byte, and the data of our answers to AskPIN and AskStripe.
func (r *Reader) reply(ask neo2.Frame) error {
	answer := neo2.Frame{Command: neo2.Ask, Sub: ask.Sub}
	switch ask.Sub {
	case neo2.AskDisplay:
		if len(ask.Data) == 0 {
			return nil
		}
		switch ask.Data[0] {
		case neo2.DisplayMenu:
			answer.Data = []byte{1}
			r.events(Event{At: r.now(), Prompt: FirstChosen})
		case neo2.DisplayLanguage:
			answer.Data = []byte{1}
		case neo2.DisplayPrompt:
			answer.Data = []byte{neo2.PromptAccept}
		case neo2.DisplayMessage:
			r.events(Event{At: r.now(), Prompt: Wait})
			return nil
		default:
			return nil
		}
	case neo2.AskPIN:
		answer.Data = []byte{neo2.PINCancelled}
		r.events(Event{At: r.now(), Prompt: NoPINHere})
	case neo2.AskStripe:
		answer.Data = []byte{neo2.Failed}
		r.events(Event{At: r.now(), Prompt: NoOtherStripe})
	default:
		return nil
	}
	return r.wire.send(answer, r.answer)
}
