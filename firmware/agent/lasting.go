package agent

import (
	"log/slog"
	"time"
)

// sayAgain is how long the log may keep still about a trouble that lasts. A printer without paper is tried every few
// seconds: a line for each would push everything else out of the log overnight.
const sayAgain = time.Hour

// changesMost is how many changes of its cause the log has between two of those times. A printer that talks nonsense gives
// another reason at every try, with what came in it.
const changesMost = 10

// lasting is a trouble that is met again and again. The log has it when it begins, when its cause changes, once in a
// while, and when it has ended. Its user sees to it that only one goroutine calls it.
type lasting struct {
	cause   string
	said    time.Time
	changes int // of the cause, told since the last time that it would have been told anyway
	since   time.Time
	met     int // times since it began
}

func (l *lasting) tell(log *slog.Logger, what string, err error) {
	now := time.Now()
	if now.Sub(l.since) >= sayAgain {
		l.since, l.changes = now, 0
	}
	switch {
	case err == nil && l.cause == "":
	case err == nil:
		log.Info("no longer "+what, "tries", l.met)
		*l = lasting{}
	case err.Error() != l.cause && l.changes < changesMost || now.Sub(l.said) >= sayAgain:
		l.met++
		l.changes++
		log.Warn("still "+what, "cause", err, "tries", l.met)
		l.cause, l.said = err.Error(), now
	default:
		l.met++
	}
}
