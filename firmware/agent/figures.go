package agent

import "posagent/txnstore/txn"

// figures reads the books at a glance from the store.
func (a *Agent) figures() (Status, error) {
	owed, err := a.store.Owed()
	if err != nil {
		return Status{}, err
	}
	paper, err := a.store.OwedPaper()
	if err != nil {
		return Status{}, err
	}
	c, _, err := a.store.Closing(0)
	if err != nil {
		return Status{}, err
	}
	reports, err := a.store.OwedReports()
	if err != nil {
		return Status{}, err
	}
	s := Status{Alarms: a.alarms.all(), Boot: a.store.Boot(), Batch: a.store.Batch(), PaperOwed: len(paper) + len(reports)}
	if c.Batch != 0 && !c.Step.Over() {
		s.Closing = c.Step
	}
	for _, x := range owed {
		if x.State.Owes() == txn.Human {
			s.Suspense++
		} else {
			s.Owed++
		}
	}
	return s, nil
}
