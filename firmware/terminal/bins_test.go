package terminal

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

func TestACardIsHeldAgainstTheRangeOfItsNumber(t *testing.T) {
	for name, c := range map[string]struct {
		range_ BinRange
		other  BinRule
		sale   error
		queued error
	}{
		"refused":                    {BinRange{"622400", "622499", BinRefuse, 0}, "", ErrBin, ErrBin},
		"refused, the last of them":  {BinRange{"622400", "622424", BinRefuse, 0}, "", ErrBin, ErrBin},
		"beside a refused range":     {BinRange{"622425", "622499", BinRefuse, 0}, "", nil, nil},
		"only over the line":         {BinRange{"62", "62", BinOnline, 0}, "", nil, ErrBinOnline},
		"accepted among others":      {BinRange{"62242429", "62242429", BinAccept, 0}, BinRefuse, nil, nil},
		"not among those accepted":   {BinRange{"4", "5", BinAccept, 0}, BinRefuse, ErrBin, ErrBin},
		"more than its range allows": {BinRange{"62", "62", BinAccept, 99}, "", ErrLimit, ErrLimit},
		"as much as it allows":       {BinRange{"62", "62", BinAccept, 100}, "", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, c.range_.Check())
			k := newCounter(t, Options{Bins: []BinRange{c.range_}, OtherBins: c.other})
			_, err := k.sell(100)
			require.ErrorIs(t, err, c.sale)
			_, err = k.PreAuth(t.Context(), k.order(100, Named{}))
			require.ErrorIs(t, err, c.sale)
			_, err = k.offline(100)
			require.ErrorIs(t, err, c.queued)
			if c.sale != nil {
				assert.Zero(t, k.host.requests, "before anything is sent")
			}
		})
	}
}

func TestMoneyMayGoBackToACardThatIsNoLongerTaken(t *testing.T) {
	c := newCounter(t, Options{})
	sale := c.held()
	c.o.OtherBins = BinRefuse
	_, err := c.void(sale)
	require.NoError(t, err)
}

func TestARangeThatMeansNothingIsRefused(t *testing.T) {
	for _, r := range []BinRange{
		{"", "", BinAccept, 0}, {"62", "623", BinAccept, 0}, {"63", "62", BinAccept, 0}, {"6x", "6y", BinAccept, 0},
		{"62", "62", "", 0}, {"62", "62", "perhaps", 0}, {"62", "62", BinRefuse, 5}, {"62", "62", BinAccept, -1}, {"62246224622", "62246224622", BinAccept, 0},
	} {
		assert.Error(t, r.Check(), "%+v", r)
	}
}

// Whether two ranges meet agrees with looking at every number there is.
func FuzzRangesMeet(f *testing.F) {
	f.Add(uint16(62), uint16(63), uint8(2), uint16(6310), uint16(6400), uint8(4))
	f.Add(uint16(5), uint16(5), uint8(1), uint16(500), uint16(599), uint8(3))
	f.Fuzz(func(t *testing.T, from1, to1 uint16, n1 uint8, from2, to2 uint16, n2 uint8) {
		make := func(from, to uint16, n uint8) BinRange {
			digits := 1 + int(n%4)
			cut := func(v uint16) string { return fmt.Sprintf("%04d", v%10_000)[:digits] }
			return BinRange{cut(from), cut(to), BinAccept, 0}
		}
		a, b := make(from1, to1, n1), make(from2, to2, n2)
		if a.Check() != nil || b.Check() != nil {
			return
		}
		meet := false
		for n := range 10_000 {
			pan, err := txn.ParsePAN(fmt.Sprintf("%04d00000000", n))
			if err != nil {
				t.Fatal(err)
			}
			meet = meet || pan.Between(a.From, a.To) && pan.Between(b.From, b.To)
		}
		if a.Meets(b) != meet || b.Meets(a) != meet {
			t.Fatalf("%+v and %+v: %t, and in truth %t", a, b, a.Meets(b), meet)
		}
	})
}

func TestOneCardIsChargedSoOftenAndSoMuchInADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour) // noon
		c := newCounter(t, Options{MaxCardDay: 5000, MaxCardCount: 3, Lookalike: time.Nanosecond})
		first := c.held()
		spent := first.Amount
		_, err := c.sell(5000 - spent + 1)
		require.ErrorIs(t, err, ErrCardLimit)
		_, err = c.sell(2)
		require.NoError(t, err)
		c.host.approve = func(txn.Txn) (txn.Answer, error) { return txn.Answer{Code: "51"}, nil }
		_, err = c.sell(3)
		require.NoError(t, err, "a decline does not count")
		c.host.approve = nil
		_, err = c.PreAuth(t.Context(), c.order(1, Named{}))
		require.NoError(t, err)
		sent := c.host.requests
		_, err = c.sell(4)
		require.ErrorIs(t, err, ErrCardLimit, "three times")
		assert.Equal(t, sent, c.host.requests)

		c.Terminal = New(c.store, c.host, reader{}, c, c.o)
		_, err = c.sell(5)
		require.ErrorIs(t, err, ErrCardLimit, "another run of the program")
		_, err = c.void(first)
		require.NoError(t, err)
		_, err = c.sell(6)
		require.NoError(t, err, "what was voided does not count")
		time.Sleep(24 * time.Hour)
		_, err = c.sell(5000)
		require.NoError(t, err, "another day")
		_, err = c.sell(7)
		require.ErrorIs(t, err, ErrCardLimit)
	})
}

func TestADayIsWalkedOnceWhateverItsLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour)
		c := newCounter(t, Options{MaxCardCount: 400, Lookalike: time.Nanosecond})
		for range 80 {
			_, err := c.sell(5)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		seen := map[txn.ID]int{}
		all, err := c.today(func(x txn.Txn) { seen[x.ID]++ })
		require.NoError(t, err)
		assert.True(t, all)
		assert.Len(t, seen, 80)
		for id, n := range seen {
			assert.Equal(t, 1, n, id)
		}
	})
}
