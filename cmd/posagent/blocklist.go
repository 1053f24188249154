package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

// blocklistLoad turns a list of card numbers, one a line, into the list of fingerprints that the agent compares, and replaces
// that as a whole. The numbers themselves are kept nowhere: remove the file that they came in.
func (c *command) blocklistLoad(from string) int {
	config, err := readConfig(c.config)
	if err != nil {
		return c.fail(err)
	}
	if config.Terminal.Blocklist == "" {
		return c.fail(errors.New("terminal.blocklist: no list is named in the configuration"))
	}
	key, _, err := config.storeKey()
	if err != nil {
		return c.fail(fmt.Errorf("store.key_file: %w", err))
	}
	fingerprint, err := txnstore.Fingerprints(key, config.Terminal.ID)
	if err != nil {
		return c.fail(err)
	}
	source := io.Reader(os.Stdin)
	if from != "-" {
		file, err := os.Open(from)
		if err != nil {
			return c.fail(err)
		}
		defer file.Close()
		source = file
	}
	list, err := fingerprintsOf(source, fingerprint)
	if err != nil {
		return c.fail(err)
	}
	if err := writeWhole(config.path(config.Terminal.Blocklist), []byte(strings.Join(list, ""))); err != nil {
		return c.fail(err)
	}
	fmt.Fprintf(c.out, "黑名单 %d 张卡  %d cards are blocked\n", len(list), len(list))
	return exitDone
}

// maxBlockedCards bounds a list, as the agent does.
const maxBlockedCards = 100_000

// fingerprintsOf reads card numbers. Errors name the line and never what stands in it.
func fingerprintsOf(source io.Reader, fingerprint func(txn.PAN) string) ([]string, error) {
	var list []string
	lines := bufio.NewScanner(source)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		pan, err := txn.ParsePAN(line)
		if err == nil && len(list) == maxBlockedCards {
			err = fmt.Errorf("more than %d cards", maxBlockedCards)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w; nothing was changed", n, err)
		}
		list = append(list, fingerprint(pan)+"\n")
	}
	slices.Sort(list)
	return slices.Compact(list), lines.Err()
}

// writeWhole replaces a file: written beside it, synced, renamed over it.
func writeWhole(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path)
}
