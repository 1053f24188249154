package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"posagent/firmware/terminal"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// faultChild is the environment variable that makes this test program the one whose disk fails; it names the store.
const faultChild = "HIL_FAULT_CHILD"

func faultOptions() *txnstore.Options {
	return &txnstore.Options{Terminal: terminalID, Merchant: merchantID, Key: bytes.Repeat([]byte{7}, 32), Now: time.Now}
}

// shop is the real engine over the real store, with a card, paper, and an acquirer whose ledger is the lines that it
// says: they are outside, and stay when the program dies.
type shop struct {
	*terminal.Terminal
	store *txnstore.Store
	say   io.Writer
}

func openShop(dir string, say io.Writer) (*shop, error) {
	store, _, err := txnstore.Open(dir, faultOptions())
	if err != nil {
		return nil, err
	}
	s := &shop{store: store, say: say}
	cny, err := txn.CurrencyOf("CNY")
	s.Terminal = terminal.New(store, s, s, s, terminal.Options{Currency: cny, ReversalTries: 1000})
	return s, err
}

func (s *shop) SignedIn() bool               { return true }
func (s *shop) SignIn(context.Context) error { return nil }
func (s *shop) Hangup() error                { return nil }

func (s *shop) Present(context.Context, txn.Amount, txn.Currency) (txn.Presented, error) {
	pan, err := txn.ParsePAN("6224242900000113")
	return txn.Presented{Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Swiped}}, err
}

func (s *shop) Complete(context.Context, txn.Answer) (txn.Confirmation, error) {
	return txn.Confirmation{}, errOnlySells // its cards have no chip
}

func (s *shop) Release(context.Context) error { return nil }

func (s *shop) Request(_ context.Context, x txn.Txn, _ txn.Presented) (txn.Answer, txn.Evidence, error) {
	sent := txn.Evidence{Written: 200, Total: 200, Bearer: "ethernet"}
	switch x.Amount % 5 {
	case 3: // declined
		fmt.Fprintf(s.say, "refuses %s\n", x.Reference)
		return txn.Answer{Code: "51"}, sent, nil
	case 4: // held, and the answer is lost
		fmt.Fprintf(s.say, "holds %s\n", x.Reference)
		return txn.Answer{}, sent, context.DeadlineExceeded
	}
	fmt.Fprintf(s.say, "holds %s\n", x.Reference)
	return txn.Answer{Code: "00", Approved: true, RRN: "123456789012"}, sent, nil
}

func (s *shop) Reverse(_ context.Context, x txn.Txn) (txn.Answer, txn.Evidence, error) {
	fmt.Fprintf(s.say, "reverses %s\n", x.Reference)
	return txn.Answer{Code: "00", Approved: true}, txn.Evidence{Written: 200, Total: 200}, nil
}

// errOnlySells is what this shop's acquirer says of everything else.
var errOnlySells = fmt.Errorf("%w: this shop only sells", txn.ErrNotSent)

func (s *shop) Advise(context.Context, txn.Txn) (txn.Answer, txn.Evidence, error) {
	return txn.Answer{}, txn.Evidence{}, errOnlySells
}

func (s *shop) Settle(context.Context, txn.Closing) (t txn.Totals, domestic, foreign txn.Verdict, err error) {
	return t, "", "", errOnlySells
}

func (s *shop) Upload(context.Context, txn.Closing, []txn.Txn) error { return errOnlySells }

func (s *shop) Enquire(context.Context, txn.Currency, txn.Presented) (txn.Enquiry, error) {
	return txn.Enquiry{}, errOnlySells
}

func (s *shop) Balance(context.Context, txn.Enquiry) error { return errOnlySells }

func (s *shop) EndBatch(context.Context, txn.Closing) error { return errOnlySells }

func (s *shop) Report(context.Context, txn.Closing, []txn.Txn, bool) (bool, error) {
	return false, errOnlySells
}

func (s *shop) Print(_ context.Context, x txn.Txn, c txn.Copy, _ bool) (bool, error) {
	if c == txn.CustomerCopy {
		fmt.Fprintf(s.say, "prints %s as %s\n", x.Reference, x.State)
	}
	return true, nil
}

// sellTen is the run in which a call fails. Each sale is told to its customer as the engine told it.
func sellTen(dir string, say io.Writer) error {
	s, err := openShop(dir, say)
	if err != nil {
		return err // the store would not open: nothing was sold
	}
	for n := 1; n <= 10; n++ {
		ref := fmt.Sprintf("sale-%d", n)
		x, err := s.Sale(context.Background(), terminal.Order{Amount: txn.Amount(100 + n), Reference: ref})
		state := string(x.State)
		if x.ID == 0 {
			state = "refused" // nothing was charged
		} else if err != nil && x.State.Open() {
			state = "unknown"
		}
		fmt.Fprintf(say, "tells %s %s\n", ref, state)
		if err := s.store.MakeRoom(); err != nil {
			fmt.Fprintf(say, "fault %v\n", err)
		}
	}
	if err := s.store.Tidy(); err != nil {
		fmt.Fprintf(say, "fault %v\n", err)
	}
	return nil // and the power goes, without Close
}

// outside is what the world saw: money held, paper, and what customers were told.
type outside struct {
	held    map[string]bool
	printed map[string]bool
	told    map[string]string
	faults  []string
}

func (o *outside) read(lines string) {
	for line := range strings.Lines(lines) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		ref, what, _ := strings.Cut(rest, " ")
		switch verb {
		case "holds":
			o.held[ref] = true
		case "reverses":
			o.held[ref] = false
		case "prints":
			o.printed[ref] = o.printed[ref] || what == "as approved"
		case "tells":
			o.told[ref] = what
		case "fault":
			o.faults = append(o.faults, rest)
		}
	}
}

// runFaultChild is main for the child.
func runFaultChild(dir string) int {
	if err := sellTen(dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stdout, "fault", err)
	}
	return 0
}
