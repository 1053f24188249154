package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"posagent/txnstore/txn"
)

// Files keeps what was downloaded, each file whole or not at all: in a directory, or where the power can fail at every call.
type Files interface {
	Read(name string) ([]byte, error) // wraps fs.ErrNotExist where there is none
	Keep(name string, content []byte) error
}

// Folder is Files on disk: the path that every name is put behind, "/var/lib/posagent." or a directory with its slash.
type Folder string

// maxFile bounds what is read back, in bytes.
const maxFile = 256 << 10

// Read returns a whole file.
func (f Folder) Read(name string) ([]byte, error) {
	file, err := os.Open(string(f) + name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s is longer than %d bytes", file.Name(), maxFile)
	}
	return content, err
}

// Keep replaces a file. Power lost before the rename leaves the old file, and beside it part of a new one that nobody reads and
// the next call overwrites; power lost after it leaves the new one. After an error the file is one of the two, whole.
func (f Folder) Keep(name string, content []byte) error {
	path := string(f) + name
	beside := path + ".new"
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Origin says where a download came from and when.
type Origin struct {
	Since    time.Time `json:"since"` // wall clock, when it came into force
	Boot     uint32    `json:"boot"`
	Terminal string    `json:"terminal"`
	Merchant string    `json:"merchant"`
	Acquirer string    `json:"acquirer"` // TPDU destination and line
}

func (a *Agent) origin(sent txn.Evidence) Origin {
	from := fmt.Sprintf("TPDU %X by %s", a.o.Header.TPDU[1:3], sent.Bearer)
	if sent.Address > 0 {
		from += fmt.Sprintf(", address %d", sent.Address)
	}
	return Origin{Since: a.wires.Now().UTC(), Boot: a.store.Boot(), Terminal: a.o.Terminal, Merchant: a.o.Merchant, Acquirer: from}
}

// A downloaded file is one line of magic, name, version and SHA-256, and then JSON. The digest is no protection against
// anybody; it finds what a worn flash has made of the file.
const fileMagic = "posagent"

var errDamaged = errors.New("the file is damaged")

func sealFile(name string, body any) ([]byte, error) {
	text, err := json.MarshalIndent(body, "", " ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	content := fmt.Appendf(nil, "%s %s 1 %s\n", fileMagic, name, hex.EncodeToString(sum[:]))
	if content = append(append(content, text...), '\n'); len(content) > maxFile {
		return nil, fmt.Errorf("%s comes to %d bytes, at most %d are kept", name, len(content), maxFile)
	}
	return content, nil
}

// openFile reads what sealFile has made. Its errors wrap errDamaged.
func openFile(name string, content []byte, body any) error {
	head, text, _ := strings.Cut(string(content), "\n")
	text = strings.TrimSuffix(text, "\n")
	sum := sha256.Sum256([]byte(text))
	if head != fmt.Sprintf("%s %s 1 %s", fileMagic, name, hex.EncodeToString(sum[:])) {
		return fmt.Errorf("%w: its first line does not agree with what follows", errDamaged)
	}
	strict := json.NewDecoder(strings.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(body); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}
