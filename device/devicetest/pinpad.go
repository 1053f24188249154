package devicetest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// PinPadOpts are the parameters of a simulated PIN pad.
type PinPadOpts struct {
	InitialKey []byte              // 16 bytes: DUKPT; nil makes it a pad of master and session keys
	KSN        []byte              // 10 bytes: the serial number that was loaded with it
	MasterKey  []byte              // 16 bytes, in slot 0
	Cards      map[string]TestCard // for Command: whose holders know their PINs

	Forgets bool // to say that the time for an entry is up

	// Secret is told of everything about a PIN that must never be found anywhere: its block before and after it was encrypted,
	// and the key. It is called before the block leaves, and must not call the pad. nil tells nobody.
	Secret func(name string, what []byte)
}

// PinPad is a PIN pad for Visa packets, the far end of device/pinpad's line. It encrypts as a real one does. Its customer is
// Type and Press.
type PinPad struct {
	mu       sync.Mutex
	o        PinPadOpts
	counter  uint32
	screen   string
	entering *pinEntry
	holder   holder
	loading  []byte // a key that was echoed and is not confirmed
	slots    map[byte][]byte
	spoil    int  // so many of its packets are spoiled
	deaf     int  // so many packets are answered with NAK
	silent   bool // switched off
	last     []byte
	naks     int
	out      io.Writer
	wrong    []string
}

type pinEntry struct{ account, session string }

// NewPinPad makes one that is switched on.
func NewPinPad(o PinPadOpts) *PinPad { return &PinPad{o: o, slots: map[byte][]byte{'0': o.MasterKey}} }

// Serve answers a host until the line ends, or ctx does where the line can be closed.
func (p *PinPad) Serve(ctx context.Context, rw io.ReadWriter) error {
	if c, closes := rw.(io.Closer); closes {
		defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	}
	p.mu.Lock()
	p.out = rw
	p.mu.Unlock()
	buf, part := make([]byte, 256), []byte(nil)
	for {
		n, err := rw.Read(buf)
		for _, b := range buf[:n] {
			part = p.hear(part, b)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// hear takes one byte; part is the packet so far.
func (p *PinPad) hear(part []byte, b byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.silent:
		return nil
	case len(part) == 0:
		if b == 0x02 || b == 0x0F {
			return []byte{b}
		}
		p.controlLocked(b)
		return nil
	}
	part = append(part, b)
	end := map[byte]byte{0x02: 0x03, 0x0F: 0x0E}[part[0]]
	if len(part) < 3 || part[len(part)-2] != end {
		return part
	}
	lrc := byte(0)
	for _, c := range part[1 : len(part)-1] {
		lrc ^= c
	}
	if lrc != b || p.deaf > 0 {
		p.deaf--
		p.say(0x15)
		return nil
	}
	p.say(0x06)
	p.obeyLocked(part[0], string(part[1:len(part)-2]))
	return nil
}

func (p *PinPad) controlLocked(b byte) {
	switch {
	case b == 0x15 && p.last != nil:
		if p.naks++; p.naks >= 3 {
			p.loading = nil
			p.say(0x04)
			return
		}
		p.packetLocked(p.last)
	case b == 0x06 && p.loading != nil:
		p.slots[p.loading[2]] = p.loading[3:]
		p.loading = nil
		p.say(0x04)
	case b == 0x04:
		p.loading = nil
	case b != 0x06 && b != 0x15:
		p.wrong = append(p.wrong, fmt.Sprintf("byte %02Xh outside a packet", b))
	}
}

func (p *PinPad) obeyLocked(begin byte, data string) {
	switch {
	case begin == 0x0F && strings.HasPrefix(data, "02") && (len(data) == 19 || len(data) == 35):
		p.loading = []byte(data)
		p.wrapLocked(0x0F, 0x0E, p.loading)
	case data == "Z1":
		p.entering, p.screen = nil, ""
	case data == "72":
		p.entering = nil
		p.say(0x04)
	case strings.HasPrefix(data, "Z2"):
		p.screen = strings.TrimPrefix(data[2:], "\x1A")
	case strings.HasPrefix(data, "Z60."):
		fields := strings.Split(data[4:], "\x1C")
		if p.screen == "" || len(fields) != 2 && len(fields) != 3 || (len(fields) == 2) != (p.o.InitialKey != nil) {
			p.say(0x04)
			return
		}
		p.entering = &pinEntry{account: fields[0]}
		if len(fields) == 3 {
			p.entering.session = fields[1]
		}
		p.boundLocked(fields[len(fields)-1])
		p.actLocked()
	default:
		p.wrong = append(p.wrong, "unknown packet")
		p.say(0x04)
	}
}

// boundLocked ends the entry after its time, in steps of 30 s, as if the cardholder had cancelled it.
func (p *PinPad) boundLocked(steps string) {
	e := p.entering
	if p.o.Forgets || len(steps) != 1 || steps < "1" || steps > "9" {
		return
	}
	time.AfterFunc(time.Duration(steps[0]-'0')*30*time.Second, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.entering == e && e != nil {
			p.entering = nil
			p.say(0x04)
		}
	})
}

// Screen is what it shows, and Waiting whether it waits for a PIN.
func (p *PinPad) Screen() string { p.mu.Lock(); defer p.mu.Unlock(); return p.screen }

// Waiting reports whether a PIN is awaited.
func (p *PinPad) Waiting() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.entering != nil }

// Wrong lists what it could not make sense of.
func (p *PinPad) Wrong() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.wrong...)
}

// Slot is the master key in a slot.
func (p *PinPad) Slot(n byte) string { p.mu.Lock(); defer p.mu.Unlock(); return string(p.slots[n]) }

// Spoil damages its next packets, Deafen has it refuse the next of the host's, Silence switches it off or on.
func (p *PinPad) Spoil(n int) { p.mu.Lock(); defer p.mu.Unlock(); p.spoil = n }

// Deafen has it answer NAK so often.
func (p *PinPad) Deafen(n int) { p.mu.Lock(); defer p.mu.Unlock(); p.deaf = n }

// Silence switches it off or on.
func (p *PinPad) Silence(off bool) { p.mu.Lock(); defer p.mu.Unlock(); p.silent = off }

// Press is the customer's cancel key, or time passing: EOT.
func (p *PinPad) Press() { p.mu.Lock(); defer p.mu.Unlock(); p.entering = nil; p.say(0x04) }

// Refuse answers with an error's code.
func (p *PinPad) Refuse(code byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entering = nil
	p.wrapLocked(0x02, 0x03, []byte{'7', '1', code})
}

// Type is a customer who types a PIN, 4 to 12 digits, and enter; none is enter alone.
func (p *PinPad) Type(pin string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.typeLocked(pin)
}

func (p *PinPad) typeLocked(pin string) error {
	e := p.entering
	if e == nil {
		return errors.New("no PIN is asked for")
	}
	p.entering = nil
	var key []byte
	head := fmt.Sprintf("71.0%02d01", len(pin))
	if p.o.InitialKey != nil {
		p.counter++
		ksn := append([]byte{}, p.o.KSN...)
		ksn[7] |= byte(p.counter >> 16)
		ksn[8], ksn[9] = byte(p.counter>>8), byte(p.counter)
		key = pinKey(p.o.InitialKey, ksn)
		head = "710" + strings.TrimLeft(strings.ToUpper(hex.EncodeToString(ksn)), "F")
		if pin == "" {
			head = "710"
		}
	} else {
		wrapped, err := hex.DecodeString(e.session)
		if err != nil || len(wrapped) != 16 {
			p.say(0x04)
			return errors.New("no session key of 16 bytes")
		}
		key = make([]byte, 16)
		tripleDES(p.slots['0']).Decrypt(key[:8], wrapped[:8])
		tripleDES(p.slots['0']).Decrypt(key[8:], wrapped[8:])
	}
	var cipher [8]byte
	if pin != "" {
		block := isoBlock(pin, e.account)
		tripleDES(key).Encrypt(cipher[:], block[:])
		p.tellSecretsLocked(key, block, cipher)
	}
	p.wrapLocked(0x02, 0x03, append([]byte(head), strings.ToUpper(hex.EncodeToString(cipher[:]))...))
	return nil
}

func (p *PinPad) tellSecretsLocked(key []byte, block, cipher [8]byte) {
	if p.o.Secret == nil {
		return
	}
	p.o.Secret("the key of a PIN", key)
	p.o.Secret("a PIN block in the clear", block[:])
	p.o.Secret("a PIN block", cipher[:])
}

func (p *PinPad) wrapLocked(begin, end byte, data []byte) {
	lrc := end
	for _, b := range data {
		lrc ^= b
	}
	p.last, p.naks = append(append([]byte{begin}, data...), end, lrc), 0
	p.packetLocked(p.last)
}

func (p *PinPad) packetLocked(wire []byte) {
	wire = append([]byte{}, wire...)
	if p.spoil > 0 {
		p.spoil--
		wire[len(wire)-1] ^= 0x40
	}
	p.say(wire...)
}

func (p *PinPad) say(b ...byte) {
	if p.out != nil && !p.silent {
		_, _ = p.out.Write(b)
	}
}
