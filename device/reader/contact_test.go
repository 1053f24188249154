package reader_test

import (
	"context"
	"encoding/hex"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/device/devicetest"
	"posagent/device/reader"
	"posagent/device/reader/neo2"
	"posagent/txnstore/txn"
)

// approval is what an acquirer says to a card's first cryptogram, with the issuer's data for it.
func approval(t *testing.T, p txn.Presented) txn.Answer {
	t.Helper()
	var cryptogram []byte
	require.NoError(t, neo2.Walk(p.Chip.BytesInTheClear(), func(tag uint32, value []byte) {
		if tag == neo2.TagCryptogram {
			cryptogram = value
		}
	}))
	issuer := neo2.AppendTLV(nil, neo2.TagIssuerAuth, devicetest.IssuerProof(cryptogram, "00"))
	return txn.Answer{Code: "00", Approved: true, AuthCode: "123456", Chip: txn.NewChip(issuer)}
}

// tags lists the objects of chip data.
func tags(t *testing.T, c txn.Chip) map[uint32][]byte {
	t.Helper()
	found := map[uint32][]byte{}
	require.NoError(t, neo2.Walk(c.BytesInTheClear(), func(tag uint32, value []byte) { found[tag] = value }))
	return found
}

// inserted is a card that has gone online.
func (c *counter) inserted(name string) txn.Presented {
	c.t.Helper()
	done := c.begin(c.t.Context(), order)
	c.do("insert " + name)
	got := <-done
	require.NoError(c.t, got.err)
	return got.card
}

func TestACardIsInsertedAndAgrees(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		card := c.inserted("unionpay")
		want := cards["unionpay"]
		assert.Equal(t, txn.Inserted, card.Card.Entry)
		assert.Equal(t, want.PAN, card.Card.PAN.DigitsInTheClear())
		assert.Equal(t, "001", card.Card.Sequence)
		assert.Equal(t, want.AID, card.Card.AID)
		assert.Equal(t, want.PAN+"="+want.Expiry+want.Service, card.Track.DataInTheClear()[:len(want.PAN)+8])
		request := tags(t, card.Chip)
		for _, tag := range []uint32{0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03, 0x9F33,
			0x9F34, 0x9F35, 0x9F1E, 0x84, 0x9F09, 0x9F41} {
			assert.Contains(t, request, tag, "%X in field 55", tag)
		}
		assert.ErrorIs(t, c.drive.Ping(t.Context()), reader.ErrBusy, "it would end the card's transaction")

		done, err := c.drive.Complete(t.Context(), approval(t, card))
		require.NoError(t, err)
		assert.True(t, done.Agreed)
		assert.Empty(t, done.Scripts)
		signed := tags(t, done.Signed)
		assert.Equal(t, []byte{neo2.CryptogramTC}, signed[neo2.TagCryptogramInfo])
		assert.NotEqual(t, request[neo2.TagCryptogram], signed[neo2.TagCryptogram])
		assert.LessOrEqual(t, len(done.Signed.BytesInTheClear()), txn.MaxKeptChip)
		require.NoError(t, c.drive.Release(t.Context()))
		assert.Contains(t, c.events, reader.RemoveCard)
		assert.NoError(t, c.drive.Ping(t.Context()))
		assert.Equal(t, []devicetest.Verdict{{Card: "unionpay", Amount: 1234, Agreed: true}}, c.sim.Verdicts())

		_, err = c.drive.Complete(t.Context(), txn.Answer{Code: "00"})
		assert.ErrorIs(t, err, reader.ErrNoCardOpen)
		_, err = c.drive.Activate(t.Context(), order)
		assert.ErrorIs(t, err, reader.ErrTimeout, "a card that stays in the slot is not read again")
	})
}

func TestACardRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		command string
		spoil   func(*txn.Answer)
	}{
		"of its own accord":   {command: "refuse"},
		"the issuer's data":   {spoil: func(a *txn.Answer) { a.Chip = txn.NewChip([]byte{0x91, 10, 1, 2, 3, 4, 5, 6, 7, 8, '0', '0'}) }},
		"a declined answer":   {spoil: func(a *txn.Answer) { a.Code, a.Approved, a.Chip = "51", false, txn.Chip{} }},
		"no answer at all":    {spoil: func(a *txn.Answer) { *a = txn.Answer{} }},
		"and runs the script": {command: "refuse", spoil: func(a *txn.Answer) { a.Chip = txn.NewChip([]byte{0x72, 2, 0x86, 0}) }},
	} {
		t.Run(name, func(t *testing.T) {
			atCounter(t, func(t *testing.T, counter *counter) {
				card := counter.inserted("unionpay")
				if c.command != "" {
					counter.do(c.command)
				}
				answer := approval(t, card)
				if c.spoil != nil {
					c.spoil(&answer)
				}
				done, err := counter.drive.Complete(t.Context(), answer)
				require.NoError(t, err)
				assert.False(t, done.Agreed)
				reversal := tags(t, done.Reversal)
				for _, tag := range []uint32{neo2.TagTVR, neo2.TagIssuerData, neo2.TagATC} {
					assert.Contains(t, reversal, tag)
				}
				if name == "the issuer's data" {
					assert.Equal(t, byte(0x40), reversal[neo2.TagTVR][4], "the verification results say why")
				}
				if name == "and runs the script" {
					assert.Equal(t, "2000000000", done.Scripts)
					assert.Equal(t, []byte{0x20, 0, 0, 0, 0}, reversal[neo2.TagScriptSent])
				}
				require.NoError(t, counter.drive.Release(t.Context()))
			})
		})
	}
}

// Whatever goes wrong at one of the three steps is told apart, and the next customer is served.
func TestTroubleAtEachStep(t *testing.T) {
	for trouble, cause := range map[string]error{"restart": reader.ErrRestarted, "pull": txn.ErrCardRemoved, "silent": reader.ErrNoAnswer,
		"garbage": reader.ErrGarbage, "late": reader.ErrNoAnswer} {
		for _, step := range []string{"start", "authenticate", "complete"} {
			t.Run(trouble+" at "+step, func(t *testing.T) {
				atCounter(t, func(t *testing.T, c *counter) {
					c.do("at " + step + " " + trouble)
					done := c.begin(t.Context(), order)
					c.do("insert unionpay")
					got := <-done
					err := got.err
					if step == "complete" {
						require.NoError(t, err)
						var confirmed txn.Confirmation
						confirmed, err = c.drive.Complete(t.Context(), approval(t, got.card))
						assert.False(t, confirmed.Agreed)
						reason := txn.NotDone
						if trouble == "pull" {
							reason = txn.OtherCause
						}
						var reasoned interface{ ReversalReason() txn.Reason }
						require.ErrorAs(t, err, &reasoned)
						assert.Equal(t, reason, reasoned.ReversalReason())
						_ = c.drive.Release(t.Context())
					} else {
						assert.True(t, got.card.Card.PAN.IsZero())
					}
					assert.ErrorIs(t, err, cause)
					time.Sleep(time.Minute) // what is late comes while nobody asks
					c.do("remove")
					again := c.inserted("mastercard")
					confirmed, err := c.drive.Complete(t.Context(), approval(t, again))
					require.NoError(t, err)
					assert.True(t, confirmed.Agreed)
					require.NoError(t, c.drive.Release(t.Context()))
				})
			})
		}
	}
}

func TestTheReaderRestartsWhileTheAcquirerThinks(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		card := c.inserted("unionpay")
		c.do("restart")
		_, err := c.drive.Complete(t.Context(), approval(t, card))
		assert.ErrorIs(t, err, reader.ErrRestarted)
	})
}

func TestACardIsTakenOutWhileTheAcquirerThinks(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		card := c.inserted("unionpay")
		c.do("remove")
		_, err := c.drive.Complete(t.Context(), approval(t, card))
		assert.ErrorIs(t, err, txn.ErrCardRemoved)
	})
}

func TestASaleThatIsNotMadeLetsTheCardGo(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.inserted("unionpay")
		require.NoError(t, c.drive.Release(t.Context()))
		require.NoError(t, c.drive.Release(t.Context()), "once is enough")
		assert.Empty(t, c.sim.Verdicts())

		c.do("remove")
		c.inserted("unionpay") // and nobody lets it go
		c.do("remove")
		again := c.inserted("mastercard")
		done, err := c.drive.Complete(t.Context(), approval(t, again))
		require.NoError(t, err)
		assert.True(t, done.Agreed)
	})
}

func TestTheReaderAsks(t *testing.T) {
	for _, ask := range []string{"at start menu", "at authenticate pin", "at complete menu"} {
		t.Run(ask, func(t *testing.T) {
			atCounter(t, func(t *testing.T, c *counter) {
				c.do(ask)
				card := c.inserted("unionpay")
				done, err := c.drive.Complete(t.Context(), approval(t, card))
				require.NoError(t, err)
				assert.True(t, done.Agreed)
				assert.Contains(t, c.events, reader.Wait)
			})
		})
	}
}

func TestAChipCardThatIsSwiped(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		c.do("swipe unionpay")
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Contains(t, c.events, reader.InsertCard)
		c.do("insert unionpay")
		got := <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Inserted, got.card.Card.Entry)
		require.NoError(t, c.drive.Release(t.Context()))
		c.do("remove")

		done = c.begin(t.Context(), order)
		for range 4 {
			c.do("swipe unionpay")
			time.Sleep(time.Second)
		}
		assert.ErrorIs(t, (<-done).err, reader.ErrUseChip)

		done = c.begin(t.Context(), order) // without leave a chip that fails ends it
		c.do("at start fail")
		c.do("insert unionpay")
		assert.ErrorIs(t, (<-done).err, reader.ErrCardUnread)
	})
}

func TestFallbackToTheStripe(t *testing.T) {
	atCounterWith(t, reader.Opts{Fallback: true}, func(t *testing.T, c *counter) {
		done := c.begin(t.Context(), order)
		c.do("at start fail")
		c.do("insert unionpay")
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Contains(t, c.events, reader.SwipeCard)
		c.do("remove")
		c.do("swipe unionpay")
		got := <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Fallback, got.card.Card.Entry)
		assert.True(t, got.card.Chip.IsZero())

		done = c.begin(t.Context(), order) // the next customer's chip works, as far as anybody knows
		c.do("swipe unionpay")
		time.Sleep(time.Second)
		c.do("present visa") // which has no chip
		got = <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Swiped, got.card.Card.Entry)

		done = c.begin(t.Context(), order) // a card that was pulled has not failed
		c.do("at start pull")
		c.do("insert unionpay")
		assert.ErrorIs(t, (<-done).err, txn.ErrCardRemoved)
	})
}

// A verdict that the card gives by itself is final, whichever it is: nothing is sent, and its stripe is no way round it.
func TestACardThatDecidesByItself(t *testing.T) {
	for _, verdict := range []string{"decline", "offline"} {
		t.Run(verdict, func(t *testing.T) {
			atCounterWith(t, reader.Opts{Fallback: true}, func(t *testing.T, c *counter) {
				c.do("at authenticate " + verdict)
				done := c.begin(t.Context(), order)
				c.do("insert unionpay")
				got := <-done
				assert.ErrorIs(t, got.err, reader.ErrCardRefused)
				assert.True(t, got.card.Card.PAN.IsZero())
				assert.Contains(t, c.events, reader.RemoveCard)
				if verdict == "offline" {
					assert.ErrorContains(t, got.err, "electronic purse")
				}
			})
		})
	}
}

func TestEncryptedChipDataIsRefusedWithItsReason(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		done := activate(t.Context(), drive, plain)
		b.fence()
		b.expect(plainOrder)
		b.answer(neo2.Activate, neo2.OK, unhex(t, "00 00 00 00 9f390105"))
		b.frame()
		b.answer(neo2.Contact, neo2.Continues, nil)
		b.answer(neo2.Contact, neo2.OK, unhex(t, "0010 dfee12 0a 629949012c0000000003"))
		assert.Equal(t, byte(neo2.PowerOff), b.frame().Sub, "the card is let go")
		b.answer(neo2.PassThrough, neo2.OK, nil)
		err := (<-done).err
		assert.ErrorIs(t, err, reader.ErrSetUp)
		assert.ErrorContains(t, err, "without a data key")
	})
}

func TestCancelLetsACardInTheSlotGo(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		c.inserted("unionpay")
		require.NoError(t, c.drive.Cancel(t.Context()))
		_, err := c.drive.Complete(t.Context(), txn.Answer{Code: "00", Approved: true})
		assert.ErrorIs(t, err, reader.ErrNoCardOpen)
	})
}

func TestTheCashierCancelsWhileTheChipIsRead(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		ctx, cancel := context.WithCancel(t.Context())
		c.do("at authenticate silent")
		done := c.begin(ctx, order)
		c.do("insert unionpay")
		time.Sleep(time.Second)
		cancel()
		assert.ErrorIs(t, (<-done).err, reader.ErrCancelled)
	})
}

func TestTheDailySelfCheck(t *testing.T) {
	atCounter(t, func(t *testing.T, c *counter) {
		at, err := c.drive.SelfCheck(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 18*time.Hour+30*time.Minute, at)
		require.NoError(t, c.drive.SetSelfCheck(t.Context(), 19*time.Hour+5*time.Minute))
		at, err = c.drive.SelfCheck(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 19*time.Hour+5*time.Minute, at)
		assert.Error(t, c.drive.SetSelfCheck(t.Context(), 24*time.Hour))
		assert.Error(t, c.drive.SetSelfCheck(t.Context(), time.Second))
		c.inserted("unionpay")
		assert.ErrorIs(t, c.drive.SetSelfCheck(t.Context(), 0), reader.ErrBusy)
	})
}

// The commands as they travel, byte for byte; 25-07 is a frame whose checksum is known from the maker's example session.
func TestTheBytesOfAContactTransaction(t *testing.T) {
	onBench(t, func(t *testing.T, b *bench, drive *reader.Reader) {
		go func() {
			b.expect("25 07 00 00 7c 6a")
			b.answer(neo2.Clock, neo2.OK, []byte{0x02, 0x30})
		}()
		at, err := drive.SelfCheck(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 2*time.Hour+30*time.Minute, at)

		done := activate(t.Context(), drive, plain)
		b.fence()
		b.expect(plainOrder)
		b.answer(neo2.Activate, neo2.OK, unhex(t, "00 00 00 00 9f390105"))
		start := b.frame()
		assert.Equal(t, byte(neo2.ContactStart), start.Sub)
		assert.Equal(t, "00000f0078"+"9f0206000000001234"+"9c0100"+"5f2a020156"+"5f360102"+"9f0306000000000000"+"dfef1f020001", hex.EncodeToString(start.Data)[:82])
		b.answer(neo2.Contact, neo2.Continues, nil)
		b.answer(neo2.Ask, neo2.AskDisplay, []byte{neo2.DisplayMenu, 0, 0})
		assert.Equal(t, neo2.Frame{Command: neo2.Ask, Sub: neo2.AskDisplay, Data: []byte{1}}, b.frame())
		b.answer(neo2.Contact, neo2.OK, unhex(t, "0010 5713 4242424242424242d3012201 1234567890123f 5f340101 5a08 4242424242424242"))
		authenticate := b.frame()
		assert.Equal(t, byte(neo2.ContactAuthenticate), authenticate.Sub)
		b.answer(neo2.Contact, neo2.Continues, nil)
		b.answer(neo2.Contact, neo2.OK, unhex(t, "0004 9f2608 0102030405060708 9f270180 9f360200 07 9f0206000000001234 5f2a020156 9505 0000000000"))
		got := <-done
		require.NoError(t, got.err)
		assert.Equal(t, txn.Inserted, got.card.Card.Entry)

		completed := make(chan error, 1)
		go func() {
			_, err := drive.Complete(t.Context(), txn.Answer{Code: "11", Approved: true, AuthCode: "A1B2", Chip: txn.NewChip(unhex(t, "9103 010203 7202 8600 9f360200 07"))})
			completed <- err
		}()
		complete := b.frame()
		assert.Equal(t, byte(neo2.ContactComplete), complete.Sub)
		assert.Equal(t, "8a023030"+"8906413142322020"+"9103010203"+"72028600"+"dfee1a", hex.EncodeToString(complete.Data)[:48])
		b.answer(neo2.Contact, neo2.Continues, nil)
		b.answer(neo2.Contact, neo2.OK, unhex(t, "0002 9f2608 0807060504030201 9f270140 9f360200 08"))
		assert.ErrorIs(t, <-completed, reader.ErrGarbage, "a certificate of another transaction proves nothing")
	})
}
