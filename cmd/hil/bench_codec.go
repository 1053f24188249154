package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posagent/link/iso8583"
	"posagent/link/profile"
)

const (
	sampleNames  = "*-0[0-9][0-9]0.hex" // messages by their type, without a line's header before them
	codecRounds  = 21                   // of which the median counts
	codecPerTurn = 2000                 // messages a round, one clock reading for all of them
)

// codec packs and unpacks every sample message with a Message that is used again and again, as the link uses it. The
// slowest of them counts.
func (m *measuring) codec(context.Context) (chapter, error) {
	c := chapter{title: "ISO 8583 codec, one message"}
	samples := filepath.Join(filepath.Dir(filepath.Dir(m.cards)), "messages", sampleNames)
	files, err := filepath.Glob(samples)
	if err != nil || len(files) == 0 {
		return c, fmt.Errorf("no sample messages %s: %v", samples, err)
	}
	packing, unpacking := slowest{}, slowest{}
	for _, file := range files {
		wire, err := readHex(file)
		if err != nil {
			return c, err
		}
		d, message := profile.UnionPay().Dialect, new(iso8583.Message)
		if _, err := d.Unpack(message, wire); err != nil {
			return c, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".hex")
		room := make([]byte, 0, iso8583.MaxMessage)
		packing.add(name, func() { _, err = d.Pack(room, message) })
		unpacking.add(name, func() { _, err = d.Unpack(message, wire) })
		if err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
	}
	unit, err := m.unitNow()
	if err != nil {
		return c, err
	}
	for _, s := range []struct {
		verb string
		slowest
	}{{"pack", packing}, {"unpack", unpacking}} {
		c.rows = append(c.rows,
			row{s.verb + " " + s.name, span(s.took), times(ratio(s.took, unit)), "1 µs"},
			row{s.verb + ", allocations", fmt.Sprint(s.allocations), "", "0"})
	}
	c.notes = []string{fmt.Sprintf("The slowest and the greediest of %d samples.", len(files))}
	return c, nil
}

// unitNow times a few bare writes for a figure that no disk is part of.
func (m *measuring) unitNow() (time.Duration, error) {
	for range 50 {
		if err := m.bare.write(); err != nil {
			return 0, err
		}
	}
	return m.bare.unit(), nil
}

// slowest keeps the worst of what was added.
type slowest struct {
	name        string
	took        time.Duration
	allocations float64
}

func (s *slowest) add(name string, work func()) {
	rounds := make([]time.Duration, codecRounds)
	for r := range rounds {
		began := time.Now()
		for range codecPerTurn {
			work()
		}
		rounds[r] = time.Since(began) / codecPerTurn
	}
	if took := median(rounds); took > s.took {
		s.name, s.took = name, took
	}
	s.allocations = max(s.allocations, testing.AllocsPerRun(codecPerTurn, work))
}

// readHex reads a message written in hex with '#' comments.
func readHex(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var digits []byte
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("#")) {
			digits = append(digits, bytes.TrimSpace(line)...)
		}
	}
	wire, err := hex.DecodeString(string(digits))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return wire, nil
}
