package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

const example = `# The power fails after the acquirer has approved and before the answer is recorded.
present visa-4242
sale 12.50
cut power on recv 0210
restore power
expect host reversal of last
expect store reversed
expect paper 冲正
`

func TestAStoryIsReadAndPrintsBack(t *testing.T) {
	s := read(t, example)
	assert.Equal(t, example, s.String())
	assert.Equal(t, []string{"The power fails after the acquirer has approved and before the answer is recorded."}, s.Comment)
	assert.Equal(t, []Step{
		{Line: 2, Verb: Present, Card: "visa-4242"},
		{Line: 3, Verb: Ask, Op: "sale", Amount: "12.50"},
		{Line: 4, Verb: Cut, On: Event{Kind: Recv, What: "0210", Nth: 1}},
		{Line: 5, Verb: Restore},
		{Line: 6, Verb: Expect, Of: "last", Expect: Expectation{Subject: Reversal}},
		{Line: 7, Verb: Expect, Expect: Expectation{Subject: Store, State: txn.Reversed}},
		{Line: 8, Verb: Expect, Expect: Expectation{Subject: Paper, Words: []string{"冲正"}}},
	}, s.Steps)
}

// everything is each form that a line can take.
const everything = `present visa-4242
sale 12.50 again as lunch
sale x
ask recover
ask reprint of lunch
ask show 5.00 of lunch
void
void of lunch as undone
refund 5.00 of lunch as some
void of lunch by nobody as undone
refund 5.00 by 07
preauth 100.00
preauth 100.00 again as room
cancel preauth
cancel preauth by code of room by 07 as gone
complete 80.00 of room
complete 80.00 by code of room as paid
cancel completion of paid by nobody as back
cancel completion
notice 80.00
notice 80.00 by code of room as told
offline 12.00 auth 123456
offline 12.00 auth A1b2C3 again as phoned
balance
balance printed
batch close
batch totals
cancel on stage present-card
present visa-4242 on 2nd outcome refused
wait 25h
wait 1m30s
settle
reader silent on
pinpad pin awaited
pinpad pin given after 45s
pinpad off on byte 7 from pinpad
wire pinpad unplug on byte 20 to pinpad
case open on send 0200
case closed
supply failing before commit approved
supply steady after 1s
printer paper out after 3
printer silent on on card read
modem nocarrier after 45s
acquirer fault late 31s for sale times 2
line down before commit pending
line up after 500ms
wire printer lose 5
clock -10m
cut power on send 0200
cut power on 3rd recv 0410
cut power on byte 17 of send 0200
cut power on byte 1 of 2nd recv 0210
cut power before commit pending
cut power inside 2nd commit approved
cut power after 11th commit try
cut power on byte 200 to printer
cut power on byte 2 from modem
cut power on printing line 3
cut power on 22nd card read
cut power
restore power
expect till approved
expect till refused "another sale" of lunch
expect till lost
expect store nothing
expect store suspense of lunch
expect host held
expect host nothing of lunch
expect host reversal
expect host saw 2 of 0400
expect paper 商户存根 12.50
expect paper 12.50 times 2 unmarked of lunch
expect paper 重打印 times 0
expect paper a of b
expect owed 0
expect suspense 1
expect slips owed 2
expect journal "late answer 00, not honoured" of lunch
expect reason 98
expect code 51
expect bearer dial of lunch
expect tries 3
expect shown waiting
expect not shown present-card
expect closing closed
expect closing refused "not settled"
expect closing none "nothing to close"
expect batch 2
expect host given
expect till queued
expect host completed
expect host cancelled of room
expect host lapsed
expect host done of gone
expect books agree
`

func TestEveryFormPrintsBack(t *testing.T) {
	assert.Equal(t, everything, read(t, everything).String())
}

func TestWordsOfTheLanguage(t *testing.T) {
	for line, want := range map[string]Step{
		"cancel preauth by code of room by 07": {Verb: Ask, Op: "preauth-cancel", ByCode: true, Of: "room", By: "07"},
		"cancel":                               {Verb: Cancel},
		"cancel completion as back":            {Verb: Ask, Op: "completion-cancel", Name: "back"},
		"offline 12.00 auth 123456 again":      {Verb: Ask, Op: "offline-sale", Amount: "12.00", Auth: "123456", Again: true},
		"balance printed":                      {Verb: Ask, Op: "balance", Printed: true},
		"printer silent on on card read":       {Verb: Hand, Who: "printer", What: "silent on", On: Event{Kind: CardRead, Nth: 1}},
		"printer paper out after 3":            {Verb: Hand, Who: "printer", What: "paper out after 3"},
		"printer paper out after 3s":           {Verb: Hand, Who: "printer", What: "paper out", On: Event{Kind: Elapsed, Time: 3 * time.Second}},
		"cut power inside 2nd commit approved": {Verb: Cut, On: Event{Kind: Inside, What: "approved", Nth: 2}},
		"cut power on byte 200 to printer":     {Verb: Cut, On: Event{Kind: ByteTo, What: "printer", N: 200}},
		`expect till lost`:                     {Verb: Expect, Expect: Expectation{Subject: Till, Outcome: Lost}},
		`expect till unknown of lunch`:         {Verb: Expect, Of: "lunch", Expect: Expectation{Subject: Till, Outcome: words.OutcomeUnknown}},
		"expect paper 12.50 times 2 unmarked":  {Verb: Expect, Expect: Expectation{Subject: Paper, Words: []string{"12.50"}, Counted: true, Count: 2, Marked: Unmarked}},
		"expect host saw 2 of 0400":            {Verb: Expect, Expect: Expectation{Subject: Saw, Text: "0400", Count: 2}},
	} {
		got, err := parseStep(line)
		require.NoError(t, err, line)
		assert.Equal(t, want, got, line)
	}
}

// What is wrong is said with file and line, and with what can be written there.
func TestWhatIsNotUnderstoodIsExplained(t *testing.T) {
	for line, says := range map[string]string{
		"sell 12.50":                          "\"sell 12.50\" is no step; write present CARD",
		"sale":                                "write sale and an amount",
		"sale 12.50 twice":                    "\"twice\" does not belong there",
		"sale 12.50 as Lunch!":                "does not belong there",
		"present":                             "name of one card",
		"refund":                              "write refund and an amount",
		"void 12.50":                          "does not belong there",
		"void as a of b":                      "does not belong there",
		"preauth":                             "write preauth and an amount",
		"preauth by code":                     "write preauth and an amount",
		"complete of room":                    "write complete and an amount",
		"complete 5.00 by 07 of room":         "does not belong there",
		"cancel sale":                         "is no step; write present CARD",
		"cancel preauth 5.00":                 "does not belong there",
		"offline 12.00":                       "write the authorisation that was given",
		"offline auth 123456":                 "write offline and an amount",
		"offline 12.00 auth 123456 of room":   "does not belong there",
		"balance 5.00":                        "write balance, or balance printed",
		"ask preauth 5.00":                    "verbs of their own",
		"batch open":                          "write one of batch close",
		"ask void":                            "verbs of their own",
		"cut power on recv 210":               "\"on recv 210\" is no event; write on [2nd] send",
		"cut power before commit paid":        "write before [2nd] commit and one of pending",
		"cut power on byte 0 of send 0200":    "\"0\" is not a number from 1",
		"cut power on byte 5 to till":         "line|modem|reader|pinpad|printer",
		"line down on the way":                "is no event",
		"wait":                                "is not a time",
		"wait 90 s":                           "is not a time",
		"wait 60s":                            "write 1m for 60s",
		"wait 90s":                            "write 1m30s for 90s",
		"wait -5s":                            "is not a time",
		"settle after 5s":                     "cannot happen at an event",
		"expect":                              "an expectation looks at something",
		"expect peace":                        "an expectation looks at something",
		"expect till happy":                   "outcome \"happy\" is not known",
		"expect till refused because":         "between",
		"expect store paid":                   "state \"paid\" is not known",
		"expect store approved twice":         "does not belong behind",
		"expect host owed":                    "write host and one of",
		"expect host saw two of 0400":         "not a number from 0",
		"expect paper times 2":                "the words that stand on it",
		"expect owed few":                     "not a number from 0",
		"expect owed 1 of lunch":              "looks at no single transaction",
		"expect weather fine":                 "is no expectation",
		"printer":                             "write behind printer what happens to it",
		"ask":                                 "a request of the terminal's socket",
		"ask sale 5.00":                       "verbs of their own",
		"present  visa-4242":                  "one space between two words",
		"present \a":                          "printable text",
		"present " + strings.Repeat("x", 200): "at most 200 bytes",
	} {
		_, err := Parse("link/a.txt", "# A story.\npresent visa-4242\n"+line+"\n")
		require.Error(t, err, line)
		assert.Contains(t, err.Error(), "link/a.txt:3: ", line)
		assert.Contains(t, err.Error(), says, line)
	}
}

func TestEveryWrongLineIsNamedAtOnce(t *testing.T) {
	_, err := Parse("a.txt", "sell\nsale 1.00\nbuy\n")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "a.txt:1: ")
	assert.Contains(t, err.Error(), "a.txt:3: ")
	_, err = Parse("a.txt", "cut power on send 0200\n")
	assert.ErrorContains(t, err, "a.txt:1: an event happens in the course of the step above it")
	_, err = Parse("a.txt", "# Nothing.\n")
	assert.ErrorContains(t, err, "there is no step")
	_, err = Parse("a.txt", strings.Repeat("settle\n", maxSteps+1))
	assert.ErrorContains(t, err, "at most 5000 steps")
}

func TestOrdinalsAreEnglish(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 112: "112th"} {
		assert.Equal(t, want, ordinal(n))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add(everything)
	for _, line := range strings.Split(everything, "\n") {
		f.Add("settle\n" + line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		printed := s.String()
		again, err := Parse("fuzz", printed)
		require.NoError(t, err, "%q", printed)
		require.Equal(t, printed, again.String())
		require.Equal(t, unnumbered(s), unnumbered(again))
	})
}

func unnumbered(s Story) []Step {
	steps := append([]Step(nil), s.Steps...)
	for i := range steps {
		steps[i].Line = 0
	}
	return steps
}

// A story says by itself what its terminal must have.
func TestAStoryTouchesMachines(t *testing.T) {
	for line, touched := range map[string]string{"pinpad pin given": "pinpad", "wire pinpad unplug": "pinpad", "case open": "case",
		"supply failing": "supply", "wire printer unplug": "printer"} {
		s := read(t, line+"\n")
		for _, machine := range []string{"pinpad", "case", "supply", "printer"} {
			assert.Equal(t, machine == touched, s.Touches(machine), "%s: %s", line, machine)
		}
	}
	assert.True(t, read(t, "sale 1.00\ncut power on byte 3 to pinpad\n").Touches("pinpad"))
}
