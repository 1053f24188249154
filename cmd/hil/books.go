package main

import (
	"context"
	"os"
	"path/filepath"
	"sort"

	"posagent/firmware/agent"
	"posagent/firmware/scenario"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
)

// openBooks reads the terminal's books through its socket, the acquirer's from its file, and every slip.
func (r *rig) openBooks(ctx context.Context) (scenario.Books, error) {
	b, err := r.theirBooks()
	if err != nil {
		return b, err
	}
	e, err := r.ask(ctx, agent.Request{Op: "list", Max: 100}, nil)
	if err != nil {
		return b, err
	}
	for i := len(e.Txns) - 1; i >= 0; i-- {
		sale, err := scenario.SaleOf(e.Txns[i])
		if err != nil {
			return b, err
		}
		b.Here = append(b.Here, sale)
	}
	e, err = r.ask(ctx, agent.Request{Op: "status"}, nil)
	if err == nil && e.Status != nil {
		b.Open = e.Status.Batch
	}
	return b, err
}

// settledOf is the acquirer's settlement of one batch. The terminal's own it shows to whoever closes a batch, and prints.
func settledOf(c linktest.Closing) scenario.Settled {
	sums := func(s linktest.Sums) txn.Sums { return txn.Sums{Debit: txn.Sum(s.Debit), Credit: txn.Sum(s.Credit)} }
	totals := func(t linktest.Totals) txn.Totals {
		return txn.Totals{Domestic: sums(t.Domestic), Foreign: sums(t.Foreign)}
	}
	s := scenario.Settled{Batch: c.Batch, Own: totals(c.Host), Said: totals(c.Terminal), Equal: c.Equal, Ended: c.Ended, Told: c.Told}
	for _, d := range c.Details {
		s.Details = append(s.Details, scenario.Detail{STAN: d.STAN, Amount: d.Amount, Match: d.Verdict == "match"})
	}
	return s
}

// theirBooks are the acquirer's, and the paper.
func (r *rig) theirBooks() (scenario.Books, error) {
	b := scenario.Books{Tries: reversalTries}
	ledger, err := r.ledger()
	if err != nil {
		return b, err
	}
	book := ledger.Terminals[terminalID]
	for _, c := range book.Closings {
		b.Settled = append(b.Settled, settledOf(c))
	}
	for _, row := range book.Rows {
		b.There = append(b.There, scenario.Row{Batch: row.Batch, STAN: row.STAN, Kind: txn.Kind(row.Kind.String()), Of: scenario.Voucher(row.Of),
			Amount: row.Amount, Held: row.Held, Back: row.Back, Standing: scenario.Standing(row.State), Reversals: row.Reversals, Account: row.Account, Paid: row.Paid})
	}
	for name, account := range ledger.Accounts {
		b.Accounts = append(b.Accounts, scenario.Account{Name: name, Opening: account.Opening, Balance: account.Balance, Held: account.Held})
	}
	b.Slips, err = r.paper()
	return b, err
}

func (r *rig) paper() ([]scenario.Slip, error) {
	files, err := filepath.Glob(filepath.Join(r.dir, "paper", "[0-9]*.txt"))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var all []scenario.Slip
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		all = append(all, scenario.ReadSlip(filepath.Base(f), string(text)))
	}
	return all, nil
}
