package printer

import (
	"fmt"
	"strings"

	"posagent/txnstore/txn/words"
)

// Status is what the printer says of itself. Its zero value is a printer that never answered.
type Status struct {
	PaperEnd      bool // no paper: printing stops
	PaperNearEnd  bool // a roll is nearly used up: printing goes on
	CoverOpen     bool
	CutterError   bool // the blade is jammed
	Unrecoverable bool // needs power off and on, or service
	Recoverable   bool // ends by itself: the head is too hot, or the voltage out of range
	Offline       bool // takes no data at present, for one of the reasons above or another
	FeedPressed   bool // somebody holds the feed button

	Known bool    // the printer answered
	Raw   [4]byte // its answers to DLE EOT 1 to 4, or the four bytes of an automatic status
}

// statusOf decodes the answers to DLE EOT 1 to 4.
func statusOf(raw [4]byte) Status {
	return Status{
		Known: true, Raw: raw,
		Offline:       raw[0]&printerOffline != 0,
		FeedPressed:   raw[0]&printerFeedKey != 0 || raw[1]&offlineFeeding != 0,
		CoverOpen:     raw[1]&offlineCover != 0,
		PaperEnd:      raw[1]&offlinePaperEnd != 0 || raw[3]&paperEnd != 0,
		CutterError:   raw[2]&errorCutter != 0,
		Unrecoverable: raw[2]&errorUnrecoverable != 0,
		Recoverable:   raw[2]&errorRecoverable != 0,
		PaperNearEnd:  raw[3]&paperNearEnd != 0,
	}
}

// statusOfASB decodes an automatic status.
func statusOfASB(raw [4]byte) Status {
	return Status{
		Known: true, Raw: raw,
		Offline:       raw[0]&asbOffline != 0,
		CoverOpen:     raw[0]&asbCover != 0,
		FeedPressed:   raw[0]&asbFeedKey != 0,
		CutterError:   raw[1]&asbCutter != 0,
		Unrecoverable: raw[1]&asbUnrecoverable != 0,
		Recoverable:   raw[1]&asbRecoverable != 0,
		PaperNearEnd:  raw[2]&asbNearEnd != 0,
		PaperEnd:      raw[2]&asbPaperEnd != 0,
	}
}

// Fault is the sentinel for the worst thing that keeps this printer from printing, or nil when it can print.
func (s Status) Fault() error {
	switch {
	case !s.Known:
		return ErrNoAnswer
	case s.CoverOpen: // first: an open cover also reads as paper out on many printers
		return ErrCoverOpen
	case s.PaperEnd:
		return ErrPaperOut
	case s.CutterError:
		return ErrCutter
	case s.Unrecoverable:
		return ErrBroken
	case s.Recoverable:
		return ErrPausing
	case s.Offline, s.FeedPressed:
		return ErrOffline
	}
	return nil
}

// String is the status in words: "ready", "ready, paper near end", "paper out, offline".
func (s Status) String() string {
	if !s.Known {
		return "no answer"
	}
	var said []string
	for _, part := range []struct {
		is   bool
		word string
	}{
		{s.Fault() == nil, "ready"},
		{s.PaperEnd, "paper out"},
		{s.CoverOpen, "cover open"},
		{s.CutterError, "cutter jammed"},
		{s.Unrecoverable, "unrecoverable error"},
		{s.Recoverable, "pausing (head temperature or voltage)"},
		{s.FeedPressed, "feed button held"},
		{s.PaperNearEnd && !s.PaperEnd, "paper near end"},
		{s.Offline, "offline"},
	} {
		if part.is {
			said = append(said, part.word)
		}
	}
	return strings.Join(said, ", ")
}

// State is the status in one word, for words.OfPrinter.
func (s Status) State() words.PrinterState {
	switch s.Fault() {
	case ErrNoAnswer:
		return words.PrinterSilent
	case ErrCoverOpen:
		return words.PrinterCover
	case ErrPaperOut:
		return words.PrinterPaperOut
	case ErrCutter:
		return words.PrinterCutter
	case ErrBroken:
		return words.PrinterBroken
	case ErrPausing:
		return words.PrinterHot
	case ErrOffline:
		return words.PrinterOffline
	}
	if s.PaperNearEnd {
		return words.PrinterNearEnd
	}
	return words.PrinterReady
}

func (s Status) raw() string { return fmt.Sprintf("status % X", s.Raw) }
