package txnstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// What can be wrong with the disk under a store. An error of this package that comes from the disk wraps one of these and
// says in words what to do. While it lasts nothing new is recorded; whatever is recorded stays, and each operation tries
// again, so that trade goes on by itself when the fault has ended.
var (
	// ErrNoSpace: the file system, a quota or a limit on file sizes has no room left (ENOSPC, EDQUOT, EFBIG).
	ErrNoSpace = errors.New("the disk is full: free some space on it")
	// ErrReadOnly: the file system takes no writes (EROFS).
	ErrReadOnly = errors.New("the file system is read-only: look for disk errors in the kernel log (dmesg), " +
		"then repair it (fsck) or mount it for writing (mount -o remount,rw)")
	// ErrDisk: a read or a write failed (EIO and its kin).
	ErrDisk = errors.New("the disk fails: look for disk errors in the kernel log (dmesg) and have the storage replaced; " +
		"keep a copy of the directory")
)

// faultsByNumber maps the system's error numbers (errno(3)) to what people can do about them.
var faultsByNumber = map[syscall.Errno]error{
	syscall.ENOSPC: ErrNoSpace, syscall.EDQUOT: ErrNoSpace, syscall.EFBIG: ErrNoSpace,
	syscall.EROFS: ErrReadOnly,
	syscall.EIO:   ErrDisk, syscall.ENXIO: ErrDisk, syscall.ENODEV: ErrDisk, syscall.ESTALE: ErrDisk, syscall.EBADMSG: ErrDisk, syscall.EUCLEAN: ErrDisk,
}

// Fault names the disk's fault behind an error: ErrNoSpace, ErrReadOnly or ErrDisk, or nil.
func Fault(err error) error {
	for _, known := range []error{ErrNoSpace, ErrReadOnly, ErrDisk} {
		if errors.Is(err, known) {
			return known
		}
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return faultsByNumber[number]
	}
	return nil
}

// explained puts the words of the disk's fault in front of the system's own.
func explained(err error) error {
	if fault := Fault(err); fault != nil && !errors.Is(err, fault) {
		return fmt.Errorf("%w (%w)", fault, err)
	}
	return err
}

// HasFiles reports whether dir holds a file of a store, finished or not, in use or set aside. A directory that does not
// exist holds none; what else stands in it (lost+found on a new file system) does not count.
func HasFiles(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	for _, e := range entries {
		for _, name := range fileNames() {
			if strings.HasPrefix(e.Name(), name) {
				return true, nil
			}
		}
	}
	return false, err
}

// removeUnborn removes what an interrupted first start left. It looks first: a read-only file system refuses to remove
// even what is not there.
func removeUnborn(dir, name string) (was bool, err error) {
	path := filepath.Join(dir, name+unborn)
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err := os.Remove(path); err != nil {
		return false, fmt.Errorf("remove %s%s: %w", name, unborn, err)
	}
	return true, nil
}
