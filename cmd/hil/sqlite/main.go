// Sqlite is what `hil bench` compares the store with: a table of SQLite in WAL mode with synchronous=FULL, one record a
// sale, written when it begins and again when it ends, each durable when the call returns.
//
//	sqlite FILE                          obey standard input, one answer a line:
//	    fill N                           put N finished records
//	    sale                             make a sale; how long it took, in nanoseconds
//	    open                             close and open again, up to the first record read; how long, in nanoseconds
//	sqlite -sales N -mark MARK FILE      make N sales between two writes to MARK, for a tracer
//
// It is a module of its own, because SQLite takes longer to compile than everything else here together and nobody but
// the bench wants it. Any failure ends it with a message and exit status 1.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/embed"
)

func main() {
	sales := flag.Int("sales", 0, "make so many sales and end")
	mark := flag.String("mark", "", "a `FILE` that is written before the first of them and after the last")
	flag.Parse()
	err := errors.New("usage: sqlite [-sales N -mark MARK] FILE")
	if flag.NArg() == 1 {
		err = run(flag.Arg(0), *sales, *mark)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sqlite:", err)
		os.Exit(1)
	}
}

func run(path string, sales int, mark string) error {
	s, err := open(path)
	if err != nil {
		return err
	}
	if sales > 0 {
		err = s.between(sales, mark)
	} else {
		err = s.serve()
	}
	return errors.Join(err, s.close())
}

// between makes sales between two marks.
func (s *store) between(sales int, mark string) error {
	set := func() error { return os.WriteFile(mark, []byte("x"), 0o600) }
	err := set()
	for n := 0; n < sales && err == nil; n++ {
		_, err = s.sale()
	}
	return errors.Join(err, set())
}

func (s *store) serve() error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var took time.Duration
		var records int
		var err error
		switch line := lines.Text(); line {
		case "sale":
			took, err = s.sale()
		case "open":
			took, err = s.reopen()
		default:
			if _, err = fmt.Sscanf(line, "fill %d", &records); err == nil {
				err = s.fill(records)
			}
		}
		if err != nil {
			return err
		}
		fmt.Println(took.Nanoseconds())
	}
	return nil
}

// recordSize is that of the records which the bench writes elsewhere.
const recordSize = 600

const (
	pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS txn(id INTEGER PRIMARY KEY, record BLOB NOT NULL)"
	putText = "INSERT INTO txn(id, record) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET record = excluded.record"
	newest  = "SELECT id, record FROM txn ORDER BY id DESC LIMIT 1"
)

type store struct {
	path   string
	c      *sqlite3.Conn
	put    *sqlite3.Stmt
	next   int64
	record [recordSize]byte
}

// open opens or makes the database and reads the newest record. The log stays when the database is closed, as a power cut
// would leave it, so that its blocks are there.
func open(path string) (*store, error) {
	s := &store{path: path}
	var err error
	if s.c, err = sqlite3.Open("file:" + path); err != nil {
		return nil, err
	}
	if _, err = s.c.FileControl("main", sqlite3.FCNTL_PERSIST_WAL, true); err != nil {
		return nil, err
	}
	if err = s.c.Exec(pragmas); err != nil {
		return nil, err
	}
	last, _, err := s.c.Prepare(newest)
	if err != nil {
		return nil, err
	}
	if last.Step() {
		s.next = last.ColumnInt64(0)
		copy(s.record[:], last.ColumnRawBlob(1))
	}
	if err = errors.Join(last.Err(), last.Close()); err != nil {
		return nil, err
	}
	s.next++
	s.put, _, err = s.c.Prepare(putText)
	return s, err
}

func (s *store) state(outcome byte) error {
	s.record[recordSize-1] = outcome
	return errors.Join(s.put.BindInt64(1, s.next), s.put.BindBlob(2, s.record[:]), s.put.Exec())
}

func (s *store) sale() (time.Duration, error) {
	began := time.Now()
	err := errors.Join(s.state(0), s.state(1))
	took := time.Since(began)
	s.next++
	return took, err
}

// warmLog is more than the log grows to between checkpoints, 1000 pages. Filled with something that is dropped again, it
// has its blocks before the first sale, which is how it is from the second day on.
const warmLog = "CREATE TABLE warm(b BLOB); INSERT INTO warm VALUES(zeroblob(6000000)); DROP TABLE warm"

// fill does not wait for the disk until the end.
func (s *store) fill(records int) error {
	err := s.c.Exec("PRAGMA synchronous=OFF; BEGIN")
	for n := 0; n < records && err == nil; n++ {
		err = s.state(1)
		s.next++
	}
	return errors.Join(err, s.c.Exec("COMMIT; PRAGMA synchronous=FULL; "+warmLog+"; PRAGMA wal_checkpoint(RESTART)"))
}

func (s *store) reopen() (time.Duration, error) {
	if err := s.close(); err != nil {
		return 0, err
	}
	began := time.Now()
	again, err := open(s.path)
	took := time.Since(began)
	if err == nil {
		*s = *again
	}
	return took, err
}

func (s *store) close() error { return errors.Join(s.put.Close(), s.c.Close()) }
