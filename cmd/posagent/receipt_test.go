package main

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/printer/receipt"
)

func TestASlipIsDrawnIntoAFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "font.hex"), []byte("0041:0000000018242442427E424242420000\n"), 0o600))
	slip := receipt.Slip{Columns: 24, Lines: []receipt.Line{{Text: "A 中"}}}
	to := filepath.Join(dir, "slip.png")

	c := &Config{dir: dir}
	_, err := c.drawTo(to, slip)
	require.ErrorContains(t, err, "names no font")
	c.Printer.Fonts = []string{"absent.bdf"}
	_, err = c.drawTo(to, slip)
	require.ErrorContains(t, err, "printer.fonts: absent.bdf")
	require.NoFileExists(t, to)

	c.Printer.Fonts = []string{"font.hex"}
	missing, err := c.drawTo(to, slip)
	require.NoError(t, err)
	assert.Equal(t, "中", string(missing))
	f, err := os.Open(to)
	require.NoError(t, err)
	defer f.Close()
	drawn, err := png.Decode(f)
	require.NoError(t, err)
	assert.Equal(t, 24*12+48, drawn.Bounds().Dx())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "nothing half written stays")
}
