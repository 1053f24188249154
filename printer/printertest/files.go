package printertest

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// files is the paper as files: paper.txt grows line by line, so that it shows half a slip when the host dies; each
// finished slip is NNN.txt and NNN.png, which appear whole or not at all.
type files struct {
	dir     string
	next    int
	report  func(error)    // of what goes wrong in the background
	drawing sync.WaitGroup // slips being written
	hands   chan struct{}  // limits them
}

// openFiles continues behind the slips that are already there.
func openFiles(dir string, report func(error)) (*files, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	f := &files{dir: dir, next: 1, report: report, hands: make(chan struct{}, 4)}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".txt")
		if n, err := strconv.Atoi(name); ok && err == nil && n >= f.next {
			f.next = n + 1
		}
	}
	return f, nil
}

func (f *files) append(text string) error {
	roll, err := os.OpenFile(filepath.Join(f.dir, "paper.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = roll.WriteString(text)
	if closing := roll.Close(); err == nil {
		err = closing
	}
	return err
}

// slip writes a slip in the background: a picture takes longer to draw than a host waits for a status.
func (f *files) slip(text string, picture func() image.Image) {
	name := fmt.Sprintf("%03d", f.next)
	f.next++
	f.drawing.Go(func() {
		f.hands <- struct{}{}
		defer func() { <-f.hands }()
		if err := f.writeSlip(name, text, picture()); err != nil {
			f.report(err)
		}
	})
}

// writeSlip writes the picture before the text: who waits for NNN.txt finds both.
func (f *files) writeSlip(name, text string, picture image.Image) error {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, picture); err != nil {
		return err
	}
	if err := f.put(name+".png", b.Bytes()); err != nil {
		return err
	}
	return f.put(name+".txt", []byte(text))
}

func (f *files) put(name string, data []byte) error {
	temporary := filepath.Join(f.dir, "."+name+".part")
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(f.dir, name))
}
