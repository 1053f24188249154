package terminal

import (
	"context"
	"errors"
	"fmt"

	"posagent/txnstore/txn"
)

// codeOf asks an error for the acquirer's response code; without one the acquirer has not answered.
func codeOf(err error) (code string, answered bool) {
	var refusal interface{ ResponseCode() string }
	if errors.As(err, &refusal) {
		return refusal.ResponseCode(), true
	}
	return "", false
}

// ask sends the totals. Only a refusal that is about this batch gives it up, and the batch then stays open.
func (t *Terminal) ask(ctx context.Context, c txn.Closing) (txn.Closing, error) {
	host, domestic, foreign, err := t.host.Settle(ctx, c)
	if code, answered := codeOf(err); answered && !notYet(code) {
		c.Step, c.Code, c.Ended = txn.Refused, code, t.o.Now()
		saved, saveErr := t.store.SaveClosing(c)
		return saved, errors.Join(saveErr, fmt.Errorf("the acquirer does not settle batch %06d: %w", c.Batch, err))
	}
	if err != nil {
		return c, err
	}
	c.Host, c.Domestic, c.Foreign = host, domestic, foreign
	if c.Step = txn.Details; c.Agrees() {
		if c.Step, err = t.afterRecords(c); err != nil {
			return c, err
		}
	}
	b, err := t.count(c.Batch)
	if err != nil {
		return c, err
	}
	c.Explains, c.Doubts = explain(c, b.doubtful)
	if c, err = t.store.SaveClosing(c); err != nil || !c.Agrees() {
		return c, err
	}
	return c, t.offerEvidence(b.doubtful)
}

// offerEvidence writes beside what waits for people that the acquirer's totals agree without it: it is not in them. People
// decide, with this in their hands.
func (t *Terminal) offerEvidence(doubtful []txn.Txn) error {
	for _, x := range doubtful {
		if x.State != txn.Suspense || !x.Kind.Settled() {
			continue
		}
		if _, err := t.store.Mark(x.ID, func(x *txn.Txn) { t.note(x, "its batch was balanced without it") }); err != nil {
			return err
		}
	}
	return nil
}

// tellOne tells the next block of requests, or the next advice, and moves the cursor behind it. A block that the
// acquirer refuses for good is counted and left behind: people find it in the report.
func (t *Terminal) tellOne(ctx context.Context, c txn.Closing) (txn.Closing, error) {
	block, err := t.nextBlock(c)
	if err != nil {
		return c, err
	}
	if len(block) == 0 {
		c.Cursor = 0
		switch c.Step {
		case txn.Details:
			c.Step = txn.Advices
		case txn.Advices:
			if c.Step, err = t.afterRecords(c); err != nil {
				return c, err
			}
		default:
			c.Step = txn.Ending
		}
		return t.store.SaveClosing(c)
	}
	err = t.host.Upload(ctx, c, block)
	switch code, answered := codeOf(err); {
	case err == nil && c.Step == txn.Certificates:
		c.Certified += len(block)
	case err == nil:
		c.Told += len(block)
	case answered && !notYet(code) && c.Step == txn.Certificates:
		c.Uncertified += len(block)
		c.Code = code
	case answered && !notYet(code):
		c.Unaccepted += len(block)
		c.Code = code
	default:
		return c, err
	}
	c.Cursor = block[len(block)-1].ID
	return t.store.SaveClosing(c)
}

// errEnough ends a walk through a batch.
var errEnough = errors.New("enough")

// nextBlock lists what is told next: up to eight requests, or one advice; never what is settled later. It depends on the records and the cursor
// alone, so a copy after a power cut is the same block.
func (t *Terminal) nextBlock(c txn.Closing) (block []txn.Txn, err error) {
	most := blockSize
	if c.Step != txn.Details {
		most = 1
	}
	_, err = t.store.InBatch(c.Batch, func(x txn.Txn) error {
		if x.ID <= c.Cursor || !toldIn(c.Step, x) {
			return nil
		}
		if block = append(block, x); len(block) == most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return block, err
}

// toldIn reports whether a record is told in a step of a closing.
func toldIn(s txn.Step, x txn.Txn) bool {
	if x.State != txn.Approved || !x.Kind.Settled() {
		return false
	}
	if s == txn.Certificates {
		return !x.Card.Certificate.IsZero()
	}
	return x.Kind.Advice() == (s == txn.Advices)
}

// afterRecords is the step behind the last record: certificates where a chip has given any.
func (t *Terminal) afterRecords(c txn.Closing) (txn.Step, error) {
	c.Step, c.Cursor = txn.Certificates, 0
	block, err := t.nextBlock(c)
	if err == nil && len(block) == 0 {
		c.Step = txn.Ending
	}
	return c.Step, err
}

// blockSize is how many records one message tells.
const blockSize = 8

// otherBatch is the answer 77: the batch is not the one that the acquirer has open.
const otherBatch = "77"

// end tells the acquirer that all was told, and opens the next batch once that is acknowledged. The attempt is counted
// before it is made. An acknowledgement that was lost leaves an acquirer that answers the copy with 77; but that answer may be
// a plain refusal, too, and so the acquirer must also name a later batch before this one is taken for ended.
func (t *Terminal) end(ctx context.Context, c txn.Closing) (txn.Closing, error) {
	c.Tries++
	c, err := t.store.SaveClosing(c)
	if err != nil {
		return c, err
	}
	err = t.host.EndBatch(ctx, c)
	if code, answered := codeOf(err); err != nil && !(answered && code == otherBatch && t.isBehind(ctx, c.Batch)) {
		return c, err
	}
	c.Step, c.Ended, c.Report = txn.Closed, t.o.Now(), txn.SlipOwed
	return t.store.SaveClosing(c)
}

// isBehind asks the acquirer which batch it has open, and reports whether that is a later one.
func (t *Terminal) isBehind(ctx context.Context, batch uint32) bool {
	return t.host.SignIn(ctx) == nil && t.store.Batch() > batch
}
