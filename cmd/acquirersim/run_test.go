package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/acquirer"
	"posagent/link/linktest"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

const (
	terminal = "10000001"
	merchant = "898310148160001"
	master   = "CA5D92598DCA48CE8A4C76361A9269E9"
)

const cards = `
[card.visa-4242]
pan = "4242424242424242"
expiry = "3012"
service = "201"
entry = "contactless"
balance = "5000.00"
label = "VISA CREDIT"
aid = "A0000000031010"
`

// bench is a running simulator, reached only through its files and sockets.
type bench struct {
	t         *testing.T
	directory string
	addresses map[string]string // of the ready line
	stop      func() error      // as SIGTERM does
}

func start(t *testing.T, directory string, more ...string) *bench {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(directory, "cards.toml"), []byte(cards), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(directory, "tmk.hex"), []byte(master+"\n"), 0o600))
	args := append([]string{
		"-cards", filepath.Join(directory, "cards.toml"), "-tmk-file", filepath.Join(directory, "tmk.hex"),
		"-terminal", terminal + "=" + merchant, "-ledger", filepath.Join(directory, "books.json"),
		"-listen", "127.0.0.1:0", "-listen-dial", "127.0.0.1:0", "-control", "unix:" + filepath.Join(directory, "control"),
	}, more...)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, in, io.Discard)
		_ = in.CloseWithError(fmt.Errorf("ended: %w", err))
		ended <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	b := &bench{t: t, directory: directory, addresses: map[string]string{}}
	words := strings.Fields(line)
	require.Equal(t, "ready", words[0])
	for _, word := range words[1:] {
		name, address, _ := strings.Cut(word, "=")
		b.addresses[name] = address
	}
	b.stop = func() error { cancel(); return <-ended }
	return b
}

func (b *bench) control(commands ...string) []string {
	b.t.Helper()
	conn, err := net.Dial("unix", strings.TrimPrefix(b.addresses["control"], "unix:"))
	require.NoError(b.t, err)
	defer conn.Close()
	answers := bufio.NewReader(conn)
	var got []string
	for _, command := range commands {
		_, err := fmt.Fprintln(conn, command)
		require.NoError(b.t, err)
		answer, err := answers.ReadString('\n')
		require.NoError(b.t, err)
		got = append(got, strings.TrimSuffix(answer, "\n"))
	}
	return got
}

func (b *bench) books() linktest.Ledger {
	b.t.Helper()
	l, err := linktest.LoadLedger(filepath.Join(b.directory, "books.json"))
	require.NoError(b.t, err)
	return l
}

// terminalOn is a terminal on one of the simulator's lines.
func (b *bench) terminalOn(name string, framing link.Framing, firstSTAN uint32) (*acquirer.Host, *link.Link) {
	b.t.Helper()
	tmk, err := hex.DecodeString(master)
	require.NoError(b.t, err)
	header, err := link.ParseHeader("6000060000", "603100310000")
	require.NoError(b.t, err)
	l := link.New(link.Options{Header: header, Bearers: []link.Bearer{{Name: name, Dialer: link.TCP{Address: b.addresses[name]}, Framing: framing}}})
	b.t.Cleanup(func() { _ = l.Close() })
	stan := firstSTAN
	return acquirer.New(l, acquirer.Options{Terminal: terminal, Merchant: merchant, TMK: tmk,
		STAN: func() (uint32, error) { stan++; return stan, nil }, Batch: func() uint32 { return 1 }}), l
}

func sale(t *testing.T, stan uint32, amount txn.Amount) (txn.Txn, txn.Presented) {
	pan, err := txn.ParsePAN("4242424242424242")
	require.NoError(t, err)
	card := txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Keyed}
	return txn.Txn{Terminal: terminal, Merchant: merchant, Kind: txn.Sale, Batch: 1, STAN: stan, Amount: amount,
		Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}, Reason: txn.NoAnswer, Card: card}, txn.Presented{Card: card}
}

func TestBothLinesLeadToTheSameBooks(t *testing.T) {
	b := start(t, t.TempDir())
	for i, line := range []struct {
		name    string
		framing link.Framing
	}{{"listen", link.LengthPrefixed}, {"dial", link.SelfDelimited}} {
		host, _ := b.terminalOn(line.name, line.framing, uint32(100*(i+1)))
		x, card := sale(t, uint32(10+i), 1250)
		answer, sent, err := host.Request(t.Context(), x, card)
		require.NoError(t, err)
		assert.True(t, answer.Approved, answer.Code)
		assert.Equal(t, line.name, sent.Bearer)
	}
	sum, count := b.books().HeldBy(terminal, 1)
	assert.Equal(t, txn.Amount(2500), sum)
	assert.Equal(t, 2, count)
	assert.Equal(t, txn.Amount(500_000-2500), b.books().Accounts["visa-4242"].Balance)
	require.NoError(t, b.stop())
}

func TestTheControlSocket(t *testing.T) {
	b := start(t, t.TempDir(), "-on", "13.37=decline 04")
	host, _ := b.terminalOn("listen", link.LengthPrefixed, 0)
	x, card := sale(t, 10, 1337)
	answer, _, err := host.Request(t.Context(), x, card)
	require.NoError(t, err)
	assert.Equal(t, "04", answer.Code)

	answers := b.control("fault drop for sale times 2", "fault nonsense", "fault none", "fault drop", "seen", "check", "", "ledger",
		"order parameters", "order nonsense", "parameters 12=45", "blocklist 621000 4242424242424", "desk", "order none")
	assert.Equal(t, "ok drop for sale", answers[0])
	assert.True(t, strings.HasPrefix(answers[1], `error fault "nonsense" is not known`), answers[1])
	assert.Equal(t, "ok no faults", answers[2])
	assert.Equal(t, `ok {"0200":1,"0800":1}`, answers[4])
	assert.Equal(t, "ok the books balance", answers[5])
	assert.True(t, strings.HasPrefix(answers[6], "error "), answers[6])
	var books linktest.Ledger
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(answers[7], "ok ")), &books))
	assert.Equal(t, linktest.Refused, books.Terminals[terminal].Rows[0].State)

	assert.Equal(t, "ok order 1 stands", answers[8])
	assert.True(t, strings.HasPrefix(answers[9], `error order "nonsense"`), answers[9])
	assert.Equal(t, "ok 4 bytes", answers[10])
	assert.Equal(t, "ok 2 entries", answers[11])
	assert.Equal(t, `ok {"done":{},"standing":1,"told":null}`, answers[12])
	assert.Equal(t, "ok no orders", answers[13])

	x, card = sale(t, 11, 500)
	_, _, err = host.Request(t.Context(), x, card)
	require.Error(t, err)
	assert.NotErrorIs(t, err, txn.ErrNotSent)
	row, _ := b.books().Find(terminal, 11)
	assert.Equal(t, linktest.Held, row.State)

	conn, err := net.Dial("unix", strings.TrimPrefix(b.addresses["control"], "unix:"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte(strings.Repeat("x", maxCommand+1)))
	require.NoError(t, err)
	answer2, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Contains(t, answer2, "at most 4096 bytes")
	require.NoError(t, b.stop())
}

func TestTheBooksOutliveTheProcess(t *testing.T) {
	directory := t.TempDir()
	b := start(t, directory)
	host, line := b.terminalOn("listen", link.LengthPrefixed, 100)
	x, card := sale(t, 10, 1250)
	_, _, err := host.Request(t.Context(), x, card)
	require.NoError(t, err)
	before := b.books()
	require.NoError(t, b.stop())
	require.NoError(t, line.Close())

	b = start(t, directory, "-batch", "7")
	assert.Equal(t, before, b.books(), "books win over flags")
	host, _ = b.terminalOn("listen", link.LengthPrefixed, 200)
	undone, _, err := host.Reverse(t.Context(), x)
	require.NoError(t, err)
	assert.Equal(t, "00", undone.Code)
	row, _ := b.books().Find(terminal, 10)
	assert.Equal(t, linktest.Reversed, row.State)
	assert.Equal(t, txn.Amount(500_000), b.books().Accounts["visa-4242"].Balance)
	require.NoError(t, b.stop())

	raw, err := os.ReadFile(filepath.Join(directory, "books.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "4242424242424242")
	_, err = os.Stat(filepath.Join(directory, "books.json.new"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestAnAcquirerThatCannotKeepItsBooksAnswersNobody(t *testing.T) {
	directory := t.TempDir()
	b := start(t, directory)
	host, _ := b.terminalOn("listen", link.LengthPrefixed, 100)
	require.NoError(t, host.SignIn(t.Context()))
	require.NoError(t, os.Mkdir(filepath.Join(directory, "books.json.new"), 0o700)) // where the next books are to be written
	x, card := sale(t, 10, 1250)
	_, _, err := host.Request(t.Context(), x, card)
	require.Error(t, err)
	assert.ErrorContains(t, b.stop(), "could not be kept")
}

func TestASocketLeftByAKilledPredecessor(t *testing.T) {
	directory := t.TempDir()
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(directory, "control"), Net: "unix"})
	require.NoError(t, err)
	stale.SetUnlinkOnClose(false)
	require.NoError(t, stale.Close())
	b := start(t, directory)
	assert.Equal(t, []string{"ok {}"}, b.control("seen"))

	second := run(t.Context(), []string{"-cards", filepath.Join(directory, "cards.toml"), "-tmk-file", filepath.Join(directory, "tmk.hex"),
		"-terminal", terminal + "=" + merchant, "-listen", "127.0.0.1:0", "-control", b.addresses["control"]}, io.Discard, io.Discard)
	assert.ErrorContains(t, second, "another program answers there")
	require.NoError(t, b.stop())
}

func TestCommandLinesThatAreRefused(t *testing.T) {
	directory := t.TempDir()
	cardFile, keyFile := filepath.Join(directory, "cards.toml"), filepath.Join(directory, "tmk.hex")
	require.NoError(t, os.WriteFile(cardFile, []byte(cards), 0o600))
	require.NoError(t, os.WriteFile(keyFile, []byte(master), 0o600))
	badKey, badBooks := filepath.Join(directory, "bad.hex"), filepath.Join(directory, "bad.json")
	require.NoError(t, os.WriteFile(badKey, []byte(master[:30]), 0o600))
	require.NoError(t, os.WriteFile(badBooks, []byte(`{"next":1`), 0o600))
	good := []string{"-listen", "127.0.0.1:0", "-cards", cardFile, "-tmk-file", keyFile, "-terminal", terminal + "=" + merchant}
	for name, c := range map[string]struct {
		args []string
		why  string
	}{
		"nothing to listen on": {good[2:], "give -listen"},
		"no cards":             {good[:2], "-cards and -tmk-file"},
		"no terminal":          {good[:6], "no terminal is registered"},
		"short terminal":       {append(good, "-terminal", "1=2"), "want TID=MID"},
		"terminal twice":       {append(good, "-terminal", terminal+"="+merchant), "twice"},
		"rule without a fault": {append(good, "-on", "12.00"), "want AMOUNT=FAULT"},
		"unknown fault":        {append(good, "-on", "12.00=explode"), "not known"},
		"amount of no money":   {append(good, "-on", "0.00=lost"), "zero"},
		"rule twice":           {append(good, "-on", "1=lost", "-on", "1.00=drop"), "has a rule already"},
		"stray word":           {append(good, "now"), "not understood"},
		"control":              {append(good, "-control", "/tmp/x"), "unix:PATH"},
		"batch":                {append(good, "-batch", "1000000"), "six digits"},
		"short key":            {append(good, "-tmk-file", badKey), "32 hexadecimal digits"},
		"torn books":           {append(good, "-ledger", badBooks), "damaged"},
		"books nowhere":        {append(good, "-ledger", filepath.Join(directory, "none", "books")), "no such file"},
		"no such address":      {append(good, "-listen", "256.0.0.1:0"), "listen"},
		"no directory":         {append(good, "-control", "unix:"+filepath.Join(directory, "none", "x")), "control"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), c.args, io.Discard, io.Discard)
			require.ErrorContains(t, err, c.why)
			assert.NotContains(t, err.Error(), master[:30])
		})
	}
}

// The same simulator before the same books, spoken to in a merchant's own profile.
func TestAnotherProfile(t *testing.T) {
	file := filepath.Join("..", "..", "testdata", "profiles", "merchant.toml")
	p, err := profile.Open(file)
	require.NoError(t, err)
	b := start(t, t.TempDir(), "-profile", file)
	defer func() { require.NoError(t, b.stop()) }()
	head, err := link.ParseHeader("6000060000", "603100310000")
	require.NoError(t, err)
	head.Frame = p.Frame
	l := link.New(link.Options{Dialect: p.Dialect, Header: head, Bearers: []link.Bearer{{Name: "net", Dialer: link.TCP{Address: b.addresses["listen"]}}}})
	defer l.Close()
	stan := uint32(100)
	tmk, err := hex.DecodeString(master)
	require.NoError(t, err)
	host := acquirer.New(l, acquirer.Options{Terminal: terminal, Merchant: merchant, TMK: tmk, Profile: p,
		STAN: func() (uint32, error) { stan++; return stan, nil }, Batch: func() uint32 { return 1 }})
	x, card := sale(t, 7, 1250)
	x.Profile, x.Reason = p.Mark, txn.NoAnswer
	answer, _, err := host.Request(t.Context(), x, card)
	require.NoError(t, err)
	require.True(t, answer.Approved, answer.Code)
	undone, _, err := host.Reverse(t.Context(), x)
	require.NoError(t, err)
	assert.Equal(t, "00", undone.Code)
	row, found := b.books().Find(terminal, 7)
	require.True(t, found)
	assert.Equal(t, linktest.Reversed, row.State)
	assert.ErrorContains(t, run(t.Context(), []string{"-profile", "nowhere.toml"}, io.Discard, io.Discard), "neither unionpay nor iso87")
}
