package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"

	"posagent/printer/receipt"
)

const maxLogoFile = 1 << 20 // bytes

// logo reads the picture for the head of the slips, or nil where none is configured.
func (c *Config) logo() (*receipt.Picture, error) {
	if c.Printer.Logo == "" {
		return nil, nil
	}
	path := c.path(c.Printer.Logo)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxLogoFile {
		return nil, fmt.Errorf("%s has %d bytes, at most %d", path, info.Size(), maxLogoFile)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	head, err := png.DecodeConfig(bytes.NewReader(file)) // before memory is made for its dots
	if err == nil && (head.Width > 4096 || head.Height > 4096) {
		err = fmt.Errorf("it has %d x %d pixels, at most 4096 a side", head.Width, head.Height)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; want a PNG picture", path, err)
	}
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return receipt.Dither(picture, c.Printer.Columns*receipt.DotsPerColumn)
}
