package link

import "time"

// Numbers of the trade. The terminal rules of the UnionPay-style direct connection set them, and acquirers change the
// first by parameter download (tag 12), so it is also an option.
const (
	answerTime  = 60 * time.Second // from the last byte of the request to the whole answer
	connectTime = 10 * time.Second // for one dial of one bearer
)

// Numbers we chose.
const (
	// sendTime bounds the writing of one frame. At 1200 baud, the slowest line still in use, it is good for 2400 bytes;
	// a long request has 600.
	sendTime = 20 * time.Second

	// silentExchanges is how many exchanges in a row a session may leave unanswered before it is hung up. One keeps it,
	// so that the late answer is seen; after two the line is no longer believed.
	silentExchanges = 2

	// A TCP peer that acknowledges nothing for tcpUserTimeout is gone (RFC 5482). Without it Linux retransmits for a
	// quarter of an hour, longer than a queue at a till lasts. Keep-alives find the same on a line at rest.
	tcpUserTimeout    = 20 * time.Second
	keepAliveIdle     = 15 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 3
)
