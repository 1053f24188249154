package simrig

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"posagent/firmware/scenario"
	"posagent/txnstore/txn"
)

// Result is what one random world, or many of them, came to.
type Result struct {
	Worlds   int
	Sales    int            // that were begun
	Cuts     map[string]int // of the power, by what they fell upon
	Faults   map[string]int
	Kinds    map[string]int // transactions by kind, and batches that both sides have closed
	Ends     map[string]int // transactions by state
	Suspense map[string]int // what waits for people, by cause
	Besides  map[string]int // worlds whose terminal has something that others have not
	Virtual  time.Duration
	Wrong    []string // what the judge and the end of each world found, with its seed
}

// result reads a world that has come to its end.
func (w *World) result(seed uint64, wrong error) Result {
	r := Result{Worlds: 1, Cuts: map[string]int{}, Faults: map[string]int{}, Kinds: map[string]int{}, Ends: map[string]int{}, Suspense: map[string]int{}, Besides: w.besides(), Virtual: time.Since(epoch)}
	if wrong != nil {
		r.Wrong = []string{fmt.Sprintf("seed %d: %v", seed, wrong)}
	}
	w.mu.Lock()
	maps.Copy(r.Cuts, w.cuts)
	maps.Copy(r.Faults, w.happened)
	w.mu.Unlock()
	for _, s := range w.acquirer.Seen() {
		if kind, _, _ := strings.Cut(s.Fault, " "); kind != "" {
			r.Faults["acquirer "+kind]++
		}
	}
	l := w.living()
	if l == nil {
		return r
	}
	_ = l.store.Since(0, func(x txn.Txn) error { // unreadable records are the judge's
		if x.Kind == txn.Sale {
			r.Sales++
			r.Ends[string(x.State)]++
		} else {
			r.Kinds[string(x.Kind)]++
			r.Ends[string(x.Kind)+" "+string(x.State)]++
		}
		if x.State == txn.Suspense {
			r.Suspense[scenario.Cause(scenario.SaleFrom(x), w.options.ReversalTries)]++
		}
		return nil
	})
	for _, c := range w.acquirer.Ledger().Terminals[terminalID].Closings {
		switch {
		case c.Ended && c.Equal:
			r.Kinds["batch balanced"]++
		case c.Ended:
			r.Kinds["batch different, and explained"]++
		}
	}
	return r
}

// besides names what this world's terminal has and others have not.
func (w *World) besides() map[string]int {
	has := map[string]int{}
	for name, is := range map[string]bool{"with a PIN pad": w.pad != nil, "with a case and a supply that tell": w.switches != nil, "with tracks under DUKPT": w.dukpt(), "with a reader that enciphers": w.sealed()} {
		if is {
			has[name] = 1
		}
	}
	return has
}

// Add counts another result in.
func (r *Result) Add(o Result) {
	r.Worlds += o.Worlds
	r.Sales += o.Sales
	r.Virtual += o.Virtual
	r.Wrong = append(r.Wrong, o.Wrong...)
	for _, m := range []struct {
		all *map[string]int
		of  map[string]int
	}{{&r.Cuts, o.Cuts}, {&r.Faults, o.Faults}, {&r.Kinds, o.Kinds}, {&r.Ends, o.Ends}, {&r.Suspense, o.Suspense}, {&r.Besides, o.Besides}} {
		if *m.all == nil {
			*m.all = map[string]int{}
		}
		for name, n := range m.of {
			(*m.all)[name] += n
		}
	}
}

// PowerCuts is how often the power failed.
func (r Result) PowerCuts() (n int) {
	for _, times := range r.Cuts {
		n += times
	}
	return n
}

// Print writes the report: one screen.
func (r Result) Print(w io.Writer, took time.Duration) {
	fmt.Fprintf(w, "sales       %10d   in %d worlds, %.0f a second\n", r.Sales, r.Worlds, float64(r.Sales)/took.Seconds())
	fmt.Fprintf(w, "power cuts  %10d   %.1f %% of the sales: %s\n", r.PowerCuts(), 100*float64(r.PowerCuts())/float64(max(1, r.Sales)),
		counted(r.Cuts, 12))
	fmt.Fprintf(w, "virtual     %10.0f h in %s\n", r.Virtual.Hours(), took.Round(time.Second))
	fmt.Fprintf(w, "terminals   %s\n", counted(r.Besides, 12))
	fmt.Fprintf(w, "besides     %s\n", counted(r.Kinds, 12))
	fmt.Fprintf(w, "ends        %s\n", counted(r.Ends, 12))
	fmt.Fprintf(w, "faults      %s\n", counted(r.Faults, 12))
	fmt.Fprintf(w, "suspense    %s\n", counted(r.Suspense, 12))
	fmt.Fprintf(w, "violations  %10d\n", len(r.Wrong))
	for _, wrong := range r.Wrong[:min(len(r.Wrong), 5)] {
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(wrong, "\n", "\n  "))
	}
}

// counted writes numbers by name, the greatest first, in lines of a screen.
func counted(m map[string]int, indent int) string {
	if len(m) == 0 {
		return "none"
	}
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(m[b]-m[a], strings.Compare(a, b))
	})
	const width = 100
	var b strings.Builder
	column := 0
	for i, name := range names {
		item := fmt.Sprintf("%s %d", name, m[name])
		if i > 0 {
			item = ", " + item
		}
		if column+len(item) > width-indent && column > 0 {
			b.WriteString(",\n" + strings.Repeat(" ", indent))
			item, column = item[2:], 0
		}
		b.WriteString(item)
		column += len(item)
	}
	return b.String()
}
