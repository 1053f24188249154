package main

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"posagent/link/linktest"
)

// options is the command line, checked.
type options struct {
	reader, printer, modem wire
	pinpad                 wire
	padKey                 string // file
	padSerial              string // of a DUKPT key, in hex
	scanner                wire
	readerKey              dataKey
	readerKind             string // neo2, msr, msr-lrc or pn532
	scannerKind            string // plain or gm72
	cards                  string // file
	paper                  string // directory
	columns                int
	star                   bool
	phones                 phoneBook
	guard                  time.Duration
	family                 string // of the modem: hayes, quectel or simcom
	control                address
}

// wire is where one machine is attached and how fast its line is.
type wire struct {
	address address
	baud    int // bits per second; 0 is as fast as the machine
}

// machineNames are the names in flags and commands.
var machineNames = [...]string{"reader", "printer", "modem", "pinpad", "scanner"}

func (o options) wires() map[string]wire {
	return map[string]wire{"reader": o.reader, "printer": o.printer, "modem": o.modem, "pinpad": o.pinpad, "scanner": o.scanner}
}

// address is "pty:LINK", "unix:PATH" or "serial:DEVICE"; the zero address is none.
type address struct{ kind, path string }

func (a address) String() string {
	if a == (address{}) {
		return ""
	}
	return a.kind + ":" + a.path
}

// Set makes address a flag.Value.
func (a *address) Set(text string) error {
	kind, path, _ := strings.Cut(text, ":")
	switch {
	case kind != "pty" && kind != "unix" && kind != "serial":
		return errors.New("want pty:LINK, unix:PATH or serial:DEVICE")
	case path == "":
		return fmt.Errorf("%s: needs a path after the colon", kind)
	}
	*a = address{kind, path}
	return nil
}

// phoneBook is a flag.Value: NUMBER=HOST:PORT, repeatable.
type phoneBook map[string]string

func (b phoneBook) String() string { return "" }

func (b phoneBook) Set(text string) error {
	number, at, _ := strings.Cut(text, "=")
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return errors.New("want NUMBER=HOST:PORT with a number of digits only")
	}
	if _, known := b[number]; known {
		return fmt.Errorf("number %s is in the phone book twice", number)
	}
	if _, port, err := net.SplitHostPort(at); err != nil || port == "" {
		return errors.New("want NUMBER=HOST:PORT, such as 95516=127.0.0.1:9000")
	}
	b[number] = at
	return nil
}

// dataKey is a flag.Value: SERIAL=FILE.
type dataKey struct {
	serial []byte
	file   string
}

func (k *dataKey) String() string { return "" }

func (k *dataKey) Set(text string) error {
	serial, file, _ := strings.Cut(text, "=")
	b, err := hex.DecodeString(serial)
	if err != nil || len(b) != 10 || file == "" {
		return errors.New("want SERIAL=FILE with 20 hexadecimal digits")
	}
	*k = dataKey{b, file}
	return nil
}

// maxBaud is the fastest speed a serial port can be set to.
const maxBaud = 4_000_000

// parseFlags reads and checks the command line. Usage and the flag package's complaints go to help.
func parseFlags(args []string, help io.Writer) (options, error) {
	o := options{phones: phoneBook{}}
	f := flag.NewFlagSet("devicesim", flag.ContinueOnError)
	f.SetOutput(help)
	f.Var(&o.reader.address, "reader", "line of the card reader: pty:LINK, unix:PATH or serial:DEVICE")
	f.Var(&o.printer.address, "printer", "line of the printer, likewise")
	f.Var(&o.modem.address, "modem", "line of the modem, likewise")
	f.Var(&o.pinpad.address, "pinpad", "line of the PIN pad, likewise")
	f.Var(&o.scanner.address, "scanner", "line of the scanner, likewise")
	f.IntVar(&o.reader.baud, "baud-reader", 0, "speed of the reader's line in bits per second; 0 is unpaced")
	f.IntVar(&o.printer.baud, "baud-printer", 0, "speed of the printer's line")
	f.IntVar(&o.modem.baud, "baud-modem", 0, "speed of the modem's line")
	f.IntVar(&o.pinpad.baud, "baud-pinpad", 0, "speed of the PIN pad's line")
	f.IntVar(&o.scanner.baud, "baud-scanner", 0, "speed of the scanner's line")
	f.StringVar(&o.readerKind, "reader-kind", "neo2", "neo2, msr (stripe reader), msr-lrc (one that passes on check characters) or pn532")
	f.Var(&o.readerKey, "reader-key", "SERIAL=FILE: a neo2 enciphers card data under DUKPT, from the initial key in the file, 16 bytes in hex, and its serial number, 10 bytes in hex")
	f.StringVar(&o.scannerKind, "scanner-kind", "plain", "plain (sends what it sees) or gm72 (looks when it is told to)")
	f.StringVar(&o.padKey, "pinpad-key", "", "file with the PIN pad's master key, 16 bytes in hex: that of the terminal; or its DUKPT initial key")
	f.StringVar(&o.padSerial, "pinpad-dukpt", "", "serial number of that initial key, 20 hexadecimal digits: the pad is one of DUKPT")
	f.StringVar(&o.cards, "cards", "", "TOML file of the cards that \"reader present NAME\" and the PIN pad know")
	f.StringVar(&o.paper, "paper", "", "directory for what the printer prints; empty throws it away")
	f.IntVar(&o.columns, "columns", 32, "characters on a printed line: 32 or 48")
	f.BoolVar(&o.star, "star", false, "the printer is a Star in Star line mode; otherwise ESC/POS")
	f.Var(o.phones, "phone", "NUMBER=HOST:PORT that the modem can call; repeatable. A quectel or simcom modem needs none")
	f.DurationVar(&o.guard, "modem-guard", time.Second, "silence around the modem's escape sequence, in steps of 20ms")
	f.StringVar(&o.family, "modem-kind", "hayes", "hayes (dials numbers), quectel or simcom (connect to addresses by themselves)")
	f.Var(&o.control, "control", "unix:PATH of the control socket")
	if err := f.Parse(args); err != nil {
		return options{}, err
	}
	if f.NArg() > 0 {
		return options{}, fmt.Errorf("%q is not a flag: every argument belongs to one", f.Arg(0))
	}
	return o, o.check()
}

// check finds what no single flag can see. It tells every fault at once.
func (o options) check() error {
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	none, taken := address{}, map[string]string{}
	claim := func(name string, a address) {
		if a == none {
			return
		}
		other, twice := taken[a.path]
		refuse(twice, "-%s and -%s are at the same place %s", other, name, a.path)
		taken[a.path] = name
	}
	wires := o.wires()
	for _, name := range machineNames {
		w := wires[name]
		claim(name, w.address)
		refuse(w.baud < 0 || w.baud > maxBaud, "-baud-%s %d: want 0 to %d", name, w.baud, maxBaud)
		refuse(w.address.kind == "serial" && w.baud == 0, "-%s %s needs its speed: set -baud-%s", name, w.address, name)
	}
	claim("control", o.control)
	attached := slices.ContainsFunc(machineNames[:], func(name string) bool { return o.wires()[name].address != none })
	refuse(o.control != none && o.control.kind != "unix", "-control %s: want unix:PATH", o.control)
	refuse(!attached, "nothing to do: give -reader, -printer, -modem, -pinpad or -scanner")
	refuse(!slices.Contains([]string{"neo2", "msr", "msr-lrc", "pn532"}, o.readerKind), "-reader-kind %q: want neo2, msr, msr-lrc or pn532", o.readerKind)
	refuse(o.readerKey.file != "" && o.readerKind != "neo2", "-reader-key: a %s does not encipher; use a neo2", o.readerKind)
	refuse(o.scannerKind != "plain" && o.scannerKind != "gm72", "-scanner-kind %q: want plain or gm72", o.scannerKind)
	refuse(o.reader.address != none && o.cards == "", "-reader needs -cards FILE")
	refuse(o.pinpad.address != none && (o.padKey == "" || o.cards == ""), "-pinpad needs -pinpad-key FILE and -cards FILE")
	serial, err := hex.DecodeString(o.padSerial)
	refuse(o.padSerial != "" && (err != nil || len(serial) != 10), "-pinpad-dukpt %q: want 20 hexadecimal digits", o.padSerial)
	refuse(o.columns != 32 && o.columns != 48, "-columns %d: want 32 or 48", o.columns)
	refuse(o.family != "hayes" && o.family != string(linktest.Quectel) && o.family != string(linktest.SIMCom),
		"-modem-kind %q: want hayes, quectel or simcom", o.family)
	refuse(o.guard < 20*time.Millisecond || o.guard > 255*20*time.Millisecond, "-modem-guard %s: want 20ms to 5.1s", o.guard)
	return errors.Join(faults...)
}
