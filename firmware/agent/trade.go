package agent

import (
	"context"
	"strconv"

	"posagent/firmware/terminal"
	"posagent/txnstore/txn"
)

// kindOf is the kind of transaction that a request begins, if it begins one: it goes by the kind's own name.
func kindOf(op string) (txn.Kind, bool) { return txn.Kind(op), txn.Kind(op).Known() }

// deed is what the engine does for a kind.
func (a *Agent) deed(kind txn.Kind) func(context.Context, terminal.Order) (txn.Txn, error) {
	switch kind {
	case txn.Void:
		return a.terminal.Void
	case txn.Refund:
		return a.terminal.Refund
	case txn.PreAuth:
		return a.terminal.PreAuth
	case txn.PreAuthCancel:
		return a.terminal.CancelPreAuth
	case txn.Completion:
		return a.terminal.Complete
	case txn.CompletionCancel:
		return a.terminal.CancelCompletion
	case txn.CompletionNotice:
		return a.terminal.NotifyCompletion
	case txn.OfflineSale:
		return a.terminal.OfflineSale
	default:
		return a.terminal.Sale
	}
}

// trade runs one transaction and reports its stages to view.
func (a *Agent) trade(ctx context.Context, kind txn.Kind, q Request, view *saleView) Event {
	if err := a.guard.held(); err != nil {
		return a.heldBack(kind, q.Reference, err)
	}
	order, err := a.order(kind, q)
	if err != nil {
		return refused(kind, err)
	}
	order.Progress = func(e terminal.Event) {
		detail := ""
		if e.Fault != nil {
			detail = e.Fault.Error()
			a.log.Warn("paper still owed", "stan", e.Txn.STAN, "cause", e.Fault)
		}
		if e.Fault != nil {
			view.printer(a.printerView())
		}
		view.stage(e.Stage, detail, e.Txn)
		a.signStage(view, e)
	}
	over := a.watch(view)
	x, err := a.deed(kind)(ctx, order)
	over()
	if kind, is := alarmOf(err); is {
		a.alarm(kind, err.Error())
	}
	if x.ID == 0 {
		a.log.Info("refused", "kind", string(kind), "reference", q.Reference, "cause", err)
		return refused(kind, err)
	}
	a.log.Info(string(kind), "reference", q.Reference, "stan", x.STAN, "batch", x.Batch, "state", string(x.State), "code", x.Answer.Code, "cause", err)
	if kind.Charges() && err == nil && x.State == txn.Approved {
		if e, unread := Shown(x, a.store.Since); unread == nil {
			return a.paperDue(e, x) // a repeated reference may be that of a sale that was voided since
		}
	}
	return a.paperDue(outcome(x, err), x)
}

// order reads a request in the engine's terms.
func (a *Agent) order(kind txn.Kind, q Request) (terminal.Order, error) {
	o := terminal.Order{Reference: q.Reference, Again: q.Again, Scan: q.Scan, Approver: q.Supervisor, Password: q.Password,
		Authority: terminal.Authority{Code: q.AuthCode, Mode: q.AuthMode, Unit: q.AuthUnit}, Original: named(q.Original, q.OriginalReference)}
	if kind == txn.Refund && q.OriginalRRN != "" {
		o.Original = terminal.Named{RRN: q.OriginalRRN, Date: q.OriginalDate}
	}
	if kind.Uses() && q.OriginalAuth != "" {
		o.Original = terminal.Named{AuthCode: q.OriginalAuth, Date: q.OriginalDate}
	}
	if kind == txn.Void || kind == txn.CompletionCancel || kind == txn.PreAuthCancel && q.Amount == "" {
		return o, nil
	}
	var err error
	o.Amount, err = a.o.Currency.ParseAmount(q.Amount)
	return o, err
}

// named reads what people call a transaction: up to six digits are its voucher number, anything else its reference.
func named(what, reference string) terminal.Named {
	if stan, err := strconv.ParseUint(what, 10, 32); err == nil && len(what) <= 6 && reference == "" {
		return terminal.Named{STAN: uint32(stan)}
	}
	if reference == "" {
		reference = what
	}
	return terminal.Named{Reference: reference}
}
