package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"posagent/device/scanner"
	"posagent/device/serial"
	"posagent/firmware/agent"
	"posagent/link/profile"
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
	Scanner  Scanner  `toml:"scanner"`
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
	Lights    bool   `toml:"lights"`     // its own front lamp shows outcomes
	Beeps     bool   `toml:"beeps"`      // and its own buzzer sounds them
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
	Proof   string   `toml:"proof"`     // process-id, etb-counter, status-after-feed, none or mute
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
		Scanner:   Scanner{Kind: string(scanner.Plain), Baud: 9600, Wait: seconds(60), Reply: duration{500 * time.Millisecond}},
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
