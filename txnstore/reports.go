package txnstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A salvage leaves report-DATE-bootN.txt in the store's directory before it changes anything. Every Open names it until
// somebody has read it and says so; it is then called read-…, and kept.
const (
	reportPrefix = "report-"
	readPrefix   = "read-"
	mostReports  = 64
	maxReport    = 64 << 10 // bytes of a report that are shown
)

// Salvaged is the report of one salvage.
type Salvaged struct {
	Name string // of the file, in the store's directory
	Text string
}

// Reports lists what salvages found and nobody has acknowledged, oldest first. It needs no key, and an agent may run.
func Reports(dir string) ([]Salvaged, error) {
	names, err := reportNames(dir)
	if err != nil {
		return nil, err
	}
	var all []Salvaged
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		all = append(all, Salvaged{name, string(text[:min(len(text), maxReport)])})
	}
	return all, nil
}

// Acknowledge takes a report off the list, durably. The file stays.
func Acknowledge(dir, name string) error {
	if !strings.HasPrefix(name, reportPrefix) || name != filepath.Base(name) {
		return fmt.Errorf("%q is not the name of a report", name)
	}
	if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, readPrefix+name)); err != nil {
		return err
	}
	return syncFile(dir)
}

func reportNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, reportPrefix) && strings.HasSuffix(name, ".txt") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), mostReports)], nil
}

// writeReport is durable when it returns.
func writeReport(dir string, now time.Time, boot uint32, lines []string) (string, error) {
	dated := fmt.Sprintf("%s%s-boot%d", reportPrefix, now.UTC().Format("20060102T150405"), boot)
	name := dated + ".txt"
	for n := 1; exists(filepath.Join(dir, name)) || exists(filepath.Join(dir, readPrefix+name)); n++ {
		name = fmt.Sprintf("%s-%02d.txt", dated, n)
	}
	text := fmt.Sprintf("%s  boot %d\n", now.UTC().Format(time.RFC3339), boot) + strings.Join(lines, "\n") + "\n"
	path := filepath.Join(dir, name)
	err := os.WriteFile(path+unborn, []byte(text), 0o600)
	if err == nil {
		err = syncFile(path + unborn)
	}
	if err == nil {
		err = os.Rename(path+unborn, path)
	}
	if err = errors.Join(err, syncFile(dir)); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return name, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
