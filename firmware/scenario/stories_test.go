package scenario_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/scenario"
	"posagent/firmware/simrig"
	"posagent/link/profile"
	"posagent/txnstore/txn"
)

var testdata = filepath.Join("..", "..", "testdata")

// stories reads every file of testdata/scenarios. Its directories are the groups of faults.
func stories(t *testing.T) []scenario.Story {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, "scenarios", "*", "*.txt"))
	require.NoError(t, err)
	var all []scenario.Story
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		name := filepath.Join(filepath.Base(filepath.Dir(f)), filepath.Base(f))
		s, err := scenario.Parse(name, string(text))
		require.NoError(t, err)
		all = append(all, s)
	}
	return all
}

// world makes simulated worlds, with a plain terminal.
func world(t *testing.T, seed uint64) func(play func(scenario.Rig) error) error {
	return worldOf(t, seed, profile.UnionPay(), scenario.Story{})
}

// sealed is the group of stories whose card reader enciphers, which only a profile like that brings about.
const sealed = "sealed"

// readerProfile is one that leaves enciphering to the card reader.
func readerProfile(t *testing.T) *profile.Profile {
	p, err := profile.Open(filepath.Join(testdata, "profiles", "reader.toml"))
	require.NoError(t, err)
	return p
}

// ownProfile is the profile in which a story is told where nothing else is said.
func ownProfile(t *testing.T, s scenario.Story) *profile.Profile {
	if filepath.Dir(s.Name) == sealed {
		return readerProfile(t)
	}
	return profile.UnionPay()
}

// worldOf makes worlds whose terminal and acquirer speak in a profile. The terminal has a PIN pad, or lines, where the story
// speaks of them; then also what is logged for developers is searched for secrets.
func worldOf(t *testing.T, seed uint64, p *profile.Profile, s scenario.Story) func(play func(scenario.Rig) error) error {
	cards, err := simrig.LoadCards(filepath.Join(testdata, "cards", "cards.toml"))
	require.NoError(t, err)
	return func(play func(scenario.Rig) error) (err error) {
		dir, bad := os.MkdirTemp("/dev/shm", "stories-") // a story has hundreds of syncs
		if bad != nil {
			dir = t.TempDir()
		}
		defer os.RemoveAll(dir)
		synctest.Test(t, func(t *testing.T) {
			o := simrig.Options{Seed: seed, Dir: dir, Cards: cards, Profile: p, PINPad: s.Touches("pinpad"),
				Lines: s.Touches("case") || s.Touches("supply")}
			if o.PINPad || p.Tracks == profile.ReaderTracks {
				o.Level = slog.LevelDebug
			}
			w, bad := simrig.New(o)
			require.NoError(t, bad)
			err = errors.Join(play(w), w.Close())
		})
		return err
	}
}

// Every story of the groups, in the simulated world.
func TestEveryStory(t *testing.T) {
	for _, s := range stories(t) {
		t.Run(strings.TrimSuffix(s.Name, ".txt"), func(t *testing.T) {
			require.NoError(t, worldOf(t, 1, ownProfile(t, s), s)(func(r scenario.Rig) error { return scenario.Run(s, r) }))
		})
	}
}

// The stories of a reader that enciphers in the direct connection's own messages, where an acquirer takes records by their STAN.
func TestAReaderThatEnciphersInTheDirectConnection(t *testing.T) {
	p, err := profile.Read("own.toml", "base = \"unionpay\"\nname = \"own\"\n[tracks]\ncipher = \"reader\"\nserial = \"57\"\n"+
		"[settlement]\ndetails = \"messages\"\ncertificates = \"kept\"\n[fields]\n35 = \"z..96 bcd-left\"\n36 = \"\"\n57 = \"b10\"\n")
	require.NoError(t, err)
	for _, s := range stories(t) {
		if group := filepath.Dir(s.Name); group == sealed || group == "hold" {
			t.Run(strings.TrimSuffix(s.Name, ".txt"), func(t *testing.T) {
				require.NoError(t, worldOf(t, 1, p, s)(func(r scenario.Rig) error { return scenario.Run(s, r) }))
			})
		}
	}
}

// Every story once more with a card reader that enciphers, where no number is known: but those of a PIN, which is made with the
// number, of offline sales, which are told by it, and of the direct connection's own orders.
func TestEveryStoryWithAReaderThatEnciphers(t *testing.T) {
	p, told := readerProfile(t), 0
	for _, s := range stories(t) {
		offline := slices.ContainsFunc(s.Steps, func(step scenario.Step) bool { return step.Op == string(txn.OfflineSale) })
		if group := filepath.Dir(s.Name); group == sealed || group == "orders" || s.Name == filepath.Join("acquirer", "orders-a-sign-in.txt") || s.Touches("pinpad") || offline {
			continue
		}
		told++
		t.Run(strings.TrimSuffix(s.Name, ".txt"), func(t *testing.T) {
			require.NoError(t, worldOf(t, 1, p, s)(func(r scenario.Rig) error { return scenario.Run(s, r) }))
		})
	}
	assert.Greater(t, told, 200)
}

// Every story once more with a terminal and an acquirer that speak ISO 8583:1987 in characters: what is promised does not
// hang on the words. It is told in one of them where it is the direct connection's own.
func TestEveryStoryUnderTheGenericProfile(t *testing.T) {
	headed, err := profile.Read("headed.toml", "base = \"iso87\"\nname = \"headed\"\n[frame]\nhead = \"full\"\n")
	require.NoError(t, err)
	for _, s := range stories(t) {
		if group := filepath.Dir(s.Name); group == "orders" || group == sealed {
			continue // these downloads are messages of the direct connection; and what a reader enciphers wants its own profile
		}
		t.Run(strings.TrimSuffix(s.Name, ".txt"), func(t *testing.T) {
			p := profile.ISO87()
			if s.Name == filepath.Join("acquirer", "orders-a-sign-in.txt") {
				p = headed // an order stands in the application header, which this profile has not
			}
			require.NoError(t, worldOf(t, 1, p, s)(func(r scenario.Rig) error { return scenario.Run(s, r) }))
		})
	}
}

// A story is one screen, and begins by telling a person what it is about.
func TestStoriesAreForPeople(t *testing.T) {
	all := stories(t)
	groups := map[string]int{}
	for _, s := range all {
		groups[filepath.Dir(s.Name)]++
		assert.LessOrEqual(t, len(s.Comment)+len(s.Steps), 24, "%s is more than a screen", s.Name)
		require.NotEmpty(t, s.Comment, s.Name)
		assert.Greater(t, len(s.Comment[0]), 30, "%s: what is it about?", s.Name)
		expects := 0
		for _, step := range s.Steps {
			if step.Verb == scenario.Expect {
				expects++
			}
		}
		assert.Positive(t, expects, "%s cannot fail", s.Name)
	}
	for _, group := range []string{"link", "acquirer", "device", "power", "trade", "hold", "offline", sealed} {
		assert.GreaterOrEqual(t, groups[group], 8, group)
	}
}

// cutsWanted makes the plan of one story. CUTS=all takes every step there is, and CUTS=N so many bytes of each wire and
// every commit, up to eight times as many of each kind (scenario.Plan). The ordinary run, with the race detector, takes one of
// twenty-four of those for CUTS=2, each story beginning with another.
func cutsWanted(t *testing.T, story int) func(map[scenario.Event]int) []scenario.Event {
	most, each := 2, 24
	switch wanted := os.Getenv("CUTS"); wanted {
	case "":
	case "all":
		most, each = 0, 1
	default:
		n, err := strconv.Atoi(wanted)
		require.NoError(t, err, "CUTS=N or CUTS=all")
		most, each = n, 1
	}
	return func(counts map[scenario.Event]int) (some []scenario.Event) {
		for i, at := range scenario.Plan(counts, most) {
			if i%each == story%each {
				some = append(some, at)
			}
		}
		return some
	}
}

// The power is cut at each observable step of every story, and the world is judged after each.
func TestEveryCutOfEveryStory(t *testing.T) {
	var made, missed atomic.Int64
	t.Run("story", func(t *testing.T) {
		for i, s := range stories(t) {
			plan := cutsWanted(t, i)
			t.Run(strings.TrimSuffix(s.Name, ".txt"), func(t *testing.T) {
				t.Parallel()
				cuts, err := scenario.EveryCut(s, plan, worldOf(t, 1, ownProfile(t, s), s))
				made.Add(int64(cuts.Made))
				missed.Add(int64(cuts.Missed))
				require.NoError(t, err)
			})
		}
	})
	t.Logf("%d cuts, and %d that came too late", made.Load(), missed.Load())
	require.Less(t, missed.Load()*50, made.Load(), "what is planned is what happens")
}

// An acquirer that wants the PIN with a void too has a line in its profile. The story is told in both profiles, and with the
// power cut at its steps.
func TestAVoidAsksForThePINWhereTheProfileSaysSo(t *testing.T) {
	s, err := scenario.Parse("pin-for-a-void.txt", `# The card's PIN is asked for with the void as with the sale; a wrong one undoes nothing, and one that was cancelled begins nothing.
present unionpay-0005
sale 88.00 as bought
expect till approved
pinpad pin wrong
present unionpay-0005
void of bought as first
expect shown enter-pin
expect till declined
expect code 55
expect host held of bought
pinpad pin cancelled
present unionpay-0005
void of bought as second
expect till refused "PIN"
expect store nothing of second
pinpad pin given
present unionpay-0005
void of bought as third
expect shown enter-pin
expect till approved
expect host voided of bought
`)
	require.NoError(t, err)
	for _, base := range []string{profile.UnionPayName, profile.ISO87Name} {
		p, err := profile.Read("own.toml", "base = \""+base+"\"\nname = \"own\"\n[pin]\nasked = [\"sale\", \"void\"]\n")
		require.NoError(t, err)
		t.Run(base, func(t *testing.T) {
			require.NoError(t, worldOf(t, 1, p, s)(func(r scenario.Rig) error { return scenario.Run(s, r) }))
			for _, cut := range []scenario.Event{{Kind: scenario.Send, What: "0200", Nth: 3}, {Kind: scenario.Recv, What: "0210", Nth: 3},
				{Kind: scenario.Before, What: "pending", Nth: 3}, {Kind: scenario.After, What: "pending", Nth: 3}} {
				require.NoError(t, worldOf(t, 1, p, s)(func(r scenario.Rig) error { return scenario.RunCut(s, r, cut) }), cut.String())
			}
		})
	}
}

// The table of device faults names stories that there are, and every story that it should.
func TestTheTableOfFaultsIsComplete(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testdata, "scenarios", "README.md"))
	require.NoError(t, err)
	named := map[string]bool{}
	for _, name := range regexp.MustCompile("`((?:device|power)/[a-z-]+)`").FindAllStringSubmatch(string(text), -1) {
		named[name[1]] = true
	}
	there := map[string]bool{}
	for _, s := range stories(t) {
		name := strings.TrimSuffix(s.Name, ".txt")
		there[name] = true
		if strings.HasPrefix(name, "device/") || strings.HasPrefix(name, "power/warned-") {
			assert.True(t, named[name], "%s stands in no line of the table", name)
		}
	}
	for name := range named {
		assert.True(t, there[name], "the table names %s, which is no story", name)
	}
}
