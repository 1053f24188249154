package simrig

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"posagent/firmware/scenario"
	"posagent/txnstore/txn"
)

// Books implements scenario.Rig: the terminal's store, the acquirer's ledger and the paper, each read at its source.
func (w *World) Books() (scenario.Books, error) {
	b := scenario.Books{Seen: w.seen(), Tries: w.options.ReversalTries, Misdeeds: w.misdeeds()}
	l := w.living()
	if l == nil {
		return b, errPower
	}
	if err := l.store.Since(0, func(x txn.Txn) error {
		b.Here = append(b.Here, scenario.SaleFrom(x))
		return nil
	}); err != nil {
		return b, err
	}
	recount, err := l.store.Recount()
	if err != nil {
		return b, err
	}
	if !recount.Agrees() {
		return b, fmt.Errorf("the store's totals disagree with its records: %d of %d unreadable", recount.Bad, recount.Records)
	}
	b.Cards = []scenario.Word{}
	for _, v := range w.card.Verdicts() {
		pan, err := txn.ParsePAN(w.o.Cards.Reader[v.Card].PAN)
		if err != nil {
			return b, err
		}
		b.Cards = append(b.Cards, scenario.Word{Card: pan.Masked(), Amount: txn.Amount(v.Amount), Agreed: v.Agreed})
	}
	ledger := w.acquirer.Ledger()
	if err := ledger.Check(); err != nil {
		return b, err
	}
	batches := map[side]scenario.Sum{} // here
	theirs := map[side]scenario.Sum{}
	for _, t := range recount.Kept {
		batches[side{t.Batch, t.Credit}] = scenario.Sum(t.Approved)
	}
	book := ledger.Terminals[terminalID]
	if err := l.readBatches(&b, book); err != nil {
		return b, err
	}
	for _, row := range book.Rows {
		kind := txn.Kind(row.Kind.String())
		b.There = append(b.There, scenario.Row{Batch: row.Batch, STAN: row.STAN, Kind: kind, Of: scenario.Voucher(row.Of),
			Amount: row.Amount, Held: row.Held, Back: row.Back, Standing: scenario.Standing(row.State), Reversals: row.Reversals, Account: row.Account, Paid: row.Paid})
		if !kind.Settled() {
			continue
		}
		at := side{row.Batch, kind.Credits()}
		if row.Stands() {
			sum := theirs[at]
			theirs[at] = scenario.Sum{Count: sum.Count + 1, Amount: sum.Amount + row.Held + row.Back}
		}
		if _, here := batches[at]; !here {
			batches[at] = scenario.Sum{} // a side that stands there alone is compared too
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(batches), side.compare) {
		b.Batches = append(b.Batches, scenario.Batch{Number: at.batch, Credit: at.credit, Here: batches[at], There: theirs[at]})
	}
	for _, name := range slices.Sorted(maps.Keys(ledger.Accounts)) {
		a := ledger.Accounts[name]
		b.Accounts = append(b.Accounts, scenario.Account{Name: name, Opening: a.Opening, Balance: a.Balance, Held: a.Held})
	}
	slips := w.paper.Slips()
	if len(slips) >= paperKept {
		return b, errors.New("more paper than the printer's tray holds: make smaller worlds")
	}
	for i, text := range slips {
		slip := scenario.ReadSlip(fmt.Sprint(i+1), text)
		slip.Smudged = w.smudgedSlip(i)
		b.Slips = append(b.Slips, slip)
	}
	if text := w.paper.Uncut(); text != "" && w.smudgedSlip(len(slips)) { // the command for its cut was lost
		slip := scenario.ReadSlip("uncut", text)
		slip.Smudged = true
		b.Slips = append(b.Slips, slip)
	}
	return b, nil
}

// paperKept is how many slips a simulated printer remembers.
const paperKept = 1000

// side is one side of a batch's settlement.
type side struct {
	batch  uint32
	credit bool
}

func (s side) compare(other side) int {
	switch {
	case s.batch != other.batch:
		return cmp.Compare(s.batch, other.batch)
	case s.credit == other.credit:
		return 0
	case s.credit:
		return 1
	default:
		return -1
	}
}

// Leaks implements scenario.Rig: the agent's log, the trace, every slip, and the store's files as they are on the disk.
func (w *World) Leaks() ([]string, error) {
	l := w.living()
	if l == nil {
		return nil, errPower
	}
	secrets := w.Secrets()
	files, err := w.files.read(l.dir)
	if err != nil {
		return nil, err
	}
	found := w.schemesApart(l)
	w.mu.Lock()
	found = append(found, w.overheard...)
	w.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		found = append(found, secrets.Find(name, files[name].bytes)...)
	}
	w.log.mu.Lock()
	found = append(found, secrets.Find("the log", w.log.text)...)
	w.log.mu.Unlock()
	if w.trace != nil {
		found = append(found, secrets.Find("the trace", []byte(w.trace.text()))...)
	}
	for i, text := range w.paper.Slips() {
		found = append(found, secrets.Find(fmt.Sprintf("slip %d", i+1), []byte(text))...)
	}
	return found, nil
}

// misdeeds are what the terminal did although nothing allows it, each told once.
func (w *World) misdeeds() []string {
	var all []string
	if w.switches != nil {
		w.mu.Lock()
		all = slices.Clone(w.switches.sent)
		w.mu.Unlock()
	}
	for _, counter := range w.acquirer.UsedTwice() {
		all = append(all, "the DUKPT counter "+counter+" was used twice")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// seen counts what came to the acquirer, in a story's words.
func (w *World) seen() map[string]int {
	counts := map[string]int{}
	for mti, n := range w.acquirer.Counts() {
		counts[cmp.Or(sameDeed[mti], mti)] += n
	}
	return counts
}
