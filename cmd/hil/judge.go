package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"posagent/firmware/agent"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

// books are both sides of the counter, and the paper between them.
type books struct {
	terminal []agent.Record // newest first
	acquirer linktest.TerminalBook
	slips    []slip
}

// slip is one piece of paper as a person reads it.
type slip struct {
	file      string
	text      string
	stan      string
	amount    string // "12.50"
	reversal  bool   // 冲正通知: says that nothing was charged, or that a void was not made
	kind      txn.Kind
	report    bool // 批结算单: a settlement report, which belongs to no transaction
	duplicate bool
	merchant  bool // the merchant's copy
	torn      bool // power failed while it was printed
}

// openBooks reads the terminal's books through its socket, the acquirer's from its file, and every slip.
func (r *rig) openBooks(ctx context.Context) (books, error) {
	var b books
	e, err := r.ask(ctx, agent.Request{Op: "list", Max: 100}, nil)
	if err != nil {
		return b, err
	}
	b.terminal = e.Txns
	ledger, err := r.ledger()
	if err != nil {
		return b, err
	}
	if err := ledger.Check(); err != nil {
		return b, err
	}
	b.acquirer = ledger.Terminals[terminalID]
	b.slips, err = r.paper()
	return b, err
}

func (r *rig) paper() ([]slip, error) {
	files, err := filepath.Glob(filepath.Join(r.dir, "paper", "[0-9]*.txt"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var all []slip
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		all = append(all, readSlip(filepath.Base(f), string(text)))
	}
	return all, nil
}

// readSlip looks at a slip with a merchant's eyes.
func readSlip(file, text string) slip {
	s := slip{file: file, text: text}
	s.reversal = strings.Contains(text, "冲正")
	s.report = strings.Contains(text, "批结算单")
	s.kind = txn.Sale
	switch {
	case strings.Contains(text, "消费撤销"):
		s.kind = txn.Void
	case strings.Contains(text, "退货"):
		s.kind = txn.Refund
	}
	s.duplicate = strings.Contains(text, "重打印")
	s.merchant = strings.Contains(text, "商户存根")
	s.torn = strings.Contains(text, "-- torn --")
	if found := voucher.FindStringSubmatch(text); found != nil {
		s.stan = found[1]
	}
	if found := sum.FindStringSubmatch(text); found != nil {
		s.amount = found[1]
	}
	return s
}

// voucher is the line with the slip number, on a sale slip and on a notice.
var voucher = regexp.MustCompile(`凭证号[^0-9]*([0-9]{6})`)

// sum is the amount, of the sale or of what was reversed.
var sum = regexp.MustCompile(`RMB *([0-9]+\.[0-9]{2})`)

// judge compares the books. The acquirer's ledger is right by definition. It returns every disagreement.
//
//	approved here ⇔ it stands at the acquirer ⇔ both copies on paper, or owed
//
// A sale stands there although a void or refunds of it stand too; those count against it in the totals.
func (b books) judge() []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	here := map[string]agent.Record{}
	var sumHere, sumThere txn.Amount
	for _, t := range b.terminal {
		key := t.Batch + "/" + t.STAN
		if _, twice := here[key]; twice {
			say("voucher %s stands in the terminal's books twice", key)
		}
		here[key] = t
		duty := t.State.Owes()
		if duty != txn.Nothing {
			say("voucher %s is %s: still owed (%s)", key, t.State, duty)
		}
	}
	held := map[string]bool{}
	for _, row := range b.acquirer.Rows {
		key := fmt.Sprintf("%06d/%06d", row.Batch, row.STAN)
		if !row.Stands() {
			continue
		}
		held[key] = true
		amount, sign := row.Held+row.Back, txn.Amount(1)
		if row.Kind != linktest.Sale {
			sign = -1
		}
		sumThere += sign * amount
		t, known := here[key]
		switch {
		case !known:
			say("voucher %s: the acquirer holds money for a sale that the terminal does not know", key)
		case t.State != txn.Approved:
			say("voucher %s: the acquirer holds money and the terminal says %s", key, t.State)
		case kindHere(t) != txn.Kind(row.Kind.String()):
			say("voucher %s: a %s at the acquirer and a %s here", key, row.Kind, kindHere(t))
		case t.Amount != fmt.Sprintf("%d.%02d", amount/100, amount%100):
			say("voucher %s: the acquirer holds %d minor units and the terminal says %s", key, amount, t.Amount)
		default:
			sumHere += sign * amount
		}
	}
	for key, t := range here {
		if t.State == txn.Approved && !held[key] {
			say("voucher %s: approved here and not held by the acquirer", key)
		}
		wrong = append(wrong, b.judgePaper(key, t)...)
	}
	if sumHere != sumThere {
		say("the totals differ: %d here, %d there", sumHere, sumThere)
	}
	for _, s := range b.slips {
		if _, known := here[keyOf(b, s)]; !known && !s.torn && !s.report {
			say("slip %s (voucher %q) belongs to no sale", s.file, s.stan)
		}
	}
	sort.Strings(wrong)
	return wrong
}

// kindHere is the kind of a record; one that does not say is a sale.
func kindHere(t agent.Record) txn.Kind { return cmp.Or(t.Kind, txn.Sale) }

// keyOf finds the sale a slip belongs to. STANs do not repeat within the bench's one batch.
func keyOf(b books, s slip) string {
	for _, t := range b.terminal {
		if t.STAN == s.stan {
			return t.Batch + "/" + t.STAN
		}
	}
	return ""
}

// judgePaper holds one sale against its slips: money held has both copies, each unmarked at most once; money not held
// has no slip that looks like a sale.
func (b books) judgePaper(key string, t agent.Record) []string {
	var wrong []string
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("voucher %s: ", key)+fmt.Sprintf(format, args...))
	}
	unmarked := map[bool]int{}
	whole := map[bool]int{}
	for _, s := range b.slips {
		if s.stan != t.STAN || s.report {
			continue
		}
		if s.kind != kindHere(t) && !s.torn {
			say("slip %s is that of a %s and the terminal made a %s", s.file, s.kind, kindHere(t))
		}
		if s.amount != t.Amount && !s.torn {
			say("slip %s is over %q and the terminal says %s", s.file, s.amount, t.Amount)
		}
		if s.reversal {
			if t.State == txn.Approved || t.State == txn.Declined || t.State == txn.Abandoned {
				say("slip %s speaks of a reversal and the terminal says %s", s.file, t.State)
			}
			continue
		}
		if t.State != txn.Approved {
			say("slip %s looks like a sale and the terminal says %s", s.file, t.State)
		}
		if s.torn {
			continue
		}
		whole[s.merchant]++
		if !s.duplicate {
			unmarked[s.merchant]++
		}
	}
	if t.State == txn.Reversed && t.Merchant != txn.SlipOwed && !b.hasNotice(t.STAN) {
		say("reversed, its notice is %s and not on paper", t.Merchant)
	}
	if t.State != txn.Approved {
		return wrong
	}
	for copyIsMerchants, due := range map[bool]txn.Slip{true: t.Merchant, false: t.Customer} {
		name := map[bool]string{true: "merchant", false: "customer"}[copyIsMerchants]
		if whole[copyIsMerchants] == 0 && due != txn.SlipOwed {
			say("the %s's copy is %s and not on paper", name, due)
		}
		if unmarked[copyIsMerchants] > 1 {
			say("%d unmarked copies for the %s", unmarked[copyIsMerchants], name)
		}
	}
	return wrong
}

func (b books) hasNotice(stan string) bool {
	for _, s := range b.slips {
		if s.stan == stan && s.reversal && !s.torn {
			return true
		}
	}
	return false
}
