package scenario_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
)

func runs(t *testing.T, text string) error {
	t.Helper()
	s, err := scenario.Parse("a.txt", text)
	require.NoError(t, err)
	return world(t, 1)(func(r scenario.Rig) error { return scenario.Run(s, r) })
}

// An expectation that cannot fail expects nothing. Each of these is wrong about an ordinary approved sale, and the error
// says where and what was seen.
func TestEveryExpectationCanFail(t *testing.T) {
	for line, says := range map[string]string{
		`expect till declined`:                      `the till was told "approved"`,
		`expect till approved "overdrawn"`:          "the till was told: ",
		`expect store reversed`:                     `it is "approved"; the acquirer says "held"`,
		`expect store nothing`:                      `it is "approved"`,
		`expect host reversed`:                      `it is "held"`,
		`expect host nothing`:                       `it is "held"`,
		`expect host reversal`:                      "nothing about it",
		`expect host saw 2 of 0200`:                 "the acquirer saw 1",
		`expect paper 冲正通知`:                         "0 of 2 slips are like that",
		`expect paper 12.50 times 1`:                "2 of 2 slips are like that",
		`expect paper 12.50 marked`:                 "0 of 2 slips are like that",
		`expect paper 12.50 times 0 of one`:         "2 of 2 slips are like that",
		`expect owed 1`:                             "there are 0",
		`expect suspense 1`:                         "there are 0",
		`expect slips owed 1`:                       "there are 0",
		`expect journal "reversed" of one`:          "something else",
		`expect reason 98`:                          `it is ""`,
		`expect code 51`:                            `it is "00"`,
		`expect bearer dial`:                        `it is "ethernet"`,
		`expect batch 2`:                            "the open batch is 1",
		`expect closing none`:                       "no batch was to be closed",
		"batch close\nexpect closing refused":       `its step is "closed"`,
		"batch close\nexpect closing closed \"x!\"": "the till was told: ",
		`expect tries 1`:                            "tries are 0",
		`expect shown paper-owed`:                   "the till was shown",
		`expect not shown present-card`:             "the till was shown",
		`expect store approved of other`:            "no sale before this line is named other",
		`expect till approved of other`:             "no sale before this line is named other",
		"wait 1s\ncut power on send 0400":           "send 0400 never happened",
		"wait 1s\nprinter paper mislaid after 5s":   "is not a command",
		"present nobody":                            "no card is called nobody",
		"cancel":                                    "no request is in progress",
		"cut power\nsettle":                         "there is no power",
	} {
		err := runs(t, "present visa-4242\nsale 12.50 as one\n"+line+"\n")
		require.Error(t, err, line)
		assert.Contains(t, err.Error(), "a.txt:", line)
		assert.Contains(t, err.Error(), says, line)
	}
}

func TestTheErrorNamesTheLine(t *testing.T) {
	err := runs(t, "# A sale.\n\npresent visa-4242\nsale 12.50\nexpect store reversed\n")
	assert.ErrorContains(t, err, "a.txt:5: expect store reversed: ")
}

func TestAStoryThatARigCannotDoIsRefusedBeforeItBegins(t *testing.T) {
	err := runs(t, "sale 12.50\npresent nobody\n")
	require.ErrorIs(t, err, scenario.ErrUnable)
	assert.ErrorContains(t, err, "a.txt:2: present nobody: ")
}

// What happens at an event happens in the course of the step above it, whether time or the wire brings it.
func TestDeedsHappenAtTheirEvents(t *testing.T) {
	require.NoError(t, runs(t, "sale 12.50 as one\npresent visa-4242 after 20s\nexpect till approved\n"))
	require.NoError(t, runs(t, "sale 12.50 as one\npresent visa-4242 after 40s\nexpect till refused \"no card\"\n"),
		"the terminal waits thirty seconds, and the card comes ten later")
	require.NoError(t, runs(t, "present visa-4242\nsale 12.50\ncut power on stage waiting\nrestore power\nsettle\nexpect store reversed\n"))
	require.NoError(t, runs(t, "present visa-4242\nsale 12.50 as one\npresent mastercard-4444 on card read\nsale 13.50 as two\nexpect till approved of one\nexpect till approved of two\n"))
}

// Every cut of a sale, in a world whose acquirer drops one sale out of its books, is noticed as a violation: the judge sits
// at the end of each run.
func TestACutWorldIsJudged(t *testing.T) {
	s, err := scenario.Parse("a.txt", "present visa-4242\nsale 12.50\nsettle\n")
	require.NoError(t, err)
	err = world(t, 1)(func(r scenario.Rig) error {
		return scenario.RunCut(s, forgetful{r}, scenario.Event{Kind: scenario.After, What: "approved", Nth: 1})
	})
	assert.ErrorContains(t, err, "cut power after commit approved: a.txt: the books do not agree:\n\tbatch 000001: the totals differ: 1 over 12.50 here, 0 over 0.00 there\n\tvoucher 000001/000002: approved")
	_, err = scenario.EveryCut(s, func(counts map[scenario.Event]int) []scenario.Event { return scenario.Plan(counts, 1) }, func(play func(scenario.Rig) error) error {
		return world(t, 1)(func(r scenario.Rig) error { return play(forgetful{r}) })
	})
	assert.ErrorContains(t, err, "approved here and not held by the acquirer")
}

// forgetful is a rig whose acquirer loses every row that it holds.
type forgetful struct{ scenario.Rig }

func (f forgetful) Books() (scenario.Books, error) {
	b, err := f.Rig.Books()
	b.There, b.Accounts, b.Batches = nil, nil, nil
	return b, err
}

// A second cut falls into the recovery from the first.
func TestCutsInTheRecovery(t *testing.T) {
	s, err := scenario.Parse("a.txt", "present visa-4242\nsale 12.50\nsettle\nexpect till approved\n")
	require.NoError(t, err)
	first := scenario.Event{Kind: scenario.Recv, What: "0210", Nth: 1}
	for _, second := range []scenario.Event{{Kind: scenario.Before, What: "try", Nth: 1}, {Kind: scenario.Send, What: "0400", Nth: 1},
		{Kind: scenario.Inside, What: "reversed", Nth: 1}, {Kind: scenario.Printing, N: 3}} {
		err := world(t, 1)(func(r scenario.Rig) error {
			return errors.Join(scenario.RunCut(s, r, first, second), sawTries(r, second))
		})
		require.NoError(t, err, second.String())
	}
}

// sawTries proves that the recovery was cut: the reversal was begun more than once, or its notice was.
func sawTries(r scenario.Rig, second scenario.Event) error {
	b, err := r.Books()
	if err != nil {
		return err
	}
	again := b.Here[0].Tries > 1 || second.Kind == scenario.Before || second.Kind == scenario.Inside
	for _, s := range b.Slips {
		again = again || s.Duplicate || s.Torn
	}
	if !again {
		return errors.New("the second cut never fell")
	}
	return nil
}
