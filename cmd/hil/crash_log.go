package main

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A history is what a program asked of its disk, in order, and between that the lines in which it says what it is about
// to do (TRY) and what it has promised (ACK).
//
//	TRY ── write ── write ── sync ── write ── sync ── ACK ── TRY ── …
//	    └────────── epoch ──────┘└──── epoch ───┘
//
// Nothing written since the last sync is on the disk for certain; everything before it is.
type history struct {
	Name   string
	Kind   string  // whose files these are: realStore or pocketStore
	From   *origin // the crash state that it began with; nil is an empty directory
	Ops    []op
	At     int64 // where the calls begin in the plan's file
	Length int   // and how many they are
	kept   *os.File
}

// calls are the operations: a worker reads them when it comes to the history, and holds one history at a time.
func (h *history) calls() (list []op, err error) {
	if h.kept == nil {
		return h.Ops, nil
	}
	r := bufio.NewReaderSize(io.NewSectionReader(h.kept, h.At, 1<<40), 1<<16)
	d := gob.NewDecoder(r)
	list = make([]op, h.Length)
	for i := range list {
		if err = d.Decode(&list[i]); err != nil {
			return nil, fmt.Errorf("the calls of %s: %w", h.Name, err)
		}
	}
	return list, nil
}

// origin names a crash state: the number-th of a step of a history.
type origin struct{ History, Step, Number int }

type opKind byte

const (
	opWrite opKind = iota
	opTruncate
	opSync // of a file, or of the directory when Name is empty
	opCreate
	opRename
	opRemove
	opLine
)

// op is one system call that succeeded, or one line of the program. Names have no directory.
type op struct {
	Kind     opKind
	Name, To string
	Offset   int64 // of a write; the size of a truncate
	Data     []byte
	Durable  bool   // an O_DSYNC write: synced when it returns
	Text     string // of a line
}

func (o op) names() bool { return o.Kind == opCreate || o.Kind == opRename || o.Kind == opRemove }

// step is a part of a history that begins and ends with everything synced. Its lanes ran at the same time: each may be
// anywhere when the power goes, whatever the others have done.
type step struct {
	area  string
	lanes [][]op
	acked int // promises made before it; the next one is in flight
}

const (
	areaBirth   = "birth of the three files"
	areaCommit  = "hot.db beside shadow"
	areaLevel   = "shadow alone"
	areaArchive = "archive.db"
	areaPocket  = "pocket"
)

// steps cuts a history where everything is synced.
func (h *history) steps() ([]step, error) {
	var list []step
	var deed []op
	acked := 0
	flush := func() error {
		if len(deed) == 0 {
			return nil
		}
		made, err := h.stepsOf(deed, acked)
		list, deed = append(list, made...), nil
		return err
	}
	ops, err := h.calls()
	if err != nil {
		return nil, err
	}
	for _, o := range ops {
		if o.Kind != opLine {
			deed = append(deed, o)
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		if strings.HasPrefix(o.Text, "ACK ") {
			acked++
		}
	}
	if err := flush(); err != nil || h.Kind != unsyncedStore {
		return list, err
	}
	return unsynced(list), nil
}

func (h *history) stepsOf(deed []op, acked int) (list []step, err error) {
	if h.Kind == pocketStore {
		return []step{{areaPocket, [][]op{deed}, acked}}, nil
	}
	born := 0
	for i, o := range deed {
		if o.names() || o.Kind == opSync && o.Name == "" {
			born = i + 1
		}
	}
	if born > 0 {
		list = append(list, step{areaBirth, [][]op{deed[:born]}, acked})
	}
	trade, err := tradeSteps(deed[born:], acked)
	return append(list, trade...), err
}

// tradeSteps follows the store's order of work within one call: the n-th commit of hot.db runs beside the n-th write of
// shadow, in an order that only the scheduler knows; everything else runs alone.
func tradeSteps(deed []op, acked int) (list []step, err error) {
	commits := 0
	for i, o := range deed {
		if o.Name == hotFile && o.Kind == opSync && i > 0 {
			commits++
		}
	}
	commits /= 2
	begun, copies, syncs := 0, 0, 0
	commit := -1 // the step of the newest commit of hot.db
	beginCommit := func() {
		list, begun, syncs = append(list, step{areaCommit, make([][]op, 2), acked}), begun+1, 0
		commit = len(list) - 1
	}
	for _, o := range deed {
		switch o.Name {
		case hotFile:
			if begun == 0 || syncs == 2 {
				if begun < copies { // its copy began first
					begun, syncs = begun+1, 0
				} else {
					beginCommit()
				}
			}
			list[commit].lanes[0] = append(list[commit].lanes[0], o)
			if o.Kind == opSync {
				syncs++
			}
		case shadowFile:
			copies++
			switch {
			case copies <= begun:
				list[commit].lanes[1] = append(list[commit].lanes[1], o)
			case copies <= commits:
				list = append(list, step{areaCommit, [][]op{nil, {o}}, acked})
				commit = len(list) - 1
			default:
				list = append(list, step{areaLevel, [][]op{{o}}, acked})
			}
		case archiveFile:
			if last := len(list) - 1; last >= 0 && list[last].area == areaArchive {
				list[last].lanes[0] = append(list[last].lanes[0], o)
			} else {
				list = append(list, step{areaArchive, [][]op{{o}}, acked})
			}
		default:
			return nil, fmt.Errorf("the recording has a call on %q, which the prover does not know", o.Name)
		}
	}
	for _, s := range list {
		if s.area == areaCommit && (len(s.lanes[0]) == 0 || len(s.lanes[1]) != 1) {
			return nil, fmt.Errorf("the recording has a commit of %d calls on %s beside %d on %s",
				len(s.lanes[0]), hotFile, len(s.lanes[1]), shadowFile)
		}
		for _, lane := range s.lanes {
			if last := lane[len(lane)-1]; last.Kind != opSync && !last.Durable {
				return nil, fmt.Errorf("the store promised something with a write of %s that it had not synced", last.Name)
			}
		}
	}
	return list, nil
}

// flat is everything a step asked for, in an order in which it may have happened.
func (s step) flat() []op { return slices.Concat(s.lanes...) }

// promises are the ACK lines of a history.
func (h *history) promises() (list []promise, err error) {
	ops, err := h.calls()
	if err != nil {
		return nil, err
	}
	for _, o := range ops {
		text, ok := strings.CutPrefix(o.Text, "ACK ")
		if o.Kind != opLine || !ok {
			continue
		}
		var p promise
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return nil, fmt.Errorf("promise %q: %w", text, err)
		}
		list = append(list, p)
	}
	return list, nil
}
