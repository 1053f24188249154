package printer

import (
	"fmt"
	"strings"
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
	case s.Unrecoverable, s.Recoverable, s.Offline, s.FeedPressed:
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

// advice is what to do about a fault.
func (s Status) advice() string {
	switch {
	case !s.Known:
		return "check that it is switched on, its cable, and speed and parity as on its self-test page"
	case s.CoverOpen:
		return "close the cover"
	case s.PaperEnd:
		return "put in a new roll"
	case s.CutterError:
		return "switch it off, clear the paper from the blade, switch it on"
	case s.Unrecoverable:
		return "switch it off and on; if that does not help, call service"
	case s.Recoverable:
		return "wait a minute; it goes on by itself"
	}
	return "release the feed button, check its online light"
}

func (s Status) raw() string { return fmt.Sprintf("status % X", s.Raw) }
