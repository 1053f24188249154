package link

import (
	"bytes"

	"posagent/link/iso8583"
)

// wanted is what an answer must agree with. The class of the message is part of it because a reversal in this dialect
// repeats the STAN of what it reverses: a late 0210 and the 0410 differ in nothing else.
type wanted struct {
	mti      [3]byte // version, class, function; the origin may differ: 0230 answers 0220 and 0221
	stan     []byte  // nil when the request has none, as an echo does
	terminal []byte
}

func answerTo(m *iso8583.Message) wanted {
	w := wanted{stan: bytes.Clone(m.Bytes(11)), terminal: bytes.Clone(m.Bytes(41))}
	copy(w.mti[:], m.MTI())
	w.mti[2]++
	return w
}

func (w *wanted) matches(m *iso8583.Message) bool {
	return m.MTI()[:3] == string(w.mti[:]) &&
		(w.stan == nil || bytes.Equal(w.stan, m.Bytes(11))) &&
		(w.terminal == nil || bytes.Equal(w.terminal, m.Bytes(41)))
}
