package main

import (
	"posagent/firmware/agent"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// masked reports whether the card reader keeps numbers to itself: it enciphers, and shows the first six and the last four digits.
func (c *Config) masked() bool {
	return c.profile != nil && c.profile.Tracks == profile.ReaderTracks
}

// maskedFaults refuses what needs a whole number where there is none. What goes by the first six digits goes on.
func (c *Config) maskedFaults(fault func(wrong bool, key, what string, args ...any)) {
	if !c.masked() {
		return
	}
	const why = "the profile has cipher = \"reader\", and the reader shows only the first six and the last four digits of a number; "
	fault(c.Reader.Kind != agent.ReaderNEO2, "reader.kind", why+"a %s does not encipher, use a %s with a data key", c.Reader.Kind, agent.ReaderNEO2)
	fault(c.PINPad.Port != "", "pinpad.port", why+"a PIN block is made with the whole number, so leave the PIN pad out")
	fault(c.Terminal.Blocklist != "", "terminal.blocklist", why+"a list of whole numbers would block nobody, so leave it out; [[bin]] tables of up to six digits refuse kinds of cards")
	fault(c.Terminal.MaxCardDay != "", "terminal.max_card_day", why+"two cards may look alike, so leave the limit of one card out")
	fault(c.Terminal.MaxCardCount > 0, "terminal.max_card_count", why+"two cards may look alike, so leave the limit of one card out")
	for _, b := range c.Bins {
		fault(len(b.From) > txn.ShownDigits, "bin.from", why+"%s has more than %d digits, and no card would be found in it", b.From, txn.ShownDigits)
	}
}
