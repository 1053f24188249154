package main

import (
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func parse(line string) (options, error) { return parseFlags(strings.Fields(line), io.Discard) }

func TestFlagsOfAWholeCounter(t *testing.T) {
	o, err := parse("-reader pty:/tmp/reader -printer unix:/tmp/printer.sock -modem serial:/dev/ttyUSB0 -baud-printer 19200 " +
		"-baud-modem 9600 -cards cards.toml -paper paper -columns 48 -phone 95516=127.0.0.1:9000 -phone 021=[::1]:90 " +
		"-modem-guard 100ms -control unix:/tmp/control.sock")
	require.NoError(t, err)
	require.Equal(t, options{
		reader:  wire{address: address{"pty", "/tmp/reader"}},
		printer: wire{address{"unix", "/tmp/printer.sock"}, 19200},
		modem:   wire{address{"serial", "/dev/ttyUSB0"}, 9600},
		cards:   "cards.toml", paper: "paper", columns: 48,
		phones:  phoneBook{"95516": "127.0.0.1:9000", "021": "[::1]:90"},
		guard:   100 * time.Millisecond,
		control: address{"unix", "/tmp/control.sock"},
		family:  "hayes",

		readerKind: "neo2", scannerKind: "plain",
	}, o)
}

func TestWrongFlagsAreToldWithWhatToDo(t *testing.T) {
	for line, says := range map[string]string{
		"":                                 "give -reader, -printer, -modem, -pinpad or -scanner",
		"-reader-key FFFF=key":             "want SERIAL=FILE with 20 hexadecimal digits",
		"-reader-key FFFF9876543210E00000": "want SERIAL=FILE with 20 hexadecimal digits",
		"-reader pty:/tmp/r -cards c -reader-kind msr -reader-key FFFF9876543210E00000=key": "a msr does not encipher",
		"-modem tcp:host:1":                       "want pty:LINK, unix:PATH or serial:DEVICE",
		"-modem pty":                              "needs a path",
		"-modem pty:":                             "needs a path",
		"-modem pty:/tmp/m now":                   `"now" is not a flag`,
		"-modem pty:/tmp/m -columns 40":           "want 32 or 48",
		"-modem serial:/dev/ttyUSB0":              "set -baud-modem",
		"-modem pty:/m -baud-modem -1":            "want 0 to 4000000",
		"-modem pty:/m -printer pty:/m":           "-printer and -modem are at the same place",
		"-modem pty:/m -control unix:/m":          "-modem and -control are at the same place",
		"-modem pty:/m -control pty:/c":           "want unix:PATH",
		"-modem pty:/m -modem-guard 6s":           "want 20ms to 5.1s",
		"-modem pty:/m -phone 12":                 "such as 95516=127.0.0.1:9000",
		"-modem pty:/m -phone 12=host":            "such as 95516=127.0.0.1:9000",
		"-modem pty:/m -phone +12=h:1":            "digits only",
		"-modem pty:/m -phone 1=h:1 -phone 1=h:2": "in the phone book twice",
		"-reader pty:/r":                          "needs -cards",
		"-modem pty:/m -modem-kind gsm":           "want hayes, quectel or simcom",
		"-reader pty:/r -reader-kind card":        "want neo2, msr, msr-lrc or pn532",
		"-scanner pty:/s -scanner-kind laser":     "want plain or gm72",
		"-scanner pty:/s -modem pty:/s":           "-modem and -scanner are at the same place",
		"-fax pty:/f":                             "flag provided but not defined",
	} {
		_, err := parse(line)
		require.ErrorContains(t, err, says, line)
	}
	_, err := parse("-columns 40 -modem-guard 0s")
	require.ErrorContains(t, err, "-columns", "every fault is told")
	require.ErrorContains(t, err, "-modem-guard")
	require.ErrorContains(t, err, "-reader")
	_, err = parse("-h")
	require.ErrorIs(t, err, flag.ErrHelp)
}
