package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"posagent/device/devicetest"
	"posagent/device/serial"
	"posagent/printer"
	"posagent/printer/printertest"
	"posagent/printer/receipt"
	"posagent/txnstore/txn"
)

// printing prints slips through the real adapter and the real driver onto a pty whose far end is as slow as a line.
func (m *measuring) printing(ctx context.Context) (chapter, error) {
	c := chapter{title: "Serial print throughput, share of the line's rate"}
	kinds, err := benchSlips()
	if err != nil {
		return c, err
	}
	for _, line := range []struct{ baud, slips int }{{9600, 3}, {115200, 9}} {
		for _, k := range kinds {
			v, err := printSpeed(ctx, line.baud, line.slips, k.slip)
			if err != nil {
				return c, fmt.Errorf("%d baud, %s: %w", line.baud, k.name, err)
			}
			c.rows = append(c.rows,
				row{fmt.Sprintf("%d baud, %s, %d bytes", line.baud, k.name, v.bytes), percent(v.steady), "", "98 %"},
				row{"  the whole call", percent(v.whole), "", ""},
				row{"    of it the questions before the slip", millis(v.before), "", ""},
				row{"    and the proof after its last byte", millis(v.after), "", ""})
		}
	}
	c.notes = []string{"Ten bits a byte. The first figure is what the line loses by having nothing to carry, from the answer to the status question before a slip " +
		"to its cut, the question for proof among its bytes; while they pass, the printer tells of changes unasked. The whole call has two waits besides, which no byte of the slip can fill: " +
		"none may leave before the printer has said that it can print, or a slip that was never begun would be marked as a duplicate; and the proof answers the last one. " +
		fmt.Sprintf("Four questions, which are asked together, the answer to the last and the proof are %d bytes, so at any speed a slip of fewer than %d stays below 98 %% of its call, were nobody to lose a moment. ", waitBytes, waitBytes*49) +
		"The waits are by the clock, and grow on a machine that is busy. A pty has no UART."}
	return c, nil
}

// waitBytes pass while no byte of a slip may: four times DLE EOT n, asked together, the last one's answer, and a process id.
const waitBytes = 4*3 + 1 + 7

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

type benchSlip struct {
	name string
	slip receipt.Slip
}

// benchSlips are a sale's slip, one with pictures, and a report longer than the buffer of a printer.
func benchSlips() ([]benchSlip, error) {
	layout := receipt.Layout{Columns: 32, MerchantName: "北风便利店", Thanks: "谢谢惠顾 THANK YOU"}
	sale, err := receipt.Render(benchSale(), txn.MerchantCopy, layout, false)
	if err != nil {
		return nil, err
	}
	layout.Logo = receipt.NewPicture(384, 64)
	for i := range layout.Logo.Dots {
		layout.Logo.Dots[i] = byte(i) // DLE among them, as in any picture
	}
	pictured, err := receipt.Render(benchSale(), txn.CustomerCopy, layout, false)
	if err != nil {
		return nil, err
	}
	report, err := receipt.Note(layout, "批结算单", slices.Repeat([]string{"借记 DEBIT        41  RMB 1234.50"}, 80)...)
	return []benchSlip{{"a sale's slip", sale}, {"with a logo", pictured}, {"a long report", report}}, err
}

// printed is how a kind of slip went over a line, at the median.
type printed struct {
	bytes         int
	steady, whole float64       // shares of the line's rate: while the bytes pass, and over the whole of Print
	before, after time.Duration // until the first byte left, and from the last one's passing to the end
}

// printSpeed prints a slip a few times.
func printSpeed(ctx context.Context, baud, slips int, slip receipt.Slip) (v printed, err error) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	pty, err := devicetest.OpenPty()
	if err != nil {
		return v, err
	}
	far := &arrivals{Pty: pty}
	far.line = devicetest.Pace(idleLine{far}, baud)
	served := make(chan error, 1)
	go func() { served <- printertest.New(printertest.Opts{Columns: 32}).Serve(ctx, far) }()
	defer func() {
		stop()
		<-served
		err = errors.Join(err, pty.Close())
	}()
	port, err := serial.Open(pty.Name(), serial.Options{Baud: baud})
	if err != nil {
		return v, err
	}
	defer port.Close()
	near := &departures{Port: port}
	driver, err := printer.New(near, &printer.Opts{Columns: 32, Baud: baud, CutAfter: true, Codes: printer.RasterCodes})
	if err != nil {
		return v, err
	}
	var idle, calls, before, after []time.Duration
	for range slips {
		near.newSlip()
		began := time.Now()
		if _, err := driver.Print(ctx, slip); err != nil {
			return v, err
		}
		ended := time.Now()
		calls = append(calls, ended.Sub(began))
		from, to, left := near.slip()
		waited, passed, err := far.between(ctx, from, to)
		if err != nil {
			return v, err
		}
		idle, before, after = append(idle, waited), append(before, left.Sub(began)), append(after, ended.Sub(passed))
		v.bytes = to - from
	}
	ideal := time.Duration(v.bytes) * 10 * time.Second / time.Duration(baud)
	v.steady, v.whole = ratio(ideal, ideal+median(idle)), ratio(ideal, median(calls))
	v.before, v.after = median(before), max(median(after), 0) // the proof may come while the cut is on its way
	return v, nil
}

// benchSale is a sale as it stands when its slip is printed.
func benchSale() txn.Txn {
	now := time.Now()
	pan, _ := txn.ParsePAN("6224242900000113") // a good number
	x := txn.Txn{ID: 1, Terminal: terminalID, Merchant: merchantID, Operator: "01", Kind: txn.Sale, State: txn.Approved, Batch: 1, STAN: 1,
		Amount: 1250, Currency: txn.Currency{Number: "156", Letters: "CNY", Exponent: 2}, Began: now, Ended: now,
		Card: txn.Card{PAN: pan, Expiry: "3012", Entry: txn.Contactless, Label: "UnionPay", AID: "A000000333010101"}}
	approved(&x)
	return x
}

// questionBytes are four times DLE EOT n, the only thing besides a slip that the driver writes while it prints.
const questionBytes = 4 * 3

// departures is the driver's end of the line. It notes where in the stream of bytes a slip begins and ends.
type departures struct {
	*serial.Port
	mu           sync.Mutex
	total        int
	began, ended int
	left         time.Time // when the first byte of the slip was written
	underWay     bool
}

func (d *departures) newSlip() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underWay = false
}

func (d *departures) Write(b []byte) (int, error) {
	asked := time.Now()
	n, err := d.Port.Write(b)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(b) > questionBytes {
		if !d.underWay {
			d.began, d.left, d.underWay = d.total, asked, true
		}
		d.ended = d.total + n
	}
	d.total += n
	return n, err
}

func (d *departures) slip() (from, to int, left time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.began, d.ended, d.left
}

// arrivals is the printer's end. It notes how long the line had stood idle, with nothing to carry, by the time that so
// many bytes had passed it. Idle time and not the clock, because a paced line makes up for its late timers.
type arrivals struct {
	*devicetest.Pty
	line io.ReadWriter

	mu    sync.Mutex
	total int
	idle  time.Duration
	at    []arrival
}

type arrival struct {
	total int
	idle  time.Duration
	at    time.Time
}

func (a *arrivals) Read(b []byte) (int, error) {
	n, err := a.line.Read(b)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total += n
	a.at = append(a.at, arrival{a.total, a.idle, time.Now()})
	return n, err
}

func (a *arrivals) Write(b []byte) (int, error) { return a.line.Write(b) }

// idleLine is where a paced line takes its bytes from: as long as that takes, it has none.
type idleLine struct{ a *arrivals }

func (l idleLine) Read(b []byte) (int, error) {
	began := time.Now()
	n, err := l.a.Pty.Read(b)
	l.a.mu.Lock()
	defer l.a.mu.Unlock()
	l.a.idle += time.Since(began)
	return n, err
}

func (l idleLine) Write(b []byte) (int, error) { return l.a.Pty.Write(b) }

// between is how long the line stood idle from one byte to a later one, and when that passed. It may still be on its way: the
// proof is asked for before the cut. The byte before a slip is the last of a question, so the printer's answer and the driver's thinking
// are in it.
func (a *arrivals) between(ctx context.Context, from, to int) (idle time.Duration, passed time.Time, err error) {
	for {
		began, known := a.when(from)
		ended, arrived := a.when(to)
		if known && arrived {
			return ended.idle - began.idle, ended.at, nil
		}
		if err := rest(ctx, time.Millisecond); err != nil {
			return 0, passed, fmt.Errorf("the slip's last byte does not arrive: %w", err)
		}
	}
}

// when is what was noted when the first so many bytes had passed.
func (a *arrivals) when(total int) (arrival, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range a.at {
		if one.total >= total {
			return one, true
		}
	}
	return arrival{}, false
}
