package simrig

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"posagent/firmware/agent"
	"posagent/link"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// closesOverOwed settles a batch without settling first what is owed in it.
type closesOverOwed struct{ agent.Store }

func (s closesOverOwed) Owed() ([]txn.Txn, error) {
	if calledBy("(*Terminal).CloseBatch") {
		return nil, nil
	}
	return s.Store.Owed()
}

// calledBy reports whether a function is among the callers.
func calledBy(name string) bool {
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, name) {
			return true
		}
		if !more {
			return false
		}
	}
}

// voidUncounted counts a voided sale and its void nowhere when a batch is closed, as a till of paper would.
type voidUncounted struct{ agent.Store }

func (s voidUncounted) InBatch(batch uint32, visit func(txn.Txn) error) (int, error) {
	voided := map[txn.ID]bool{}
	unread, err := s.Store.InBatch(batch, func(x txn.Txn) error {
		if x.Kind == txn.Void && x.State == txn.Approved {
			voided[x.ID], voided[x.Original.ID] = true, true
		}
		return nil
	})
	if err != nil {
		return unread, err
	}
	return s.Store.InBatch(batch, func(x txn.Txn) error {
		if voided[x.ID] {
			return nil
		}
		return visit(x)
	})
}

// cursorTooFar moves behind a block of records before it was acknowledged, so that one that must be told again is not.
type cursorTooFar struct{ agent.Store }

func (s cursorTooFar) SaveClosing(c txn.Closing) (txn.Closing, error) {
	if old, found, err := s.Store.Closing(c.Batch); err == nil && found && old.Step == c.Step && c.Told > old.Told {
		c.Cursor++
		c.Told++
	}
	return s.Store.SaveClosing(c)
}

// meddling changes messages between the terminal and the acquirer, whole ones over Ethernet.
type meddling interface {
	asks(m *iso8583.Message) (changed bool)
	answers(m *iso8583.Message) (changed bool)
}

// meddler is a line whose messages are changed and sealed anew, as a terminal with the mistake would seal them.
type meddler struct {
	link.Dialer
	keys *workingKeys
	does meddling
}

func newMeddler(does func() meddling) func(link.Dialer, link.Framing) link.Dialer {
	keys, one := new(workingKeys), does()
	return func(d link.Dialer, f link.Framing) link.Dialer {
		if f != link.LengthPrefixed {
			return d
		}
		return meddler{d, keys, one}
	}
}

func (d meddler) Dial(ctx context.Context) (link.Conn, error) {
	conn, err := d.Dialer.Dial(ctx)
	if err != nil {
		return conn, err
	}
	return &meddled{conn, d}, nil
}

type meddled struct {
	link.Conn
	by meddler
}

// change lets a meddling see one whole frame and returns it as it then is.
func (c *meddled) change(frame []byte, see func(*iso8583.Message) bool) []byte {
	const head = lengthBytes + headerBytes
	var m iso8583.Message
	if len(frame) < head || lengthBytes+int(binary.BigEndian.Uint16(frame)) != len(frame) {
		return frame
	}
	if _, err := dialect.Unpack(&m, frame[head:]); err != nil {
		return frame
	}
	c.by.keys.mu.Lock()
	defer c.by.keys.mu.Unlock()
	if m.MTI() == "0810" && m.Has(62) {
		c.by.keys.mac = macKey(m.Bytes(62))
	}
	if c.by.keys.mac == nil || !see(&m) {
		return frame
	}
	packed, err := dialect.Pack(append([]byte{}, frame[:head]...), &m)
	if err != nil {
		panic(err)
	}
	body := packed[head:]
	copy(body[len(body)-8:], mac(c.by.keys.mac, body[:len(body)-8]))
	binary.BigEndian.PutUint16(packed, uint16(len(packed)-lengthBytes))
	return packed
}

func (c *meddled) Write(p []byte) (int, error) {
	if n, err := c.Conn.Write(c.change(p, c.by.does.asks)); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

func (c *meddled) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return copy(p, c.change(p[:n], c.by.does.answers)), err
}

// voidRepeated sends a void again where it should reverse it, and takes any refusal of the copy to mean that nothing was
// voided.
type voidRepeated struct {
	mu     sync.Mutex
	voids  map[string]map[int]string // requests, by STAN
	copied string                    // the STAN of the last copy
}

const ofVoid = "23" // field 60 begins with the type

func (v *voidRepeated) asks(m *iso8583.Message) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.copied = ""
	switch stan := m.Get(11); {
	case m.MTI() == "0200" && strings.HasPrefix(m.Get(60), ofVoid):
		if v.voids == nil {
			v.voids = map[string]map[int]string{}
		}
		request := map[int]string{}
		for f := range m.Fields() {
			request[f] = m.Get(f)
		}
		v.voids[stan] = request
	case m.MTI() == "0400" && v.voids[stan] != nil:
		m.Reset()
		m.SetMTI("0200")
		for f, value := range v.voids[stan] {
			m.Set(f, value)
		}
		v.copied = stan
		return true
	}
	return false
}

func (v *voidRepeated) answers(m *iso8583.Message) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if m.MTI() != "0210" || m.Get(11) != v.copied {
		return false
	}
	m.SetMTI("0410")
	m.Set(39, "00")
	return true
}

// refundAnew gives each copy of a refund a number of its own.
type refundAnew struct {
	mu    sync.Mutex
	told  map[string]bool
	stans map[string]string // what a copy went out as, and what it was
}

func (r *refundAnew) asks(m *iso8583.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.MTI() != "0220" {
		return false
	}
	if r.told == nil {
		r.told, r.stans = map[string]bool{}, map[string]string{}
	}
	stan := m.Get(11)
	if !r.told[stan] {
		r.told[stan] = true
		return false
	}
	fresh := fmt.Sprintf("%06d", 900_000+len(r.stans))
	r.stans[fresh] = stan
	m.Set(11, fresh)
	return true
}

func (r *refundAnew) answers(m *iso8583.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	stan, copied := r.stans[m.Get(11)]
	if copied {
		m.Set(11, stan)
	}
	return copied
}
