package simrig

import (
	"errors"
	"time"

	"posagent/firmware/agent"
	"posagent/firmware/scenario"
	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// errPower is what a terminal meets on every wire and in its store once its power has failed. Nothing that it still does
// then has an effect: its wires are dead, its store is cut off from the files that the next life gets, and its log is deaf.
var errPower = errors.New("the power has failed")

// thinking is how long a commit may take to begin, and as long again to return, in virtual time. Each kind of commit throws
// its own dice for it, so that two commits never fall on one instant, and nothing that follows from one falls on its own.
const thinking = 40 * time.Microsecond

// poweredStore is a store whose power can fail before, inside and after each commit.
type poweredStore struct {
	*txnstore.Store // what only reads passes through
	life            *life
}

var _ agent.Store = (*poweredStore)(nil)

// commit makes one call that writes, with its three moments.
func (s *poweredStore) commit(what string, call func() error) error {
	l := s.life
	if l.dead() {
		return errPower
	}
	time.Sleep(1 + time.Duration(l.world.throw("commit "+what, int64(thinking))))
	sensor := l.world.sensor
	sensor.happens(scenario.Event{Kind: scenario.Before, What: what})
	if l.dead() {
		return errPower
	}
	inside := sensor.due(scenario.Event{Kind: scenario.Inside, What: what})
	unsynced := l.world.o.PlantUnsynced != nil && l.world.o.PlantUnsynced(what)
	var before remains
	var err error
	l.leaves(nil)
	if inside != nil || unsynced {
		if before, err = l.world.files.read(l.dir); err != nil {
			l.world.broken("reading the store's files: %v", err)
		}
	}
	err = call()
	if inside != nil {
		l.insideCommit(before, what, inside)
		if l.dead() {
			return errPower
		}
	}
	if unsynced {
		l.leaves(before)
	}
	l.world.saw("store", "%s committed%s", what, failure(err))
	sensor.happens(scenario.Event{Kind: scenario.After, What: what})
	time.Sleep(1 + time.Duration(l.world.throw("commit "+what, int64(thinking))))
	if l.dead() {
		return errPower
	}
	return err
}

func failure(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// changing is commit for what returns a record.
func (s *poweredStore) changing(what string, call func() (txn.Txn, error)) (x txn.Txn, err error) {
	err = s.commit(what, func() (err error) {
		x, err = call()
		return err
	})
	if errors.Is(err, errPower) {
		return txn.Txn{}, err
	}
	return x, err
}

func (s *poweredStore) Begin(d txn.Draft) (txn.Txn, error) {
	return s.changing(string(d.Kind.Begins()), func() (txn.Txn, error) { return s.Store.Begin(d) })
}

func (s *poweredStore) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	return s.changing(string(next), func() (txn.Txn, error) { return s.Store.Advance(id, next, change) })
}

func (s *poweredStore) Update(id txn.ID, change func(*txn.Txn)) (txn.Txn, error) {
	return s.changing("try", func() (txn.Txn, error) { return s.Store.Update(id, change) })
}

func (s *poweredStore) Mark(id txn.ID, change func(*txn.Txn)) (txn.Txn, error) {
	return s.changing("mark", func() (txn.Txn, error) { return s.Store.Mark(id, change) })
}

func (s *poweredStore) SaveClosing(c txn.Closing) (saved txn.Closing, err error) {
	err = s.commit("closing", func() (err error) { saved, err = s.Store.SaveClosing(c); return err })
	if errors.Is(err, errPower) {
		return txn.Closing{}, err
	}
	return saved, err
}

func (s *poweredStore) NextSTAN() (n uint32, err error) {
	err = s.commit("stan", func() (err error) { n, err = s.Store.NextSTAN(); return err })
	return n, err
}

func (s *poweredStore) AdoptBatch(n uint32) error {
	return s.commit("batch", func() error { return s.Store.AdoptBatch(n) })
}

func (s *poweredStore) MakeRoom() error { return s.commit("room", s.Store.MakeRoom) }
func (s *poweredStore) Tidy() error     { return s.commit("tidy", s.Store.Tidy) }

// What only reads needs no moment of its own: a cut beside it leaves what a cut at the next effect leaves. It refuses
// only when the power is gone.

func (s *poweredStore) Get(id txn.ID) (txn.Txn, error) {
	if s.life.dead() {
		return txn.Txn{}, errPower
	}
	return s.Store.Get(id)
}

func (s *poweredStore) ByReference(reference string) (txn.Txn, bool, error) {
	if s.life.dead() {
		return txn.Txn{}, false, errPower
	}
	return s.Store.ByReference(reference)
}

func (s *poweredStore) Owed() ([]txn.Txn, error) {
	if s.life.dead() {
		return nil, errPower
	}
	return s.Store.Owed()
}

func (s *poweredStore) OwedPaper() ([]txn.Txn, error) {
	if s.life.dead() {
		return nil, errPower
	}
	return s.Store.OwedPaper()
}

func (s *poweredStore) OwedReports() ([]txn.Closing, error) {
	if s.life.dead() {
		return nil, errPower
	}
	return s.Store.OwedReports()
}

func (s *poweredStore) ByCard(pan txn.PAN, recent int) ([]txn.Txn, error) {
	if s.life.dead() {
		return nil, errPower
	}
	return s.Store.ByCard(pan, recent)
}

func (s *poweredStore) ByVoucher(batch, stan uint32) (txn.Txn, bool, error) {
	if s.life.dead() {
		return txn.Txn{}, false, errPower
	}
	return s.Store.ByVoucher(batch, stan)
}

func (s *poweredStore) Since(from txn.ID, visit func(txn.Txn) error) error {
	if s.life.dead() {
		return errPower
	}
	return s.Store.Since(from, visit)
}

func (s *poweredStore) InBatch(batch uint32, visit func(txn.Txn) error) (int, error) {
	if s.life.dead() {
		return 0, errPower
	}
	return s.Store.InBatch(batch, visit)
}

func (s *poweredStore) Begun(batch uint32) (int, error) {
	if s.life.dead() {
		return 0, errPower
	}
	return s.Store.Begun(batch)
}

func (s *poweredStore) Closing(batch uint32) (txn.Closing, bool, error) {
	if s.life.dead() {
		return txn.Closing{}, false, errPower
	}
	return s.Store.Closing(batch)
}
