package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALogoFitsThePaperOrIsRefused(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, width, height int) string {
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600))
		return name
	}
	c := &Config{dir: dir, Printer: Printer{Columns: 32}}
	none, err := c.logo()
	require.NoError(t, err)
	assert.Nil(t, none)

	c.Printer.Logo = put("wide.png", 800, 100)
	p, err := c.logo()
	require.NoError(t, err)
	assert.Equal(t, 384, p.Width)
	assert.Equal(t, 48, p.Height)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "text.png"), []byte("no picture"), 0o600))
	for name, why := range map[string]string{"absent.png": "no such file", "text.png": "want a PNG", put("high.png", 100, 1000): "at most 800 high", put("huge.png", 5000, 1): "at most 4096"} {
		c.Printer.Logo = name
		_, err := c.logo()
		require.ErrorContains(t, err, why)
	}
}
