package scanner

import (
	"errors"
	"fmt"
	"strings"

	"posagent/txnstore/txn"
)

// Route says which codes belong to a payment platform: those of Min to Max digits whose first digits lie between First
// and Last, both included and of the same length. Examples as platforms publish them:
//
//	wechat    18 digits        10 to 15
//	alipay    16 to 24 digits  25 to 30
//	unionpay  19 digits        62
type Route struct {
	Name        string
	Min, Max    int
	First, Last string
}

// Limits of routes, chosen by us.
const (
	minDigits = txn.MinPayCode
	maxDigits = txn.MaxPayCode
	maxPrefix = 8
	maxRoutes = 32
	maxName   = txn.MaxPlatform
)

// Routes is a table in which every code has one owner at most. The zero value knows no code.
type Routes struct{ list []Route }

// NewRoutes checks a table and tells every fault of it at once: routes that overlap, names that are missing or come twice,
// numbers that make no sense.
func NewRoutes(list []Route) (Routes, error) {
	var faults []error
	if len(list) == 0 || len(list) > maxRoutes {
		faults = append(faults, fmt.Errorf("payment codes: %d routes, want 1 to %d", len(list), maxRoutes))
	}
	for i, r := range list[:min(len(list), maxRoutes)] {
		if err := r.check(); err != nil {
			faults = append(faults, fmt.Errorf("payment codes, route %d: %w", i+1, err))
			continue
		}
		for j, other := range list[:i] {
			switch {
			case other.Name == r.Name && other == r:
				faults = append(faults, fmt.Errorf("payment codes: routes %d and %d are the same", j+1, i+1))
			case other.check() == nil && overlap(other, r):
				faults = append(faults, fmt.Errorf("payment codes: routes %d and %d claim the same codes; narrow digits or prefixes of one",
					j+1, i+1))
			}
		}
	}
	if len(faults) > 0 {
		return Routes{}, errors.Join(faults...)
	}
	return Routes{append([]Route(nil), list...)}, nil
}

func (r Route) check() error {
	switch {
	case r.Name == "" || len(r.Name) > maxName || strings.ContainsFunc(r.Name, func(c rune) bool { return c <= ' ' || c > '~' }):
		return fmt.Errorf("a name has 1 to %d characters and no space", maxName)
	case r.Min < minDigits || r.Max > maxDigits || r.Max < r.Min:
		return fmt.Errorf("%s: digits %d to %d, want a range within %d to %d", r.Name, r.Min, r.Max, minDigits, maxDigits)
	case !decimal(r.First) || !decimal(r.Last) || len(r.First) != len(r.Last) || len(r.First) > maxPrefix || r.Last < r.First:
		return fmt.Errorf("%s: first digits %.10q to %.10q, want two numbers of the same length up to %d, the lower one first",
			r.Name, r.First, r.Last, maxPrefix)
	}
	return nil
}

// overlap reports whether a code can belong to both. Prefixes of different lengths are compared as the ranges of longer
// prefixes that they stand for.
func overlap(a, b Route) bool {
	if a.Max < b.Min || b.Max < a.Min {
		return false
	}
	wide := func(prefix, fill string) string { return prefix + strings.Repeat(fill, maxPrefix-len(prefix)) }
	return wide(a.First, "0") <= wide(b.Last, "9") && wide(b.First, "0") <= wide(a.Last, "9")
}

// of names the owner of a code.
func (r Routes) of(digits string) (name string, ok bool) {
	for _, route := range r.list {
		if len(digits) < route.Min || len(digits) > route.Max {
			continue
		}
		if prefix := digits[:len(route.First)]; prefix >= route.First && prefix <= route.Last {
			return route.Name, true
		}
	}
	return "", false
}

func decimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
