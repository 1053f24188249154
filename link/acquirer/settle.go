package acquirer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"posagent/link/iso8583"
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
	mtiSettle = "0500"
	mtiUpload = "0320"

	networkSettle   = "201" // field 60: totals and details
	networkEndOpen  = "202" // end after a difference
	networkEndEqual = "207" // end of a batch that balanced
	settleOperator  = "01 " // field 63 of a 0500

	sumsLength  = 31 // of field 48, each half
	mostCounted = 999
	mostAmount  = txn.MaxAmount
	mostTold    = 9999 // what the count of an end message can say

	flagBalanced   = '1'
	flagUnbalanced = '2'
	flagMistaken   = '3'
)

// BlockSize is how many records one batch detail carries.
const BlockSize = 8

// Settle asks the acquirer to compare its totals of a batch (0500). It is repeated safely. The error is a *RefusedError,
// a *link.ExchangeError, or says what is wrong with the answer; after none of them the batch is settled.
func (h *Host) Settle(ctx context.Context, c txn.Closing) (host txn.Totals, domestic, foreign txn.Verdict, err error) {
	answer, err := h.manage(ctx, "settlement", func(stan uint32) (*iso8583.Message, error) { return settleMessage(h.o, c, stan) })
	if err != nil {
		return host, "", "", err
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
	if len(records) == 1 && records[0].Kind.Advice() {
		request, err := adviceDetailMessage(c, records[0])
		if err == nil {
			_, err = h.exchangeManaged(ctx, "batch detail", request)
		}
		return err
	}
	_, err := h.manage(ctx, "batch detail", func(stan uint32) (*iso8583.Message, error) { return detailsMessage(h.o, c, records, stan) })
	return err
}

// EndBatch tells the acquirer that everything was told (0320). Once it has acknowledged that, the next batch is open there.
// It is repeated safely. The errors are those of Settle.
func (h *Host) EndBatch(ctx context.Context, c txn.Closing) error {
	_, err := h.manage(ctx, "batch end", func(stan uint32) (*iso8583.Message, error) { return endMessage(h.o, c, stan), nil })
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
	if code == "" && request.MTI() == mtiSettle {
		code = approvedCode // a 0510 with totals has none
	}
	if ResponseOf(code).signIn {
		h.disown(h.current())
	}
	if code != approvedCode && code != duplicateCode {
		return nil, &RefusedError{what, code}
	}
	return answer, nil
}

// private is field 60 of a message of a settlement.
func private(kind string, c txn.Closing, network string) string {
	return fmt.Sprintf("%s%06d%s", kind, c.Batch, network)
}

func settlement(o Options, mti string, stan uint32) *iso8583.Message {
	m := new(iso8583.Message)
	m.SetMTI(mti)
	m.Set(11, fmt.Sprintf("%06d", stan))
	m.Set(41, o.Terminal)
	m.Set(42, o.Merchant)
	return m
}

func settleMessage(o Options, c txn.Closing, stan uint32) (*iso8583.Message, error) {
	m := settlement(o, mtiSettle, stan)
	totals, err := writeTotals(c.Own)
	if err != nil {
		return nil, err
	}
	m.Set(48, totals)
	m.Set(49, c.Currency.Number)
	m.Set(60, private(typeManage, c, networkSettle))
	m.Set(63, settleOperator)
	return m, nil
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
		if *half.verdict, err = verdictOf(digits[sumsLength-1]); err != nil {
			return host, "", "", err
		}
		half.into.Debit, half.into.Credit = readSum(digits[:15]), readSum(digits[15:30])
		if *half.verdict == txn.Balanced {
			*half.into = half.own
		}
	}
	return host, domestic, foreign, nil
}

func verdictOf(flag byte) (txn.Verdict, error) {
	switch flag {
	case flagBalanced:
		return txn.Balanced, nil
	case flagUnbalanced:
		return txn.Unbalanced, nil
	case flagMistaken:
		return txn.Mistaken, nil
	}
	return "", fmt.Errorf("field 48 of the answer has flag %q, which says nothing", flag)
}

// readSum reads amount 12 and count 3; field 48 holds digits only.
func readSum(digits string) txn.Sum {
	amount, _ := strconv.ParseInt(digits[:12], 10, 64)
	count, _ := strconv.Atoi(digits[12:])
	return txn.Sum{Count: count, Amount: txn.Amount(amount)}
}

func detailsMessage(o Options, c txn.Closing, records []txn.Txn, stan uint32) (*iso8583.Message, error) {
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
	m := settlement(o, mtiUpload, stan)
	m.SetBytes(48, details)
	clear(details)
	m.Set(60, private(typeManage, c, networkSettle))
	return m, nil
}

// adviceDetailMessage tells an advice once more as what it was, with its own STAN: the 0220 under another type and network
// code, and without a MAC.
func adviceDetailMessage(c txn.Closing, t txn.Txn) (*iso8583.Message, error) {
	if t.Batch != c.Batch {
		return nil, fmt.Errorf("voucher %06d of batch %06d does not belong among the details of batch %06d", t.STAN, t.Batch, c.Batch)
	}
	m, err := adviceMessage(t)
	if err != nil {
		return nil, err
	}
	f, err := formOf(t.Kind)
	if err != nil {
		return nil, err
	}
	m.SetMTI(mtiUpload)
	m.Set(60, private(f.private, c, networkSettle))
	return m, nil
}

func endMessage(o Options, c txn.Closing, stan uint32) *iso8583.Message {
	network := networkEndOpen
	if c.Agrees() {
		network = networkEndEqual
	}
	m := settlement(o, mtiUpload, stan)
	m.Set(48, fmt.Sprintf("%04d", min(c.Told, mostTold)))
	m.Set(60, private(typeManage, c, network))
	return m
}
