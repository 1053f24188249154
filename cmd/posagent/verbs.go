package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
)

// run dispatches a verb and returns the exit status.
func (c *command) run(ctx context.Context) int {
	if len(c.args) == 0 {
		fmt.Fprint(c.err, usage)
		return exitUsage
	}
	verb, rest := c.args[0], c.args[1:]
	if words := second(verb); words != "" {
		if len(rest) == 0 {
			return c.misused("posagent " + verb + ": say what, " + words)
		}
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	switch verb {
	case "run":
		return c.verb(verb, "", rest, nil, func(string) int { return c.runAgent(ctx) })
	case "sale":
		var q saleFlags
		return c.verb(verb, "AMOUNT", rest, q.defineSale, func(amount string) int { return c.sale(ctx, amount, q) })
	case "void":
		var q undoFlags
		return c.verb(verb, "STAN|REFERENCE", rest, q.define, func(original string) int { return c.void(ctx, verb, original, q) })
	case "refund":
		var q refundFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.refund(ctx, amount, q) })
	case "preauth":
		var q saleFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.preauth(ctx, amount, q) })
	case "preauth-cancel":
		q := useFlags{approved: true}
		return c.verb(verb, "", rest, q.define, func(string) int { return c.use(ctx, verb, q.amount, q) })
	case "completion", "completion-notice":
		var q useFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.use(ctx, verb, amount, q) })
	case "completion-cancel":
		var q undoFlags
		return c.verb(verb, "STAN|REFERENCE", rest, q.define, func(original string) int { return c.void(ctx, verb, original, q) })
	case "offline-sale":
		var q offlineFlags
		return c.verb(verb, "AMOUNT", rest, q.define, func(amount string) int { return c.offlineSale(ctx, amount, q) })
	case "balance":
		paper := false
		return c.verb(verb, "", rest, func(f *flag.FlagSet) {
			f.BoolVar(&paper, "print", false, "a slip for the cardholder, who asked for one")
		},
			func(string) int { return c.balance(ctx, paper) })
	case "batch totals":
		return c.verb(verb, "", rest, nil, func(string) int { return c.batchTotals(ctx) })
	case "batch close":
		return c.verb(verb, "", rest, nil, func(string) int { return c.batchClose(ctx) })
	case "batch report":
		return c.verb(verb, "[BATCH]", rest, nil, func(batch string) int { return c.batchReport(ctx, batch) })
	case "txn list":
		most := 20
		return c.verb(verb, "", rest, func(f *flag.FlagSet) { f.IntVar(&most, "n", most, "how many, newest first, 1 to 100") },
			func(string) int { return c.txnList(ctx, most) })
	case "txn show":
		var byReference bool
		return c.verb(verb, "ID|REFERENCE", rest, byReferenceFlag(&byReference), func(what string) int { return c.txnShow(ctx, named(what, byReference)) })
	case "txn reprint":
		var byReference bool
		return c.verb(verb, "ID|REFERENCE", rest, byReferenceFlag(&byReference), func(what string) int { return c.txnReprint(ctx, named(what, byReference)) })
	case "txn resolve":
		var q resolveFlags
		return c.verb(verb, "ID|REFERENCE", rest, q.define, func(what string) int { return c.txnResolve(ctx, what, q) })
	case "receipt show":
		var q receiptFlags
		return c.verb(verb, "ID|REFERENCE", rest, q.define, func(what string) int { return c.receiptShow(ctx, what, q) })
	case "status":
		return c.verb(verb, "", rest, nil, func(string) int { return c.status(ctx) })
	case "store recount":
		return c.verb(verb, "", rest, nil, func(string) int { return c.storeRecount(ctx) })
	case "store check":
		return c.verb(verb, "", rest, nil, func(string) int { return c.storeCheck() })
	case "store report":
		acknowledge := false
		return c.verb(verb, "", rest, func(f *flag.FlagSet) {
			f.BoolVar(&acknowledge, "acknowledge", false, "it was read: do not show it again")
		},
			func(string) int { return c.storeReport(acknowledge) })
	case "keys load":
		var q loadFlags
		return c.verb(verb, "[BUNDLE]", rest, q.define, func(bundle string) int { return c.keysLoad(ctx, bundle, q) })
	case "keys show":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysShow(ctx) })
	case "keys log":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysLog() })
	case "keys request":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysRequest() })
	case "keys seal":
		return c.verb(verb, "", rest, nil, func(string) int { return c.keysSeal() })
	case "keys destroy":
		var sure bool
		return c.verb(verb, "", rest, func(f *flag.FlagSet) { f.BoolVar(&sure, "yes", false, "it is meant") },
			func(string) int { return c.keysDestroy(sure) })
	case "keys signer":
		return c.verb(verb, "FILE", rest, nil, c.keysSigner)
	case "keys bundle":
		var q bundleFlags
		return c.verb(verb, "REQUEST", rest, q.define, func(request string) int { return c.keysBundle(ctx, request, q) })
	case "supervisor list":
		return c.verb(verb, "", rest, nil, func(string) int { return c.supervisorList() })
	case "supervisor set":
		var p passwords
		return c.verb(verb, "NUMBER", rest, p.define, func(number string) int { return c.supervisorSet(number, p) })
	case "supervisor unlock":
		return c.verb(verb, "NUMBER", rest, nil, c.supervisorUnlock)
	case "supervisor remove":
		return c.verb(verb, "NUMBER", rest, nil, c.supervisorRemove)
	case "blocklist load":
		return c.verb(verb, "FILE", rest, nil, c.blocklistLoad)
	case "scanner setup":
		return c.verb(verb, "", rest, nil, func(string) int { return c.scannerSetup(ctx) })
	case "params show":
		return c.verb(verb, "", rest, nil, func(string) int { return c.paramsShow() })
	case "host echo", "host signin", "host test":
		return c.verb(verb, "", rest, nil, func(string) int { return c.host(ctx, verb) })
	case "tamper show":
		return c.verb(verb, "", rest, nil, func(string) int { return c.tamper(false, false) })
	case "tamper clear":
		var sure bool
		return c.verb(verb, "", rest, func(f *flag.FlagSet) { f.BoolVar(&sure, "yes", false, "it is meant") },
			func(string) int { return c.tamper(true, sure) })
	case "profile show":
		return c.verb(verb, "NAME|FILE", rest, nil, c.profileShow)
	case "profile check":
		return c.verb(verb, "FILE", rest, nil, c.profileCheck)
	case "config check":
		return c.verb(verb, "[FILE]", rest, nil, func(file string) int {
			if file != "" {
				c.config = file
			}
			return c.configCheck()
		})
	case "version":
		return c.verb(verb, "", rest, nil, func(string) int {
			fmt.Fprintf(c.out, "posagent %s %s %s/%s%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision())
			return exitDone
		})
	case "help", "-h", "-help", "--help":
		fmt.Fprint(c.out, usage)
		return exitDone
	default:
		return c.misused(fmt.Sprintf("posagent: %q is not a verb", verb))
	}
}

// second lists the words that must follow a verb of two; nothing follows any other.
func second(verb string) string {
	switch verb {
	case "txn":
		return "list, show, reprint or resolve"
	case "supervisor":
		return "list, set, unlock or remove"
	case "blocklist":
		return "load"
	case "receipt":
		return "show"
	case "batch":
		return "totals, close or report"
	case "store":
		return "check, report or recount"
	case "keys":
		return "load, show, log, request, seal, destroy, signer or bundle"
	case "host":
		return "echo, signin or test"
	case "tamper":
		return "show or clear"
	case "profile":
		return "show or check"
	case "config":
		return "check"
	case "params":
		return "show"
	case "scanner":
		return "setup"
	}
	return ""
}
