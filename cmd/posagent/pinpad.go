package main

import (
	"strings"
	"time"

	"posagent/firmware/agent"
)

const padVisa = "visa"

// faults judges the PIN pad's section. A prompt that the pad does not know shows only at the pad.
func (p PINPad) faults(fault func(wrong bool, key, what string, args ...any), positive func(d duration, key string)) {
	if p.Port == "" {
		return
	}
	fault(p.Baud <= 0, "pinpad.baud", "must be positive")
	fault(p.Model != padVisa, "pinpad.model", "%q is not known; use visa, for pads that speak Visa packets", p.Model)
	wrong := p.Prompt == "" || len(p.Prompt) > 32 || strings.IndexFunc(p.Prompt, func(r rune) bool { return r < ' ' || r > '~' }) >= 0
	fault(wrong, "pinpad.prompt", "want 1 to 32 ASCII characters")
	fault(p.Wait.Duration < 30*time.Second || p.Wait.Duration > 270*time.Second, "pinpad.wait", "want 30s to 270s")
	positive(p.Reply, "pinpad.reply")
}

// pinPad opens the PIN pad; nil where there is none.
func (c *Config) pinPad() agent.Opener {
	if c.PINPad.Port == "" {
		return nil
	}
	return c.opener(c.PINPad.Port, c.PINPad.Baud, false)
}
