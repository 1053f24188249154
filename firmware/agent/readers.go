package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"posagent/device/reader"
	"posagent/device/reader/msr"
	"posagent/device/reader/pn532"
	"posagent/txnstore/txn"
)

// Kinds of card readers.
const (
	ReaderNEO2   = "neo2"    // ID TECH NEO 2: chip, contactless, stripe
	ReaderMSR    = "msr"     // a stripe reader that sends tracks as text
	ReaderMSRLRC = "msr-lrc" // one that sends their check characters too
	ReaderPN532  = "pn532"   // a board for development: it reads a card's number and proves nothing
)

// ReaderKinds lists them.
func ReaderKinds() []string { return []string{ReaderNEO2, ReaderMSR, ReaderMSRLRC, ReaderPN532} }

// cardDrive is a driver of one kind.
type cardDrive interface {
	Activate(ctx context.Context, q reader.Request) (txn.Presented, error)
}

// slotDrive is a driver of a reader in which a chip card stays until the acquirer has answered.
type slotDrive interface {
	cardDrive
	Complete(ctx context.Context, a txn.Answer) (txn.Confirmation, error)
	Release(ctx context.Context) error
	SelfCheck(ctx context.Context) (time.Duration, error)
	SetSelfCheck(ctx context.Context, at time.Duration) error
}

// schemeDrive is a driver of a reader that proves chip cards by keys and applications which the terminal gives it.
type schemeDrive interface {
	cardDrive
	Ping(ctx context.Context) error
	Install(ctx context.Context, keys, apps []txn.SchemeRow) (changed int, err error)
}

// keepsSchemes reports whether readers of a kind do.
func keepsSchemes(kind string) bool { return kind == "" || kind == ReaderNEO2 }

// newDrive starts the driver of a kind; "" is a NEO 2.
func newDrive(kind string, port Port, o reader.Opts) (cardDrive, error) {
	switch kind {
	case "", ReaderNEO2:
		return reader.New(port, &o)
	case ReaderMSR, ReaderMSRLRC:
		return msr.New(port, &msr.Opts{SendsLRC: kind == ReaderMSRLRC})
	case ReaderPN532:
		return pn532.New(port, &pn532.Opts{Development: true, Answer: o.Answer, Events: o.Events, Now: o.Now})
	}
	return nil, fmt.Errorf("no card reader is called %q; want %s", kind, strings.Join(ReaderKinds(), ", "))
}
