package linktest

import (
	"context"
	"time"
)

const dtrLook = 10 * time.Millisecond // between two looks at DTR

// watchDTR acts on circuit 108/2 going off for longer than S25 (V.250 6.2.9).
func (m *Modem) watchDTR(ctx context.Context, on func() bool) {
	look := time.NewTicker(dtrLook)
	defer look.Stop()
	var off time.Time // since when; zero while on, or once acted on
	was := on()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-look.C:
			is := on()
			if was && !is {
				off = now
			}
			was = is
			if is {
				off = time.Time{}
			}
			if !off.IsZero() && now.Sub(off) >= m.dtrDelay() {
				off = time.Time{}
				m.dtrOff()
			}
		}
	}
}

func (m *Modem) dtrDelay() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Duration(m.profile.s[25]) * 10 * time.Millisecond
}

func (m *Modem) dtrOff() {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.profile.dtr == 0 || m.state == inCommand:
	case m.state == inDialling:
		m.endCallLocked()
		m.resultLocked("OK") // 6.3.1 table 8
	case m.profile.dtr == 2:
		m.endCallLocked()
		m.resultLocked("NO CARRIER")
	case m.state == inData:
		m.state = inOnlineCommand
		m.resultLocked("OK")
	}
}
