package serial

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAdapterIsNamedByItsNumbers(t *testing.T) {
	for name, want := range map[string]USB{
		"usb:0403:6001":          {"0403", "6001", ""},
		"usb:067B:2303":          {"067b", "2303", ""},
		"usb:0403:6001:A50285BI": {"0403", "6001", "A50285BI"},
		"usb:1a86:55d4:5:6 a":    {"1a86", "55d4", "5:6 a"},
	} {
		got, err := ParseUSB(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		again, err := ParseUSB(got.String())
		require.NoError(t, err)
		assert.Equal(t, want, again)
	}
	for _, name := range []string{"usb:", "usb:0403", "usb:403:6001", "usb:0403:6001:", "usb:0403:60g1", "usb:0403:6001:a\nb", "usb:0403:6001:" + strings.Repeat("x", 127), "/dev/ttyS0"} {
		_, err := ParseUSB(name)
		require.ErrorContains(t, err, "write usb:VENDOR:PRODUCT", name)
	}
}

// tree is a sysfs and a directory of devices, laid out as Linux does (Documentation/admin-guide/sysfs-rules.rst): a class is a
// directory of links, a tty's "device" is a link to its port or interface, and the adapter lies some directories above.
type tree struct {
	t *testing.T
	Places
}

func newTree(t *testing.T) tree {
	dir := t.TempDir()
	tr := tree{t, Places{Sys: filepath.Join(dir, "sys"), Dev: filepath.Join(dir, "dev")}}
	for _, d := range []string{tr.sys("class", "tty"), tr.dev("serial", "by-id"), tr.dev("serial", "by-path")} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	return tr
}

// plug lets an adapter appear in a socket as a tty behind which a line is.
func (tr tree) plug(socket, tty string, u USB, line string) {
	tr.t.Helper()
	device := tr.sys("devices", "usb1", socket)
	port := filepath.Join(device, socket+":1.0", tty)
	require.NoError(tr.t, os.MkdirAll(filepath.Join(port, "tty", tty), 0o755))
	for name, text := range map[string]string{"idVendor": u.Vendor, "idProduct": u.Product, "serial": u.Serial} {
		if text != "" {
			require.NoError(tr.t, os.WriteFile(filepath.Join(device, name), []byte(text+"\n"), 0o644))
		}
	}
	require.NoError(tr.t, os.Symlink("../../../"+tty, filepath.Join(port, "tty", tty, "device")))
	require.NoError(tr.t, os.Symlink(filepath.Join("..", "..", "devices", "usb1", socket, socket+":1.0", tty, "tty", tty), tr.sys("class", "tty", tty)))
	require.NoError(tr.t, os.Symlink(line, tr.dev(tty)))
}

func (tr tree) unplug(socket, tty string) {
	tr.t.Helper()
	require.NoError(tr.t, os.Remove(tr.dev(tty)))
	require.NoError(tr.t, os.Remove(tr.sys("class", "tty", tty)))
	require.NoError(tr.t, os.RemoveAll(tr.sys("devices", "usb1", socket)))
}

var ftdi = USB{"0403", "6001", "A50285BI"}

// The adapter comes back as another tty, with another line behind it, and the same name opens that.
func TestAnAdapterThatReturnsUnderAnotherNameIsOpened(t *testing.T) {
	tr, before, after := newTree(t), newWire(t), newWire(t)
	options := Options{Baud: 9600, Places: tr.Places}
	tr.plug("1-1", "ttyUSB0", ftdi, before.name)
	p, err := Open("usb:0403:6001", options)
	require.NoError(t, err)
	require.Equal(t, tr.dev("ttyUSB0")+" 9600 8N1", p.String())
	require.NoError(t, p.Close())

	tr.unplug("1-1", "ttyUSB0")
	_, err = Open("usb:0403:6001", options)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "open usb:0403:6001: no such adapter: check that it is plugged in")

	tr.plug("1-4", "ttyUSB1", ftdi, after.name)
	p, err = Open("usb:0403:6001:A50285BI", options)
	require.NoError(t, err)
	defer p.Close()
	_, err = p.Write([]byte("here"))
	require.NoError(t, err)
	require.Equal(t, "here", string(after.received(4)))
}

func TestTwoAdaptersThatFitAreNamedAndNeitherIsOpened(t *testing.T) {
	tr, w := newTree(t), newWire(t)
	tr.plug("1-1", "ttyUSB0", ftdi, w.name)
	tr.plug("1-2", "ttyUSB1", USB{"0403", "6001", "OTHER"}, w.name)
	tr.plug("1-3", "ttyACM0", USB{"0403", "6015", ""}, w.name)
	_, err := tr.Find("usb:0403:6001")
	require.ErrorIs(t, err, ErrAmbiguous)
	require.ErrorContains(t, err, tr.dev("ttyUSB0")+", "+tr.dev("ttyUSB1")+"; name its serial number too")
	for name, tty := range map[string]string{"usb:0403:6001:OTHER": "ttyUSB1", "usb:0403:6001:A50285BI": "ttyUSB0", "usb:0403:6015": "ttyACM0"} {
		found, err := tr.Find(name)
		require.NoError(t, err)
		require.Equal(t, tr.dev(tty), found)
	}
	_, err = tr.Find("usb:0403:6001:NONE")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Places{Sys: t.TempDir()}.Find("usb:0403:6001")
	require.ErrorContains(t, err, "the kernel does not show its ttys")
	path, err := tr.Find("/dev/serial/by-id/anything")
	require.NoError(t, err)
	require.Equal(t, "/dev/serial/by-id/anything", path, "udev's links are followed by whoever opens them")
}

// ttys of the board itself, of a virtual console and of a half-removed adapter are nobody's adapter.
func TestWhatIsNoAdapterIsPassedOver(t *testing.T) {
	tr, w := newTree(t), newWire(t)
	tr.plug("1-1", "ttyUSB0", ftdi, w.name)
	require.NoError(t, os.MkdirAll(tr.sys("devices", "platform", "serial8250", "tty", "ttyS0"), 0o755))
	require.NoError(t, os.Symlink("../..", tr.sys("devices", "platform", "serial8250", "tty", "ttyS0", "device")))
	require.NoError(t, os.Symlink("../../devices/platform/serial8250/tty/ttyS0", tr.sys("class", "tty", "ttyS0")))
	require.NoError(t, os.MkdirAll(tr.sys("class", "tty", "tty0"), 0o755))
	require.NoError(t, os.Symlink("../../devices/gone", tr.sys("class", "tty", "ttyUSB9")))
	found, err := tr.Find(ftdi.String())
	require.NoError(t, err)
	require.Equal(t, tr.dev("ttyUSB0"), found)
}

func TestNamesThatLast(t *testing.T) {
	tr, one, two := newTree(t), newWire(t), newWire(t)
	tr.plug("1-1", "ttyUSB0", ftdi, one.name)
	require.NoError(t, os.Symlink("../../ttyUSB0", tr.dev("serial", "by-path", "platform-usb-0:1:1.0-port0")))
	require.NoError(t, os.Symlink("../../ttyUSB0", tr.dev("serial", "by-id", "usb-FTDI_FT232R_A50285BI-if00-port0")))
	for path, fleeting := range map[string]bool{tr.dev("ttyUSB0"): true, tr.dev("ttyACM12"): true, tr.dev("ttyS0"): false, tr.dev("ttyUSB"): false,
		tr.dev("ttyUSB0x"): false, "/tmp/ttyUSB0": false, tr.dev("serial", "by-id", "ttyUSB0"): false, "usb:0403:6001": false} {
		assert.Equal(t, fleeting, tr.Fleeting(path), path)
	}
	assert.True(t, Places{}.Fleeting("/dev/ttyUSB0"))
	links := []string{tr.dev("serial", "by-path", "platform-usb-0:1:1.0-port0"), tr.dev("serial", "by-id", "usb-FTDI_FT232R_A50285BI-if00-port0")}
	assert.Equal(t, append(links, "usb:0403:6001"), tr.Lasting(tr.dev("ttyUSB0")))

	tr.plug("1-2", "ttyUSB1", USB{"0403", "6001", "OTHER"}, two.name)
	assert.Equal(t, append(links, "usb:0403:6001:A50285BI"), tr.Lasting(tr.dev("ttyUSB0")), "by its serial number, where two fit")
	assert.Equal(t, []string{"usb:0403:6001:OTHER"}, tr.Lasting(tr.dev("ttyUSB1")), "without udev's links")
	assert.Empty(t, tr.Lasting(tr.dev("ttyUSB7")), "which is not there")
}

// Whatever a configuration names is read as an adapter's name and back, or refused with what to write.
func FuzzParseUSB(f *testing.F) {
	for _, name := range []string{"usb:0403:6001", "usb:067B:2303:A5:0285BI", "usb:", "usb:0403:6001:", "/dev/ttyUSB0", "usb:04g3:6001"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		u, err := ParseUSB(name)
		if err != nil {
			require.Zero(t, u)
			require.ErrorContains(t, err, "write usb:VENDOR:PRODUCT")
			return
		}
		again, err := ParseUSB(u.String())
		require.NoError(t, err)
		require.Equal(t, u, again)
	})
}
