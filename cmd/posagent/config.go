package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"posagent/device/serial"
	"posagent/firmware/agent"
	"posagent/link"
	"posagent/link/acquirer/keys"
	"posagent/link/profile"
	"posagent/printer"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// Config is the one file that tells a terminal what it is and what it is wired to. It is decoded strictly and judged as
// a whole: every fault is reported at once, with its key, before any port opens.
type Config struct {
	Terminal Terminal `toml:"terminal"`
	Store    Store    `toml:"store"`
	Socket   Socket   `toml:"socket"`
	Reader   Reader   `toml:"reader"`
	Printer  Printer  `toml:"printer"`
	PINPad   PINPad   `toml:"pinpad"`
	Acquirer Acquirer `toml:"acquirer"`
	Bearers  []Bearer `toml:"bearer"`
	GPIO     Lines    `toml:"gpio"`

	profile *profile.Profile // read from acquirer.profile; nil while it cannot be

	Downloads Downloads `toml:"downloads"`
	Bins      []Bin     `toml:"bin"`

	dir string // relative paths start here: the file's own directory
}

// Terminal is who this terminal is to the acquirer and to the customer.
type Terminal struct {
	ID       string `toml:"id"`       // field 41, 8 characters
	Merchant string `toml:"merchant"` // field 42, 15 characters
	Name     string `toml:"name"`     // on the slip
	Operator string `toml:"operator"` // two digits
	Currency string `toml:"currency"` // ISO 4217
	Thanks   string `toml:"thanks"`   // last line of the customer's slip

	CompletionCap int `toml:"completion_cap"` // percent of its pre-authorisation that a completion may come to

	Supervisors string `toml:"supervisors"` // the list of supervisors; left out, the till vouches for them

	MaxCharge    string `toml:"max_charge"`     // a charge of more is not begun
	MaxDay       string `toml:"max_day"`        // nor one with which a day's charges come to more
	MaxCardDay   string `toml:"max_card_day"`   // a charge with which a card's charges of a day come to more is not begun
	MaxCardCount int    `toml:"max_card_count"` // nor one that would be a card's next after so many a day; 0 sets no limit
	OtherCards   string `toml:"other_cards"`    // accept, refuse or online: cards in no [[bin]] table; accepted when left out

	Blocklist string `toml:"blocklist"` // fingerprints of cards that are not charged; see posagent blocklist load

	MaxRefund string `toml:"max_refund"` // a refund of more is not begun; left out, the acquirer alone judges
}

// Store is where money is remembered.
type Store struct {
	Dir       string   `toml:"dir"`
	KeyFile   string   `toml:"key_file"`   // 32 bytes in hex, mode 0600; made at first start beside a new store
	KeySource string   `toml:"key_source"` // keyring:NAME where the kernel keeps the key; the file then only says so
	Tidy      duration `toml:"tidy"`       // quiet time before printed marks are committed and finished sales archived

	KeepBatches int `toml:"keep_batches"` // finished sales of older batches are pruned; 0 keeps all
	KeepDays    int `toml:"keep_days"`    // but none that is younger
}

// Socket is where screen programs and scripts connect.
type Socket struct {
	Path string `toml:"path"`
}

// Reader is the card reader's line.
type Reader struct {
	Port     string   `toml:"port"`
	Kind     string   `toml:"kind"` // one of agent.ReaderKinds
	Baud     int      `toml:"baud"`
	CardWait duration `toml:"card_wait"`
	Reply    duration `toml:"reply"`

	Development bool `toml:"development"` // whoever sets it knows that a pn532 is no payment reader

	Fallback  bool   `toml:"fallback"`   // the stripe may be swiped where the chip could not be read
	SelfCheck string `toml:"self_check"` // when it starts anew each day, "18:30" UTC; empty leaves it its own time
}

// PINPad is the PIN pad's line. Without a port there is none.
type PINPad struct {
	Port   string   `toml:"port"`
	Baud   int      `toml:"baud"`
	Model  string   `toml:"model"`  // visa: Visa packets, as Uniform PP791 and VeriFone
	Prompt string   `toml:"prompt"` // one that the pad knows for PIN entry
	Wait   duration `toml:"wait"`
	Reply  duration `toml:"reply"`
}

// Printer is the receipt printer's line.
type Printer struct {
	Port    string   `toml:"port"`
	Baud    int      `toml:"baud"`
	Columns int      `toml:"columns"`   // 32 for 58 mm paper, 48 for 80 mm
	Lang    string   `toml:"language"`  // both, zh or en: what slips are written in
	Proof   string   `toml:"proof"`     // process-id, etb-counter, status-after-feed or none
	Codes   string   `toml:"codes"`     // native or raster: how QR codes are made; empty prints neither codes nor pictures
	Logo    string   `toml:"logo"`      // a PNG file for the head of the slips
	Fonts   []string `toml:"fonts"`     // bitmap font files that slips are drawn with, on screens; the printer has its own
	QR      bool     `toml:"slip_code"` // a QR code at the end of each slip names the transaction
	Reply   duration `toml:"reply"`
	Print   duration `toml:"print"`
	Retry   duration `toml:"retry"`
}

// Acquirer is the far end of the money.
type Acquirer struct {
	KeyFile       string   `toml:"key_file"`       // terminal master key, sealed; or 16 bytes in hex, mode 0600
	KeySource     string   `toml:"key_source"`     // keyring:NAME keeps it in the kernel instead
	DUKPTFile     string   `toml:"dukpt_file"`     // DUKPT keys, sealed, for a profile that has tracks under them
	KeySigners    []string `toml:"key_signers"`    // public keys of the key centres whose bundles are accepted
	Profile       string   `toml:"profile"`        // unionpay, iso87 or a file
	MAC           string   `toml:"mac"`            // ecb, x9.9, x9.19 or cmac
	EncryptTracks bool     `toml:"encrypt_tracks"` // sign in for a track key and encrypt tracks with it
	TPDU          string   `toml:"tpdu"`           // 10 digits
	Header        string   `toml:"header"`         // 12 digits
	Answer        duration `toml:"answer"`
	Idle          duration `toml:"idle"`
	Retry         duration `toml:"retry"`
	ReversalTries int      `toml:"reversal_tries"`
	ReversalEnds  []string `toml:"reversal_ends"` // codes that end a reversal besides 00, 12 and 25
	Lookalike     duration `toml:"lookalike"`
	MACOnDeclines bool     `toml:"mac_on_declines"`
	Return        duration `toml:"return"`    // a bearer that failed is passed over for so long
	Heartbeat     duration `toml:"heartbeat"` // between two questions whether the line lives; 0 asks none
	Preconnect    bool     `toml:"preconnect"`
	MaxBatch      int      `toml:"max_batch"` // transactions after which a batch takes no further sale; 0 sets no limit
}

// duration reads "60s" or "1m30s".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write it like 60s or 1m30s", text)
	}
	d.Duration = parsed
	return nil
}

// selfCheck is the time of day, from midnight UTC, or nil.
func (r Reader) selfCheck() (*time.Duration, error) {
	if r.SelfCheck == "" {
		return nil, nil
	}
	at, err := time.Parse("15:04", r.SelfCheck)
	since := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	return &since, err
}

func defaults() Config {
	seconds := func(n int) duration { return duration{time.Duration(n) * time.Second} }
	return Config{
		Terminal:  Terminal{Operator: "01", Currency: "CNY", CompletionCap: 115},
		Store:     Store{Dir: "/var/lib/posagent", KeyFile: "/var/lib/posagent.key", Tidy: seconds(30)},
		Downloads: Downloads{Quiet: seconds(3), Retry: seconds(60), BlocklistSlot: 14},
		Socket:    Socket{Path: "/run/posagent.sock"},
		Reader:    Reader{Kind: agent.ReaderNEO2, Baud: 115200, CardWait: seconds(60), Reply: seconds(2)},
		PINPad:    PINPad{Baud: 9600, Model: padVisa, Prompt: "ENTER PIN", Wait: seconds(60), Reply: seconds(1)},
		Printer:   Printer{Baud: 115200, Columns: 32, Lang: "both", Proof: "process-id", Reply: seconds(1), Print: seconds(30), Retry: seconds(5)},
		Acquirer: Acquirer{Profile: profile.UnionPayName, TPDU: "6000060000", Header: "603100310000", Idle: seconds(10), Retry: seconds(60), Return: seconds(300),
			Lookalike: seconds(300)},
	}
}

// readConfig decodes and judges one file. The error lists every fault.
func readConfig(path string) (*Config, error) {
	c := defaults()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration at %s; name one with -config FILE or POSAGENT_CONFIG", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	meta, err := toml.Decode(string(text), &c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.dir = filepath.Dir(path)
	var faults []string
	for _, key := range meta.Undecoded() {
		faults = append(faults, fmt.Sprintf("%s: unknown key; remove it or correct its spelling", key))
	}
	faults = append(faults, c.readProfile(meta)...)
	faults = append(faults, c.faults()...)
	if len(faults) == 0 {
		return &c, nil
	}
	sort.Strings(faults)
	return nil, fmt.Errorf("%s: %d fault(s)\n  %s", path, len(faults), strings.Join(faults, "\n  "))
}

// faults judges what the file says, without touching a port.
func (c *Config) faults() []string {
	var found []string
	fault := func(wrong bool, key, what string, args ...any) {
		if wrong {
			found = append(found, key+": "+fmt.Sprintf(what, args...))
		}
	}
	digits := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }
	ascii := func(s string, n int) bool {
		return len(s) == n && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	}
	positive := func(d duration, key string) { fault(d.Duration <= 0, key, "must be longer than nothing, like 60s") }

	fault(!ascii(c.Terminal.ID, 8), "terminal.id", "want the acquirer's 8 characters, got %d", len(c.Terminal.ID))
	fault(!ascii(c.Terminal.Merchant, 15), "terminal.merchant", "want the acquirer's 15 characters, got %d", len(c.Terminal.Merchant))
	fault(c.Terminal.Name == "", "terminal.name", "the merchant's name for the slip is missing")
	fault(!digits(c.Terminal.Operator, 2), "terminal.operator", "want two digits, like 01")
	_, err := txn.CurrencyOf(c.Terminal.Currency)
	fault(err != nil, "terminal.currency", "%v", err)
	for key, text := range map[string]string{"max_refund": c.Terminal.MaxRefund, "max_charge": c.Terminal.MaxCharge, "max_day": c.Terminal.MaxDay} {
		if text != "" && err == nil {
			_, err := c.amount(text)
			fault(err != nil, "terminal."+key, "%v", err)
		}
	}
	fault(c.Terminal.CompletionCap < 100 || c.Terminal.CompletionCap > 200, "terminal.completion_cap", "want 100 to 200 percent, as agreed with the acquirer")
	fault(c.Store.Dir == "", "store.dir", "missing; name a directory on durable storage")
	fault(c.Store.KeyFile == "", "store.key_file", "missing; name a file, it is made at the first start")
	fault(!validKeySource(c.Store.KeySource), "store.key_source", "%q is not known; use keyring:NAME, or leave it out for a key in key_file", c.Store.KeySource)
	positive(c.Store.Tidy, "store.tidy")
	fault(c.Store.KeepBatches < 0 || c.Store.KeepBatches > 999_999, "store.keep_batches", "want 0, which keeps all, to 999999")
	fault(c.Store.KeepDays < 0 || c.Store.KeepDays > 36_500, "store.keep_days", "want 0 to 36500")
	fault(c.Store.KeepDays > 0 && c.Store.KeepBatches == 0, "store.keep_days", "everything is kept; name keep_batches too, or leave this out")
	fault(c.Socket.Path == "" || len(c.path(c.Socket.Path)) > 100, "socket.path", "want a path of 1 to 100 bytes")

	owner := map[string]string{}
	line := func(key, port string) {
		path := c.portPath(port)
		fault(port != "" && owner[path] != "" && !strings.HasPrefix(owner[path], "bearer"), key, "is the line of %s too; each device needs its own", owner[path])
		owner[path] = key
		if serial.IsUSB(port) {
			_, err := serial.ParseUSB(port)
			fault(err != nil, key, "%v", err)
		}
	}
	line("reader.port", c.Reader.Port)
	line("printer.port", c.Printer.Port)
	if c.PINPad.Port != "" {
		line("pinpad.port", c.PINPad.Port)
	}
	c.PINPad.faults(fault, positive)
	fault(c.Reader.Port == "", "reader.port", "missing; name the reader's line, best by /dev/serial/by-path/…")
	fault(c.Reader.Baud <= 0, "reader.baud", "must be positive")
	fault(!slices.Contains(agent.ReaderKinds(), c.Reader.Kind), "reader.kind", "want one of %s, got %q", strings.Join(agent.ReaderKinds(), ", "), c.Reader.Kind)
	fault(c.Reader.Kind == agent.ReaderPN532 && !c.Reader.Development, "reader.kind", "a pn532 proves nothing of a card; on a bench set reader.development = true")
	positive(c.Reader.CardWait, "reader.card_wait")
	fault(c.Reader.CardWait.Duration > 255*time.Second, "reader.card_wait", "the reader counts at most 255s")
	positive(c.Reader.Reply, "reader.reply")
	_, badTime := c.Reader.selfCheck()
	fault(badTime != nil, "reader.self_check", "want a time of day in UTC such as 18:30, got %q", c.Reader.SelfCheck)
	fault(c.Printer.Port == "", "printer.port", "missing; name the printer's line, best by /dev/serial/by-path/…")
	fault(c.Printer.Baud <= 0, "printer.baud", "must be positive")
	fault(c.Printer.Columns != 32 && c.Printer.Columns != 48, "printer.columns", "want 32 (58 mm paper) or 48 (80 mm), got %d", c.Printer.Columns)
	_, spoken := words.LanguageOf(c.Printer.Lang)
	fault(!spoken, "printer.language", "%q is not known; use both, zh or en", c.Printer.Lang)
	fault(!slices.Contains(printer.ProofModes(), printer.ProofMode(c.Printer.Proof)), "printer.proof", "%q is not known; use process-id, etb-counter, status-after-feed or none", c.Printer.Proof)
	star := printer.ProofMode(c.Printer.Proof) == printer.ETBCounter
	fault(star && (c.Printer.Logo != "" || c.Printer.Codes == string(printer.RasterCodes)), "printer.codes", "a Star printer (etb-counter) draws codes itself and no logo; use native, and leave logo out")
	codes := printer.CodeMode(c.Printer.Codes)
	fault(!slices.Contains([]printer.CodeMode{printer.NoCodes, printer.NativeCodes, printer.RasterCodes}, codes), "printer.codes", "%q is not known; use native or raster, or leave it out", c.Printer.Codes)
	fault(codes == printer.NoCodes && (c.Printer.Logo != "" || c.Printer.QR), "printer.codes", "a logo or slip_code needs native or raster")
	if _, err := c.logo(); err != nil {
		fault(true, "printer.logo", "%v", err)
	}
	positive(c.Printer.Reply, "printer.reply")
	positive(c.Printer.Print, "printer.print")
	positive(c.Printer.Retry, "printer.retry")

	fault(c.Acquirer.KeyFile == "" && c.Acquirer.KeySource == "", "acquirer.key_file", "missing; name the file with the terminal master key")
	fault(c.Acquirer.KeyFile != "" && c.Acquirer.KeySource != "", "acquirer.key_source", "there is a key_file too; leave one of them out")
	fault(!validKeySource(c.Acquirer.KeySource), "acquirer.key_source", "%q is not known; use keyring:NAME, or a key_file", c.Acquirer.KeySource)
	fault(c.Acquirer.KeySource != "" && c.Acquirer.KeySource == c.Store.KeySource, "acquirer.key_source", "is the store's key; each needs a name of its own")
	c.trackFaults(fault)
	fault(len(c.signers()) != len(c.Acquirer.KeySigners), "acquirer.key_signers", "want public keys of 64 hexadecimal digits, as \"posagent keys signer\" shows them")
	err = keys.MAC(c.Acquirer.MAC).Check()
	fault(err != nil, "acquirer.mac", "%v", err)
	_, err = link.ParseHeader(c.Acquirer.TPDU, c.Acquirer.Header)
	fault(err != nil, "acquirer.tpdu, acquirer.header", "%v; want 10 digits like 6000060000 and 12 like 603100310000", err)
	positive(c.Acquirer.Answer, "acquirer.answer")
	positive(c.Acquirer.Retry, "acquirer.retry")
	fault(c.Acquirer.Idle.Duration < 0, "acquirer.idle", "must not be negative")
	fault(c.Acquirer.ReversalTries < 1 || c.Acquirer.ReversalTries > 99, "acquirer.reversal_tries", "want 1 to 99")
	for _, code := range c.Acquirer.ReversalEnds {
		fault(len(code) != 2, "acquirer.reversal_ends", "%q is not a response code of two characters", code)
	}
	positive(c.Acquirer.Lookalike, "acquirer.lookalike")
	fault(c.Acquirer.MaxBatch < 0 || c.Acquirer.MaxBatch > 999, "acquirer.max_batch", "want 0, which sets no limit, to 999, the most that a settlement counts")

	positive(c.Acquirer.Return, "acquirer.return")
	fault(c.Acquirer.Heartbeat.Duration < 0, "acquirer.heartbeat", "must not be negative")
	fault(c.Acquirer.Heartbeat.Duration > 0 && c.Acquirer.Heartbeat.Duration < 20*time.Second, "acquirer.heartbeat", "want 20s at least, or 0 for none")
	c.GPIO.faults(fault)

	c.Downloads.faults(fault)
	c.cardFaults(fault)
	fault(len(c.Bearers) == 0, "bearer", "there is no way to the acquirer; add a [[bearer]] table")
	names := map[string]bool{}
	for i, b := range c.Bearers {
		at := func(key string) string { return fmt.Sprintf("bearer[%d].%s", i, key) }
		fault(b.Name == "" || names[b.Name], at("name"), "each bearer needs a name of its own")
		names[b.Name] = true
		c.bearerFaults(b, at, fault)
		if b.Port != "" {
			line(at("port"), b.Port)
		}
	}
	return found
}

func (c *Config) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// portPath is where a port is; one that is named by its adapter is found when it is opened.
func (c *Config) portPath(p string) string {
	if serial.IsUSB(p) {
		return p
	}
	return c.path(strings.TrimPrefix(p, "unix:"))
}
