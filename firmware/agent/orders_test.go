package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/link/linktest"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

func (w *world) desk(command string) { w.do(w.acquirer.Command(command)) }

// done is how often the acquirer has served or heard something.
func (w *world) done(what string) int {
	w.t.Helper()
	text, err := w.acquirer.Command("desk")
	require.NoError(w.t, err)
	var desk struct{ Done map[string]int }
	require.NoError(w.t, json.Unmarshal([]byte(text), &desk))
	return desk.Done[what]
}

func (w *world) order(what string) OrderStatus {
	for _, o := range w.agent.Status().Orders {
		if o.What == what {
			return o
		}
	}
	return OrderStatus{}
}

// settable has the agent started again with parameters that may be set.
func (w *world) settable(keys ...string) {
	w.cutPower()
	w.options.Settable = keys
	w.boot()
}

func TestOrderedParametersAreDownloadedTakenOverAndKept(t *testing.T) {
	inWorld(t, func(w *world) {
		w.settable(Settable()...)
		w.desk("parameters 12=45 23=0 22=南风便利店 14=95516")
		w.desk("order parameters")
		approved(t, w.sell("visa-4242", "12.50"))
		assert.Equal(t, 2, w.paper("北风便利店"), "the slip does not wait")
		assert.Zero(t, w.done("parameters"), "nothing is obeyed inside the exchange")
		w.after(10 * time.Second)
		assert.Equal(t, 1, w.done("parameters"))
		assert.Equal(t, 1, w.done("parameters-end"))
		assert.Equal(t, "done", w.order("parameters").State)
		status := w.agent.Status()
		require.NotNil(t, status.Parameters)
		assert.Contains(t, status.Parameters.Acquirer, "ethernet")

		approved(t, w.sell("visa-4242", "13.50"))
		assert.Equal(t, 2, w.paper("南风便利店"))
		w.settable(Settable()...)
		approved(t, w.sell("visa-4242", "14.50"))
		assert.Equal(t, 4, w.paper("南风便利店"), "over a restart")

		w.fault("silent")
		w.fault("lost for reversal")
		before := time.Now()
		w.sell("visa-4242", "15.50")
		assert.Equal(t, 90*time.Second, time.Since(before).Truncate(10*time.Second), "45 seconds for the sale and 45 for its reversal")
		x, _ := w.store.List(1)
		assert.Equal(t, txn.Suspense, x[0].State, "one try is allowed")

		w.desk("parameters 18=0")
		w.desk("order parameters")
		w.after(time.Hour)
		approved(t, w.sell("visa-4242", "16.50"))
		w.after(time.Minute)
		assert.Equal(t, 2, w.done("parameters"))
		approved(t, w.sell("visa-4242", "17.50"))
		assert.Positive(t, w.paper("北风便利店", "17.50"), "what a set leaves out is as configured again")
	})
}

func TestTheConfigurationKeepsWhatItDoesNotGiveAway(t *testing.T) {
	inWorld(t, func(w *world) {
		w.settable(SetsAnswer)
		w.desk("parameters 12=99 23=9 22=南风便利店")
		w.desk("order parameters")
		approved(t, w.sell("visa-4242", "12.50"))
		w.after(10 * time.Second)
		set, err := ReadParameters(w.files)
		require.NoError(t, err)
		uses := set.Uses(w.options.Settable)
		require.Len(t, uses, 3)
		assert.Equal(t, Refused, uses[0].Use, "99 seconds is too long")
		assert.Equal(t, Recorded, uses[1].Use)
		assert.Equal(t, Recorded, uses[2].Use)
		assert.Equal(t, 1, w.alarms()[OddParameter].Count)
		approved(t, w.sell("visa-4242", "13.50"))
		assert.Zero(t, w.paper("南风便利店"))
	})
}

func TestADownloadedBlocklistBlocksAndHoldsNoNumber(t *testing.T) {
	inWorld(t, func(w *world) {
		accounts, err := linktest.LoadCards("../../testdata/cards/cards.toml")
		require.NoError(t, err)
		w.acquirer = linktest.NewAcquirer(linktest.AcquirerOpts{Accounts: accounts, TMK: testTMK, BlockSlot: 19, Terminals: map[string]string{testTerminal: testMerchant}})
		w.cutPower()
		w.line = w.acquirer.Line(w.ctx, link.LengthPrefixed)
		w.options.BlocklistSlot = 19
		w.boot()
		w.desk("blocklist 4242424242424242 411111 6011000990139424 30569309025904 5105105105105100 378282246310005 3530111333300000")
		w.desk("order blocklist")
		approved(t, w.sell("visa-4242", "12.50"))
		w.after(10 * time.Second)
		assert.Equal(t, 3, w.done("blocklist"), "in parts of three")
		assert.Equal(t, 1, w.done("blocklist-end"))
		for range 2 {
			assert.Contains(t, w.sellAs(fmt.Sprint(time.Now()), "visa-4242", "8.00", false).Error, "blocked")
			assert.Contains(t, w.sellAs(fmt.Sprint(time.Now(), "b"), "visa-1111", "8.00", false).Error, "blocked", "by the beginning of its number")
			approved(t, w.sellAs(fmt.Sprint(time.Now(), "c"), "unionpay-0005", "8.00", true))
			w.cutPower()
			w.boot()
		}
		content, err := w.files.Read(BlocklistFile)
		require.NoError(t, err)
		assert.NotContains(t, string(content), "4242424242424242")
		assert.NotContains(t, string(content), "30569309025904")
		assert.Contains(t, string(content), `"411111"`)
		w.desk("blocklist")
		w.desk("order blocklist")
		w.after(2 * time.Hour)
		approved(t, w.sellAs("d", "unionpay-0005", "8.50", true))
		w.after(10 * time.Second)
		approved(t, w.sellAs("e", "visa-4242", "8.00", false))
	})
}

// Whatever happens to a download, the old set is in force, byte for byte, until the new one is whole, and then the new one.
func TestADownloadThatIsSpoiledLeavesTheOldSet(t *testing.T) {
	faults := strings.Split("silent,lost,late 45s,drop,dropbefore,garbage,cut,twice,swapped,wrongterminal,decline 96,badpart,tornpart,samepart,skippart,longpart,slow 2s", ",")
	for _, aim := range []string{"parameters", "parameters-end", "blocklist", "blocklist-end"} {
		for _, fault := range faults {
			if strings.HasSuffix(fault, "part") && strings.HasSuffix(aim, "end") {
				continue
			}
			t.Run(aim+", "+fault, func(t *testing.T) {
				inWorld(t, func(w *world) {
					what, _, _ := strings.Cut(aim, "-")
					w.desk("parameters 12=30 23=1")
					w.desk("blocklist 401288 411111 424200 510510")
					w.obeyed(what)
					old, err := w.files.Read(what)
					require.NoError(t, err)
					w.desk("parameters 12=31 23=2 18=0")
					w.desk("blocklist 401288 411111 424200 510510 520082 555555 601100")
					w.after(2 * time.Hour)
					w.desk("order " + what)
					if fault == "samepart" {
						w.fault("approve for " + aim) // the second part is the first once more
					}
					w.fault(fault + " for " + aim)
					approved(t, w.sell("visa-4242", "12.50"))
					w.after(4 * time.Second)
					now, err := w.files.Read(what)
					require.NoError(t, err)
					if aim == what && fault != "twice" && !(what == "parameters" && (fault == "samepart" || fault == "skippart")) {
						assert.Equal(t, string(old), string(now), "nothing of it is used")
					}
					w.after(time.Hour)
					assert.Equal(t, "done", w.order(what).State, "%+v", w.order(what))
					now, err = w.files.Read(what)
					require.NoError(t, err)
					assert.NotEqual(t, string(old), string(now))
					w.cutPower()
					w.boot()
					if what == "parameters" {
						value, _ := w.agent.set.Parameters.Get("12")
						assert.Equal(t, "31", value)
					} else {
						assert.Len(t, w.agent.listed.set.Begins, 7)
					}
					approved(t, w.sell("visa-4242", "13.50"))
				})
			})
		}
	}
}

// obeyed has an order given and waits until it is done.
func (w *world) obeyed(what string) {
	w.t.Helper()
	w.desk("order " + what)
	w.do("", w.agent.host.SignIn(w.ctx))
	w.after(10 * time.Second)
	require.Equal(w.t, "done", w.order(what).State, "%+v", w.order(what))
}

func TestAnAcquirerThatOrdersForEverIsObeyedAtGrowingDistances(t *testing.T) {
	for _, what := range []string{"parameters", "blocklist", "status"} {
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk("order " + what + " for ever")
				for n := range 100 { // six hours and forty minutes
					approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
					w.after(4 * time.Minute)
				}
				assert.Equal(t, 5, w.done(what), "at once, after 1, 5 and 30 minutes, and 2 hours")
				assert.Equal(t, 1, w.alarms()[OrderRepeated].Count)
				assert.Greater(t, w.order(what).Given, 100)
				w.after(26 * time.Hour)
				approved(t, w.sellAs("next day", "unionpay-0113", "2.00", true))
				w.after(time.Minute)
				assert.Equal(t, 6, w.done(what), "and once a day")
			})
		})
	}
}

func TestADownloadThatFailsForEverIsBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk("order parameters for ever")
		w.fault("tornpart for parameters times always")
		for n := range 60 {
			approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
			w.after(20 * time.Minute)
		}
		assert.Equal(t, 5, w.done("parameters"))
		assert.Equal(t, 1, w.alarms()[OrderFailed].Count)
		assert.Contains(t, w.alarms()[OrderFailed].What, "parameter")
		_, err := w.files.Read(ParametersFile)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
}

func TestNoCustomerWaitsForADownload(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk("order parameters")
		w.fault("silent for parameters")
		approved(t, w.sell("visa-4242", "12.50"))
		w.after(5 * time.Second) // the download waits for its answer now
		before := time.Now()
		approved(t, w.sell("visa-4242", "13.50"))
		assert.Less(t, time.Since(before), 5*time.Second)
		w.after(10 * time.Second)
		o := w.order("parameters")
		assert.Equal(t, "done", o.State)
		assert.Equal(t, 1, o.Tries, "what a customer cut does not count")
	})
}

func TestNothingIsDownloadedWhileMoneyIsOwed(t *testing.T) {
	inWorld(t, func(w *world) {
		approved(t, w.sell("visa-4242", "1.00"))
		w.fault("silent")
		w.fault("lost for reversal times 2")
		w.desk("order parameters")
		require.Equal(t, words.OutcomeUnknown, w.sell("visa-4242", "12.50").Outcome)
		w.agent.orders.given(orderParameters, time.Now())
		w.after(20 * time.Second)
		assert.Zero(t, w.done("parameters"))
		assert.Equal(t, "waiting", w.order("parameters").State)
		w.after(5 * time.Minute)
		assert.Equal(t, 1, w.done("parameters"))
	})
}

func TestOrdersThatNoMachineObeysAreToldOnceADay(t *testing.T) {
	for digit, name := range map[string]string{"8": "unknown-8", "C": "unknown-C", "software": "software", "contactless": "contactless"} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk("order " + digit + " for ever")
				for n := range 5 {
					approved(t, w.sellAs(fmt.Sprint("n", n), "unionpay-0113", "2.00", true))
					w.after(time.Minute)
				}
				assert.Equal(t, 1, w.alarms()[OrderLeft].Count)
				assert.Contains(t, w.alarms()[OrderLeft].What, name)
				assert.Equal(t, "left", w.order(name).State)
				w.after(25 * time.Hour)
				approved(t, w.sellAs("next day", "unionpay-0113", "2.00", true))
				w.after(time.Minute)
				assert.Equal(t, 2, w.alarms()[OrderLeft].Count)
			})
		})
	}
}

func TestOrderedToSignInTheTerminalDoesSoBeforeTheNextCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk("order signin")
		approved(t, w.sell("visa-4242", "12.50"))
		assert.Equal(t, 1, w.acquirer.Counts()["0800"], "its own sign-in obeyed it already")
		w.after(10 * time.Second)
		assert.Equal(t, 1, w.acquirer.Counts()["0800"])
		w.desk("order signin")
		approved(t, w.sell("visa-4242", "13.50"))
		assert.False(t, w.agent.host.SignedIn())
		w.after(10 * time.Second)
		assert.Equal(t, 2, w.acquirer.Counts()["0800"])
		assert.True(t, w.agent.host.SignedIn())
	})
}

func TestTheStatusThatIsToldIsTheTerminalsOwn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.settable(Settable()...)
		w.desk("parameters 12=45 22=南风便利店")
		w.obeyed("parameters")
		w.after(3 * time.Hour)
		w.line.SetDown(true)
		require.Error(t, w.agent.host.Echo(w.ctx))
		w.line.SetDown(false)
		w.obeyed("status")
		text, err := w.acquirer.Command("desk")
		require.NoError(t, err)
		assert.Contains(t, text, "011021031041051"+"1160"+"1245"+"232"+"22南风便利店")
		assert.Contains(t, text, "51"+"0003"+"00003"+"066", "three hours, and two dials of three")
	})
}

func TestAFullDiskLeavesTheOldParameters(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk("parameters 12=30 23=1")
		w.obeyed("parameters")
		old, err := w.files.Read(ParametersFile)
		require.NoError(t, err)
		beside := string(w.files.(Folder)) + ParametersFile + ".new"
		w.desk("parameters 12=31 23=1")
		for range 4 { // each failure takes the way to the full device away, as it would a file
			require.NoError(t, os.Symlink("/dev/full", beside))
			w.agent.orders.want(orderParameters, time.Now())
			w.after(3 * time.Hour)
			now, err := w.files.Read(ParametersFile)
			require.NoError(t, err)
			if string(now) != string(old) {
				break
			}
		}
		assert.Contains(t, w.log.String(), "no space left on device")
		value, _ := w.agent.set.Parameters.Get("12")
		assert.Equal(t, "31", value, "once there is room")
	})
}

func TestADamagedOrForeignFileIsAskedForAgain(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"a bit":            func(b []byte) []byte { b[len(b)-20] ^= 1; return b },
		"torn":             func(b []byte) []byte { return b[:len(b)/2] },
		"empty":            func([]byte) []byte { return nil },
		"another terminal": func(b []byte) []byte { return reseal(b, testTerminal, "30010002") },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.settable(Settable()...)
				w.desk("parameters 12=45 22=南风便利店")
				w.obeyed("parameters")
				w.obeyed("blocklist")
				w.cutPower()
				for _, file := range []string{ParametersFile, BlocklistFile} {
					content, err := w.files.Read(file)
					require.NoError(t, err)
					require.NoError(t, os.WriteFile(string(w.files.(Folder))+file, spoil(content), 0o600))
				}
				w.boot()
				w.after(10 * time.Second)
				assert.Equal(t, 2, w.done("parameters"))
				approved(t, w.sell("visa-4242", "12.50"))
				assert.Equal(t, 2, w.paper("南风便利店"))
			})
		})
	}
}

// reseal writes a file of another terminal.
func reseal(content []byte, from, to string) []byte {
	head, text, _ := strings.Cut(string(content), "\n")
	name := strings.Fields(head)[1]
	var body any
	if json.Unmarshal([]byte(strings.ReplaceAll(text, from, to)), &body) != nil {
		return nil
	}
	sealed, err := sealFile(name, body)
	if err != nil {
		return nil
	}
	return sealed
}

func FuzzOpenFile(f *testing.F) {
	good, err := sealFile(ParametersFile, ParameterSet{})
	require.NoError(f, err)
	for _, s := range []string{"", "\n", string(good), string(good[:len(good)/2]), "posagent parameters 1 \n{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var set ParameterSet
		if openFile(ParametersFile, content, &set) != nil {
			return
		}
		again, err := sealFile(ParametersFile, set)
		require.NoError(t, err)
		var same ParameterSet
		require.NoError(t, openFile(ParametersFile, again, &same))
		assert.Equal(t, set, same)
	})
}

func TestTheOrderBookNeverWantsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newOrderBook(0, 0)
		b.given(1, time.Now())
		b.given(1, time.Now())
		b.begin(1)
		b.given(1, time.Now())
		assert.False(t, b.end(1, nil, time.Now()))
		_, _, wanted := b.next()
		assert.False(t, wanted, "the answers of the download itself order nothing")
		for n := range 3 {
			b.given(0, time.Now())
			b.given(1, time.Now()) // on and off: still the same order
			_, due, wanted := b.next()
			assert.True(t, wanted)
			assert.Equal(t, b.wait(n+1), time.Until(due))
			time.Sleep(time.Until(due))
			b.end(1, nil, time.Now())
		}
		b.given(0, time.Now())
		time.Sleep(orderCalm * usualRetry)
		b.given(1, time.Now())
		_, due, _ := b.next()
		assert.Zero(t, time.Until(due), "a new order")
	})
}
