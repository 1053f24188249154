package txnstore

import (
	"errors"
	"path/filepath"
)

// files are the three open files of a store.
type files struct {
	hot     *hotFile
	archive *archive
	shadow  *shadowFile
}

// openFiles opens the three; verified says that the verifier has just looked at them and found none damaged.
func openFiles(dir string, readOnly, verified bool) (_ *files, err error) {
	f := &files{}
	defer func() {
		if err != nil {
			_ = f.close()
		}
	}()
	if f.shadow, err = openShadow(filepath.Join(dir, shadowName), readOnly); err != nil {
		return nil, err
	}
	if f.hot, err = openHot(filepath.Join(dir, hotName), readOnly, verified); err != nil {
		return nil, err
	}
	f.archive, err = openArchive(filepath.Join(dir, archiveName), readOnly, verified)
	return f, err
}

func (f *files) close() error {
	var errs [3]error
	if f.hot != nil {
		errs[0] = f.hot.close()
	}
	if f.archive != nil {
		errs[1] = f.archive.close()
	}
	if f.shadow != nil {
		errs[2] = f.shadow.close()
	}
	return errors.Join(errs[:]...)
}
