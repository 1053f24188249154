package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore"
)

// rival is a way of keeping sales that is compared with the others: two durable states of a record of about 600 bytes.
type rival interface {
	seller
	// reopen closes and opens again, and tells how long it took until the newest record could be read.
	reopen() (time.Duration, error)
}

const sqliteProgram = "hil-sqlite" // cmd/hil/sqlite, beside the other programs

// rivals are the contenders, in the order of the table.
var rivals = []struct {
	name string
	open func(m *measuring, dir string, records int) (rival, error)
}{
	{"this store, two copies", func(m *measuring, dir string, records int) (rival, error) {
		if err := copyStore(m.stores.at(records), filepath.Join(dir, loopStore)); err != nil {
			return nil, err
		}
		return openTill(filepath.Join(dir, loopStore), "beside")
	}},
	{"plain bbolt", func(_ *measuring, dir string, records int) (rival, error) { return filledPlain(dir, records) }},
	{"SQLite, WAL, FULL", func(m *measuring, dir string, records int) (rival, error) { return openSQLite(m.bin, dir, records) }},
	{"raw log with checksums", func(_ *measuring, dir string, records int) (rival, error) { return filledLog(dir, records) }},
}

func (t *till) reopen() (time.Duration, error) {
	if err := t.store.Close(); err != nil {
		return 0, err
	}
	began := time.Now()
	s, _, err := txnstore.Open(t.dir, tillOptions())
	if err != nil {
		return 0, err
	}
	t.store = s
	_, err = s.List(1)
	return time.Since(began), err
}

func filledPlain(dir string, records int) (*plainStore, error) {
	p, err := openPlain(filepath.Join(dir, loopPlain))
	if err == nil {
		err = p.fill(records)
	}
	return p, err
}

func (p *plainStore) reopen() (time.Duration, error) {
	path := p.db.Path()
	if err := p.db.Close(); err != nil {
		return 0, err
	}
	began := time.Now()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return 0, err
	}
	p.db = db
	err = db.View(func(tx *bolt.Tx) error {
		if _, record := tx.Bucket([]byte(plainBucket)).Cursor().Last(); p.next > 0 && len(record) != plainRecord {
			return errors.New("the newest record is not there")
		}
		return nil
	})
	return time.Since(began), err
}

// sqliteRival is a process that sells into SQLite. Its times are taken by itself, so that the pipe is not in them.
type sqliteRival struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func sqliteCommand(bin string, args ...string) (*exec.Cmd, error) {
	program := filepath.Join(bin, sqliteProgram)
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("SQLite is built by make bench: %w", err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, nil
}

func openSQLite(bin, dir string, records int) (*sqliteRival, error) {
	cmd, err := sqliteCommand(bin, filepath.Join(dir, loopSQLite))
	if err != nil {
		return nil, err
	}
	r := &sqliteRival{cmd: cmd}
	if r.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewScanner(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := r.ask("fill " + strconv.Itoa(records)); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *sqliteRival) ask(what string) (time.Duration, error) {
	if _, err := io.WriteString(r.in, what+"\n"); err != nil {
		return 0, fmt.Errorf("SQLite: %w", err)
	}
	if !r.out.Scan() {
		return 0, fmt.Errorf("SQLite ended at %q", what)
	}
	n, err := strconv.ParseInt(r.out.Text(), 10, 64)
	return time.Duration(n), err
}

func (r *sqliteRival) sale() (time.Duration, error)   { return r.ask("sale") }
func (r *sqliteRival) after() error                   { return nil }
func (r *sqliteRival) reopen() (time.Duration, error) { return r.ask("open") }
func (r *sqliteRival) close() error                   { return errors.Join(r.in.Close(), r.cmd.Wait()) }

// traceSQLite makes sales between two marks under the tracer.
func (m *measuring) traceSQLite(ctx context.Context, dir string) (cost, error) {
	r, err := openSQLite(m.bin, dir, m.records)
	if err == nil {
		err = r.close()
	}
	if err != nil {
		return cost{}, err
	}
	cmd, err := sqliteCommand(m.bin, "-sales", strconv.Itoa(m.sales), "-mark", filepath.Join(dir, loopMark), filepath.Join(dir, loopSQLite))
	if err != nil {
		return cost{}, err
	}
	return costUnderTracer(ctx, cmd.Args...)
}

// costUnderTracer runs a program that sells between two marks.
func costUnderTracer(ctx context.Context, argv ...string) (cost, error) {
	ctx, cancel := context.WithTimeout(ctx, saleWithin)
	defer cancel()
	var said strings.Builder
	t, err := trace(&said, argv...)
	if err != nil {
		return cost{}, err
	}
	if err := t.ended(ctx); err != nil {
		return cost{}, err
	}
	calls, err := t.listed()
	if err == nil {
		calls, err = betweenMarks(calls)
	}
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w: %s", filepath.Base(argv[0]), err, strings.TrimSpace(said.String()))
	}
	return costOf(calls), nil
}
