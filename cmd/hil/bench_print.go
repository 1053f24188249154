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
			steady, whole, bytes, err := printSpeed(ctx, line.baud, line.slips, k.slip)
			if err != nil {
				return c, fmt.Errorf("%d baud, %s: %w", line.baud, k.name, err)
			}
			c.rows = append(c.rows,
				row{fmt.Sprintf("%d baud, %s, %d bytes", line.baud, k.name, bytes), percent(steady), "", "98 %"},
				row{"  whole call, questions and proof", percent(whole), "", ""})
		}
	}
	c.notes = []string{"Ten bits a byte. The first figure is what the line loses by having nothing to carry, from the answer to the status question before a slip " +
		"to its cut, the question for proof among its bytes; while they pass, the printer tells of changes unasked. The second is the whole call: " +
		"four status questions, each waiting for its answer, and the proof; it is by the clock, and falls on a machine that is busy. A pty has no UART."}
	return c, nil
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

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

// printSpeed returns the median shares of the line's rate: while a slip's bytes pass, and over the whole of Print.
func printSpeed(ctx context.Context, baud, slips int, slip receipt.Slip) (steady, whole float64, bytes int, err error) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	pty, err := devicetest.OpenPty()
	if err != nil {
		return 0, 0, 0, err
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
		return 0, 0, 0, err
	}
	defer port.Close()
	near := &departures{Port: port}
	driver, err := printer.New(near, &printer.Opts{Columns: 32, Baud: baud, CutAfter: true, Codes: printer.RasterCodes})
	if err != nil {
		return 0, 0, 0, err
	}
	var idle, calls []time.Duration
	for range slips {
		near.newSlip()
		began := time.Now()
		if _, err := driver.Print(ctx, slip); err != nil {
			return 0, 0, 0, err
		}
		calls = append(calls, time.Since(began))
		from, to := near.slip()
		waited, err := far.between(ctx, from, to)
		if err != nil {
			return 0, 0, 0, err
		}
		idle, bytes = append(idle, waited), to-from
	}
	ideal := time.Duration(bytes) * 10 * time.Second / time.Duration(baud)
	return ratio(ideal, ideal+median(idle)), ratio(ideal, median(calls)), bytes, nil
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

// questionBytes is DLE EOT n, the only thing besides a slip that the driver writes while it prints.
const questionBytes = 3

// departures is the driver's end of the line. It notes where in the stream of bytes a slip begins and ends.
type departures struct {
	*serial.Port
	mu           sync.Mutex
	total        int
	began, ended int
	underWay     bool
}

func (d *departures) newSlip() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underWay = false
}

func (d *departures) Write(b []byte) (int, error) {
	n, err := d.Port.Write(b)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(b) > questionBytes {
		if !d.underWay {
			d.began, d.underWay = d.total, true
		}
		d.ended = d.total + n
	}
	d.total += n
	return n, err
}

func (d *departures) slip() (from, to int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.began, d.ended
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
}

func (a *arrivals) Read(b []byte) (int, error) {
	n, err := a.line.Read(b)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total += n
	a.at = append(a.at, arrival{a.total, a.idle})
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

// between is how long the line stood idle from one byte to a later one, which may still be on its way: the proof is asked
// for before the cut. The byte before a slip is the last of a question, so the printer's answer and the driver's thinking
// are in it.
func (a *arrivals) between(ctx context.Context, from, to int) (time.Duration, error) {
	for {
		began, known := a.when(from)
		ended, arrived := a.when(to)
		if known && arrived {
			return ended - began, nil
		}
		if err := rest(ctx, time.Millisecond); err != nil {
			return 0, fmt.Errorf("the slip's last byte does not arrive: %w", err)
		}
	}
}

// when tells how long the line had stood idle when the first so many bytes had passed.
func (a *arrivals) when(total int) (idle time.Duration, passed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range a.at {
		if one.total >= total {
			return one.idle, true
		}
	}
	return 0, false
}
