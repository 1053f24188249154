package simrig

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"

	"posagent/firmware/scenario"
	"posagent/link"
	"posagent/link/iso8583"
	"posagent/link/profile"
)

// telling reads along on the way to the acquirer, whichever bearer it is: it counts bytes and messages, and lets things
// happen at them. It changes nothing.
type telling struct {
	link.Dialer
	life    *life
	framing link.Framing
	below   *port // the serial line under the bearer, or nil
}

func (l *life) telling(d link.Dialer, f link.Framing, below *port) link.Dialer {
	d = telling{d, l, f, below}
	if plant := l.world.o.PlantLine; plant != nil {
		d = plant(d, f)
	}
	return d
}

// Dial implements link.Dialer.
func (t telling) Dial(ctx context.Context) (link.Conn, error) {
	conn, err := t.Dialer.Dial(ctx)
	if err != nil {
		t.life.saw("line", "%s: no connection", t.Dialer)
		return nil, err
	}
	if t.below != nil { // what came behind the modem's CONNECT in one piece, such as NO CARRIER, is heard before anything is sent
		time.Sleep(1 + time.Duration(t.life.world.throw("connected", ownInstant)))
	}
	t.life.saw("line", "%s: connected", t.Dialer)
	return &told{Conn: conn, telling: t}, nil
}

// told is one connection. Package link writes a message with one Write, and reads from one goroutine.
type told struct {
	link.Conn
	telling

	mu     sync.Mutex
	coming []byte          // of a message that is not whole, while somebody waits for one
	begun  bool            // its type is known
	stops  []stop          // in it
	sketch iso8583.Message // to find a message's end
}

// Of a frame: an optional length of two bytes, TPDU and application header, then the message type in two bytes of BCD.
const (
	lengthBytes = 2
	headerBytes = 11
	typeBytes   = 2
)

func (c *told) header() int {
	head := c.head()
	if c.framing == link.LengthPrefixed {
		return lengthBytes + head
	}
	return head
}

func (c *told) head() int {
	switch c.life.world.options.Profile.Frame.Head {
	case profile.TPDUHead:
		return 5
	case profile.NoHead:
		return 0
	default:
		return headerBytes
	}
}

// sameDeed are types by which other profiles call what a story calls by the direct connection's.
var sameDeed = map[string]string{"0420": "0400", "0421": "0400", "0430": "0410", "0221": "0220", "0520": "0320", "0530": "0330"}

// typeOf is a message's type in a story's words, "" while it has not come.
func (c *told) typeOf(frame []byte) string {
	if c.life.world.options.Profile.Dialect.Type == iso8583.Compact {
		return typeOf(frame, c.header())
	}
	header := c.header()
	if len(frame) < header+2*typeBytes {
		return ""
	}
	mti := string(frame[header : header+2*typeBytes])
	return cmp.Or(sameDeed[mti], mti)
}

func typeOf(frame []byte, header int) string {
	if len(frame) < header+typeBytes {
		return ""
	}
	return hex.EncodeToString(frame[header : header+typeBytes])
}

// Write lets things happen at the bytes of a message, and behind its last.
func (c *told) Write(p []byte) (sent int, err error) {
	l, mti := c.life, c.typeOf(p)
	l.saw("line", "> %s, %d bytes", mti, len(p))
	if !l.dead() {
		l.world.sends(mti)
	}
	if c.below != nil {
		c.below.seal(mti != "0500" && mti != "0320")
	}
	sensor := l.world.sensor
	for stops := sensor.message(scenario.SendByte, mti); sent < len(p); {
		until := len(p)
		if len(stops) > 0 {
			until = min(until, stops[0].byte)
		}
		if l.dead() { // since the bytes before these
			return sent, errPower
		}
		pass, do := sensor.bytes(scenario.Event{Kind: scenario.ByteTo, What: "line"}, until-sent)
		n, err := c.Conn.Write(p[sent : sent+pass])
		if sent += n; err != nil {
			return sent, err
		}
		if do != nil {
			c.drain()
			do()
		}
		for len(stops) > 0 && stops[0].byte == sent {
			c.drain()
			stops[0].do()
			stops = stops[1:]
		}
	}
	if do := sensor.due(scenario.Event{Kind: scenario.Send, What: mti}); do != nil {
		c.drain()
		do()
	}
	return sent, nil
}

// drain waits until what was written has left the serial line.
func (c *told) drain() {
	if c.below == nil {
		return
	}
	if w := c.below.newest(); w != nil {
		w.toFar.passed()
	}
}

// Read lets things happen before anybody sees the bytes.
func (c *told) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.hear(p[:n])
	}
	if c.life.dead() {
		clear(p[:n])
		return 0, errPower
	}
	return n, err
}

func (c *told) hear(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sensor := c.life.world.sensor
	sensor.eachByte(scenario.Event{Kind: scenario.ByteFrom, What: "line"}, len(p))
	c.coming = append(c.coming, p...)
	for {
		mti := c.typeOf(c.coming)
		if mti == "" {
			return
		}
		if !c.begun {
			c.begun, c.stops = true, sensor.message(scenario.RecvByte, mti)
		}
		whole := c.whole()
		for len(c.stops) > 0 && c.stops[0].byte <= len(c.coming) && (whole == 0 || c.stops[0].byte <= whole) {
			do := c.stops[0].do
			c.stops = c.stops[1:]
			do()
		}
		if whole == 0 {
			return
		}
		c.life.saw("line", "< %s, %d bytes", mti, whole)
		sensor.happens(scenario.Event{Kind: scenario.Recv, What: mti})
		c.coming, c.begun, c.stops = c.coming[:copy(c.coming, c.coming[whole:])], false, nil
	}
}

// whole is the length of the first message that has come in, 0 while it has not.
func (c *told) whole() int {
	if c.framing == link.LengthPrefixed {
		if n := lengthBytes + int(binary.BigEndian.Uint16(c.coming)); n <= len(c.coming) {
			return n
		}
		return 0
	}
	took, err := c.life.world.options.Profile.Dialect.Unpack(&c.sketch, c.coming[c.head():])
	if err != nil {
		return 0 // not yet, or noise, which has no end that anybody could know
	}
	return c.head() + took
}
