package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/serial"
)

// A tty by the kernel's own name works, and the check says what to write instead.
func TestAPortByAFleetingNameIsRemarkedUpon(t *testing.T) {
	dir := t.TempDir()
	at := serial.Places{Sys: filepath.Join(dir, "sys"), Dev: filepath.Join(dir, "dev")}
	byID := filepath.Join(at.Dev, "serial", "by-id")
	require.NoError(t, os.MkdirAll(byID, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(at.Dev, "ttyACM0"), nil, 0o600))
	require.NoError(t, os.Symlink("../../ttyACM0", filepath.Join(byID, "usb-Maker_Printer-if00")))
	c := &Config{dir: dir}
	c.Reader.Port, c.Printer.Port = filepath.Join(at.Dev, "ttyUSB0"), filepath.Join(at.Dev, "ttyACM0")
	c.Bearers = []Bearer{{Kind: "tcp"}, {Kind: "dial", Port: filepath.Join(byID, "usb-Maker_Printer-if00")}, {Kind: "dial", Port: "usb:0403:6001"}}
	assert.Equal(t, []string{
		"reader.port: remark: an adapter that is plugged in again may not be " + c.Reader.Port +
			" any more; write a name below /dev/serial/by-path or by-id, or usb:VENDOR:PRODUCT[:SERIAL]",
		"printer.port: remark: an adapter that is plugged in again may not be " + c.Printer.Port + " any more; write " + filepath.Join(byID, "usb-Maker_Printer-if00"),
	}, c.remarks(at))
}

// A line that this machine has not is found before a start fails for it: a terminal does not trade without the switch of its case.
func TestALineThatIsNotThereIsSaid(t *testing.T) {
	lines := Lines{"tamper": {Name: "no line of any chip is called so"}}
	found := lines.absent()
	require.Len(t, found, 1)
	assert.Regexp(t, "^gpio.*(no chip answers|there is no such line)", found[0])
	assert.Empty(t, Lines{}.absent())
}
