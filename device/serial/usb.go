package serial

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An adapter that is unplugged and plugged in again, or restarts, may come back as another tty: ttyUSB0 was still held when it
// came, so now it is ttyUSB1. Three kinds of name follow it. udev's links below /dev/serial/by-path name the socket and those
// below by-id the adapter; and where there is no udev, this package finds the adapter itself, by what it says of itself:
//
//	usb:VENDOR:PRODUCT[:SERIAL]     usb:0403:6001, usb:067b:2303, usb:0403:6001:A50285BI

// usbScheme leads the name of a port that is found by its adapter.
const usbScheme = "usb:"

// ErrAmbiguous means that a name fits more than one tty, so that nobody can say which is meant.
var ErrAmbiguous = errors.New("more than one adapter fits")

// Places are where the kernel and udev show devices. The zero value is a running system's.
type Places struct {
	Sys string // sysfs; /sys when empty
	Dev string // device nodes; /dev when empty
}

func (p Places) sys(parts ...string) string { return under(p.Sys, "/sys", parts) }
func (p Places) dev(parts ...string) string { return under(p.Dev, "/dev", parts) }

func under(root, usual string, parts []string) string {
	if root == "" {
		root = usual
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// USB is what an adapter says of itself (USB 2.0, table 9-8).
type USB struct {
	Vendor, Product string // four hexadecimal digits, lower case
	Serial          string // or empty: any
}

// IsUSB reports whether a port is named by its adapter.
func IsUSB(name string) bool { return strings.HasPrefix(name, usbScheme) }

// ParseUSB reads usb:VENDOR:PRODUCT[:SERIAL].
func ParseUSB(name string) (USB, error) {
	parts := strings.SplitN(strings.TrimPrefix(name, usbScheme), ":", 3)
	if !IsUSB(name) || len(parts) < 2 || !fourHex(parts[0]) || !fourHex(parts[1]) || len(parts) == 3 && !serialNumber(parts[2]) {
		return USB{}, fmt.Errorf("%q names no adapter: write usb:VENDOR:PRODUCT or usb:VENDOR:PRODUCT:SERIAL as lsusb -v shows them, like usb:0403:6001", name)
	}
	u := USB{Vendor: strings.ToLower(parts[0]), Product: strings.ToLower(parts[1])}
	if len(parts) == 3 {
		u.Serial = parts[2]
	}
	return u, nil
}

func fourHex(s string) bool {
	return len(s) == 4 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// serialNumber refuses what no string descriptor holds: it has at most 126 characters (USB 2.0, 9.6.7).
func serialNumber(s string) bool {
	return s != "" && len(s) <= 126 && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F }) < 0
}

// String is the name as ParseUSB reads it.
func (u USB) String() string {
	name := usbScheme + u.Vendor + ":" + u.Product
	if u.Serial != "" {
		name += ":" + u.Serial
	}
	return name
}

// fits reports whether an adapter is the one that is named so.
func (u USB) fits(adapter USB) bool {
	return u.Vendor == adapter.Vendor && u.Product == adapter.Product && (u.Serial == "" || u.Serial == adapter.Serial)
}

// Find returns the path of a port as it is at this moment. A name that does not begin with usb: is a path already. Where no
// adapter fits the error wraps fs.ErrNotExist, and ErrAmbiguous where several do: one with several ttys, as cellular modems
// are, is named by its link below /dev/serial/by-id.
func (p Places) Find(name string) (string, error) {
	if !IsUSB(name) {
		return name, nil
	}
	u, err := ParseUSB(name)
	if err != nil {
		return "", err
	}
	nodes, err := os.ReadDir(p.sys("class", "tty"))
	if err != nil {
		return "", fmt.Errorf("open %s: the kernel does not show its ttys: %w", u, err)
	}
	var found []string
	for _, n := range nodes {
		if adapter, is := p.adapterOf(n.Name()); is && u.fits(adapter) {
			found = append(found, p.dev(n.Name()))
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return "", fmt.Errorf("open %s: no such adapter: check that it is plugged in, and its numbers with lsusb (%w)", u, fs.ErrNotExist)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("open %s: %w: %s; name its serial number too, or its link below /dev/serial/by-id or by-path", u, ErrAmbiguous,
		strings.Join(found, ", "))
}

// mostLevels is how far above a tty its adapter is looked for: a port, an interface, the adapter, and some to spare.
const mostLevels = 5

// adapterOf climbs from a tty to the USB device that it belongs to, which alone has an idVendor.
func (p Places) adapterOf(tty string) (USB, bool) {
	at, err := filepath.EvalSymlinks(p.sys("class", "tty", tty, "device"))
	if err != nil {
		return USB{}, false // a tty without a device, or one that is being removed
	}
	for range mostLevels {
		if vendor := attribute(at, "idVendor"); vendor != "" {
			return USB{Vendor: strings.ToLower(vendor), Product: strings.ToLower(attribute(at, "idProduct")), Serial: attribute(at, "serial")}, true
		}
		at = filepath.Dir(at)
	}
	return USB{}, false
}

// attribute reads a file of sysfs, which holds one line.
func attribute(dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(text), "\n")
}

// Fleeting reports whether a path is the kernel's own name of a USB tty, which the next adapter may get.
func (p Places) Fleeting(path string) bool {
	dir, name := filepath.Split(path)
	if filepath.Clean(dir) != p.dev() {
		return false
	}
	for _, kind := range []string{"ttyUSB", "ttyACM"} {
		if n, is := strings.CutPrefix(name, kind); is && n != "" && strings.Trim(n, "0123456789") == "" {
			return true
		}
	}
	return false
}

// Lasting lists the names that follow the adapter behind a tty: udev's links to it, and what it says of itself where that
// fits no other.
func (p Places) Lasting(path string) []string {
	var names []string
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	for _, dir := range []string{"by-path", "by-id"} {
		links, err := os.ReadDir(p.dev("serial", dir))
		if err != nil {
			continue
		}
		for _, l := range links {
			link := p.dev("serial", dir, l.Name())
			if to, err := filepath.EvalSymlinks(link); err == nil && to == target {
				names = append(names, link)
			}
		}
	}
	u, is := p.adapterOf(filepath.Base(path))
	if !is {
		return names
	}
	for _, serial := range []string{"", u.Serial} {
		u.Serial = serial
		if _, err := p.Find(u.String()); err == nil {
			return append(names, u.String())
		}
	}
	return names
}
