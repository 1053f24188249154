package acquirer

import (
	"context"
	"fmt"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// A transaction that a chip finished with a certificate (TC) is told with it when its batch is settled, after the records and
// before the end: 0320 with network code 203 in a batch that balanced and 205 in one that did not.
//
//	field 62   "61" · organisation 00 own, 01 other · "00" · amount 12 · currency 3
//	field 55   what the chip certified (9F26 9F27 9F37 9A 82 9F33 9F34), and what a reversal would repeat (95 9F1E 9F10 9F36)
//
// Which other tags and fields an acquirer wants is not published. STAN, card number, its sequence number and entry mode are
// sent, by which it finds the transaction.
const (
	typeCertificate      = "0320"
	networkCertified     = "203"
	networkCertifiedOpen = "205"
	certificateUse       = "61"
)

// certify tells one certificate. It is repeated safely; its errors are those of Upload.
func (h *Host) certify(ctx context.Context, c txn.Closing, records []txn.Txn) error {
	if len(records) != 1 {
		return fmt.Errorf("certificate: %d records, a message takes one", len(records))
	}
	request, err := certificateMessage(c, records[0])
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	_, err = h.exchangeManaged(ctx, "certificate", request)
	return err
}

func certificateMessage(c txn.Closing, t txn.Txn) (*iso8583.Message, error) {
	if t.Batch != c.Batch || t.Card.Certificate.IsZero() {
		return nil, fmt.Errorf("voucher %06d of batch %06d has no certificate for batch %06d", t.STAN, t.Batch, c.Batch)
	}
	m := new(iso8583.Message)
	m.SetMTI(typeCertificate)
	m.Set(11, six(t.STAN))
	m.Set(41, t.Terminal)
	m.Set(42, t.Merchant)
	if err := setEntry(m, t.Card); err != nil {
		return nil, err
	}
	if !t.Card.PAN.IsMasked() {
		m.Set(2, t.Card.PAN.DigitsInTheClear())
	}
	network, organisation := networkCertifiedOpen, "01"
	if c.Agrees() {
		network = networkCertified
	}
	if t.Domestic() {
		organisation = "00"
	}
	m.Set(60, typeManage+six(c.Batch)+network)
	m.Set(62, fmt.Sprintf("%s%s00%012d%s", certificateUse, organisation, int64(t.Amount), t.Currency.Number))
	setChip(m, txn.NewChip(append(t.Card.Certificate.BytesInTheClear(), t.Card.Chip.BytesInTheClear()...)))
	return m, nil
}
