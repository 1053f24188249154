package simrig

import (
	"bytes"
	"errors"
	"log/slog"
	"time"

	"posagent/device/devicetest"
	"posagent/device/scanner"
	"posagent/firmware/agent"
	"posagent/firmware/scenario"
	"posagent/link"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/printer"
	"posagent/printer/receipt"
	"posagent/txnstore/txn"
)

// Of the world's one terminal.
const (
	terminalID  = "30010001"
	merchantID  = "898110054110001"
	phoneNumber = "95516"
	dialWithin  = 60 * time.Second
)

var (
	masterKey = []byte("0123456789abcdeF")
	storeKey  = bytes.Repeat([]byte{7}, 32)
)

// Options make a world.
type Options struct {
	Seed  uint64
	Dir   string     // where stores are kept, on something fast
	Cards *Cards     // test cards
	Level slog.Level // of the agent's log; the zero level is Info
	Trace bool       // keep a trace

	Profile *profile.Profile // how terminal and acquirer speak; nil is profile.UnionPay()

	PINPad bool // the terminal has one; its cardholder types the card's PIN until told otherwise
	Lines  bool // it has a switch at its case and a supply that warns, and keeps marks of both

	// BootCuts is how many boots in ten thousand, of those after a power cut, are cut in the middle of opening the store.
	BootCuts int

	// What tests plant, to prove that the judge finds it. Nil plants nothing.
	PlantStore     func(agent.Store) agent.Store               // between the agent and its store
	PlantLine      func(link.Dialer, link.Framing) link.Dialer // between the agent and a bearer
	PlantFirstName bool                                        // the agent opens its ports by the tty's name that they had first
	PlantUnsynced  func(commit string) bool                    // such a commit is on the disk only when the next one begins

	PlantDeafTo      string // the agent never sees this line of the board change
	PlantForgetsCase bool   // the mark of an opened case is gone at each start
	PlantClearReader bool   // a reader that should encipher gives card data in clear
	PlantOldCounters bool   // the counters of DUKPT are put back from a copy at each start
}

// Cards are the test cards in the terms of the reader, of the bank and of who searches for them.
type Cards struct {
	Reader   map[string]devicetest.TestCard
	Accounts map[string]linktest.Account
	Secrets  scenario.Secrets
}

// LoadCards reads a file of test cards.
func LoadCards(path string) (*Cards, error) {
	reader, err := devicetest.LoadCards(path)
	if err != nil {
		return nil, err
	}
	accounts, err := linktest.LoadCards(path)
	if err != nil {
		return nil, err
	}
	c := &Cards{Reader: reader, Accounts: accounts}
	for name, card := range reader {
		c.Secrets.AddCard(name, card.PAN, card.PAN+"="+card.Expiry+card.Service)
	}
	c.Secrets.AddKey("the terminal's master key", masterKey)
	c.Secrets.AddKey("the store's key", storeKey)
	return c, nil
}

// agentOptions are the terminal's configuration.
func agentOptions() (agent.Options, error) {
	cny, err := txn.CurrencyOf("CNY")
	routes, bad := scanner.NewRoutes([]scanner.Route{{Name: "wechat", Min: 18, Max: 18, First: "10", Last: "15"},
		{Name: "alipay", Min: 16, Max: 24, First: "25", Last: "30"}, {Name: "unionpay", Min: 19, Max: 19, First: "62", Last: "62"}})
	var head link.Header
	copy(head.TPDU[:], []byte{0x60, 0, 6, 0, 0})
	copy(head.Application[:], []byte{0x60, 0x31, 0, 0x31, 0, 0})
	return agent.Options{Terminal: terminalID, Merchant: merchantID, Operator: "01", Currency: cny, TMK: masterKey,
		Profile: profile.UnionPay(), Header: head, Answer: 30 * time.Second, Idle: 10 * time.Second, ReversalTries: 3,
		Lookalike: 5 * time.Minute, MACOnDeclines: true, Settable: []string{agent.SetsName, agent.SetsAnswer}, // the judge knows how many tries there are
		Retry: time.Minute, PaperRetry: 5 * time.Second, Tidy: 30 * time.Second,
		PINPrompt: "ENTER PIN", PINWait: time.Minute, PINReply: time.Second,
		ScannerKind: scanner.GM72, Routes: routes, ScanWait: 30 * time.Second,
		CardWait: 30 * time.Second, ReaderReply: 2 * time.Second,
		Print:  printer.Opts{Columns: 32, CutAfter: true, Proof: printer.ProcessID},
		Layout: receipt.Layout{Columns: 32, MerchantName: "北风便利店"}}, errors.Join(err, bad)
}
