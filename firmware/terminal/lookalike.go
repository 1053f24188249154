package terminal

import "posagent/txnstore/txn"

// recent is how many of the newest records the duplicate guard looks at.
const recent = 20

// questionLookalike stops a second charge of the same card and amount while the first one may hold money. A void is newer
// than its sale, so whenever the sale is among the newest its void is too.
func (t *Terminal) questionLookalike(kind txn.Kind, o Order, pan txn.PAN) error {
	if o.Again {
		return nil
	}
	same, err := t.store.ByCard(pan, recent)
	if err != nil {
		return err
	}
	voided := map[txn.ID]bool{}
	for _, x := range same {
		if (x.Kind == txn.Void || x.Kind == txn.PreAuthCancel) && x.State == txn.Approved {
			voided[x.Original.ID] = true
		}
		age := t.o.Now().Sub(x.Began)
		if x.Kind == kind && x.MayHold() && !voided[x.ID] && x.Amount == o.Amount && age >= 0 && age < t.o.Lookalike {
			return &LookalikeError{x}
		}
	}
	return nil
}
