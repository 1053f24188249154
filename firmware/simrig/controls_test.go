package simrig

import (
	"context"
	"crypto/des"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"posagent/firmware/agent"
	"posagent/link"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// The mistakes that this trade has made, planted one at a time between the agent and its store or its line. If the judge
// did not find each of them soon, its silence in a million sales would mean nothing.
func TestTheJudgeFindsEveryPlantedMistake(t *testing.T) {
	cards := testCards(t)
	for name, control := range map[string]struct {
		plant     func(*Options)
		favourite []string // faults that the mistake is about, besides those of any world
		kind      *mix     // of day, where it is not any
	}{
		"sent before it was committed": {plant: func(o *Options) {
			o.PlantUnsynced = func(commit string) bool { return commit == string(txn.Pending) }
		}},
		"receipt before the outcome was committed": {plant: func(o *Options) {
			o.PlantUnsynced = func(commit string) bool { return commit == string(txn.Approved) }
		}},
		"a time-out read as a decline": {plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return timeoutDeclines{s} }
		}},
		"a late approval honoured": {favourite: []string{"late 40s", "silent for reversal"}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return &lateHonoured{Store: s, late: map[txn.ID]bool{}} }
		}},
		"a reversal forgotten after its tries": {favourite: []string{"silent", "lost for reversal times 3"}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return forgetful{s} }
		}},
		"an answer known by its STAN alone": {favourite: []string{"late 40s", "lost for reversal"}, plant: func(o *Options) {
			keys := new(workingKeys)
			o.PlantLine = func(d link.Dialer, f link.Framing) link.Dialer { return stanOnly{d, f, keys} }
		}},
		"a payment code begun without a look at the books": {kind: &mix{void: 20, refund: 20, chip: 300, scan: 200}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return codesUnseen{s} }
		}},
		"a void repeated instead of reversed": {favourite: []string{"silent for void"}, kind: &busyDay, plant: func(o *Options) {
			o.PlantLine = newMeddler(func() meddling { return &voidRepeated{} })
		}},
		"a refund told again as a new one": {favourite: []string{"silent for refund"}, kind: &busyDay, plant: func(o *Options) {
			o.PlantLine = newMeddler(func() meddling { return &refundAnew{} })
		}},
		"a batch closed with a sale still owed": {favourite: []string{"silent", "lost for reversal times 2"}, kind: &mix{void: 100, refund: 100, close: 400}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return closesOverOwed{s} }
		}},
		"a void that takes its sale out of the batch": {kind: &busyDay, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return voidUncounted{s} }
		}},
		"approved before the card had spoken": {kind: &mix{chip: 1000}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return approvesEarly{s} }
		}},
		"authorized taken for approved after a restart": {kind: &mix{chip: 1000}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return trustsTheAcquirer{s} }
		}},
		"a card's refusal ignored": {kind: &mix{chip: 1000}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return deafToTheCard{s} }
		}},
		"a record skipped after a difference": {kind: &mix{void: 100, refund: 100, close: 200}, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return cursorTooFar{s} }
		}},
		"a cancellation that nobody answered taken as done": {favourite: []string{"lost for preauth-cancel"}, kind: &hotelDay, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return letGoUnheard{s} }
		}},
		"an offline sale dropped after its first try": {favourite: []string{"lost for offline-sale"}, kind: &hotelDay, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return toldOnce{s} }
		}},
		"a hold counted in a settlement": {kind: &hotelDay, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return holdCounted{s} }
		}},
		"a reversal of a completion that forgets the pre-authorisation": {favourite: []string{"silent for completion"}, kind: &hotelDay, plant: func(o *Options) {
			o.PlantLine = newMeddler(func() meddling { return &reversedAsSale{} })
		}},
		"a slip that a broken printer owes taken for printed": {kind: &printerDay, plant: func(o *Options) {
			o.PlantStore = func(s agent.Store) agent.Store { return &printedAnyway{Store: s, met: map[txn.ID]int{}} }
		}},
		"an opened case forgotten at a restart": {kind: &edgyDay, plant: func(o *Options) {
			o.Lines, o.PlantForgetsCase = true, true
		}},
		"a supply whose warning is not heard": {kind: &edgyDay, plant: func(o *Options) {
			o.Lines, o.PlantDeafTo = true, failsLine
		}},
		"a case whose switch is not heard": {kind: &edgyDay, plant: func(o *Options) {
			o.Lines, o.PlantDeafTo = true, closedLine
		}},
		"counters of DUKPT put back from a copy": {plant: func(o *Options) {
			o.Profile, o.PlantOldCounters = underDUKPT(), true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, sales := fastDir(t), 0
			for seed := uint64(1); sales < 1000; seed++ {
				o := randomOptions(seed, dir, cards)
				control.plant(&o)
				r := playRandom(t, o, randomStory(seed, 25, control.favourite, control.kind))
				if sales += r.Sales; len(r.Wrong) > 0 {
					t.Logf("found after %d sales: %s", sales, r.Wrong[0])
					return
				}
			}
			assert.Fail(t, "not found in 1000 sales")
		})
	}
}

// The faults that the controls favour are no violations by themselves.
func TestWithoutAMistakeNothingIsFound(t *testing.T) {
	cards := testCards(t)
	for _, favourite := range [][]string{{"late 40s", "silent for reversal"}, {"silent", "lost for reversal times 3"}, {"late 40s", "lost for reversal"},
		{"silent for void"}, {"silent for refund"}, {"silent", "lost for reversal times 2"}, {"lost for preauth-cancel", "lost for offline-sale", "silent for completion"}} {
		dir, sales := fastDir(t), 0
		for seed := uint64(1); sales < 60; seed++ {
			kind := &busyDay
			if seed%2 == 0 {
				kind = &hotelDay
			}
			r := playRandom(t, randomOptions(seed, dir, cards), randomStory(seed, 25, favourite, kind))
			assert.Empty(t, r.Wrong)
			sales += r.Sales
		}
	}
}

// timeoutDeclines closes a sale that nobody answered.
type timeoutDeclines struct{ agent.Store }

func (s timeoutDeclines) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	if x, err := s.Get(id); err == nil && next == txn.Reversing && x.State == txn.Pending {
		next = txn.Declined
	}
	return s.Store.Advance(id, next, change)
}

// codesUnseen begins a sale by payment code without asking whether another order has the code: it writes down another
// fingerprint than the one that is asked for.
type codesUnseen struct{ agent.Store }

func (s codesUnseen) Begin(d txn.Draft) (txn.Txn, error) {
	asked := d.Code
	if print := asked.Print(); print != (txn.Fingerprint{}) {
		binary.BigEndian.PutUint64(print[:], binary.BigEndian.Uint64(print[:])^uint64(s.Batch())<<32^crc(d.Reference))
		d.Code = txn.NewCode(asked.Platform(), asked.Masked(), print)
	}
	x, err := s.Store.Begin(d)
	if !asked.IsZero() && err == nil {
		x.Code = asked
	}
	return x, err
}

func crc(text string) uint64 { return uint64(crc32.ChecksumIEEE([]byte(text))) }

// forgetful gives a reversal up when its tries are spent, as several terminals in the field do.
type forgetful struct{ agent.Store }

func (s forgetful) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	if next == txn.Suspense {
		next = txn.Reversed
	}
	return s.Store.Advance(id, next, change)
}

// lateHonoured takes an approval that came after the decision to reverse. The real store would refuse that step, so the
// decision is only spoken of, and the record stays pending under it.
type lateHonoured struct {
	agent.Store
	mu   sync.Mutex
	late map[txn.ID]bool // decided to be reversed, and not yet answered
}

func (s *lateHonoured) lied(x txn.Txn) txn.Txn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late[x.ID] && x.State == txn.Pending {
		x.State = txn.Reversing
	}
	return x
}

func (s *lateHonoured) Advance(id txn.ID, next txn.State, change func(*txn.Txn)) (txn.Txn, error) {
	x, err := s.Get(id)
	if err != nil {
		return x, err
	}
	if next == txn.Reversing {
		s.mu.Lock()
		s.late[id] = true
		s.mu.Unlock()
		x, err := s.Update(id, change)
		return s.lied(x), err
	}
	s.mu.Lock()
	pending := s.late[id] && x.State == txn.Pending
	delete(s.late, id)
	s.mu.Unlock()
	if pending && next != txn.Approved {
		if _, err := s.Store.Advance(id, txn.Reversing, nil); err != nil {
			return x, err
		}
	}
	return s.Store.Advance(id, next, change)
}

func (s *lateHonoured) Update(id txn.ID, change func(*txn.Txn)) (txn.Txn, error) {
	x, err := s.Store.Update(id, change)
	return s.lied(x), err
}

func (s *lateHonoured) Owed() ([]txn.Txn, error) {
	all, err := s.Store.Owed()
	for i := range all {
		all[i] = s.lied(all[i])
	}
	return all, err
}

func (s *lateHonoured) Mark(id txn.ID, change func(*txn.Txn)) (txn.Txn, error) {
	x, err := s.Store.Mark(id, change)
	s.mu.Lock()
	waits := err == nil && s.late[id] && x.State == txn.Pending
	s.mu.Unlock()
	if waits && strings.HasPrefix(x.Journal[len(x.Journal)-1].Event, "late answer 00") {
		return s.Advance(id, txn.Approved, func(x *txn.Txn) {
			x.Answer.Code, x.Answer.Approved = "00", true
			x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
		})
	}
	return s.lied(x), err
}

// stanOnly takes whatever answer carries the STAN of the last request for the answer to it: a late 0210 for the 0410.
type stanOnly struct {
	link.Dialer
	framing link.Framing
	keys    *workingKeys
}

// workingKeys are those of the last sign-in.
type workingKeys struct {
	mu  sync.Mutex
	mac []byte
}

func (d stanOnly) Dial(ctx context.Context) (link.Conn, error) {
	conn, err := d.Dialer.Dial(ctx)
	if err != nil || d.framing != link.LengthPrefixed {
		return conn, err
	}
	return &stanConn{Conn: conn, keys: d.keys}, nil
}

type stanConn struct {
	link.Conn
	keys  *workingKeys
	asked string // type of the last request
}

func (c *stanConn) Write(p []byte) (int, error) {
	c.asked = typeOf(p, lengthBytes+headerBytes)
	return c.Conn.Write(p)
}

func (c *stanConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	frame := p[:n]
	if n < lengthBytes+headerBytes || lengthBytes+int(binary.BigEndian.Uint16(frame)) != n {
		return n, err // not one whole frame: as it is
	}
	body := frame[lengthBytes+headerBytes:]
	var m iso8583.Message
	if _, bad := dialect.Unpack(&m, body); bad != nil {
		return n, err
	}
	c.keys.mu.Lock()
	defer c.keys.mu.Unlock()
	switch {
	case m.MTI() == "0810" && m.Has(62):
		c.keys.mac = macKey(m.Bytes(62))
	case m.MTI() == "0210" && c.asked == "0400" && c.keys.mac != nil:
		body[0], body[1] = 0x04, 0x10
		copy(body[len(body)-8:], mac(c.keys.mac, body[:len(body)-8]))
	}
	return n, err
}

// macKey opens the MAC key of field 62, and mac seals with it: the dialect's published steps, as a thief of keys would.
func macKey(field62 []byte) []byte {
	block, err := des.NewTripleDESCipher(append(append([]byte{}, masterKey...), masterKey[:8]...))
	if err != nil {
		panic(err)
	}
	key := make([]byte, 8)
	block.Decrypt(key, field62[20:28])
	return key
}

func mac(key, data []byte) string {
	var group [8]byte
	for i, b := range data {
		group[i%8] ^= b
	}
	text := fmt.Sprintf("%X", group)
	block, err := des.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, 8)
	block.Encrypt(out, []byte(text[:8]))
	for i := range out {
		out[i] ^= text[8+i]
	}
	block.Encrypt(out, out)
	return fmt.Sprintf("%X", out)[:8]
}
