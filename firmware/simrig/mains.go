package simrig

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"posagent/firmware/scenario"
)

// Powered implements scenario.Rig.
func (w *World) Powered() bool { return w.living() != nil }

// CutPower implements scenario.Rig.
func (w *World) CutPower() {
	l := w.living()
	if l == nil {
		return
	}
	w.saw("power", "off")
	w.mu.Lock()
	upon := w.upon
	if upon == "" {
		upon = "at any time"
	}
	w.cuts[upon]++
	w.mu.Unlock()
	l.die()
}

// RestorePower implements scenario.Rig.
func (w *World) RestorePower() error {
	w.mu.Lock()
	dead := w.life
	w.mu.Unlock()
	if dead == nil || !dead.dead() {
		return nil
	}
	if err := dead.bury(); err != nil {
		return err
	}
	w.saw("power", "on")
	dir, err := w.unpack(dead.left)
	if err != nil {
		return err
	}
	l, err := w.boot(dir)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.life = l
	w.mu.Unlock()
	return w.answering()
}

// unpack lays the files of the last life into a directory for the next one. Some boots do not get far: they open the store
// and the power fails inside the commit that counts the boot.
func (w *World) unpack(left remains) (dir string, err error) {
	defer w.files.over()
	for {
		dir = w.nextDir()
		if err := left.write(dir); err != nil {
			return dir, err
		}
		if w.o.BootCuts == 0 || w.throw("boot cut", 10_000) >= int64(w.o.BootCuts) {
			return dir, nil
		}
		store, _, err := w.open(dir)
		if err != nil {
			return dir, err
		}
		after, err := w.files.read(dir)
		if err = errors.Join(err, store.Close(), os.RemoveAll(dir)); err != nil {
			return dir, err
		}
		how := ""
		left, how = halfBoot(left, after, w.dice("half a boot"))
		w.saw("power", "failed inside a boot: %s", how)
		w.mu.Lock()
		w.cuts["inside a boot"]++
		w.mu.Unlock()
	}
}

// answering waits until the socket does, or until the power fails again.
func (w *World) answering() error {
	conn, err := w.Till()
	if err != nil {
		return nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err = conn.Write([]byte("{\"op\":\"status\"}\n")); err == nil {
		_, err = bufio.NewReaderSize(conn, 1024).ReadBytes('\n')
	}
	if err != nil && w.Powered() {
		return fmt.Errorf("the terminal was started and does not answer: %w", err)
	}
	return nil
}

// sort is an event's kind in a report.
func sort(k scenario.Kind) string {
	switch k {
	case scenario.Before:
		return "before a commit"
	case scenario.Inside:
		return "inside a commit"
	case scenario.After:
		return "after a commit"
	case scenario.Send, scenario.Recv:
		return "at the end of a message"
	case scenario.SendByte, scenario.RecvByte:
		return "inside a message"
	case scenario.ByteTo, scenario.ByteFrom:
		return "at a byte of a wire"
	case scenario.Printing:
		return "in a slip"
	case scenario.CardRead:
		return "at the card"
	default:
		return ""
	}
}
