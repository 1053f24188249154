package txnstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"time"

	bolt "go.etcd.io/bbolt"

	"posagent/txnstore/txn"
)

// The closing of each batch stands in the bucket meta of archive.db under "closing" and its batch, 4 bytes big-endian. Each
// step is one commit; the one that closes the batch holds the counters with the next batch, so that after a power cut
// either both are true or neither is. The newest closings are kept for their reports.
//
//	closing frame: fields as in a record (record.go), each at most once, but the doubts
const closingFrame frameKind = 'B'

// keptClosings is how many closings that nothing is due of are kept beside those that something is.
const keptClosings = 32

var closingKey = []byte("closing")

var errNoClosing = errors.New("no closing")

func keyOfClosing(batch uint32) []byte {
	return binary.BigEndian.AppendUint32(bytes.Clone(closingKey), batch)
}

func isClosingKey(key []byte) bool {
	return len(key) == len(closingKey)+4 && bytes.HasPrefix(key, closingKey)
}

// Tags of a closing's fields. A tag is never given a second meaning.
const (
	closingExplains = 40 // one per transaction
	closingDoubts   = 41
)

type closingField struct {
	tag byte
	put func(*txn.Closing) []byte
	get func(*txn.Closing, []byte) error
}

// closingTable is the table that a closing is written and read by, and closingAt where its tags stand in it.
var (
	closingTable = closingFields()
	closingAt    = tagsOf(closingTable)
)

// closingTags is one more than the highest tag.
const closingTags = 64

func tagsOf(table []closingField) (at [closingTags]*closingField) {
	for i := range table {
		at[table[i].tag] = &table[i]
	}
	return at
}

func closingFields() []closingField {
	fields := []closingField{
		closingNumber(1, func(c *txn.Closing) *uint32 { return &c.Batch }),
		closingNumber(2, func(c *txn.Closing) *uint32 { return &c.Gen }),
		closingText(3, maxName, func(c *txn.Closing) *txn.Step { return &c.Step }),
		closingNumber(4, func(c *txn.Closing) *uint32 { return &c.Boot }),
		closingText(5, maxTerminal, func(c *txn.Closing) *string { return &c.Terminal }),
		closingText(6, maxMerchant, func(c *txn.Closing) *string { return &c.Merchant }),
		closingText(7, maxOperator, func(c *txn.Closing) *string { return &c.Operator }),
		closingText(8, 3, func(c *txn.Closing) *string { return &c.Currency.Number }),
		closingText(9, 3, func(c *txn.Closing) *string { return &c.Currency.Letters }),
		closingNumber(10, func(c *txn.Closing) *int { return &c.Currency.Exponent }),
		closingStamp(11, func(c *txn.Closing) *time.Time { return &c.Began }),
		closingStamp(12, func(c *txn.Closing) *time.Time { return &c.Ended }),
		closingText(13, maxName, func(c *txn.Closing) *txn.Verdict { return &c.Domestic }),
		closingText(14, maxName, func(c *txn.Closing) *txn.Verdict { return &c.Foreign }),
		closingText(15, 2, func(c *txn.Closing) *string { return &c.Code }),
		closingNumber(16, func(c *txn.Closing) *txn.ID { return &c.Cursor }),
		closingNumber(17, func(c *txn.Closing) *int { return &c.Told }),
		closingNumber(18, func(c *txn.Closing) *int { return &c.Unaccepted }),
		closingNumber(19, func(c *txn.Closing) *int { return &c.Tries }),
		closingText(20, maxName, func(c *txn.Closing) *txn.Slip { return &c.Report }),
		closingNumber(42, func(c *txn.Closing) *int { return &c.Certified }),
		closingNumber(43, func(c *txn.Closing) *int { return &c.Uncertified }),
		closingText(44, maxProfile, func(c *txn.Closing) *string { return &c.Profile }),
		closingNumber(37, func(c *txn.Closing) *int { return &c.Unread }),
	}
	sums := []func(*txn.Closing) *txn.Sum{
		func(c *txn.Closing) *txn.Sum { return &c.Own.Domestic.Debit }, func(c *txn.Closing) *txn.Sum { return &c.Own.Domestic.Credit },
		func(c *txn.Closing) *txn.Sum { return &c.Own.Foreign.Debit }, func(c *txn.Closing) *txn.Sum { return &c.Own.Foreign.Credit },
		func(c *txn.Closing) *txn.Sum { return &c.Host.Domestic.Debit }, func(c *txn.Closing) *txn.Sum { return &c.Host.Domestic.Credit },
		func(c *txn.Closing) *txn.Sum { return &c.Host.Foreign.Debit }, func(c *txn.Closing) *txn.Sum { return &c.Host.Foreign.Credit },
	}
	for i, at := range sums {
		fields = append(fields,
			closingNumber(byte(21+2*i), func(c *txn.Closing) *int { return &at(c).Count }),
			closingNumber(byte(22+2*i), func(c *txn.Closing) *txn.Amount { return &at(c).Amount }))
	}
	return fields
}

func closingNumber[N ~int | ~int64 | ~uint32 | ~uint64](tag byte, at func(*txn.Closing) *N) closingField {
	return closingField{tag,
		func(c *txn.Closing) []byte {
			if *at(c) == 0 {
				return nil
			}
			return binary.AppendUvarint(nil, uint64(*at(c)))
		},
		func(c *txn.Closing, v []byte) error {
			n, size := binary.Uvarint(v)
			if size <= 0 || size != len(v) || N(n) < 0 || uint64(N(n)) != n {
				return errors.New("is not a number in range")
			}
			*at(c) = N(n)
			return nil
		}}
}

func closingText[S ~string](tag byte, limit int, at func(*txn.Closing) *S) closingField {
	return closingField{tag,
		func(c *txn.Closing) []byte { return []byte(*at(c)) },
		func(c *txn.Closing, v []byte) error {
			if len(v) > limit {
				return fmt.Errorf("has %d bytes, at most %d fit", len(v), limit)
			}
			*at(c) = S(v)
			return nil
		}}
}

func closingStamp(tag byte, at func(*txn.Closing) *time.Time) closingField {
	return closingField{tag,
		func(c *txn.Closing) []byte {
			if at(c).IsZero() {
				return nil
			}
			return binary.AppendVarint(nil, at(c).UnixMilli())
		},
		func(c *txn.Closing, v []byte) error {
			ms, size := binary.Varint(v)
			if size <= 0 || size != len(v) || !sensible(ms) {
				return errors.New("is not a time")
			}
			*at(c) = time.UnixMilli(ms).UTC()
			return nil
		}}
}

// putClosing writes a frame, and reads it back before anybody relies on it.
func putClosing(c txn.Closing) ([]byte, txn.Closing, error) {
	c.Began, c.Ended = millisecond(c.Began), millisecond(c.Ended)
	var b []byte
	for i := range closingTable {
		f := &closingTable[i]
		if v := f.put(&c); len(v) > 0 {
			b = appendField(b, f.tag, v)
		}
	}
	for _, id := range c.Explains {
		b = appendField(b, closingExplains, binary.AppendUvarint(nil, uint64(id)))
	}
	for _, id := range c.Doubts {
		b = appendField(b, closingDoubts, binary.AppendUvarint(nil, uint64(id)))
	}
	frame := putFrame(closingFrame, b)
	stored, err := openClosing(frame)
	return frame, stored, err
}

func openClosing(frame []byte) (c txn.Closing, err error) {
	b, err := openFrame(closingFrame, frame)
	if err != nil {
		return c, fmt.Errorf("closing: %w", err)
	}
	var seen [closingTags]bool
	for len(b) > 0 {
		var tag byte
		var v []byte
		if tag, v, b, err = cutField(b); err != nil {
			return c, fmt.Errorf("closing: %w", err)
		}
		list := &c.Explains
		if tag == closingDoubts {
			list = &c.Doubts
		}
		switch {
		case tag == closingExplains, tag == closingDoubts:
			id, size := binary.Uvarint(v)
			if size <= 0 || size != len(v) || len(*list) == txn.MaxDoubts {
				return c, errors.New("closing: a doubt is not a number, or there are too many")
			}
			*list = append(*list, txn.ID(id))
		case tag >= closingTags, closingAt[tag] == nil, seen[tag]:
			return c, fmt.Errorf("closing: field %d is not known", tag)
		default:
			if err := closingAt[tag].get(&c, v); err != nil {
				return c, fmt.Errorf("closing: field %d %w", tag, err)
			}
			seen[tag] = true
		}
	}
	if c.Batch < 1 || c.Batch > maxBatch || !isName(string(c.Step), maxName) || c.Terminal == "" || c.Currency.Exponent > 9 {
		return c, errors.New("closing: batch, step, terminal or currency missing")
	}
	return c, nil
}

// closings are kept by batch.
func (a *archive) closings() (all map[uint32]txn.Closing, bad error, err error) {
	t, err := a.fresh()
	if err != nil {
		return nil, nil, a.doubt(err)
	}
	all = map[uint32]txn.Closing{}
	err = t.scan(metaBucket, closingKey, false, func(key, frame []byte, unread error) bool {
		if unread != nil {
			bad = unread
			return true
		}
		if !isClosingKey(key) {
			return bytes.Compare(key, closingKey) < 0 || bytes.HasPrefix(key, closingKey)
		}
		c, wrong := openClosing(frame)
		if wrong != nil {
			bad = wrong
			return true
		}
		all[c.Batch] = c
		return true
	})
	return all, a.doubt(bad), a.doubt(err)
}

func newestClosing(all map[uint32]txn.Closing) (c txn.Closing, found bool) {
	for batch := range all {
		if batch > c.Batch {
			c, found = all[batch], true
		}
	}
	return c, found
}

// SaveClosing makes a step of a closing durable, in one commit of archive.db, and returns it as it is stored. The first step names the
// open batch; the step that closes it opens the next batch, in the same commit.
//
// Errors: ErrStep for a step that is not drawn, or a second closing before the first is over; ErrUnknownCommit.
func (s *Store) SaveClosing(c txn.Closing) (txn.Closing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return c, err
	}
	all, bad, err := s.archive.closings()
	if err = errors.Join(err, bad); err != nil {
		return c, err
	}
	old, known := all[c.Batch]
	newest, _ := newestClosing(all)
	switch {
	case known && old.Gen == c.Gen && old.Step == txn.Refused && c.Step == txn.Asking && c.Batch == s.count.Batch: // asked once more
	case known && (old.Gen != c.Gen || !old.Step.CanBecome(c.Step)):
		return old, fmt.Errorf("%w: the closing of batch %d is %s and cannot become %s", ErrStep, c.Batch, old.Step, c.Step)
	case !known && (c.Step != txn.Asking || c.Batch != s.count.Batch || newest.Batch != 0 && !newest.Step.Over()):
		return c, fmt.Errorf("%w: batch %d cannot be closed now; %d is open", ErrStep, c.Batch, s.count.Batch)
	}
	c.Gen++
	if c.Step == txn.Asking && (!known || old.Step == txn.Refused) {
		c.Profile = s.profile
	}
	c.Boot, c.Terminal, c.Merchant = s.count.Boot, s.codec.seals.terminal, s.merchant
	frame, stored, err := putClosing(c)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	count := s.count
	if c.Step == txn.Closed {
		count.Batch = max(count.Batch, min(c.Batch+1, maxBatch))
	}
	if err := s.files.archive.reserve(archiveMust); err != nil {
		return c, err
	}
	tx, err := s.files.archive.stageClosing(c.Batch, frame, all, count)
	if err != nil {
		return c, err
	}
	if err := s.files.archive.commit(tx); err != nil {
		s.count = s.count.raised(count)
		return c, s.unknown(archiveName, err)
	}
	// The archive alone was given it. hot.db hears of that, so that a start would miss a step that a disk did not keep, and
	// holds the next batch as a second copy.
	return stored, s.commitHot(nil, count)
}

// stageClosing puts a closing, drops the oldest of those that nothing is due of, and puts the counters. The caller commits.
func (a *archive) stageClosing(batch uint32, frame []byte, all map[uint32]txn.Closing, count counters) (*bolt.Tx, error) {
	if err := a.sound(nil); err != nil {
		return nil, err
	}
	return a.begin(func(tx *bolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		old := make([]uint32, 0, len(all))
		for b, c := range all {
			if b != batch && c.Step.Over() && !c.OwesReport() {
				old = append(old, b)
			}
		}
		sort.Slice(old, func(i, j int) bool { return old[i] < old[j] })
		for _, b := range old[:max(0, len(old)-keptClosings)] {
			if err := meta.Delete(keyOfClosing(b)); err != nil {
				return err
			}
		}
		return errors.Join(meta.Put(keyOfClosing(batch), frame), meta.Put(countersKey, count.frame()))
	})
}
