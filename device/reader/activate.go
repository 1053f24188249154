package reader

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"posagent/device/line"
	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// Request is what a card is asked to pay. Timeout is how long to wait for a card, 1 s to 255 s, rounded up to whole
// seconds; Country is the terminal's ISO 3166 number in four digits ("0156"), or empty for the reader's own setting.
type Request struct {
	Amount   txn.Amount // 0 asks for nothing: the account's balance is enquired for
	Currency txn.Currency
	Timeout  time.Duration
	Country  string
}

const (
	maxTimeout = 255 * time.Second // one byte (IDG p. 208)
	typeSale   = 0x00              // 9C: purchase, first two digits of the ISO 8583 processing code
	typeAsk    = 0x31              // 9C: balance enquiry

	// cardTime is how long reader and card may take once a card is found: "the transaction may not complete within the
	// timeout period" (IDG p. 208).
	cardTime = 10 * time.Second
)

// activation is one Activate under way.
type activation struct {
	stop context.CancelFunc
	done chan struct{}
}

// Activate waits for a card to be swiped, tapped or inserted and returns what it gave. When ctx ends it cancels in the reader,
// waits for that to be answered, and returns an error that is both ErrCancelled and the context's; card data that arrives in
// that moment is dropped. It returns ErrTimeout when nobody came, ErrBusy when another Activate runs, and otherwise the
// errors of this package: none of them has moved money.
//
// An inserted card (txn.Inserted) has asked to go online and waits, powered, for Complete and Release; one that is still in the
// slot from before is let go first. A card with a chip (service code 2xx or 6xx, ISO/IEC 7813) that is swiped is not taken: the
// prompt InsertCard is given and the waiting goes on, at most maxTurns times, then ErrUseChip. With Opts.Fallback a chip that
// could not be read is followed by the prompt SwipeCard, and that card's stripe is taken as txn.Fallback.
func (r *Reader) Activate(ctx context.Context, q Request) (txn.Presented, error) {
	payload, err := q.payload()
	if err != nil {
		return txn.Presented{}, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	active := &activation{stop: func() { stop(ErrCancelled) }, done: make(chan struct{})}
	r.mu.Lock()
	if r.active != nil {
		r.mu.Unlock()
		return txn.Presented{}, ErrBusy
	}
	r.active = active
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.active = nil
		r.mu.Unlock()
		close(active.done)
	}()
	if err := r.take(ctx); err != nil {
		return txn.Presented{}, cancelled(ctx)
	}
	defer r.release()
	r.open(nil)
	chipFailed := false
	for turn, until := 1, time.Now().Add(q.Timeout); ; turn++ {
		if err := r.fence(ctx); err != nil {
			return txn.Presented{}, err
		}
		presented, err := r.once(ctx, q, payload)
		again := InsertCard
		switch {
		case err == nil && presented.Card.Entry == txn.Swiped && hasChip(presented):
			if chipFailed {
				presented.Card.Entry = txn.Fallback
				return presented, nil
			}
			err = ErrUseChip
		case stripeMayFollow(err) && r.fallback:
			chipFailed, again = true, SwipeCard
		default:
			return presented, err
		}
		if q.Timeout = time.Until(until); turn == maxTurns || q.Timeout < time.Second {
			return txn.Presented{}, err
		}
		r.events(Event{At: r.now(), Prompt: again})
		if payload, err = q.payload(); err != nil {
			return txn.Presented{}, err
		}
	}
}

// maxTurns is how often one Activate asks for a card.
const maxTurns = 4

// once waits for one card, and reads its chip where it was inserted.
func (r *Reader) once(ctx context.Context, q Request, payload []byte) (txn.Presented, error) {
	sub := neo2.ActivateSub
	if r.sealed {
		sub = neo2.SealedSub
	}
	if err := r.wire.send(neo2.Frame{Command: neo2.Activate, Sub: sub, Data: payload}, r.answer); err != nil {
		return txn.Presented{}, err
	}
	presented, err := r.awaitCard(ctx, q)
	if errors.Is(err, errInserted) {
		return r.insert(ctx, q)
	}
	return presented, err
}

// fence makes sure that the next answer to 02-01 is the answer to ours, and finds a dead reader in one answer time
// instead of a customer's patience. A reader that does not answer the cancel is still asked for the ping, which decides.
func (r *Reader) fence(ctx context.Context) error {
	orphan := r.orphan || r.wire.doubt
	if err := r.wire.settle(); err != nil {
		return err
	}
	if r.passing && ctx.Err() == nil {
		r.passing = false // a reader that does not know the mode is not in it
		_, _ = r.exchange(ctx, passMode(neo2.PassStop))
	}
	if orphan && ctx.Err() == nil {
		_, _ = r.exchange(ctx, neo2.Frame{Command: neo2.Cancel, Sub: neo2.CancelSub})
	}
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	_, err := r.exchange(ctx, neo2.Frame{Command: neo2.Ping, Sub: neo2.PingSub})
	switch {
	case ctx.Err() != nil:
		return cancelled(ctx)
	case err != nil:
		return err
	}
	r.orphan = false
	return nil
}

func (r *Reader) awaitCard(ctx context.Context, q Request) (txn.Presented, error) {
	r.wire.decoder.Reset()
	strange := 0
	until := time.Now().Add(q.seconds() + r.answer)
	for {
		item, err := r.wire.receive(ctx, until)
		switch {
		case errors.Is(err, line.ErrInterrupted):
			return txn.Presented{}, r.abandon(cancelled(ctx))
		case errors.Is(err, line.ErrSilence):
			return txn.Presented{}, r.abandon(r.nothing(strange))
		case err != nil:
			return txn.Presented{}, err
		case isBoot(item):
			return txn.Presented{}, fmt.Errorf("%w (%s)", ErrRestarted, printable(item.Data))
		}
		if event, ok := eventOf(item.Frame, r.now()); ok && item.Fault == neo2.Whole {
			if event.Prompt == CardFound {
				until = later(until, time.Now().Add(cardTime))
			}
			r.events(event)
			continue
		}
		switch ours := item.Command == neo2.Activate; {
		case ours && item.Fault == neo2.Whole:
			presented, err := r.outcome(item.Frame, q)
			if errors.Is(err, ErrGarbage) { // perhaps not the end of the transaction: the reader may still be waiting
				err = r.abandon(err)
			}
			return presented, err
		case ours && item.Sub != neo2.UserInterface:
			// Very likely the card's answer, damaged: it will not come again, so do not keep the customer waiting.
			return txn.Presented{}, r.abandon(fmt.Errorf("%w: it was damaged on the line; present the card again", ErrGarbage))
		}
		if strange++; strange > maxStrange {
			return txn.Presented{}, r.abandon(r.nothing(strange))
		}
	}
}

// abandon ends the transaction in the reader and returns why. Between the cancel and its answer nothing is sent
// (IDG p. 242); an answer of 02-01 that crosses it, card data included, is dropped. However it ends, the next activation
// begins by emptying the line and cancelling again.
func (r *Reader) abandon(why error) error {
	r.wire.doubt, r.orphan = true, true
	cancel := neo2.Frame{Command: neo2.Cancel, Sub: neo2.CancelSub}
	if err := r.wire.send(cancel, r.answer); err != nil {
		return fmt.Errorf("%w; and it could not be cancelled in the reader: %w", why, err)
	}
	_, err := r.await(context.Background(), cancel, r.answer)
	r.wire.doubt = true
	switch silent := errors.Is(why, ErrNoAnswer); {
	case err != nil && !silent:
		return fmt.Errorf("%w; and the reader did not answer the cancel: %w", why, err)
	case err == nil && silent:
		return fmt.Errorf("%w the card transaction, though it answers a cancel: present the card again", ErrNoAnswer)
	}
	return why
}

func cancelled(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ErrCancelled) {
		return fmt.Errorf("%w: %w", ErrCancelled, cause)
	}
	return ErrCancelled
}

// outcome reads the final answer of 02-01 or 02-40. A reader with a data key does not allow 02-01 (IDG p. 208).
func (r *Reader) outcome(answer neo2.Frame, q Request) (txn.Presented, error) {
	switch {
	case answer.Sub != neo2.OK && answer.Sub != neo2.OnlineRequested:
		err := r.failure(answer)
		if answer.Sub == neo2.NotAllowed && !r.sealed {
			err = fmt.Errorf("%w; %w", errEncrypted, err)
		}
		return txn.Presented{}, err
	case r.sealed:
		return parseSealed(answer.Data, q)
	}
	return parseCard(answer.Data, q)
}

func (q Request) seconds() time.Duration { return (q.Timeout + time.Second - 1).Truncate(time.Second) }

// payload is the data of 02-01: the timeout, then TLVs (IDG p. 209-211).
func (q Request) payload() ([]byte, error) {
	currency, err := bcd(q.Currency.Number, 4)
	switch {
	case q.Amount != 0 && !q.Amount.Valid():
		return nil, fmt.Errorf("%w: %d minor units", txn.ErrAmount, q.Amount)
	case err != nil || len(q.Currency.Number) != 3 || q.Currency.Exponent < 0 || q.Currency.Exponent > 9:
		return nil, fmt.Errorf("currency %q with %d decimals cannot be sent to the reader: use an ISO 4217 number", q.Currency.Number, q.Currency.Exponent)
	case q.Timeout <= 0 || q.seconds() > maxTimeout:
		return nil, fmt.Errorf("card timeout %v is outside 1 s to %v", q.Timeout, maxTimeout)
	}
	amount, err := bcd(strconv.FormatInt(int64(q.Amount), 10), 12)
	if err != nil {
		return nil, err
	}
	purpose := byte(typeSale)
	if q.Amount == 0 {
		purpose = typeAsk
	}
	data := []byte{byte(q.seconds() / time.Second)}
	data = neo2.AppendTLV(data, neo2.TagAmount, amount)
	data = neo2.AppendTLV(data, neo2.TagType, []byte{purpose})
	data = neo2.AppendTLV(data, neo2.TagCurrency, currency)
	data = neo2.AppendTLV(data, neo2.TagExponent, []byte{byte(q.Currency.Exponent)})
	if q.Country == "" {
		return data, nil
	}
	country, err := bcd(q.Country, 4)
	if err != nil || len(q.Country) != 4 {
		return nil, fmt.Errorf("country %q is not four digits such as 0156", q.Country)
	}
	return neo2.AppendTLV(data, neo2.TagCountry, country), nil
}

// bcd packs decimal digits, zero-filled on the left to the given even width.
func bcd(digits string, width int) ([]byte, error) {
	if digits == "" || len(digits) > width {
		return nil, fmt.Errorf("%d digits do not fit in %d", len(digits), width)
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return nil, errors.New("not decimal")
		}
	}
	return hex.DecodeString(strings.Repeat("0", width-len(digits)) + digits)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
