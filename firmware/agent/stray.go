package agent

import (
	"fmt"
	"strconv"

	"posagent/link/iso8583"
)

// misrouted counts an answer that names another merchant or terminal. Whose books the money went to is then anybody's guess:
// an approval of that kind is no answer, and the transaction is reversed with this in its journal.
func (a *Agent) misrouted(what, stan, got string) {
	kind := OtherMerchant
	if what == "terminal" {
		kind = OtherTerminal
	}
	a.alarm(kind, fmt.Sprintf("the answer to voucher %s names %s %s", stan, what, got))
}

// stray writes an answer that nobody waits for into the journal of the sale it belongs to.
func (a *Agent) stray(m *iso8583.Message) {
	a.log.Warn("an answer nobody waits for", "message", m)
	if m.Has(41) && m.Get(41) != a.o.Terminal {
		a.alarm(OtherTerminal, fmt.Sprintf("a %s for voucher %s names terminal %s", m.MTI(), m.Get(11), m.Get(41)))
		return
	}
	stan, err := strconv.ParseUint(m.Get(11), 10, 32)
	if err != nil || m.MTI() != "0110" && m.MTI() != "0210" && m.MTI() != "0230" {
		return
	}
	if err := a.terminal.Late(uint32(stan), m.Get(39)); err != nil {
		a.log.Error("the late answer could not be noted", "cause", err)
	}
}
