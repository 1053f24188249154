package main

import (
	"strings"
	"time"

	"posagent/device/scanner"
	"posagent/firmware/agent"
	"posagent/link/profile"
)

// Scanner is the line of a scanner of payment codes. Without a port there is none.
type Scanner struct {
	Port   string   `toml:"port"`
	Baud   int      `toml:"baud"`
	Kind   string   `toml:"kind"` // plain or gm72
	Wait   duration `toml:"wait"` // for a code
	Reply  duration `toml:"reply"`
	Routes []Route  `toml:"route"`
}

// Route is one range of payment codes: so many digits, which begin with First to Last.
type Route struct {
	Platform string `toml:"platform"` // as it stands on slips
	Min      int    `toml:"min"`
	Max      int    `toml:"max"`
	First    string `toml:"first"`
	Last     string `toml:"last"`
}

// routes are the configured ones, or those that the platforms have published where there are none.
func (s Scanner) routes() (scanner.Routes, error) {
	list := []scanner.Route{{Name: "wechat", Min: 18, Max: 18, First: "10", Last: "15"},
		{Name: "alipay", Min: 16, Max: 24, First: "25", Last: "30"}, {Name: "unionpay", Min: 19, Max: 19, First: "62", Last: "62"}}
	if len(s.Routes) > 0 {
		list = nil
	}
	for _, r := range s.Routes {
		list = append(list, scanner.Route{Name: r.Platform, Min: r.Min, Max: r.Max, First: r.First, Last: r.Last})
	}
	return scanner.NewRoutes(list)
}

// scannerFaults judges the scanner's section.
func (c *Config) scannerFaults(fault func(wrong bool, key, what string, args ...any)) {
	s := c.Scanner
	if _, err := s.routes(); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			fault(true, "scanner.route", "%s", strings.TrimPrefix(line, "payment codes, "))
		}
	}
	if s.Port == "" {
		return
	}
	fault(s.Baud <= 0, "scanner.baud", "must be positive")
	fault(s.Kind != string(scanner.Plain) && s.Kind != string(scanner.GM72), "scanner.kind", "%q is not known; use plain or gm72", s.Kind)
	fault(s.Reply.Duration <= 0, "scanner.reply", "must be positive")
	fault(s.Wait.Duration < time.Second || s.Wait.Duration > 255*time.Second, "scanner.wait", "want 1s to 255s")
	fault(c.profile != nil && c.profile.Form(profile.SaleByCode).Type == "", "scanner.port",
		"the acquirer's profile says {code} in no [sale.code], so no payment code could be sent; add it as the acquirer describes it, or leave the scanner out")
}

// scanner opens the scanner; nil where there is none.
func (c *Config) scanner() agent.Opener {
	if c.Scanner.Port == "" {
		return nil
	}
	return c.opener(c.Scanner.Port, c.Scanner.Baud, false)
}
