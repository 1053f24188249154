package devicetest

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"posagent/device/reader/neo2"
)

// memory is what a simulated reader goes by when it proves and chooses chip cards. It stays over restarts and without power;
// another reader put in its place has none. Guarded by Reader.mu.
type memory struct {
	keys, apps   []held // in the order in which they came
	taps         []held // keys of the contactless side, which nothing of the contact side touches
	keysMost     int    // slots of either side
	refusesAfter int    // so many more may be written, and the next is refused as failed; -1 refuses none
	written      int
	lacks        map[byte]bool // commands that its firmware does not know
}

// held is one key or application: its name in the reader's lists, and what is read back.
type held struct {
	name, body string
}

// keySlots is how many keys it takes. The guide does not say; published readers of the kind take more than the schemes have.
const keySlots = 96

func newMemory() memory { return memory{keysMost: keySlots, refusesAfter: -1} }

func find(list []held, name string) int {
	for i, h := range list {
		if h.name == name {
			return i
		}
	}
	return -1
}

// configureLocked obeys one of the commands that list, read, write and remove; false is none of them.
func (r *Reader) configureLocked(command, sub byte, data []byte) bool {
	m := &r.memory
	list, write := &m.keys, m.setKey
	switch {
	case m.lacks[command]:
		return false
	case command == neo2.Tap:
		status, out := m.tapped(sub, data)
		r.answerLocked(command, status, out)
		return true
	case command != neo2.Contact:
		return false
	}
	switch sub {
	case neo2.ContactApp, neo2.ContactRemoveApp, neo2.ContactSetApp, neo2.ContactApps:
		list, write = &m.apps, m.setApp
	case neo2.ContactKey, neo2.ContactRemoveKey, neo2.ContactSetKey, neo2.ContactKeys:
	default:
		return false
	}
	var out []byte
	status := neo2.OK
	switch at := find(*list, string(data)); {
	case sub == neo2.ContactKeys || sub == neo2.ContactApps:
		out, status = m.listed(sub)
	case sub == neo2.ContactSetKey || sub == neo2.ContactSetApp:
		status = m.counted(func() byte { return write(data) })
	case len(data) == 0 && (sub == neo2.ContactRemoveKey || sub == neo2.ContactRemoveApp):
		*list = nil
	case at < 0:
		status = neo2.NoSuchData
	case sub == neo2.ContactRemoveKey || sub == neo2.ContactRemoveApp:
		*list = append((*list)[:at:at], (*list)[at+1:]...)
	default:
		out = []byte((*list)[at].body)
	}
	r.answerLocked(neo2.Contact, status, out)
	return true
}

// counted writes, and fails where that is planned.
func (m *memory) counted(write func() byte) byte {
	if m.refusesAfter == 0 {
		return neo2.Failed
	}
	status := write()
	if status == neo2.OK {
		m.written++
		m.refusesAfter = max(m.refusesAfter-1, -1)
	}
	return status
}

// tapped obeys a command to the contactless side's store.
func (m *memory) tapped(sub byte, data []byte) (status byte, out []byte) {
	const provider = 5
	at := find(m.taps, string(data[:min(provider+1, len(data))]))
	switch {
	case sub == neo2.TapProviders && len(data) == 0:
		for i, h := range m.taps {
			if !slices.ContainsFunc(m.taps[:i], func(one held) bool { return one.name[:provider] == h.name[:provider] }) {
				out = append(out, h.name[:provider]...)
			}
		}
	case sub == neo2.TapIndexes && len(data) == provider:
		for _, h := range m.taps {
			if h.name[:provider] == string(data) {
				out = append(out, h.name[provider])
			}
		}
		if out == nil {
			status = neo2.TapNoSuchKey
		}
	case sub == neo2.TapSetKey:
		status = m.counted(func() byte { return m.setTap(data, at) })
	case sub != neo2.TapKey && sub != neo2.TapRemoveKey:
		return neo2.UnknownSub, nil
	case len(data) != provider+1:
		status = neo2.BadParameter
	case at < 0:
		status = neo2.TapNoSuchKey
	case sub == neo2.TapRemoveKey:
		m.taps = append(m.taps[:at:at], m.taps[at+1:]...)
	default:
		out = []byte(m.taps[at].body)
	}
	return status, out
}

// setTap is as strict as setKey. Read back, a key has neither provider nor index, nor its exponent: IDG p. 248 lists none.
func (m *memory) setTap(data []byte, at int) byte {
	const modulus = 6 + len(neo2.KeyHead) + sha1.Size + 4 + 2
	switch {
	case len(data) <= modulus || string(data[6:8]) != neo2.KeyHead || int(binary.BigEndian.Uint16(data[modulus-2:])) != len(data)-modulus:
		return neo2.BadParameter
	case at >= 0:
		return neo2.TapExists
	case len(m.taps) >= m.keysMost:
		return neo2.TapFull
	}
	sum := sha1.Sum(bytes.Join([][]byte{data[:6], data[modulus:], bytes.TrimLeft(data[28:32], "\x00")}, nil))
	if !bytes.Equal(sum[:], data[8:28]) {
		return neo2.WrongHash
	}
	m.taps = append(m.taps, held{string(data[:6]), string(data[6:28]) + string(data[32:])})
	return neo2.OK
}

func (m *memory) listed(sub byte) ([]byte, byte) {
	list := m.keys
	var out []byte
	if sub == neo2.ContactApps {
		list = m.apps
		out = binary.LittleEndian.AppendUint16(nil, uint16(len(list)))
	}
	if len(list) == 0 {
		return nil, neo2.NoSuchData
	}
	for _, h := range list {
		if sub == neo2.ContactApps {
			out = binary.LittleEndian.AppendUint16(out, uint16(len(h.name)))
		}
		out = append(out, h.name...)
	}
	return out, neo2.OK
}

// setKey is strict about the layout and about the hash, as a reader is that believes nobody.
func (m *memory) setKey(data []byte) byte {
	const head = 5 + 1 + len(neo2.KeyHead) + 20 + 4 + 2
	if len(data) < head || string(data[6:8]) != neo2.KeyHead || int(binary.LittleEndian.Uint16(data[32:])) != len(data)-head {
		return neo2.BadParameter
	}
	name := string(data[:6])
	sum := sha1.Sum(bytes.Join([][]byte{data[:6], data[head:], bytes.TrimLeft(data[28:32], "\x00")}, nil))
	switch {
	case !bytes.Equal(sum[:], data[8:28]):
		return neo2.WrongHash
	case find(m.keys, name) >= 0: // the guide has a status for that on the contactless side
		return neo2.NotAllowed
	case len(m.keys) >= m.keysMost:
		return neo2.Full
	}
	m.keys = append(m.keys, held{name, string(data)})
	return neo2.OK
}

func (m *memory) setApp(data []byte) byte {
	if len(data) < 2 {
		return neo2.BadParameter
	}
	size := int(binary.LittleEndian.Uint16(data))
	if size < 5 || size > 16 || len(data) < 2+size+2 {
		return neo2.BadParameter
	}
	name, body := string(data[2:2+size]), data[2+size:]
	count := 0
	if neo2.Walk(body[2:], func(uint32, []byte) { count++ }) != nil || count != int(binary.LittleEndian.Uint16(body)) {
		return neo2.BadParameter
	}
	switch at := find(m.apps, name); {
	case at >= 0:
		return neo2.NotAllowed
	case len(m.apps) >= neo2.MostApps:
		return neo2.Full
	}
	m.apps = append(m.apps, held{name, string(body)})
	return neo2.OK
}

// chooses reports whether the reader goes by an application of the card's. One that nobody has configured takes every card.
func (m *memory) chooses(aid string) bool {
	for _, h := range m.apps {
		if len(aid) >= 2*len(h.name) && fmt.Sprintf("%X", h.name) == aid[:2*len(h.name)] {
			return true
		}
	}
	return len(m.apps) == 0
}

// Holds is how many keys and applications it has, and how many were ever written to it.
func (r *Reader) Holds() (keys, apps, written int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.memory.keys), len(r.memory.apps), r.memory.written
}

// Memory is what it has, by the names in its lists and as it is read back; taps are the keys of its contactless side. What
// its firmware does not know is nil.
func (r *Reader) Memory() (keys, apps, taps map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := func(command byte, list []held) map[string]string {
		if r.memory.lacks[command] {
			return nil
		}
		by := map[string]string{}
		for _, h := range list {
			by[h.name] = h.body
		}
		return by
	}
	return all(neo2.Contact, r.memory.keys), all(neo2.Contact, r.memory.apps), all(neo2.Tap, r.memory.taps)
}

// memoryLocked does what a person or a fault does to the memory: see Command.
func (r *Reader) memoryLocked(words []string) (string, error) {
	m := &r.memory
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return -1
		}
		return n
	}
	switch {
	case len(words) == 1 && words[0] == "replace":
		*m = newMemory()
		r.forgetLocked()
		r.slot.sale, r.slot.asked = nil, nil
		return "another reader, which knows no keys", nil
	case len(words) == 3 && words[0] == "keys" && words[1] == "most" && number(words[2]) >= 0:
		m.keysMost = number(words[2])
		return words[2] + " keys fit", nil
	case len(words) == 3 && words[0] == "refuses" && words[1] == "after" && number(words[2]) >= 0:
		m.refusesAfter = number(words[2])
		return "it fails after " + words[2] + " more", nil
	case len(words) == 2 && words[0] == "refuses" && words[1] == "none":
		m.refusesAfter, m.keysMost = -1, keySlots
		return "it takes what it is given", nil
	case len(words) == 1 && words[0] == "unknown":
		m.lacks = map[byte]bool{neo2.Contact: true, neo2.Tap: true}
		return "its firmware knows nothing of keys", nil
	case len(words) == 2 && words[1] == "unknown" && (words[0] == "contact" || words[0] == "contactless"):
		m.lacks = map[byte]bool{neo2.Contact: words[0] == "contact", neo2.Tap: words[0] == "contactless"}
		return "its firmware knows nothing of keys on that side", nil
	case len(words) == 5 && words[0] == "holds" && words[2] == "keys" && words[4] == "applications":
		if number(words[1]) != len(m.keys) || number(words[3]) != len(m.apps) {
			return "", fmt.Errorf("the reader holds %d keys and %d applications", len(m.keys), len(m.apps))
		}
		return "it does", nil
	case len(words) == 4 && words[0] == "contactless" && words[1] == "holds" && words[3] == "keys":
		if number(words[2]) != len(m.taps) {
			return "", fmt.Errorf("the reader's contactless side holds %d keys", len(m.taps))
		}
		return "it does", nil
	}
	return "", fmt.Errorf("write: replace, unknown, contact unknown, contactless unknown, keys most N, refuses after N, refuses none, holds N keys N applications or contactless holds N keys")
}
