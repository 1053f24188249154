package main

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever the acquirer answers to a sale, the cashier reads how it ended, the command's status says it to a script, and
// the books agree.
func TestAnAcquirerThatMisbehaves(t *testing.T) {
	t.Parallel()
	type story struct {
		fault  string
		status int
	}
	tooLate := patience + 3*time.Second // while the line is still open, and the next answer awaited
	for name, stories := range map[string][]story{
		"answers": {
			{"decline 05", saysDeclined}, {"decline ZZ", saysDeclined}, {"approve 11", saysApproved}, {"approve 10", saysReversed},
			{"twice", saysApproved}, {"dropafter", saysApproved},
			{"garbage", saysReversed}, {"cut", saysReversed}, {"drop", saysReversed}, {"dropbefore", saysReversed},
			{"badmac", saysReversed}, {"nomac", saysReversed},
		},
		"is not heard":       {{"lost", saysReversed}, {"silent", saysReversed}},
		"is late":            {{"late " + tooLate.String(), saysReversed}, {"wrongstan", saysReversed}},
		"means another sale": {{"wrongamount", saysReversed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCounter(t, ordinary("tcp"))
			c.ended(c.sell("visa-4242"), saysApproved, "000000000001", "授权码 authorisation")
			c.ended(c.sell("poor-0002"), saysDeclined, "51  可用余额不足，请换卡  not enough funds; use another card")
			for _, s := range stories {
				t.Log(s.fault)
				c.do("acquirer fault " + s.fault)
				c.ended(c.sell("visa-4242"), s.status)
			}
			c.close()
		})
	}
}

// A sign-in that fails is a sale that never began: no card is asked for, nothing is recorded, and the next try is fresh.
func TestASignInThatFails(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	c.do("acquirer fault badkcv for signin")
	s := c.ended(c.sell("visa-4242"), saysNothing, "未受理。没有发生交易", "no sign-in at the acquirer", "check value", "have the acquirer confirm the terminal's master key")
	assert.NotContains(t, s.out, "Present the card")
	c.do("acquirer fault garbage for signin")
	c.ended(c.sell("visa-4242"), saysNothing, "no sign-in at the acquirer")
	c.do("acquirer fault silent for signin")
	c.ended(c.sell("visa-4242"), saysNothing, "no sign-in at the acquirer", "no answer")
	assert.Contains(t, c.posagent("txn", "list").out, "no transactions")
	c.ended(c.sell("visa-4242"), saysApproved)
	c.close()
}

// The outcome is unknown as long as the reversal is not answered: the status says so, the words never say "declined" or
// "nothing charged", and the same reference tells the end when there is one.
func TestAnUnknownOutcomeIsSaidToBeUnknown(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	c.ended(c.sell("visa-4242"), saysApproved)
	c.do("acquirer fault garbage", "acquirer fault silent for reversal")
	s := c.ended(c.sell("visa-4242"), saysUnknown, "凭证号 voucher 0000", "posagent txn show -reference 'till-2'")
	c.settle()
	c.ended(c.again(s), saysReversed)
	c.close()
}

// An acquirer that refuses to reverse leaves a matter for people. It is never forgotten, and never called settled.
func TestAReversalThatIsRefused(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	c.ended(c.sell("visa-4242"), saysApproved)
	c.do("acquirer fault silent", "acquirer fault decline 96 for reversal times 3")
	s := c.ended(c.sell("visa-4242"), saysUnknown)
	c.settle()
	c.ended(c.again(s), saysUnknown, "挂账待查 suspense")
	assert.Contains(t, c.posagent("status").out, "挂账 suspense 1")
	c.ended(c.sell("visa-4242"), saysApproved) // trade goes on
	c.close()                                  // what waits for people is explained, and nothing else is wrong
}

// The network is gone: what is not sent is abandoned, and says so. What was sent and lost its line is reversed.
func TestACableThatIsPulled(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	c.ended(c.sell("visa-4242"), saysApproved)
	c.cable.pull()
	c.ended(c.sell("visa-4242"), saysNothing, "交易未发出。未扣款，请勿交货", "Not sent. Nothing was charged")
	require.NoError(t, c.cable.replug())
	c.ended(c.sell("visa-4242"), saysApproved)
	c.do("acquirer fault silent")
	s := c.meanwhile("visa-4242", at{atWaiting, func(*os.Process) { c.cable.pull() }})
	c.ended(s, saysUnknown)
	c.ended(c.sell("visa-4242"), saysNothing, "must be reversed first")
	require.NoError(t, c.cable.replug())
	c.settle()
	c.ended(c.again(s), saysReversed)
	c.close()
}

// A call that does not come about is "not sent", with what the modem said and what to look at.
func TestACallThatFails(t *testing.T) {
	t.Parallel()
	for mood, story := range map[string]struct{ end, words string }{
		"busy":       {"ok", "BUSY: the number is engaged"},
		"nodialtone": {"ok", "NO DIALTONE: no dial tone: check the telephone cable"},
		"noanswer":   {"ok", "NO ANSWER: nobody answers: check the number"},
		"silent on":  {"silent off", "modem does not answer: check its power, its cable and the port's speed"},
	} {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			c := openCounter(t, ordinary("dial"))
			c.do("devices modem " + mood)
			c.ended(c.sell("visa-4242"), saysNothing, "未受理", "no sign-in at the acquirer", story.words)
			c.do("devices modem " + story.end)
			c.ended(c.sell("visa-4242"), saysApproved)
			c.close()
		})
	}
}

// The same once the terminal is signed in: the sale is recorded, does not leave, and is abandoned. A call that is lost
// with the sale on it is reversed over another.
func TestACallThatIsLost(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("dial"))
	c.ended(c.sell("visa-4242"), saysApproved)
	hungUp := func() bool { state, err := c.tell("devices", "modem state"); return err == nil && state == "command" }
	require.Eventually(t, hungUp, testWithin, 20*time.Millisecond, "a line that is not used is given back")
	c.do("devices modem busy")
	s := c.ended(c.sell("visa-4242"), saysNothing, "交易未发出", "Not sent. Nothing was charged; keep the goods; the sale may be made again.")
	assert.Contains(t, c.posagent("txn", "show", s.reference).out, "未发出 not sent")
	c.do("devices modem ok")
	c.do("acquirer fault silent")
	c.ended(c.meanwhile("visa-4242", at{atWaiting, c.order("devices modem nocarrier")}), saysReversed)
	c.do("acquirer fault silent") // and a line that is dead without a word costs the reversal's first try too
	s = c.ended(c.meanwhile("visa-4242", at{atWaiting, c.order("devices modem drop")}), saysUnknown)
	c.settle()
	c.ended(c.again(s), saysReversed)
	c.close()
}

func TestAReaderThatMisbehaves(t *testing.T) {
	t.Parallel()
	c := darkCounter(t, ordinary("tcp"))
	unplugged := c.at("reader.unplugged")
	require.NoError(t, os.Rename(c.at("reader"), unplugged)) // before it starts: it opens the reader on its own
	require.NoError(t, c.boot(c.ctx))
	c.ended(c.sell("visa-4242"), saysNothing, "未受理。没有发生交易", "card reader: ", "plugged in")
	require.NoError(t, os.Rename(unplugged, c.at("reader")))
	c.ended(c.sell("visa-4242"), saysApproved)
	for _, story := range []struct{ fault, words, end string }{
		{"nonsense on", "answer makes no sense", "nonsense off"},
		{"silent on", "the card reader does not answer", "silent off"},
		{"tamper on", "take it out of service and call the service desk", "tamper off"},
	} {
		c.do("devices reader " + story.fault)
		c.ended(c.sell("visa-4242"), saysNothing, "没有发生交易", "no card was read", story.words)
		c.do("devices reader " + story.end)
		c.ended(c.sell("visa-4242"), saysApproved)
	}
	c.do("devices reader garbage") // once; a harmless command is repeated
	c.ended(c.sell("visa-4242"), saysApproved)
	c.do("devices reader remove")
	ended := make(chan struct{})
	s := c.meanwhile("", at{atPresent, func(*os.Process) {
		go func() { // again and again, because the cashier is told to present a card before the reader is
			for {
				_, _ = c.tell("devices", "reader restart")
				select {
				case <-ended:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}()
	}})
	close(ended)
	c.ended(s, saysNothing, "the card reader restarted: present the card again")
	c.ended(c.meanwhile("", at{atPresent, send(syscall.SIGINT)}), saysNothing, "cancelled")
	c.ended(c.meanwhile("", at{atPresent, c.order("devices reader present visa-4242")}), saysApproved)
	c.close()
}

// Money and paper are two things: a printer's fault never changes how a sale ended, and the slip comes out later.
func TestAPrinterThatMisbehaves(t *testing.T) {
	t.Parallel()
	c := darkCounter(t, ordinary("tcp"))
	due := []string{"单据待补打：请检查打印机的纸、盖和电源", "A slip is still due. Check the printer's paper, cover and power"}
	unplugged := c.at("printer.unplugged")
	require.NoError(t, os.Rename(c.at("printer"), unplugged))
	require.NoError(t, c.boot(c.ctx))
	c.ended(c.sell("visa-4242"), saysApproved, due...)
	require.NoError(t, os.Rename(unplugged, c.at("printer")))
	c.settle()
	for _, story := range []struct {
		fault string
		end   []string
	}{
		{"paper out", []string{"paper ok"}},
		{"cover open", []string{"cover closed"}},
		{"paper out after 5", []string{"paper ok"}},
		{"jam", []string{"jam clear"}},
		{"nonsense on", []string{"nonsense off"}},
		{"silent on", []string{"silent off"}},
	} {
		t.Log(story.fault)
		c.do("devices printer " + story.fault)
		s := c.ended(c.sell("visa-4242"), saysApproved, due...)
		assert.Contains(t, c.posagent("status").out, "待打印 paper owed 1")
		if story.fault == "paper out" {
			refused := c.posagent("txn", "reprint", s.reference)
			assert.Equal(t, 1, refused.status)
			assert.Contains(t, refused.err, "paper out")
			assert.Contains(t, refused.err, "put in a new roll")
		}
		for _, order := range story.end {
			c.do("devices printer " + order)
		}
		c.settle()
	}
	reprinted := c.posagent("txn", "reprint", "till-2")
	assert.Zero(t, reprinted.status, reprinted.err)
	c.close()
}

// Whoever asked may go away. From its record on a sale is finished without them, and the same reference tells how.
func TestACommandThatIsKilled(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	c.ended(c.sell("visa-4242"), saysApproved)
	for _, story := range []struct {
		fault string
		ends  int
	}{{"late 500ms", saysApproved}, {"silent", saysReversed}} {
		c.do("acquirer fault " + story.fault)
		s := c.meanwhile("visa-4242", at{atWaiting, send(syscall.SIGKILL)})
		require.Equal(t, -1, s.status, "killed")
		c.ended(c.again(s), story.ends) // waits for the sale in progress
		c.ended(c.again(s), story.ends)
	}
	// An interrupt is no kill: after the record there is nothing to cancel, and the outcome is waited for.
	c.do("acquirer fault late 500ms")
	c.ended(c.meanwhile("visa-4242", at{atWaiting, send(syscall.SIGINT)}), saysApproved)
	c.close()
}

// Two tills at one terminal: the second is told to wait, unless it asks for what is known already.
func TestASaleDuringASale(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	first := c.ended(c.sell("visa-4242"), saysApproved)
	c.settle()
	answer := c.cable.hold()
	c.ended(c.meanwhile("visa-4242", at{atWaiting, func(*os.Process) {
		defer answer()
		c.ended(c.sale("other-till", "5.00"), saysNothing, "another sale is in progress on this terminal; wait until it has ended")
		c.ended(c.again(first), saysApproved, "note: another sale is in progress")
	}}), saysApproved)
	c.close()
}

// The same card and amount within minutes is questioned, showing what became of the first, and sold when it is meant.
func TestALookalikeIsQuestioned(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	first := c.ended(c.sell("visa-4242"), saysApproved)
	c.do("devices reader present visa-4242")
	c.ended(c.sale("again", first.amount), saysNothing, "the same card and amount were sold minutes ago", "原交易 the earlier transaction:", "订单号 order no. "+first.reference,
		"posagent sale "+first.amount+" -again")
	c.do("devices reader present visa-4242")
	meant := c.posagent("sale", first.amount, "-reference", "again", "-again")
	c.ended(meant, saysApproved)
	// A reference belongs to one sale for good.
	c.ended(c.posagent("sale", "99.99", "-reference", "again"), saysTaken, "belongs to a sale of "+first.amount)
	c.close()
}

// The agent dies under a waiting cashier: unknown, until it runs again.
func TestAnAgentThatIsKilled(t *testing.T) {
	t.Parallel()
	c := openCounter(t, ordinary("tcp"))
	c.ended(c.sell("visa-4242"), saysApproved)
	c.do("acquirer fault silent")
	s := c.meanwhile("visa-4242", at{atWaiting, func(*os.Process) { c.cutPower() }})
	c.ended(s, saysUnknown, "the agent went away before it answered", "posagent txn show -reference 'till-2'")
	c.ended(c.again(s), saysUnknown, "no agent listens on") // read from the files
	assert.Contains(t, c.posagent("txn", "show", s.reference).out, "待定 pending")
	require.NoError(t, c.boot(c.ctx))
	c.settle()
	c.ended(c.again(s), saysReversed)
	c.ended(c.sell("visa-4242"), saysApproved)
	c.close()
}
