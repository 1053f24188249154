package txnstore

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func testCodec(t testing.TB, terminal string) *codec {
	s, err := newSealer(bytes.Repeat([]byte{7}, keySize), terminal)
	require.NoError(t, err)
	return newCodec(s)
}

func TestNoTwoFieldsShareATag(t *testing.T) {
	names := map[byte]string{tagCard: "card", tagJournal: "journal", tagMark: "mark"}
	for _, f := range recordFields() {
		assert.Empty(t, names[f.tag], "tag %d of %s", f.tag, f.name)
		names[f.tag] = f.name
	}
}

// fullest is a record in which every field is as long as it can be.
func fullest(t testing.TB) *record {
	pan, err := txn.ParsePAN("6224242900000113242")
	require.NoError(t, err)
	late := time.UnixMilli(lastMilli).UTC()
	x := func(n int) string { return strings.Repeat("x", n) }
	r := txn.Txn{
		ID: math.MaxUint64, Gen: math.MaxUint32, Boot: math.MaxUint32, EndBoot: math.MaxUint32,
		Terminal: "TERMINAL", Merchant: x(15), Operator: x(maxOperator),
		Kind: txn.Kind(x(maxKind)), State: txn.State(x(maxName)), Reference: x(txn.MaxReference),
		Batch: maxBatch, STAN: maxSTAN, Amount: txn.MaxAmount,
		Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 9},
		Card: txn.Card{PAN: pan, Expiry: "9912", Sequence: "999", Entry: txn.Entry(x(maxName)), Label: x(16), AID: x(32),
			Chip: txn.NewChip(append([]byte{0x9F, 0x10, maxChip - 3}, bytes.Repeat([]byte{0xAA}, maxChip-3)...))},
		Began: late, Ended: late,
		Answer: txn.Answer{Code: "00", Approved: true, RRN: x(12), AuthCode: x(6), Acquirer: x(11), Issuer: x(11),
			HostTime: x(6), HostDate: x(4), SettledOn: x(4), Text: x(60)},
		Reason: "98", Sent: txn.Evidence{Written: maxWritten, Total: maxWritten, Bearer: x(16), Address: maxAddress, Handed: maxWritten, Acked: maxWritten},
		Tries: txn.Tries{Made: maxTries, Unsent: maxTries, Last: late, Code: "96"},
		Slips: txn.Slips{Merchant: txn.Slip(x(maxName)), Customer: txn.Slip(x(maxName))},
	}
	for range txn.MaxJournal {
		r.Journal = append(r.Journal, txn.Line{At: time.UnixMilli(firstMilli).UTC(), Boot: 0, Event: x(txn.MaxEvent)})
	}
	return &record{Txn: r}
}

// usual is a record as a chip sale leaves it.
func usual(t testing.TB) *record {
	pan, err := txn.ParsePAN("6224242900000113")
	require.NoError(t, err)
	at := time.Date(2026, 3, 4, 12, 30, 0, 123e6, time.UTC)
	return &record{Txn: txn.Txn{
		ID: 7, Gen: 3, Boot: 2, EndBoot: 2, Terminal: "T1234567", Merchant: "104110048160001", Operator: "01", Kind: txn.Sale,
		State: txn.Approved, Reference: "till-3-000123", Batch: 12, STAN: 345, Amount: 1250,
		Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2},
		Card: txn.Card{PAN: pan, Expiry: "3012", Sequence: "001", Entry: txn.Inserted, Label: "PBOC DEBIT",
			AID: "A000000333010101", Chip: txn.NewChip([]byte{0x95, 5, 0, 0, 4, 0, 0, 0x9F, 0x36, 2, 1, 2})},
		Began: at, Ended: at.Add(3 * time.Second),
		Answer:  txn.Answer{Code: "00", Approved: true, RRN: "123456789012", AuthCode: "ABC123", HostTime: "123002", HostDate: "0304"},
		Sent:    txn.Evidence{Written: 312, Total: 312, Bearer: "ethernet"},
		Slips:   txn.Slips{Merchant: txn.SlipPrinted, Customer: txn.SlipOwed},
		Journal: []txn.Line{{At: at, Boot: 2, Event: "pending"}, {At: at.Add(time.Second), Boot: 3, Event: "pending → approved"}},
	}}
}

func TestARecordComesBackAsItWasWritten(t *testing.T) {
	c := testCodec(t, "T1234567")
	r := usual(t)
	frame, stored, err := c.encode(copied(r))
	require.NoError(t, err)
	assert.Equal(t, r, stored)
	back, err := c.decode(frame)
	require.NoError(t, err)
	assert.Equal(t, r, back)
	t.Logf("a usual record has %d bytes", len(frame))
}

func TestEveryFieldOfTheVocabularyIsStored(t *testing.T) {
	c := testCodec(t, "TERMINAL")
	r := fullest(t)
	r.Journal = nil
	_, stored, err := c.encode(copied(r))
	require.NoError(t, err)
	assert.Equal(t, r, stored)
}

func TestACertificateIsStoredAndNothingThatNamesTheCard(t *testing.T) {
	c := testCodec(t, "T1234567")
	r := usual(t)
	r.Card.Certificate = txn.NewChip(append([]byte{0x9F, 0x26, 40}, bytes.Repeat([]byte{9}, 40)...))
	_, stored, err := c.encode(copied(r))
	require.NoError(t, err)
	assert.Equal(t, r, stored)
	assert.NotContains(t, stored.Card.Certificate.String(), "9")
	for _, tlv := range [][]byte{{0x5A, 1, 0x42}, {0x57, 1, 0x42}, {0x9F, 0x26}, append([]byte{0x9F, 0x26, maxChip}, make([]byte, maxChip)...)} {
		r.Card.Certificate = txn.NewChip(tlv)
		_, _, err := c.encode(copied(r))
		assert.ErrorIs(t, err, ErrRecord)
	}
	full := fullest(t)
	full.Kind, full.State, full.Card.Certificate = txn.Sale, txn.Approved, txn.NewChip(append([]byte{0x9F, 0x26, 40}, make([]byte, 40)...))
	_, stored, err = testCodec(t, "TERMINAL").encode(copied(full))
	require.NoError(t, err)
	assert.Equal(t, full.Card, stored.Card)
	assert.GreaterOrEqual(t, len(stored.Journal), 2)
}

// What undoes or follows another, or was authorised otherwise, has fields that no sale has.
func TestEveryFieldOfAnOriginalIsStored(t *testing.T) {
	c := testCodec(t, "T1234567")
	for _, original := range []txn.Original{
		{ID: 1 << 40, Batch: maxBatch, STAN: maxSTAN, RRN: "123456789012", AuthCode: "ABC123", Date: "1121"},
		{AuthCode: "123456", Mode: "01", Unit: "12345678901"},
	} {
		r := usual(t)
		r.Kind, r.Original, r.Approver, r.Answer.Scheme = "completion-cancel", original, "099", "CUP"
		_, stored, err := c.encode(copied(r))
		require.NoError(t, err)
		assert.Equal(t, r, stored)
	}
}

// The longest that an acquirer and a card can make of a real record: with everything that a completion cancel names there is
// room for two lines of its journal.
func TestTheFullestRealRecordFitsItsSlot(t *testing.T) {
	c := testCodec(t, "TERMINAL")
	r := fullest(t)
	r.Kind, r.State, r.Operator, r.Approver, r.Card.Entry = txn.CompletionCancel, txn.Reversing, "012", "099", txn.Contactless
	r.Slips = txn.Slips{Merchant: txn.SlipDoubted, Customer: txn.SlipDoubted}
	r.ID, r.Gen, r.Boot, r.EndBoot, r.Tries.Made, r.Tries.Unsent = 1<<32, 500, 70_000, 70_000, 9_999, 9_999
	r.Original = txn.Original{ID: 1 << 32, Batch: maxBatch, STAN: maxSTAN, RRN: strings.Repeat("x", 12), AuthCode: strings.Repeat("x", 6), Date: "1121"}
	r.Answer.Scheme = "CUP"
	frame, stored, err := c.encode(copied(r))
	require.NoError(t, err)
	assert.LessOrEqual(t, len(frame), maxRecord)
	assert.Len(t, stored.Journal, 2)
	assert.Equal(t, r.Original, stored.Original)
}

func TestTheFullestRecordFitsItsSlot(t *testing.T) {
	c := testCodec(t, "TERMINAL")
	r := fullest(t)
	r.extra = append([]byte{200, maxExtra - 2}, bytes.Repeat([]byte{1}, maxExtra-2)...)
	first, newest := r.Journal[0], txn.Line{At: time.UnixMilli(0).UTC(), Boot: 5, Event: "newest"}
	first.Event = strings.Repeat("f", txn.MaxEvent)
	newest.Event = strings.Repeat("n", txn.MaxEvent)
	r.Journal[0], r.Journal[txn.MaxJournal-1] = first, newest
	frame, stored, err := c.encode(copied(r))
	require.NoError(t, err)
	assert.LessOrEqual(t, len(frame), maxRecord)
	assert.Equal(t, []txn.Line{first, newest}, stored.Journal, "the first and the newest line are kept")
	assert.Equal(t, r.extra, stored.extra)
	t.Logf("%d bytes, %d of them text", len(frame), len(stored.Answer.Text))
}

func TestSameSeesEveryField(t *testing.T) {
	r, other := usual(t).Txn, usual(t).Txn
	r.Journal, other.Journal = []txn.Line{{Event: "a"}}, []txn.Line{{Event: "a"}}
	require.True(t, same(&r, &other))
	changed := 0
	var change func(name string, field reflect.Value)
	change = func(name string, field reflect.Value) {
		was := reflect.New(field.Type()).Elem()
		was.Set(field)
		switch value := field.Interface().(type) {
		case txn.PAN:
			pan, err := txn.ParsePAN("4242424242424242")
			require.NoError(t, err)
			field.Set(reflect.ValueOf(pan))
		case txn.Code:
			field.Set(reflect.ValueOf(txn.NewCode("wechat", "13************6789", txn.Fingerprint{1})))
		case txn.Chip:
			field.Set(reflect.ValueOf(txn.NewChip([]byte{0x9F, 0x36, 2, 9, 9})))
		case time.Time:
			field.Set(reflect.ValueOf(value.Add(time.Millisecond)))
		case []txn.Line:
			field.Set(reflect.ValueOf([]txn.Line{{Event: "b"}}))
		default:
			switch field.Kind() {
			case reflect.Struct:
				for i := range field.NumField() {
					change(name+"."+field.Type().Field(i).Name, field.Field(i))
				}
				return
			case reflect.String:
				field.SetString(field.String() + "x")
			case reflect.Bool:
				field.SetBool(!field.Bool())
			default:
				if field.CanInt() {
					field.SetInt(field.Int() + 1)
				} else {
					field.SetUint(field.Uint() + 1)
				}
			}
		}
		assert.False(t, same(&r, &other), name)
		field.Set(was)
		assert.True(t, same(&r, &other), name)
		changed++
	}
	change("Txn", reflect.ValueOf(&r).Elem())
	assert.Greater(t, changed, 40)
}
