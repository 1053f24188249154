package linktest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link/iso8583"
)

func TestFaultsAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]Fault{
		"silent":                             {Kind: Silent, For: AtSale, Times: 1},
		"drop for reversal times 3":          {Kind: Drop, For: AtReversal, Times: 3},
		"late 90s times always for any":      {Kind: Late, Delay: 90 * time.Second, For: AtAny, Times: Always},
		"decline 51":                         {Kind: Decline, Code: "51", For: AtSale, Times: 1},
		"approve":                            {Kind: Approve, For: AtSale, Times: 1},
		"approve for sale":                   {Kind: Approve, For: AtSale, Times: 1},
		"approve A2 times 2":                 {Kind: Approve, Code: "A2", For: AtSale, Times: 2},
		"badkcv":                             {Kind: WrongCheck, For: AtSignIn, Times: 1},
		"  slow   20ms   for   signin  ":     {Kind: Slow, Delay: 20 * time.Millisecond, For: AtSignIn, Times: 1},
		"forge 00 for sale":                  {},
		"order 3 for any":                    {Kind: Order, Code: "3", For: AtAny, Times: 1},
		"order":                              {},
		"order 33":                           {},
		"decline":                            {},
		"decline for sale":                   {},
		"decline 00":                         {},
		"decline 511":                        {},
		"approve 51":                         {},
		"late":                               {},
		"late soon":                          {},
		"late -1s":                           {},
		"late 25h":                           {},
		"silent 51":                          {},
		"silent for":                         {},
		"silent for tea":                     {},
		"silent times 0":                     {},
		"silent times 1000001":               {},
		"silent until noon":                  {},
		"":                                   {},
		"explode":                            {},
		"silent for sale times 2 and beyond": {},
	} {
		got, err := ParseFault(text)
		if want == (Fault{}) {
			assert.Error(t, err, text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestEveryFaultHasAName(t *testing.T) {
	for _, name := range strings.Fields(faultNames()) {
		assert.Contains(t, faultKinds, FaultKind(name))
	}
	assert.Len(t, faultKinds, len(strings.Fields(faultNames())))
}

func TestFaultsAreTakenInTheirOrder(t *testing.T) {
	a := newTestAcquirer(t)
	a.Inject(Fault{Kind: Silent})
	a.Inject(Fault{Kind: Drop, For: AtReversal, Times: 2})
	a.Inject(Fault{Kind: Lost, Times: Always})
	const voids = "a void"
	met := func(mti string) FaultKind {
		a.mu.Lock()
		defer a.mu.Unlock()
		m := new(iso8583.Message)
		m.SetMTI(mti)
		if mti == voids {
			m.SetMTI(mtiRequest)
			m.Set(60, "23000001000600")
		}
		return a.faultLocked(m, 0).Kind
	}
	assert.Equal(t, Drop, met(mtiReversal))
	assert.Equal(t, Silent, met(mtiRequest))
	assert.Equal(t, Lost, met(mtiRequest))
	assert.Equal(t, Lost, met(mtiRequest))
	assert.Equal(t, Drop, met(mtiReversal))
	assert.Equal(t, NoFault, met(mtiReversal))
	assert.Equal(t, NoFault, met(mtiSignIn))
	assert.Equal(t, NoFault, met(voids), "no sale")
	a.Inject(Fault{Kind: Drop, For: AtVoid})
	assert.Equal(t, Lost, met(mtiRequest))
	assert.Equal(t, Drop, met(voids))
	a.ClearFaults()
	assert.Equal(t, NoFault, met(mtiRequest))
}

func FuzzFault(f *testing.F) {
	for _, seed := range []string{"silent", "late 90s for any times always", "decline 51 for reversal times 2", "approve", "none"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err != nil {
			return
		}
		again, err := ParseFault(fault.String())
		require.NoError(t, err)
		again.Times = fault.Times
		require.Equal(t, fault, again)
	})
}
