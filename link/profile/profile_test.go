package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

const examples = "../../testdata/profiles"

func TestTheBuiltInProfilesAreWhole(t *testing.T) {
	for _, p := range []*Profile{UnionPay(), ISO87()} {
		for _, k := range txn.Kinds() {
			assert.NotEmpty(t, p.Form(string(k)).Type, k)
			assert.Equal(t, k.Advice(), p.Reversal(k).Type == "", "%s: a request is reversed, an advice told again", k)
		}
		for _, name := range []string{Balance, SignIn, Echo, Settle, EndEven, EndOdd} {
			assert.NotEmpty(t, p.Form(name).Type, name)
		}
	}
	assert.Empty(t, UnionPay().Mark, "records of older programs have none")
	assert.Regexp(t, "^iso87-[0-9a-f]{8}$", ISO87().Mark)
	assert.False(t, UnionPay().Dialect.Secondary())
	assert.True(t, ISO87().Dialect.Secondary())
}

func TestAMerchantAdjustsThreeThings(t *testing.T) {
	p, err := Open(filepath.Join(examples, "merchant.toml"))
	require.NoError(t, err)
	assert.Equal(t, iso8583.Readable, p.Frame.Length)
	assert.True(t, p.FreshSTAN)
	assert.Equal(t, "21", p.Reasons[txn.NoAnswer])
	assert.Equal(t, 30*time.Second, p.Answer)
	assert.Equal(t, Code{'A', false}, p.Codes["08"])
	assert.Equal(t, Code{'B', true}, p.Codes["E1"])
	for _, name := range []string{"sale", Balance, SignIn, Settle} {
		field, at := Form{Settings: p.Form(name).Settings}.Place("terminal")
		assert.Equal(t, []int{41, 0}, []int{field, at})
		assert.Contains(t, fmt.Sprint(p.Form(name).Settings), "009", name)
	}
	r := p.Reversal(txn.Void)
	assert.Equal(t, []string{"0420", "0420"}, []string{r.Type, r.Repeat}, "never marked as repeated")
	assert.Less(t, len(p.Mark), 22)
}

func TestAProfileInFullIsTheSameProfile(t *testing.T) {
	p, err := Open(filepath.Join(examples, "merchant.toml"))
	require.NoError(t, err)
	again, err := Read("full.toml", p.Text())
	require.NoError(t, err)
	assert.Equal(t, p.Mark, again.Mark)
	assert.Equal(t, p.forms["void.reversal"].Type, again.forms["void.reversal"].Type)
	for f := range p.Dialect.Fields {
		assert.Equal(t, p.Dialect.Fields[f].Format, again.Dialect.Fields[f].Format, f)
	}
}

// What does not change a word of a message does not make what is owed another profile's.
func TestTheMarkFollowsWhatIsSaid(t *testing.T) {
	mark := func(more string) string {
		p, err := Read("x.toml", "base = \"iso87\"\nname = \"x\"\n"+more)
		require.NoError(t, err)
		return p.Mark
	}
	plain := mark("")
	assert.Equal(t, plain, mark("[timers]\nanswer = \"90s\"\nreversal-tries = 9\n[codes]\nE1 = \"refused\"\n"))
	for _, more := range []string{"[every]\n24 = \"009\"\n", "[fields]\n61 = \"ans...20\"\n", "[reasons]\nother = \"4000\"\n", "[frame]\nhead = \"none\"\n",
		"[mac]\nscheme = \"x9.19\"\n", "[void]\n25 = \"01\"\n"} {
		assert.NotEqual(t, plain, mark(more), more)
	}
}

// Each fault is told with its line and with what to do.
func TestWhatAProfileCannotSay(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		line int
		why  string
	}{
		"an unknown key":             {"[timers]\nanswers = \"60s\"", 4, "answers: unknown key in [timers]"},
		"an unknown section":         {"[timer]\nanswer = \"60s\"", 4, "[timer]: unknown section"},
		"an unknown base":            {"", 1, `"visa" is not built in; name unionpay or iso87`},
		"no name":                    {"", 1, "give the profile a name of its own"},
		"a built-in name":            {"", 2, "give the profile a name of its own"},
		"BCD for text":               {"[fields]\n63 = \"ans...999 bcd\"", 4, "class ans cannot travel as bcd"},
		"hex for digits":             {"[fields]\n3 = \"n6 hex\"", 4, "class n cannot travel as hex"},
		"LLVAR of hundreds":          {"[fields]\n44 = \"ans..100\"", 4, "length 100 does not go; a field of ans.. has 1 to 99"},
		"LLLVAR of thousands":        {"[fields]\n48 = \"ans...1000\"", 4, "has 1 to 999"},
		"a field of no length":       {"[fields]\n48 = \"ans...0\"", 4, "length 0"},
		"one dot":                    {"[fields]\n44 = \"ans.25\"", 4, "is no format"},
		"field 65":                   {"[fields]\n65 = \"b8\"", 4, "65 is no field"},
		"field 129":                  {"[fields]\n129 = \"n6\"", 4, "129 is no field"},
		"a MAC of text":              {"[fields]\n64 = \"an8\"", 4, `must be "b8" or "b8 hex"`},
		"no MAC behind a bitmap":     {"[fields]\n128 = \"\"", 4, "is the MAC of a message with a second bitmap"},
		"no room for a card":         {"[fields]\n2 = \"n..16\"", 4, "a card is told in it; it must hold 19 of class n"},
		"card data shown":            {"[fields]\n2 = \"n..19 ascii show\"", 4, "is never shown"},
		"a message that sets a MAC":  {"[sale]\n64 = \"00000000\"", 4, "is the MAC"},
		"and the other":              {"[sale]\n128 = \"00000000\"", 4, "is the MAC"},
		"a message that sets a card": {"[sale]\n2 = \"{stan}\"", 4, "is put in from the card"},
		"a field without a row":      {"[fields]\n61 = \"\"\n[sale]\n61 = \"x\"", 6, "is not in the table"},
		"an unknown fact":            {"[sale]\n61 = \"{pan}\"", 4, "{pan} is not known"},
		"an original of a sale":      {"[sale]\n61 = \"{of.stan}\"", 4, "is not known to a message of this kind"},
		"a reason of a sale":         {"[sale]\n61 = \"{reason}\"", 4, "is not known to a message of this kind"},
		"too long for its field":     {"[sale]\n39 = \"{stan}\"", 4, "comes to 6, and has a fixed length of 2"},
		"text in digits":             {"[sale]\n24 = \"ABC\"", 4, "is not of its class"},
		"a fact of text in digits":   {"[fields]\n61 = \"n...20\"\n[sale]\n61 = \"{terminal}\"", 6, "is text, and the field holds digits"},
		"a brace left open":          {"[sale]\n61 = \"{stan\"", 4, "has a { without a }"},
		"a reference too soon":       {"[reversal]\n37 = \"{of.reference}\"", 4, "write {of.reference?}"},
		"a needless question mark":   {"[sale]\n61 = \"{stan?}\"", 4, "is always known; leave out the ?"},
		"reasons that do not fit":    {"[fields]\n56 = \"ans...3\"", 4, "comes to 4, and holds 3"},
		"reasons of the wrong class": {"[fields]\n56 = \"n...4\"\n[reasons]\nother = \"4A\"", 4, `reason "4A" is not of its class`},
		"kinds alike":                {"[void]\n3 = \"000000\"\n90 = \"\"\n37 = \"\"\n38 = \"\"", 4, "nobody could tell them apart"},
		"reversals alike":            {"[reversal]\n90 = \"\"\n[preauth]\n3 = \"020000\"", 0, "nobody could tell them apart"},
		"a sale of another class":    {"[sale]\ntype = \"0500\"", 4, "does not fit sale"},
		"a repeat of another":        {"[refund]\nrepeat = \"0421\"", 4, "want 0221"},
		"an advice reversed":         {"[refund.reversal]\n61 = \"x\"", 4, "never reversed"},
		"an amount left out":         {"[sale]\n4 = \"\"", 4, `field 4 must be "{amount}"`},
		"no original":                {"[reversal]\nstan = \"fresh\"\n90 = \"\"", 5, "names its original nowhere"},
		"no tries":                   {"[timers]\nreversal-tries = 0", 4, "want 1 to 99"},
		"no time":                    {"[timers]\nanswer = \"0s\"", 4, "want 1s to 10m"},
		"04 approved":                {"[codes]\n04 = \"approved\"", 4, "is a refusal by the standard"},
		"00 refused":                 {"[codes]\n00 = \"refused\"", 4, "is an approval and cannot be refused"},
		"10 approved":                {"[codes]\n10 = \"approved\"", 4, "leave it out"},
		"a code of three":            {"[codes]\n100 = \"refused\"", 4, "two characters"},
		"reversals that never end":   {"[reversal]\nends = [\"25\"]", 4, `leaves out "00"`},
		"amounts not compared":       {"[answer]\nrepeats = [\"3\"]", 4, "leaves out field 4"},
		"a key twice":                {"[timers]\nanswer = \"60s\"\nanswer = \"50s\"", 5, "stands in line 4 already"},
		"a section twice":            {"[timers]\n[mac]\n[timers]", 5, "stands in line 3 already"},
		"a value that is none":       {"[timers]\nanswer = 60s", 4, "its value is none"},
		"a string without an end":    {"[timers]\nanswer = \"60s", 4, "does not end on its line"},
		"something behind it":        {"[timers]\nanswer = \"60s\" or more", 4, "something follows"},
		"a line that is nothing":     {"hello", 3, "is neither [section] nor key = value"},
		"a number for a text":        {"[timers]\nanswer = 60", 4, `want a "text"`},
	} {
		t.Run(name, func(t *testing.T) {
			head := "base = \"iso87\"\nname = \"own\"\n"
			switch name {
			case "an unknown base":
				head = "base = \"visa\"\nname = \"own\"\n"
			case "no name":
				head = "base = \"iso87\"\n\n"
			case "a built-in name":
				head = "base = \"iso87\"\nname = \"unionpay\"\n"
			}
			_, err := Read("own.toml", head+c.text+"\n")
			require.Error(t, err)
			assert.ErrorContains(t, err, c.why)
			for line := range strings.Lines(err.Error()) {
				assert.Regexp(t, "^own.toml:[0-9]+: ", line)
				if strings.Contains(line, c.why) && c.line > 0 {
					assert.Regexp(t, fmt.Sprintf("^own.toml:%d: ", c.line), line)
				}
			}
			var wrong *Error
			require.True(t, errors.As(err, &wrong))
		})
	}
}

func TestAllFaultsAtOnceInTheOrderOfTheirLines(t *testing.T) {
	_, err := Read("own.toml", "base = \"unionpay\"\nname = \"own\"\n[timers]\nreversal-tries = 0\ncolour = \"red\"\n[fields]\n"+
		"63 = \"ans..163\"\n[sale]\n61 = \"{of.stan}\"\n3 = \"00000\"\n")
	require.Error(t, err)
	var lines []string
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, strings.Join(strings.SplitN(line, ":", 3)[:2], ":"))
	}
	assert.Equal(t, []string{"own.toml:4", "own.toml:5", "own.toml:7", "own.toml:9", "own.toml:10"}, uniq(lines), err.Error())
}

func uniq(lines []string) (out []string) {
	for _, l := range lines {
		if len(out) == 0 || out[len(out)-1] != l {
			out = append(out, l)
		}
	}
	return out
}

func TestAFileThatIsNotThere(t *testing.T) {
	_, err := Open("nowhere.toml")
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "neither unionpay nor iso87 nor a file that can be read")
}

// Whatever the text, reading it ends in a profile or in faults with lines; and what is read is what a TOML library reads.
func FuzzProfile(f *testing.F) {
	example, err := os.ReadFile(filepath.Join(examples, "merchant.toml"))
	require.NoError(f, err)
	for _, seed := range []string{string(example), unionPayText, iso87Text, "base = \"iso87\"\nname = \"x\"\n[a.b]\nc = [\"d\", \"e\",] # f\n",
		"x = 07", "x = \"a\\nb\"", "x = 1_0", "[a]\nb = 1\n[a.b]\n", "a-b = true#", "\ufeffx = 1", "x = \"\t\"", "\r", "x = 1\r\n", "[sale]\n61 = \"{of.unit?}{\"\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read("f.toml", text)
		var wrong *Error
		if (p == nil) != (err != nil) || err != nil && !errors.As(err, &wrong) {
			t.Fatalf("profile %v, error %v", p, err)
		}
		entries, err := scan("f.toml", text)
		if err != nil {
			return
		}
		var read map[string]any
		if _, err := toml.Decode(text, &read); err != nil {
			t.Fatalf("a TOML library refuses what was read: %v", err)
		}
		for _, e := range entries {
			table := read
			for _, name := range strings.Split(e.section, ".") {
				if name != "" {
					table = table[name].(map[string]any)
				}
			}
			if got, want := fmt.Sprintf("%q", table[e.key]), fmt.Sprintf("%q", plainValue(e.value)); got != want {
				t.Fatalf("line %d: %s, and a TOML library reads %s", e.line, want, got)
			}
		}
	})
}

func plainValue(v value) any {
	switch v.kind {
	case aList:
		all := make([]any, len(v.list))
		for i := range v.list {
			all[i] = v.list[i]
		}
		return all
	case aNumber:
		return int64(v.count)
	case aTruth:
		return v.truth
	}
	return v.text
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = Open(ISO87Name)
	}
}
