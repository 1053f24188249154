package txnstore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// quickDir is a directory on tmpfs where there is one: these tests are about what is written, not about how fast.
func quickDir(t testing.TB) string {
	if info, err := os.Stat("/dev/shm"); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "txnstore")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func testOptions() *Options {
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	return &Options{
		Terminal: "T1234567", Merchant: "104110048160001", Key: bytes.Repeat([]byte{7}, keySize),
		Now: func() time.Time { at = at.Add(1500 * time.Millisecond); return at },
	}
}

func mustOpen(t require.TestingT, dir string) (*Store, Report) {
	s, report, err := Open(dir, testOptions())
	require.NoError(t, err)
	return s, report
}

// openQuiet opens a store that is closed with the test.
func openQuiet(t testing.TB, dir string) *Store {
	s, _ := mustOpen(t, dir)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func draft(ref string) txn.Draft {
	pan, err := txn.ParsePAN("6224242900000113")
	if err != nil {
		panic(err)
	}
	return txn.Draft{
		Kind: txn.Sale, Reference: ref, Operator: "01", Amount: 1250,
		Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2},
		Card: txn.Card{PAN: pan, Expiry: "3012", Sequence: "001", Entry: txn.Inserted, Label: "PBOC DEBIT",
			AID: "A000000333010101", Chip: txn.NewChip([]byte{0x95, 5, 0, 0, 4, 0, 0, 0x9F, 0x36, 2, 1, 2})},
	}
}

func mustBegin(t require.TestingT, s *Store, ref string) txn.Txn {
	r, err := s.Begin(draft(ref))
	require.NoError(t, err)
	return r
}

func mustAdvance(t require.TestingT, s *Store, id txn.ID, next txn.State, change func(*txn.Txn)) txn.Txn {
	r, err := s.Advance(id, next, change)
	require.NoError(t, err)
	return r
}

// approve is what an approved sale does to its record.
func approve(t *txn.Txn) {
	t.Answer = txn.Answer{Code: "00", Approved: true, RRN: "123456789012", AuthCode: "ABC123", Text: "交易成功"}
	t.Sent = txn.Evidence{Written: 312, Total: 312, Bearer: "ethernet"}
	t.Slips = txn.Slips{Merchant: txn.SlipOwed, Customer: txn.SlipOwed}
}

func printed(t *txn.Txn) {
	t.SetSlip(txn.MerchantCopy, txn.SlipPrinted)
	t.SetSlip(txn.CustomerCopy, txn.SlipPrinted)
}

// sell takes one sale from beginning to paper.
func sell(t require.TestingT, s *Store, ref string) txn.Txn {
	r := mustBegin(t, s, ref)
	mustAdvance(t, s, r.ID, txn.Approved, approve)
	r, err := s.Mark(r.ID, printed)
	require.NoError(t, err)
	return r
}

// photograph copies the three files as a power cut at this moment would leave them.
func photograph(t require.TestingT, from, to string) {
	require.NoError(t, os.MkdirAll(to, 0o700))
	for _, name := range fileNames() {
		b, err := os.ReadFile(filepath.Join(from, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, name), b, 0o600))
	}
}

// after photographs a running store and opens the photograph: the power went, and came back.
func after(t testing.TB, s *Store) (*Store, Report) {
	dir := quickDir(t)
	photograph(t, s.dir, dir)
	next, report := mustOpen(t, dir)
	t.Cleanup(func() { _ = next.Close() })
	return next, report
}

func patch(t require.TestingT, path string, change func([]byte) []byte) {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(b), 0o600))
}

// alterArchive commits a change that the store would not make.
func alterArchive(t testing.TB, s *Store, work func(*bolt.Tx) error) {
	tx, err := s.files.archive.begin(work)
	require.NoError(t, err)
	require.NoError(t, s.files.archive.commit(tx))
}

func ids(list []txn.Txn) (out []txn.ID) {
	for _, t := range list {
		out = append(out, t.ID)
	}
	return out
}

func refNumber(n int) string { return fmt.Sprintf("till-3-%06d", n) }

// allocated is how many bytes of a file have blocks of the file system behind them.
func allocated(info os.FileInfo) int64 { return info.Sys().(*syscall.Stat_t).Blocks * 512 }
