package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"posagent/txnstore"
	"posagent/txnstore/txn"
)

const (
	smallStore   = 500 // records in the store that the large one is compared with
	middleStore  = 5000
	archiveEvery = 4 // sales after which a busy till gets round to its archive
	memoryDir    = "/dev/shm"
)

// benchKey seals the stores that the bench makes. They hold one test card.
func benchKey() []byte { return bytes.Repeat([]byte{7}, 32) }

// stores are directories with so many finished transactions. They are made once, in memory where there is a file system
// in memory, and copied to where they are measured.
type stores struct {
	dir, small, large string
	middle            string // empty when the large one is no larger
	records           int    // in the large one
	inMemory          bool
}

// sizes are the numbers of records that there are stores with, and none.
func (s stores) sizes() []int {
	if s.middle == "" {
		return []int{0, smallStore, s.records}
	}
	return []int{0, smallStore, middleStore, s.records}
}

// at is the store with so many records.
func (s stores) at(records int) string {
	switch records {
	case 0:
		return filepath.Join(s.dir, "empty")
	case smallStore:
		return s.small
	case s.records:
		return s.large
	default:
		return s.middle
	}
}

func (s stores) remove() {
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// stock makes the stores through the store's own API, sale by sale. Later calls return what the first one made.
func (m *measuring) stock(ctx context.Context) (stores, error) {
	if m.stores.large != "" {
		return m.stores, nil
	}
	m.say("  selling %d times into a store, for a history", m.records)
	parent, inMemory := m.dir, false
	var is unix.Statfs_t
	if err := unix.Statfs(memoryDir, &is); err == nil && is.Type == unix.TMPFS_MAGIC {
		parent, inMemory = memoryDir, true
	}
	m.stores.remove() // of an attempt that failed
	dir, err := os.MkdirTemp(parent, "hil-bench-")
	if err != nil {
		return stores{}, err
	}
	m.stores = stores{dir: dir}
	made := stores{dir: dir, small: filepath.Join(dir, "small"), large: filepath.Join(dir, "large"), records: m.records, inMemory: inMemory}
	if m.records > middleStore {
		made.middle = filepath.Join(dir, "middle")
	}
	before, had := "", 0
	for _, records := range made.sizes() {
		if before != "" {
			if err := copyStore(before, made.at(records)); err != nil {
				return stores{}, err
			}
		}
		if err := sellInto(ctx, made.at(records), records-had); err != nil {
			return stores{}, err
		}
		before, had = made.at(records), records
	}
	m.stores = made
	return made, nil
}

// sellInto makes so many approved and printed sales.
func sellInto(ctx context.Context, dir string, sales int) error {
	t, err := openTill(dir, filepath.Base(dir))
	if err != nil {
		return err
	}
	for n := range sales {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), t.close())
		}
		if _, err := t.sale(); err != nil {
			return errors.Join(err, t.close())
		}
		if n%archiveEvery == archiveEvery-1 || n == sales-1 {
			if err := t.store.Tidy(); err != nil {
				return errors.Join(err, t.close())
			}
		}
	}
	return t.close()
}

// till sells with the same card again and again, as the terminal's engine would, without reader, line and printer.
type till struct {
	dir   string
	store *txnstore.Store
	card  txn.Card
	name  string
	n     int
}

func tillOptions() *txnstore.Options {
	return &txnstore.Options{Terminal: terminalID, Merchant: merchantID, Key: benchKey()}
}

func openTill(dir, name string) (*till, error) {
	pan, err := txn.ParsePAN("6224242900000113")
	if err != nil {
		return nil, err
	}
	s, _, err := txnstore.Open(dir, tillOptions())
	if err != nil {
		return nil, err
	}
	return &till{dir: dir, store: s, name: name, card: txn.Card{PAN: pan, Expiry: "3012", Sequence: "001", Entry: txn.Contactless,
		Label: "UnionPay", AID: "A000000333010101", Chip: txn.NewChip([]byte{0x95, 5, 0, 0, 0, 0, 0, 0x9F, 0x36, 2, 1, 2})}}, nil
}

// sale is one approved sale, and how long the customer waited for the store. The slips' marks wait for the next commit.
func (t *till) sale() (time.Duration, error) {
	t.n++
	began := time.Now()
	x, err := t.store.Begin(txn.Draft{Kind: txn.Sale, Reference: fmt.Sprintf("%s-%06d", t.name, t.n), Operator: "01",
		Amount: 1250, Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}, Card: t.card})
	if err != nil {
		return 0, err
	}
	if _, err = t.store.Advance(x.ID, txn.Approved, approved); err != nil {
		return 0, err
	}
	took := time.Since(began)
	_, err = t.store.Mark(x.ID, func(x *txn.Txn) { x.Slips = txn.Slips{Merchant: txn.SlipPrinted, Customer: txn.SlipPrinted} })
	return took, err
}

// approved is what an approval writes into a record.
func approved(x *txn.Txn) {
	x.Answer = txn.Answer{Code: "00", Approved: true, RRN: "112109350101", AuthCode: "123456", Issuer: "01020000", Acquirer: "01030000",
		HostTime: "093501", HostDate: "1121"}
	x.Sent = txn.Evidence{Written: 312, Total: 312, Bearer: "ethernet"}
	x.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
}

func (t *till) close() error { return t.store.Close() }

// copyStore copies a store that nobody has open, and waits until it is on the disk: what is still to be written back
// would be counted, and waited for, by what is measured next.
func copyStore(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			return err
		}
		if err := writeSynced(filepath.Join(to, f.Name()), data); err != nil {
			return err
		}
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// keyFile is the bench's key as the terminal's configuration names it.
func keyFile() []byte { return []byte(hex.EncodeToString(benchKey()) + "\n") }
