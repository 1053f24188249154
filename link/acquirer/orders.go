package acquirer

import (
	"context"
	"errors"
	"fmt"

	"posagent/link"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// An answer's header may order the terminal to do something (digit D, see package link). Nothing of that is done inside the
// exchange: Options.Ordered hears of it, and whoever gave that chooses the time. The one exception costs nothing: ordered to
// sign in, the working keys are forgotten at once, so that the next financial message has new ones whatever comes between.
//
// The header is under no MAC. Whoever sits on the line can order, and can only order what a terminal would ask its acquirer
// for anyway.

// exchange is the link's, and passes on what the answer's header orders.
func (h *Host) exchange(ctx context.Context, request *iso8583.Message) (*link.Reply, error) {
	working := h.current()
	reply, err := h.link.Exchange(ctx, request)
	if err != nil {
		return nil, err
	}
	if reply.Orders == link.OrderSignIn {
		h.disown(working)
	}
	if h.o.Ordered != nil {
		h.o.Ordered(reply.Orders)
	}
	return reply, nil
}

// ErrDownload means that a download broke off or is not whole: what came is to be thrown away.
var ErrDownload = errors.New("the download is not whole, and nothing of it is used")

// broken says what is wrong with a download.
func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDownload, fmt.Errorf(format, args...))
}

// Network codes of the messages that carry out orders (field 60.3 of the direct-connection POS dialect). Downloads and their
// ends travel as 0800, what the terminal tells or asks about its state as 0820. None of them has a STAN or a MAC.
const (
	typeDownload = "0800"
	typeState    = "0820"
	typeManage   = "00" // field 60.1

	networkParameters    = "360"
	networkParametersEnd = "361"
	networkStatus        = "362"
	networkBlocklist     = "390"
	networkBlocklistEnd  = "391"
)

// fetch makes one exchange of a download. It has no STAN, so a late copy of an answer to an earlier question would pass for
// this one: field 60 must repeat what was asked, and what else can tell them apart is the caller's to look at.
func (h *Host) fetch(ctx context.Context, what, mti, network string, field62 []byte) (*iso8583.Message, txn.Evidence, error) {
	if h.fault != nil {
		return nil, txn.Evidence{}, h.fault
	}
	request := new(iso8583.Message)
	request.SetMTI(mti)
	request.Set(41, h.o.Terminal)
	request.Set(42, h.o.Merchant)
	request.Set(60, fmt.Sprintf("%s%06d%s", typeManage, h.o.Batch(), network))
	if field62 != nil {
		request.SetBytes(62, field62)
	}
	reply, err := h.exchange(ctx, request)
	if err != nil {
		return nil, txn.Evidence{}, fmt.Errorf("%s: %w", what, err)
	}
	answer := reply.Message
	if why := foreign(request, answer); why != "" {
		return nil, reply.Sent, fmt.Errorf("%s: %s", what, why)
	}
	if asked, got := request.Get(60), answer.Get(60); len(got) < 11 || got[:2] != asked[:2] || got[8:11] != asked[8:11] {
		return nil, reply.Sent, fmt.Errorf("%s: %w", what, broken("the answer belongs to another question"))
	}
	if code := answer.Get(39); code != approvedCode {
		return nil, reply.Sent, &RefusedError{what, code}
	}
	return answer, reply.Sent, nil
}
