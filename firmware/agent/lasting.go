package agent

import (
	"log/slog"
	"time"
)

// sayAgain is how long the log may keep still about a trouble that lasts. A printer without paper is tried every few
// seconds: a line for each would push everything else out of the log overnight.
const sayAgain = time.Hour

// lasting is a trouble that is met again and again. The log has it when it begins, when its cause changes, once in a
// while, and when it has ended. Its user sees to it that only one goroutine calls it.
type lasting struct {
	cause string
	said  time.Time
	met   int // times since it began
}

func (l *lasting) tell(log *slog.Logger, what string, err error) {
	switch now := time.Now(); {
	case err == nil && l.cause == "":
	case err == nil:
		log.Info("no longer "+what, "tries", l.met)
		*l = lasting{}
	case err.Error() != l.cause || now.Sub(l.said) >= sayAgain:
		l.met++
		log.Warn("still "+what, "cause", err, "tries", l.met)
		l.cause, l.said = err.Error(), now
	default:
		l.met++
	}
}
