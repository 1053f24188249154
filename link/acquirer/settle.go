package acquirer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"posagent/link/iso8583"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

// A batch is settled in messages without a MAC, which this dialect does not ask for there:
//
//	0500 ► totals in field 48       ◄ 0510 two flags; where they differ, the acquirer's own totals
//	0320 ► up to eight records      ◄ 0330 acknowledged      only after a difference
//	0320 ► one advice               ◄ 0330 acknowledged      only after a difference
//	0320 ► number of records, end   ◄ 0330 acknowledged: the next batch is open
//
// Field 48 of a 0500 is, for the acquirer's own organisation and then for all others, debit amount 12, debit count 3,
// credit amount 12, credit count 3, flag 1. That of a batch detail is the number of records 2, then of each the
// organisation 2 (00 own, 01 other), STAN 6, card number 20 and amount 12.
const (
	sumsLength  = 31 // of field 48, each half
	mostCounted = 999
	mostAmount  = txn.MaxAmount
	mostTold    = 9999 // what the count of an end message can say

	flagBalanced   = '1' // of field 48, and of field 66
	flagUnbalanced = '2'
	flagMistaken   = '3'

	settlement = "settlement"
)

// BlockSize is how many records one batch detail carries.
const BlockSize = 8

// Settle asks the acquirer to compare its totals of a batch (0500). It is repeated safely. The error is a *RefusedError,
// a *link.ExchangeError, or says what is wrong with the answer; after none of them the batch is settled.
func (h *Host) Settle(ctx context.Context, c txn.Closing) (host txn.Totals, domestic, foreign txn.Verdict, err error) {
	answer, err := h.manage(ctx, settlement, func(stan uint32) (*iso8583.Message, error) { return h.settleMessage(c, stan) })
	if err != nil {
		return host, "", "", err
	}
	if !h.o.Profile.Flags {
		if host, domestic, err = readReconciled(answer, c.Own); err != nil {
			return host, "", "", fmt.Errorf("settlement: %w", err)
		}
		return host, domestic, domestic, nil
	}
	if !answer.Has(48) {
		return host, "", "", errors.New("settlement: the answer has no totals")
	}
	host, domestic, foreign, err = readTotals(answer.Get(48), c.Own)
	if err != nil {
		return host, "", "", fmt.Errorf("settlement: %w", err)
	}
	return host, domestic, foreign, nil
}

// Upload tells the acquirer what the terminal holds: one to BlockSize requests, or one advice (0320). It is repeated
// safely. The errors are those of Settle.
func (h *Host) Upload(ctx context.Context, c txn.Closing, records []txn.Txn) error {
	if c.Step == txn.Certificates {
		return h.certify(ctx, c, records)
	}
	if h.o.Profile.Blocks && (len(records) != 1 || !records[0].Kind.Advice()) {
		_, err := h.manage(ctx, "batch detail", func(stan uint32) (*iso8583.Message, error) { return h.detailsMessage(c, records, stan) })
		return err
	}
	for _, t := range records {
		request, err := h.detailMessage(c, t)
		if err == nil {
			_, err = h.exchangeManaged(ctx, "batch detail", request)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// EndBatch tells the acquirer that everything was told (0320). Once it has acknowledged that, the next batch is open there.
// It is repeated safely. The errors are those of Settle.
func (h *Host) EndBatch(ctx context.Context, c txn.Closing) error {
	_, err := h.manage(ctx, "batch end", func(stan uint32) (*iso8583.Message, error) { return h.endMessage(c, stan) })
	return err
}

// manage makes one exchange of a settlement with a STAN of its own.
func (h *Host) manage(ctx context.Context, what string, build func(stan uint32) (*iso8583.Message, error)) (*iso8583.Message, error) {
	if h.fault != nil {
		return nil, h.fault
	}
	stan, err := h.o.STAN()
	if err != nil {
		return nil, fmt.Errorf("%s: no STAN: %w", what, err)
	}
	request, err := build(stan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return h.exchangeManaged(ctx, what, request)
}

// exchangeManaged reads the answer: 94 says that an earlier copy was accepted.
func (h *Host) exchangeManaged(ctx context.Context, what string, request *iso8583.Message) (*iso8583.Message, error) {
	defer request.Reset() // it may hold card numbers
	if h.fault != nil {
		return nil, h.fault
	}
	reply, err := h.exchange(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	answer := reply.Message
	if why := misdirected(request, answer); why != "" {
		return nil, fmt.Errorf("%s: %s", what, why)
	}
	code := answer.Get(39)
	if code == "" && what == settlement {
		code = approvedCode // a 0510 with totals has none
	}
	if h.response(code).signIn {
		h.disown(h.current())
	}
	if code != approvedCode && code != duplicateCode {
		return nil, &RefusedError{what, code}
	}
	return answer, nil
}

// closing is what a message of a settlement says.
func (h *Host) closing(c txn.Closing, stan uint32) content {
	said := h.managing(settlement, stan)
	said.batch, said.currency, said.own, said.told = c.Batch, c.Currency, c.Own.All(), c.Told
	return said
}

func (h *Host) settleMessage(c txn.Closing, stan uint32) (*iso8583.Message, error) {
	said := h.closing(c, stan)
	if h.o.Profile.Flags {
		var err error
		if said.totals, err = writeTotals(c.Own); err != nil {
			return nil, err
		}
	}
	return h.write(h.o.Profile.Form(profile.Settle), said)
}

// readReconciled reads an answer in numbers (ISO 8583:1987: 66 settlement code, 74 and 86 credits, 76 and 88 debits). It
// knows one organisation only, so totals that differ stand with the acquirer's own.
func readReconciled(answer *iso8583.Message, own txn.Totals) (host txn.Totals, verdict txn.Verdict, err error) {
	code := answer.Get(66)
	if len(code) != 1 {
		return host, "", errors.New("the answer has no settlement code (field 66)")
	}
	if verdict, err = verdictOf(code[0], 66); err != nil {
		return host, "", err
	}
	if verdict == txn.Balanced {
		return own, verdict, nil
	}
	read := func(count, amount int) (s txn.Sum) {
		s.Count, _ = strconv.Atoi(answer.Get(count))
		n, _ := strconv.ParseInt(answer.Get(amount), 10, 64)
		s.Amount = txn.Amount(n)
		return s
	}
	host.Domestic = txn.Sums{Debit: read(76, 88), Credit: read(74, 86)}
	return host, verdict, nil
}

func writeTotals(t txn.Totals) (string, error) {
	var b strings.Builder
	for _, s := range []txn.Sums{t.Domestic, t.Foreign} {
		for _, sum := range []txn.Sum{s.Debit, s.Credit} {
			if sum.Count > mostCounted || sum.Amount > mostAmount {
				return "", fmt.Errorf("%d transactions over %d minor units do not fit field 48; settle at most %d a side", sum.Count, sum.Amount, mostCounted)
			}
			fmt.Fprintf(&b, "%012d%03d", int64(sum.Amount), sum.Count)
		}
		b.WriteByte('0')
	}
	return b.String(), nil
}

// readTotals reads the answer's field 48. A half that balanced stands for the terminal's own totals.
func readTotals(field48 string, own txn.Totals) (host txn.Totals, domestic, foreign txn.Verdict, err error) {
	if len(field48) != 2*sumsLength {
		return host, "", "", fmt.Errorf("field 48 of the answer has %d digits, want %d", len(field48), 2*sumsLength)
	}
	for i, half := range []struct {
		into    *txn.Sums
		verdict *txn.Verdict
		own     txn.Sums
	}{{&host.Domestic, &domestic, own.Domestic}, {&host.Foreign, &foreign, own.Foreign}} {
		digits := field48[i*sumsLength : (i+1)*sumsLength]
		if *half.verdict, err = verdictOf(digits[sumsLength-1], 48); err != nil {
			return host, "", "", err
		}
		half.into.Debit, half.into.Credit = readSum(digits[:15]), readSum(digits[15:30])
		if *half.verdict == txn.Balanced {
			*half.into = half.own
		}
	}
	return host, domestic, foreign, nil
}

func verdictOf(flag byte, field int) (txn.Verdict, error) {
	switch flag {
	case flagBalanced:
		return txn.Balanced, nil
	case flagUnbalanced:
		return txn.Unbalanced, nil
	case flagMistaken:
		return txn.Mistaken, nil
	}
	return "", fmt.Errorf("field %d of the answer has flag %q, which says nothing", field, flag)
}

// readSum reads amount 12 and count 3; field 48 holds digits only.
func readSum(digits string) txn.Sum {
	amount, _ := strconv.ParseInt(digits[:12], 10, 64)
	count, _ := strconv.Atoi(digits[12:])
	return txn.Sum{Count: count, Amount: txn.Amount(amount)}
}

func (h *Host) detailsMessage(c txn.Closing, records []txn.Txn, stan uint32) (*iso8583.Message, error) {
	if len(records) < 1 || len(records) > BlockSize {
		return nil, fmt.Errorf("%d records, a message takes 1 to %d", len(records), BlockSize)
	}
	details := fmt.Appendf(nil, "%02d", len(records))
	for _, t := range records {
		if t.Kind.Advice() || !t.Kind.Settled() || t.Batch != c.Batch {
			return nil, fmt.Errorf("voucher %06d of batch %06d does not belong among the details of batch %06d", t.STAN, t.Batch, c.Batch)
		}
		organisation := "01"
		if t.Domestic() {
			organisation = "00"
		}
		details = fmt.Appendf(details, "%s%06d%020s%012d", organisation, t.STAN, t.Card.PAN.DigitsInTheClear(), int64(t.Amount))
	}
	defer clear(details)
	f := h.o.Profile.Form(profile.Block)
	m, err := h.write(f, h.closing(c, stan))
	if err != nil {
		return nil, err
	}
	field, _ := f.Place("details") // alone in it, as package profile has made sure
	m.SetBytes(field, details)
	return m, nil
}

// detailMessage tells a transaction once more as what it was, with its own STAN, and without a MAC.
func (h *Host) detailMessage(c txn.Closing, t txn.Txn) (*iso8583.Message, error) {
	if !t.Kind.Settled() || t.Batch != c.Batch {
		return nil, fmt.Errorf("voucher %06d of batch %06d does not belong among the details of batch %06d", t.STAN, t.Batch, c.Batch)
	}
	m, err := h.message(t, h.o.Profile.Detail(t.Kind), h.contentOf(t))
	if err != nil {
		return nil, err
	}
	h.setNumber(m, t.Card)
	return m, nil
}

func (h *Host) endMessage(c txn.Closing, stan uint32) (*iso8583.Message, error) {
	name := profile.EndOdd
	if c.Agrees() {
		name = profile.EndEven
	}
	return h.write(h.o.Profile.Form(name), h.closing(c, stan))
}
