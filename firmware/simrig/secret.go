package simrig

import (
	"math/bits"
	"math/rand/v2"
	"strings"

	"posagent/firmware/scenario"
)

// secretKeeper knows what must never be found in clear: what the world began with, and keys and PIN blocks that are made on
// the way. What it hands out never changes any more, so that it can be searched for without a lock.
type secretKeeper struct {
	known scenario.Secrets
	fresh []freshSecret
}

type freshSecret struct {
	name   string
	what   []byte
	digits bool // it is a payment code
}

// learn takes a secret that has just been made. It is called by machines, from wherever they make it.
func (w *World) learn(name string, what []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets.fresh = append(w.secrets.fresh, freshSecret{name: name, what: append([]byte(nil), what...)})
}

// showCode is a scanner's word with a story's name of a code in it, which is then looked for like a card.
func (w *World) showCode(what string) (string, error) {
	name, is := strings.CutPrefix(what, "show ")
	if !is {
		return what, nil
	}
	digits, err := scenario.PayCode(name)
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.shown[name] {
		w.shown[name] = true
		w.secrets.fresh = append(w.secrets.fresh, freshSecret{name, []byte(digits), true})
	}
	return "show " + digits, nil
}

// Secrets implements scenario.Rig.
func (w *World) Secrets() scenario.Secrets {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := &w.secrets
	if len(k.fresh) > 0 {
		k.known = k.known.Clone()
		for _, f := range k.fresh {
			if f.digits {
				k.known.AddCode(f.name, string(f.what))
			} else {
				k.known.AddKey(f.name, f.what)
			}
		}
		k.fresh = nil
	}
	return k.known
}

// Of what a simulated acquirer draws for a sign-in: the key of PINs, and behind it the key of MACs.
const pinKeyBytes = 16

// keyDice are the dice of a simulated acquirer's working keys, which tells them to learn. They have odd parity, as the
// acquirer would give them otherwise, and learn hears of those that are in use.
type keyDice struct {
	dice  *rand.Rand
	learn func(name string, key []byte)
}

func (d keyDice) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(d.dice.Uint32())
		if bits.OnesCount8(p[i])%2 == 0 {
			p[i] ^= 1
		}
	}
	d.learn("a working key of PINs", p[:min(len(p), pinKeyBytes)])
	d.learn("a working key of MACs", p[min(len(p), pinKeyBytes):])
	return len(p), nil
}
