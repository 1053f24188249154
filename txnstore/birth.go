package txnstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Birth makes the three files, each in four steps, in this order: archive.db, shadow, hot.db.
//
//	write NAME.new in full ──► fsync it ──► rename to NAME ──► fsync the directory
//
// Power lost before a rename leaves a NAME.new, which the next Open removes. Power lost between two renames leaves some
// of the files, all with boot 0: nobody has ever traded with them, so the next Open makes all three again. As soon as
// one of them shows a boot, a missing one is not an interrupted birth but damage.
const unborn = ".new"

// fileNames in the order of birth.
func fileNames() []string { return []string{archiveName, shadowName, hotName} }

// prepare removes what an interrupted birth or salvage left under temporary names, and makes the files where nobody has
// traded. What is missing elsewhere is left to the salvage.
func prepare(dir string, s *sealer) (findings []string, err error) {
	for _, name := range fileNames() {
		if kept, err := keepNameless(dir, name); err != nil || kept != "" {
			if err != nil {
				return nil, err
			}
			findings = append(findings, kept)
			continue
		}
		was, err := removeUnborn(dir, name)
		if err != nil {
			return nil, err
		}
		if was {
			findings = append(findings, "removed "+name+unborn+", left by an interrupted start")
		}
	}
	missing, err := missingFiles(dir)
	if err != nil || len(missing) == 0 {
		return findings, err
	}
	if len(missing) < len(fileNames()) {
		if inService(dir, missing) {
			return findings, nil
		}
		findings = append(findings, "an interrupted first start was begun again")
	}
	return findings, birth(dir, s)
}

// keepNameless puts NAME.new aside where NAME is missing and the terminal has been in service: a rename that was
// acknowledged did not reach the disk, and everything since then stands under the name it was made by.
func keepNameless(dir, name string) (kept string, err error) {
	path := filepath.Join(dir, name)
	if exists(path) || !exists(path+unborn) {
		return "", nil
	}
	missing, err := missingFiles(dir)
	if err != nil || len(missing) == len(fileNames()) || !inService(dir, missing) {
		return "", err
	}
	info, err := os.Stat(path + unborn)
	if err != nil {
		return "", fmt.Errorf("keep %s%s: %w", name, unborn, err)
	}
	dated := path + asideMark + info.ModTime().UTC().Format(asideDate) + "-nameless"
	to := dated
	for n := 1; exists(to); n++ {
		to = fmt.Sprintf("%s-%02d", dated, n)
	}
	if err := os.Rename(path+unborn, to); err != nil {
		return "", fmt.Errorf("keep %s%s: %w", name, unborn, err)
	}
	return fmt.Sprintf("%s is missing and %s%s was kept as %s: a change of name was lost", name, name, unborn, filepath.Base(to)), syncFile(dir)
}

func missingFiles(dir string) (missing []string, err error) {
	for _, name := range fileNames() {
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, name)
		case err != nil:
			return nil, fmt.Errorf("look for %s: %w", name, err)
		}
	}
	return missing, nil
}

// inService asks the files that exist whether the terminal has traded. A file that cannot be read says yes: on doubt
// nothing is made anew. So does one that was put aside.
func inService(dir string, missing []string) bool {
	for _, name := range fileNames() {
		if slices.Contains(missing, name) {
			if aside, err := sourceOf(dir, name); aside != "" || err != nil {
				return true
			}
			continue
		}
		count, err := readBoot(filepath.Join(dir, name))
		if err != nil || count.inService() {
			return true
		}
	}
	return false
}

func readBoot(path string) (count counters, err error) {
	switch filepath.Base(path) {
	case hotName:
		h, err := openHot(path, true, false)
		if err != nil {
			return count, err
		}
		defer h.close()
		return h.counters()
	case archiveName:
		a, err := openArchive(path, true, false)
		if err != nil {
			return count, err
		}
		defer a.close()
		_, _, count, countErr, err := a.meta()
		return count, errors.Join(err, countErr)
	default:
		s, err := openShadow(path, true)
		if err != nil {
			return count, err
		}
		defer s.close()
		return s.boot()
	}
}

// boot reads the counters only, without a key.
func (s *shadowFile) boot() (count counters, err error) {
	for n := range shadowBlocks {
		b := make([]byte, pageSize)
		if _, err := s.f.ReadAt(b, int64(n)*pageSize); err != nil {
			return count, err
		}
		blk, err := openBlock(n, b)
		if err != nil && (n == identityBlock || !errors.Is(err, errEmptyBlock)) {
			return count, err
		}
		count = count.raised(blk.count)
	}
	return count, nil
}

func birth(dir string, s *sealer) error {
	id, count := identity{s.terminal, s.keyCheck(), schema}, newCounters(s.terminal)
	builds := map[string]func(path string) error{
		archiveName: func(path string) error { return buildArchive(path, id, count) },
		shadowName:  func(path string) error { return buildShadow(path, id, count) },
		hotName:     func(path string) error { return buildHot(path, count) },
	}
	for _, name := range fileNames() {
		path := filepath.Join(dir, name)
		if err := errors.Join(builds[name](path+unborn), syncFile(path+unborn)); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		if err := os.Rename(path+unborn, path); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		if err := syncFile(dir); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
	}
	return nil
}

func buildHot(path string, count counters) error {
	return buildBolt(path, hotSize, bolt.Options{NoFreelistSync: true}, func(tx *bolt.Tx) error {
		for i := range hotSlots {
			if _, err := tx.CreateBucket(slotBucket(i)); err != nil {
				return err
			}
		}
		bucket, err := tx.CreateBucket(counterBucket)
		if err != nil {
			return err
		}
		return errors.Join(bucket.Put(counterKey, count.frame()), bucket.SetSequence(heardStamp(0, tx.ID())))
	})
}

func buildArchive(path string, id identity, count counters) error {
	return buildBolt(path, archiveStep, bolt.Options{}, func(tx *bolt.Tx) error {
		return layOut(tx, id, count, 0)
	})
}

// layOut makes the buckets of a new archive.db, after so many commits of others before it.
func layOut(tx *bolt.Tx, id identity, count counters, before uint64) error {
	id.schema = schema
	for _, name := range append(archiveBuckets(), totalBucket) {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(metaBucket)
	return errors.Join(meta.Put(identityKey, id.frame()), meta.Put(countersKey, count.frame()),
		meta.SetSequence(archiveStamp(before+1, tx.ID())))
}

// buildBolt makes a database of size bytes without a hole in it: bbolt writes its first four pages, zeros are written
// behind them, and only then comes the first transaction, which would otherwise grow the file by truncation.
func buildBolt(path string, size int64, o bolt.Options, fill func(*bolt.Tx) error) error {
	o.Timeout, o.PageSize, o.FreelistType = lockPatience, pageSize, bolt.FreelistArrayType
	db, err := bolt.Open(path, 0o600, &o)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		err = errors.Join(writeZeros(f, 4*pageSize, size-4*pageSize), f.Close())
	}
	if err == nil {
		err = db.Update(fill)
	}
	return errors.Join(err, db.Close())
}

func buildShadow(path string, id identity, count counters) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = writeZeros(f, 0, shadowSize)
	if err == nil {
		s := shadowFile{f: f}
		err = s.put(identityBlock, count, id.frame())
	}
	return errors.Join(err, f.Close())
}

// writeZeros writes real zeros, so that the file system allocates the blocks now.
func writeZeros(f *os.File, from, n int64) error {
	zeros := make([]byte, 64<<10)
	for n > 0 {
		part := zeros[:min(n, int64(len(zeros)))]
		if _, err := f.WriteAt(part, from); err != nil {
			return err
		}
		from, n = from+int64(len(part)), n-int64(len(part))
	}
	return nil
}

// syncFile syncs a file or a directory by name.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
