package msr

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/reader"
)

func TestTheCheckCharacterIsThatOfTheStandard(t *testing.T) {
	for _, c := range []struct {
		track          int
		start          byte
		content, check string
	}{
		{1, ';', "", "4"}, // 1011 against 1111
		{1, ';', "1", "5"},
		{0, '%', "AT3", "<"}, // the worked example of a reader's manual: 1Ch of six bits
	} {
		assert.Equal(t, c.check[0], lrc(c.track, c.start, []byte(c.content)), c.content)
	}
	assert.Equal(t, lrc(2, ';', []byte("42")), lrc(2, '!', []byte("42")), "a reader's own symbol is not what stands on the stripe")
}

func TestCheckDigits(t *testing.T) {
	for number, right := range map[string]bool{
		"4242424242424242": true, "6200000000000005": true, "6224242900000113": true, "5555555555554444": true,
		"4111111111111111": true, "378282246310005": true, "6200000000000000000": true,
		"4242424242424241": false, "4242424242424224": false, "": false,
	} {
		assert.Equal(t, right, CheckDigit(number))
	}
}

const (
	one   = "%B4242424242424242^TEST/CARD^30122010000000000?"
	two   = ";4242424242424242=30122011234567890123?"
	three = "+011234567890123445=724724?"
)

// withLRC puts its check character behind each track.
func withLRC(wire string) string {
	var out strings.Builder
	for _, line := range strings.SplitAfter(wire, "?") {
		out.WriteString(line)
		at := strings.IndexAny(line, "%;+")
		if at < 0 || !strings.HasSuffix(line, "?") {
			continue
		}
		out.WriteByte(lrc(map[byte]int{'%': 0, ';': 1, '+': 2}[line[at]], line[at], []byte(line[at+1:len(line)-1])))
	}
	return out.String()
}

func TestSwipesInEveryShape(t *testing.T) {
	for name, c := range map[string]struct {
		wire string
		opts Opts
		want string // part of the error, or nothing
	}{
		"three lines":                 {wire: one + "\r" + two + "\r" + three + "\r"},
		"one line":                    {wire: one + two + three + "\r"},
		"lines end in CR LF":          {wire: one + "\r\n" + two + "\r\n"},
		"framed":                      {wire: "\x02\x1b" + one + two + "\r\x03"},
		"track 3 with the same start": {wire: one + two + ";0112=724?\r"},
		"track 2 alone":               {wire: two + "\r"},
		"no end of line":              {wire: two},
		"track 1 unread":              {wire: "%E?" + two + "+E?\r"},
		"track 1 of another format":   {wire: "%A1234?" + two},
		"number in groups":            {wire: "%B4242 4242 4242 4242^TEST/CARD^30122010000000000?" + two},
		"check characters":            {wire: withLRC(one + "\r" + two + "\r" + three + "\r"), opts: Opts{SendsLRC: true}},
		"check characters, one line":  {wire: withLRC(one + two + three + "\r"), opts: Opts{SendsLRC: true}},
		"unread with check":           {wire: "%E?0" + withLRC(two) + "\r", opts: Opts{SendsLRC: true}},
		"track 3 damaged":             {wire: two + "+01x?\r"},

		"nothing of track 2":         {wire: one + "\r", want: "track 2 is missing"},
		"track 2 unread":             {wire: one + ";E?\r", want: "track 2 could not be read"},
		"track 2 empty":              {wire: ";?\r", want: "track 2 could not be read"},
		"stops in the middle":        {wire: one + two[:20], want: "track 2 stops in the middle"},
		"line ends in the middle":    {wire: two[:20] + "\r", want: "track 2 stops in the middle"},
		"letter in track 2":          {wire: strings.Replace(two, "=30", "=3O", 1), want: "no stripe has"},
		"start within":               {wire: two[:12] + two, want: "no stripe has"},
		"too long":                   {wire: two[:len(two)-1] + "00000?", want: "longer than a stripe"},
		"check character missing":    {wire: two, opts: Opts{SendsLRC: true}, want: "stops in the middle"},
		"check character wrong":      {wire: two + "0\r", opts: Opts{SendsLRC: true}, want: "wrong check character"},
		"check character unexpected": {wire: withLRC(strings.Replace(two, "0123?", "0120?", 1)) + "\r", want: "behind its end"},
		"wrong check digit":          {wire: strings.Replace(two, ";4242", ";4243", 1), want: "check digit is wrong"},
		"month 13":                   {wire: strings.Replace(two, "=3012", "=3013", 1), want: "not a date"},
		"no date":                    {wire: ";4242424242424242==2011234567?", want: "track 2 refused"},
		"no service code":            {wire: ";4242424242424242=301220?", want: "no service code"},
		"short number":               {wire: ";42424242424=3012201?", want: "card number refused"},
		"number of 20 digits":        {wire: ";42424242424242424242=3012201?", want: "card number refused"},
		"other number on track 1":    {wire: strings.Replace(one, "B4242", "B4343", 1) + two, want: "different cards"},
		"other date on track 1":      {wire: strings.Replace(one, "^3012", "^3011", 1) + two, want: "different cards"},
		"swiped twice":               {wire: one + two + "\r" + one + two + "\r", want: "two swipes"},
	} {
		t.Run(name, func(t *testing.T) {
			for cut := range len(c.wire) + 1 {
				s := newSwipe(c.opts.SendsLRC)
				s.take([]byte(c.wire[:cut]))
				s.take([]byte(c.wire[cut:]))
				got, err := s.card(c.opts)
				if c.want != "" {
					require.ErrorContains(t, err, c.want)
					require.ErrorIs(t, err, ErrBadSwipe)
					require.ErrorIs(t, err, reader.ErrCardUnread)
					require.NotContains(t, err.Error(), "4242")
					continue
				}
				require.NoError(t, err, "cut at %d", cut)
				require.Equal(t, two[1:len(two)-1], got.Track.DataInTheClear())
				require.Equal(t, "4242", got.Card.PAN.Last4())
				require.Equal(t, "3012", got.Card.Expiry)
			}
		})
	}
}

func TestSettingsDecideOverChipsAndCheckDigits(t *testing.T) {
	judge := func(wire string, o Opts) error {
		s := newSwipe(false)
		s.take([]byte(wire))
		_, err := s.card(o)
		return err
	}
	assert.NoError(t, judge(two, Opts{}))
	assert.ErrorIs(t, judge(two, Opts{RefuseChip: true}), reader.ErrCardRefused)
	assert.ErrorIs(t, judge(strings.Replace(two, "=3012201", "=3012601", 1), Opts{RefuseChip: true}), reader.ErrCardRefused)
	assert.NoError(t, judge(strings.Replace(two, "=3012201", "=3012101", 1), Opts{RefuseChip: true}))
	assert.NoError(t, judge(strings.Replace(two, ";4242", ";4243", 1), Opts{NoCheckDigit: true}))
}

// A swipe has a fixed size however much comes.
func TestReadingAllocatesNothing(t *testing.T) {
	s, wire := newSwipe(false), []byte(one+two+strings.Repeat("x", 4096))
	allocations := testing.AllocsPerRun(100, func() {
		*s = swipe{now: -1, check: -1, behind: -1}
		s.take(wire)
	})
	assert.Zero(t, allocations)
}

func FuzzSwipe(f *testing.F) {
	for _, wire := range []string{one + "\r" + two + "\r" + three + "\r", two, "%E?" + two, two + two, withLRC(one + two),
		";4242424242424242=", "??;;%%++\r", ";\x00", strings.Repeat(";", 300)} {
		f.Add([]byte(wire), uint16(7), false)
		f.Add([]byte(wire), uint16(40), true)
	}
	for _, c := range broken(f) {
		f.Add(c.wire, uint16(9), false)
	}
	f.Fuzz(func(t *testing.T, wire []byte, at uint16, sends bool) {
		cut := int(at) % (len(wire) + 1)
		whole, pieces := newSwipe(sends), newSwipe(sends)
		whole.take(wire)
		pieces.take(wire[:cut])
		pieces.take(wire[cut:])
		o := Opts{SendsLRC: sends}
		want, wantErr := whole.card(o)
		got, err := pieces.card(o)
		require.Equal(t, wantErr, err)
		require.Equal(t, want.Track.DataInTheClear(), got.Track.DataInTheClear())
		if err != nil {
			return
		}
		require.Contains(t, string(wire), ";"+got.Track.DataInTheClear()+"?", "a track that was never on the line")
		require.True(t, CheckDigit(got.Card.PAN.DigitsInTheClear()))
	})
}
