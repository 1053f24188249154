package reader

import (
	"context"
	"fmt"
	"time"

	"posagent/device/reader/neo2"
)

// A reader of this kind starts anew once a day, at a minute that it keeps in UTC (25-07, IDG p. 118): payment security rules
// demand a self-test at least every 24 hours.

// SelfCheck asks at which time of day, from midnight UTC, the reader starts anew. A reader that does not know the command
// answers with a *StatusError.
func (r *Reader) SelfCheck(ctx context.Context) (time.Duration, error) {
	data, err := r.ask(ctx, neo2.Frame{Command: neo2.Clock, Sub: neo2.SelfCheck})
	if err != nil {
		return 0, err
	}
	return parseTimeOfDay(data)
}

// SetSelfCheck sets that time, in whole minutes from midnight UTC. The reader starts anew at once when it has answered (IDG p.
// 118), so that this is no call for while a card is awaited; it is refused with ErrBusy then. A reader that has the time
// already is left alone.
func (r *Reader) SetSelfCheck(ctx context.Context, at time.Duration) error {
	minutes := int(at / time.Minute)
	if at < 0 || at >= 24*time.Hour || at%time.Minute != 0 {
		return fmt.Errorf("%v is not a time of day in whole minutes", at)
	}
	if now, err := r.SelfCheck(ctx); err != nil || now == at {
		return err
	}
	data, err := bcd(fmt.Sprintf("%02d%02d", minutes/60, minutes%60), 4)
	if err != nil {
		return err
	}
	_, err = r.ask(ctx, neo2.Frame{Command: neo2.Clock, Sub: neo2.SelfCheck, Data: data})
	return err
}

// parseTimeOfDay reads hours and minutes, two decimal digits in each byte.
func parseTimeOfDay(data []byte) (time.Duration, error) {
	if len(data) != 2 {
		return 0, fmt.Errorf("%w: a time of day has two bytes, not %d", ErrGarbage, len(data))
	}
	hour, minute := int(data[0]>>4)*10+int(data[0]&15), int(data[1]>>4)*10+int(data[1]&15)
	if data[0]&15 > 9 || data[1]&15 > 9 || hour > 23 || minute > 59 {
		return 0, fmt.Errorf("%w: its time of day is none", ErrGarbage)
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute, nil
}
