package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/link"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// slowLine is a dial that takes its time, counted.
type slowLine struct {
	link.Dialer
	takes time.Duration
	dials int
}

func (s *slowLine) Dial(ctx context.Context) (link.Conn, error) {
	s.dials++
	time.Sleep(s.takes)
	return s.Dialer.Dial(ctx)
}

// What is asked of the agent, on its own timers or by people, while the power fails: not a byte of it leaves.
func TestNothingOfAnyKindIsSentWhileThePowerFails(t *testing.T) {
	inWorld(t, func(w *world) {
		way := &slowLine{Dialer: w.line, takes: time.Second}
		w.bearers = []link.Bearer{{Name: "ethernet", Dialer: way}}
		w.options.Heartbeat, w.options.Preconnect = 20*time.Second, true
		w.withLines()
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "12.50").Outcome)
		w.fault("lost for reversal")
		w.fault("silent for sale")
		require.Equal(t, words.OutcomeUnknown, w.sell("visa-4242", "13.50").Outcome, "and a reversal is owed")

		w.chip.Drive("POWER", true)
		synctest.Wait()
		sent, dials := len(w.acquirer.Seen()), way.dials
		ops := []string{"balance", "batch close", "recover", "host echo", "host signin", "host test"}
		for _, kind := range txn.Kinds() {
			ops = append(ops, string(kind))
		}
		for _, op := range ops {
			_, e := w.ask(Request{Op: op, Reference: "held " + op, Amount: "1.00", AuthCode: "123456", Original: "1", Supervisor: "00"})
			if e.Event == "outcome" {
				assert.Equal(t, words.OutcomeRefused, e.Outcome, op)
				assert.Equal(t, words.PowerFails, *e.Text, op)
			} else {
				assert.Equal(t, "error", e.Event, op)
			}
			assert.Contains(t, e.Error, ErrPowerFails.Error(), op)
		}
		w.after(10 * time.Minute)
		assert.Len(t, w.acquirer.Seen(), sent)
		assert.Equal(t, dials, way.dials, "nor is anybody called")

		w.do(w.acquirer.Command("fault none"))
		w.chip.Drive("POWER", false)
		w.after(5 * time.Minute)
		assert.Zero(t, w.agent.Status().Owed)
	})
}

func TestAPowerThatFailsDuringTheDialStopsTheRequest(t *testing.T) {
	inWorld(t, func(w *world) {
		way := &slowLine{Dialer: w.line}
		w.bearers = []link.Bearer{{Name: "telephone", Dialer: way, Connect: time.Minute}}
		w.withLines()
		require.Equal(t, words.OutcomeApproved, w.sell("visa-4242", "12.50").Outcome)
		w.after(time.Minute) // the line is let go
		sent := len(w.acquirer.Seen())
		way.takes = 15 * time.Second
		time.AfterFunc(5*time.Second, func() { w.chip.Drive("POWER", true) })
		e := w.sell("visa-4242", "13.50")
		assert.Equal(t, words.OutcomeNotDone, e.Outcome, e.Error)
		assert.Len(t, w.acquirer.Seen(), sent)
		w.chip.Drive("POWER", false)
		w.after(5 * time.Second)
	})
}
