package linktest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

func newTestAcquirer(t testing.TB) *Acquirer {
	tmk, err := hex.DecodeString("CA5D92598DCA48CE8A4C76361A9269E9")
	require.NoError(t, err)
	return NewAcquirer(AcquirerOpts{
		Accounts: map[string]Account{
			"visa": {PAN: testPAN(t, "4242424242424242"), Expiry: "3012", Balance: 10_000},
		},
		TMK: tmk, Terminals: map[string]string{"10000001": "898310148160001"},
		Now: func() time.Time { return time.Date(2026, 5, 1, 12, 30, 0, 0, time.UTC) },
	})
}

func TestThePublishedSignIn(t *testing.T) {
	tmk, _ := hex.DecodeString("CA5D92598DCA48CE8A4C76361A9269E9")
	pik, _ := hex.DecodeString("807A23AD32B36D457AE91FDF927570EA")
	mak, _ := hex.DecodeString("5BB5C72CD00B7338")
	s := sessionOf(pik, mak)
	assert.Equal(t, "6701ead6a9ad51e51aa406e2c27fcfa98d0a74b8b651f9e9bace9ae10000000000000000ab7153ca", hex.EncodeToString(s.field62(tmk)))
	assert.Equal(t, "BEC4568E", s.mac([]byte("0200 test message for MAC vector")))
	sample, _ := hex.DecodeString("1234567890ABCDEFABCDEF1234567890")
	assert.Equal(t, "E267B6E2", sessionOf(make([]byte, 16), bytes.Repeat([]byte{0x22}, 8)).mac(sample))
}

// caller speaks with an acquirer in whole messages, without any line.
type speaker struct {
	t *testing.T
	a *Acquirer
}

func (s speaker) ask(fields map[int]string) *iso8583.Message {
	s.t.Helper()
	m := new(iso8583.Message)
	m.SetMTI(fields[0])
	for f, value := range fields {
		if f > 0 && value != "" {
			m.Set(f, value)
		}
	}
	packed, err := s.a.dialect.Pack(nil, m)
	require.NoError(s.t, err)
	if keys, in := s.a.sessions[fields[41]]; in && fields[64] == "00000000" {
		packed = append(packed[:len(packed)-8], keys.mac(packed[:len(packed)-8])...)
	}
	asked := new(iso8583.Message)
	_, err = s.a.dialect.Unpack(asked, packed)
	require.NoError(s.t, err)
	r, err := s.a.answer(asked)
	require.NoError(s.t, err)
	answer := new(iso8583.Message)
	_, err = s.a.dialect.Unpack(answer, r.packed)
	require.NoError(s.t, err)
	return answer
}

func signInFields() map[int]string {
	return map[int]string{0: "0800", 11: "000001", 41: "10000001", 42: "898310148160001", 60: "00000001003",
		62: "Sequence No12000000000000", 63: "01 "}
}

func saleFields() map[int]string {
	return map[int]string{0: "0200", 2: "4242424242424242", 3: "000000", 4: "000000001250", 11: "000007", 14: "3012", 22: "012",
		25: "00", 41: "10000001", 42: "898310148160001", 49: "156", 60: "22000001000600", 64: "00000000"}
}

func reversalFields() map[int]string {
	fields := saleFields()
	fields[0], fields[39] = "0400", "98"
	return fields
}

func TestRequestsAreReadStrictly(t *testing.T) {
	for name, c := range map[string]struct {
		base   func() map[int]string
		change map[int]string
		code   string
	}{
		"a sale":                      {saleFields, nil, "00"},
		"unknown terminal":            {saleFields, map[int]string{41: "10000009"}, "97"},
		"another merchant":            {saleFields, map[int]string{42: "898310148160002"}, "03"},
		"wrong MAC":                   {saleFields, map[int]string{64: "FFFFFFFF"}, "A0"},
		"no MAC":                      {saleFields, map[int]string{64: ""}, "A0"},
		"another batch":               {saleFields, map[int]string{60: "22000002000600"}, "77"},
		"unknown card":                {saleFields, map[int]string{2: "5555555555554444"}, "14"},
		"another expiry":              {saleFields, map[int]string{14: "3101"}, "54"},
		"more than there is":          {saleFields, map[int]string{4: "000000010001"}, "51"},
		"no amount":                   {saleFields, map[int]string{4: "000000000000"}, "30"},
		"no STAN":                     {saleFields, map[int]string{11: "000000"}, "30"},
		"processing code of a refund": {saleFields, map[int]string{3: "200000"}, "30"},
		"condition of a pre-auth":     {saleFields, map[int]string{25: "06"}, "30"},
		"another currency":            {saleFields, map[int]string{49: "840"}, "30"},
		"type of a void":              {saleFields, map[int]string{60: "23000001000600"}, "30"},
		"short field 60":              {saleFields, map[int]string{60: "22000001000"}, "30"},
		"unknown capability":          {saleFields, map[int]string{60: "22000001000900"}, "30"},
		"PIN announced, none sent":    {saleFields, map[int]string{22: "011"}, "30"},
		"PIN not announced, sent":     {saleFields, map[int]string{52: "12345678"}, "30"},
		"keyed with a track":          {saleFields, map[int]string{35: "4242424242424242=30122010"}, "30"},
		"keyed without a number":      {saleFields, map[int]string{2: ""}, "30"},
		"stripe with a number":        {saleFields, map[int]string{22: "022", 35: "4242424242424242=30122010"}, "30"},
		"stripe":                      {saleFields, map[int]string{22: "022", 2: "", 14: "", 35: "4242424242424242=30122010"}, "00"},
		"stripe without expiry":       {saleFields, map[int]string{22: "022", 2: "", 14: "", 35: "4242424242424242=301"}, "30"},
		"stripe of a stranger":        {saleFields, map[int]string{22: "022", 2: "", 14: "", 35: "5555555555554444=30122010"}, "14"},
		"chip":                        {saleFields, map[int]string{22: "072", 23: "001", 35: "4242424242424242=30122010", 55: "\x95\x00"}, "00"},
		"chip without chip data":      {saleFields, map[int]string{22: "072", 35: "4242424242424242=30122010"}, "30"},
		"chip and track disagree":     {saleFields, map[int]string{22: "072", 35: "5555555555554444=30122010", 55: "\x95\x00"}, "30"},
		"card sequence of no chip":    {saleFields, map[int]string{23: "001"}, "30"},
		"unknown entry mode":          {saleFields, map[int]string{22: "992"}, "30"},
		"a field that does not exist": {saleFields, map[int]string{39: "00"}, "30"},
		"a reversal":                  {reversalFields, nil, "00"},
		"reversal with a track":       {reversalFields, map[int]string{35: "4242424242424242=30122010"}, "30"},
		"reversal with a reference":   {reversalFields, map[int]string{37: "000000000001"}, "30"},
		"reversal without a number":   {reversalFields, map[int]string{2: ""}, "30"},
		"reversal without a reason":   {reversalFields, map[int]string{39: ""}, "30"},
		"reversal for no reason":      {reversalFields, map[int]string{39: "00"}, "30"},
		"reversal, wrong MAC":         {reversalFields, map[int]string{64: "FFFFFFFF"}, "A0"},
		"sign-in without a licence":   {signInFields, map[int]string{62: "Sequence No12"}, "30"},
		"sign-in with a track":        {signInFields, map[int]string{35: "4242424242424242=30122010"}, "30"},
		"sign-in of another kind":     {signInFields, map[int]string{60: "00000001001"}, "30"},
		"echo":                        {signInFields, map[int]string{0: "0820", 11: "", 62: "", 63: "", 60: "00000001301"}, "00"},
		"sign-out is not served":      {signInFields, map[int]string{0: "0820", 62: "", 63: "", 60: "00000001002"}, "30"},
		"an authorisation is not":     {saleFields, map[int]string{0: "0100"}, "30"},
	} {
		t.Run(name, func(t *testing.T) {
			s := speaker{t, newTestAcquirer(t)}
			require.Equal(t, "00", s.ask(signInFields()).Get(39))
			fields := c.base()
			for f, value := range c.change {
				fields[f] = value
			}
			before := s.a.Ledger()
			answer := s.ask(fields)
			assert.Equal(t, c.code, answer.Get(39))
			assert.Equal(t, fields[11], answer.Get(11))
			if c.code == "30" || c.code == "A0" || c.code == "97" || c.code == "03" || c.code == "77" {
				assert.Equal(t, before, s.a.Ledger(), "nothing was posted")
			}
			assert.NoError(t, s.a.Ledger().Check())
		})
	}
}

// voidFields is the void of saleFields.
func voidFields() map[int]string {
	fields := saleFields()
	fields[3], fields[11], fields[37], fields[38], fields[60], fields[61] = "200000", "000008", "000000000001", "000001", "23000001000600", "000001000007"
	return fields
}

func voidReversalFields() map[int]string {
	fields := voidFields()
	fields[0], fields[39], fields[37], fields[61] = "0400", "98", "", "000001000008"
	return fields
}

func TestVoidsAreReadStrictly(t *testing.T) {
	for name, c := range map[string]struct {
		change map[int]string
		code   string
	}{
		"a void":                        {nil, "00"},
		"without authorisation code":    {map[int]string{38: ""}, "00"},
		"by the stripe":                 {map[int]string{22: "022", 2: "", 14: "", 35: "4242424242424242=30122010"}, "00"},
		"without reference":             {map[int]string{37: ""}, "30"},
		"without original":              {map[int]string{61: ""}, "30"},
		"half an original":              {map[int]string{61: "000001"}, "30"},
		"processing code of a sale":     {map[int]string{3: "000000"}, "30"},
		"type of a sale":                {map[int]string{60: "22000001000600"}, "30"},
		"another reference":             {map[int]string{37: "000000000009"}, "25"},
		"another STAN":                  {map[int]string{61: "000001000009"}, "25"},
		"another batch":                 {map[int]string{61: "000002000007"}, "25"},
		"another amount":                {map[int]string{4: "000000001249"}, "64"},
		"another card":                  {map[int]string{2: "5555555555554444"}, "14"},
		"another expiry":                {map[int]string{14: "3101"}, "54"},
		"wrong MAC":                     {map[int]string{64: "FFFFFFFF"}, "A0"},
		"a STAN that is taken":          {map[int]string{11: "000007"}, "94"},
		"itself":                        {map[int]string{61: "000001000008"}, "25"},
		"from a batch that is not open": {map[int]string{60: "23000002000600"}, "77"},
	} {
		t.Run(name, func(t *testing.T) {
			s := speaker{t, newTestAcquirer(t)}
			s.ask(signInFields())
			require.Equal(t, "00", s.ask(saleFields()).Get(39))
			fields := voidFields()
			for f, value := range c.change {
				fields[f] = value
			}
			answer := s.ask(fields)
			assert.Equal(t, c.code, answer.Get(39))
			sale, _ := s.a.Ledger().Find("10000001", 7)
			if c.code == "00" {
				assert.Equal(t, Voided, sale.State)
				assert.NotEmpty(t, answer.Get(37))
				assert.Zero(t, s.a.Ledger().Accounts["visa"].Held)
			} else {
				assert.Equal(t, Held, sale.State)
			}
			assert.NoError(t, s.a.Ledger().Check())
		})
	}
}

func TestAReversedVoidRevivesItsSale(t *testing.T) {
	s := speaker{t, newTestAcquirer(t)}
	s.ask(signInFields())
	s.ask(saleFields())
	require.Equal(t, "00", s.ask(voidFields()).Get(39))
	again := voidFields()
	again[11] = "000009"
	assert.Equal(t, "12", s.ask(again).Get(39), "voided once is enough")
	assert.Equal(t, "25", s.ask(reversalFields()).Get(39), "nobody reverses a sale that is voided")
	wrong := voidReversalFields()
	wrong[61] = "000001000007"
	assert.Equal(t, "30", s.ask(wrong).Get(39), "it names the void, not the sale")
	assert.Equal(t, "00", s.ask(voidReversalFields()).Get(39))
	assert.Equal(t, "25", s.ask(voidReversalFields()).Get(39))
	sale, _ := s.a.Ledger().Find("10000001", 7)
	assert.Equal(t, Held, sale.State)
	assert.Equal(t, txn.Amount(1250), s.a.Ledger().Accounts["visa"].Held)
	void, _ := s.a.Ledger().Find("10000001", 8)
	assert.Equal(t, Reversed, void.State)
	assert.NoError(t, s.a.Ledger().Check())
	again[11] = "000010"
	assert.Equal(t, "00", s.ask(again).Get(39), "and may be voided after all")
	assert.Equal(t, "94", s.ask(voidFields()).Get(39), "what comes late finds the door shut")
}

func refundFields() map[int]string {
	return map[int]string{0: "0220", 2: "4242424242424242", 3: "200000", 4: "000000000250", 11: "000011", 14: "3012", 22: "072", 23: "001",
		25: "00", 37: "000000000001", 41: "10000001", 42: "898310148160001", 49: "156", 60: "25000001000600",
		61: "0000000000000501", 63: "000", 64: "00000000"}
}

func TestRefundsAreReadStrictly(t *testing.T) {
	for name, c := range map[string]struct {
		change map[int]string
		code   string
	}{
		"a refund":               {nil, "00"},
		"of all of it":           {map[int]string{4: "000000001250"}, "00"},
		"of more":                {map[int]string{4: "000000001251"}, "64"},
		"another reference":      {map[int]string{37: "000000000009"}, "25"},
		"another day":            {map[int]string{61: "0000000000000502"}, "25"},
		"another card":           {map[int]string{2: "5555555555554444"}, "14"},
		"a batch and a STAN":     {map[int]string{61: "0000010000070501"}, "30"},
		"no date":                {map[int]string{61: "000000000000"}, "30"},
		"no organisation":        {map[int]string{63: ""}, "30"},
		"no reference":           {map[int]string{37: ""}, "30"},
		"type of a void":         {map[int]string{60: "23000001000600"}, "30"},
		"announces a PIN":        {map[int]string{22: "071"}, "30"},
		"wrong MAC":              {map[int]string{64: "FFFFFFFF"}, "A0"},
		"the sale's own STAN":    {map[int]string{11: "000007"}, "94"},
		"a batch that is closed": {map[int]string{60: "25000002000600"}, "77"},
	} {
		t.Run(name, func(t *testing.T) {
			s := speaker{t, newTestAcquirer(t)}
			s.ask(signInFields())
			require.Equal(t, "00", s.ask(saleFields()).Get(39))
			fields := refundFields()
			for f, value := range c.change {
				fields[f] = value
			}
			assert.Equal(t, c.code, s.ask(fields).Get(39))
			if c.code != "00" {
				assert.Equal(t, txn.Amount(1250), s.a.Ledger().Accounts["visa"].Held)
			}
			assert.NoError(t, s.a.Ledger().Check())
		})
	}
}

func TestCopiesOfARefundAreBookedOnce(t *testing.T) {
	s := speaker{t, newTestAcquirer(t)}
	s.ask(signInFields())
	s.ask(saleFields())
	early := refundFields()
	early[37] = "000000000099"
	assert.Equal(t, "25", s.ask(early).Get(39))
	first := s.ask(refundFields())
	assert.Equal(t, "00", first.Get(39), "what was refused is judged anew")
	again := s.ask(refundFields())
	assert.Equal(t, "94", again.Get(39))
	assert.Equal(t, first.Get(37), again.Get(37))
	assert.Equal(t, txn.Amount(1000), s.a.Ledger().Accounts["visa"].Held)
	assert.Equal(t, "12", s.ask(voidFields()).Get(39), "a sale that was refunded in part is not voided")
	undone := reversalFields()
	undone[0], undone[3], undone[4], undone[11], undone[60] = "0400", "200000", "000000000250", "000011", "25000001000600"
	assert.Equal(t, "30", s.ask(undone).Get(39), "and nobody reverses a refund")
	rest := refundFields()
	rest[4], rest[11] = "000000001000", "000012"
	assert.Equal(t, "00", s.ask(rest).Get(39))
	sale, _ := s.a.Ledger().Find("10000001", 7)
	assert.Equal(t, Refunded, sale.State)
	rest[11] = "000013"
	assert.Equal(t, "12", s.ask(rest).Get(39))
	assert.NoError(t, s.a.Ledger().Check())
}

func TestADayChangeMakesStrangersOfYesterdaysSales(t *testing.T) {
	s := speaker{t, newTestAcquirer(t)}
	s.ask(signInFields())
	assert.Equal(t, "0501", s.ask(saleFields()).Get(13))
	day, err := s.a.Command("day next")
	require.NoError(t, err)
	assert.Equal(t, "0502", day)
	answer := s.ask(reversalFields())
	assert.Equal(t, "25", answer.Get(39))
	assert.Equal(t, "0502", answer.Get(13))
	row, _ := s.a.Ledger().Find("10000001", 7)
	assert.Equal(t, Held, row.State)
	_, err = s.a.Command("day before")
	assert.Error(t, err)
}

func TestARepeatedSaleNeverPostsTwice(t *testing.T) {
	s := speaker{t, newTestAcquirer(t)}
	s.ask(signInFields())
	assert.Equal(t, "00", s.ask(saleFields()).Get(39))
	assert.Equal(t, "94", s.ask(saleFields()).Get(39))
	assert.Equal(t, "00", s.ask(reversalFields()).Get(39))
	assert.Equal(t, "94", s.ask(saleFields()).Get(39), "reversed is no licence to post again")
	row, _ := s.a.Ledger().Find("10000001", 7)
	assert.Equal(t, Reversed, row.State)
	assert.Zero(t, s.a.Ledger().Accounts["visa"].Held)
}

func TestASaleThatComesAfterItsReversalIsNotPosted(t *testing.T) {
	s := speaker{t, newTestAcquirer(t)}
	s.ask(signInFields())
	assert.Equal(t, "00", s.ask(reversalFields()).Get(39))
	assert.Equal(t, "94", s.ask(saleFields()).Get(39))
	row, _ := s.a.Ledger().Find("10000001", 7)
	assert.Equal(t, Absent, row.State)
}

func TestKeysChangeAtEachSignIn(t *testing.T) {
	s := speaker{t, newTestAcquirer(t)}
	first, second := s.ask(signInFields()).Get(62), s.ask(signInFields()).Get(62)
	assert.Len(t, first, 40)
	assert.NotEqual(t, first, second)
}

func TestBooksAreKeptBeforeTheAnswerLeaves(t *testing.T) {
	a := newTestAcquirer(t)
	full := errors.New("disk full")
	var kept []Ledger
	a.o.Keep = func(l Ledger) error {
		kept = append(kept, l)
		if len(kept) == 2 {
			return full
		}
		return nil
	}
	s := speaker{t, a}
	s.ask(signInFields())
	s.ask(saleFields())
	require.Len(t, kept, 1)
	assert.Equal(t, a.Ledger(), kept[0])

	m := new(iso8583.Message)
	m.SetMTI("0400")
	for f, value := range reversalFields() {
		if f > 0 {
			m.Set(f, value)
		}
	}
	packed, err := a.dialect.Pack(nil, m)
	require.NoError(t, err)
	packed = append(packed[:len(packed)-8], a.sessions["10000001"].mac(packed[:len(packed)-8])...)
	_, err = a.dialect.Unpack(m, packed)
	require.NoError(t, err)
	_, err = a.answer(m)
	require.ErrorIs(t, err, full)
	_, err = a.answer(m)
	require.ErrorIs(t, err, full, "and nobody is answered any more")
}

func TestOptionsThatMakeNoAcquirer(t *testing.T) {
	for name, spoil := range map[string]func(*AcquirerOpts){
		"short key":     func(o *AcquirerOpts) { o.TMK = o.TMK[:8] },
		"no terminal":   func(o *AcquirerOpts) { o.Terminals = nil },
		"odd terminal":  func(o *AcquirerOpts) { o.Terminals = map[string]string{"1": "2"} },
		"large batch":   func(o *AcquirerOpts) { o.Batch = 1_000_000 },
		"unsound books": func(o *AcquirerOpts) { o.Ledger.Accounts = map[string]AccountBook{"a": {Opening: 1}} },
	} {
		o := newTestAcquirer(t).o
		require.NoError(t, o.Check())
		spoil(&o)
		require.Error(t, o.Check(), name)
		assert.Panics(t, func() { NewAcquirer(o) }, name)
	}
}

// oneWay is a line that says what it was given and hears nothing.
type oneWay struct{ *bytes.Reader }

func (oneWay) Write(p []byte) (int, error) { return len(p), nil }
func (oneWay) Close() error                { return nil }

// Whatever comes over a line, the acquirer neither panics nor hangs, and its books balance.
func FuzzLine(f *testing.F) {
	a := newTestAcquirer(f)
	m := new(iso8583.Message)
	m.SetMTI("0800")
	for field, value := range signInFields() {
		if field > 0 {
			m.Set(field, value)
		}
	}
	message, err := a.dialect.Pack(nil, m)
	require.NoError(f, err)
	frame := append([]byte{0x60, 0, 6, 0, 0, 0x60, 0x31, 0, 0x31, 0, 0}, message...)
	prefixed := append(binary.BigEndian.AppendUint16(nil, uint16(len(frame))), frame...)
	f.Add(prefixed, false)
	f.Add(append(prefixed, prefixed...), false)
	f.Add(frame, true)
	f.Add(append(frame, frame[:20]...), true)
	f.Add([]byte{0xFF, 0xFF}, false)
	f.Fuzz(func(t *testing.T, raw []byte, bare bool) {
		framing := link.LengthPrefixed
		if bare {
			framing = link.SelfDelimited
		}
		err := a.ServeConn(t.Context(), oneWay{bytes.NewReader(raw)}, framing)
		require.NotErrorIs(t, err, io.EOF)
		require.NoError(t, a.Ledger().Check())
	})
}
