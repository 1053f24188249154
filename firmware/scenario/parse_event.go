package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"posagent/txnstore/txn/words"
)

// maxCount bounds every number of a story, and maxTime every time.
const (
	maxCount = 1_000_000
	maxTime  = 400 * 24 * time.Hour
)

const events = "on [2nd] send|recv MTI, on byte N of [2nd] send|recv MTI, before|inside|after [2nd] commit WHAT, " +
	"on byte N to|from WIRE, on printing line N, on [2nd] card read, on [2nd] stage STAGE, on [2nd] outcome OUTCOME, or after DURATION"

// parseEvent reads an event with the word that leads it.
func parseEvent(w []string) (Event, error) {
	lead, rest := w[0], w[1:]
	refuse := func() (Event, error) {
		return Event{}, fmt.Errorf("%q is no event; write %s", strings.Join(w, " "), events)
	}
	if lead == "after" && len(rest) == 1 {
		d, err := parseDuration(rest)
		return Event{Kind: Elapsed, Time: d}, err
	}
	if lead != "on" {
		nth, rest := parseNth(rest)
		if len(rest) != 2 || rest[0] != "commit" || !slices.Contains(commits, rest[1]) {
			return Event{}, fmt.Errorf("%q is no event; write %s [2nd] commit and one of %s", strings.Join(w, " "), lead, strings.Join(commits, " "))
		}
		kind := map[string]Kind{"before": Before, "inside": Inside, "after": After}[lead]
		return Event{Kind: kind, What: rest[1], Nth: nth}, nil
	}
	if len(rest) > 2 && rest[0] == "byte" {
		return parseByte(w, rest)
	}
	if len(rest) == 3 && rest[0] == "printing" && rest[1] == "line" {
		n, err := parseCount(rest[2])
		return Event{Kind: Printing, N: n}, err
	}
	nth, rest := parseNth(rest)
	if len(rest) != 2 {
		return refuse()
	}
	switch {
	case (rest[0] == "send" || rest[0] == "recv") && isMTI(rest[1]):
		return Event{Kind: map[string]Kind{"send": Send, "recv": Recv}[rest[0]], What: rest[1], Nth: nth}, nil
	case rest[0] == "card" && rest[1] == "read":
		return Event{Kind: CardRead, Nth: nth}, nil
	case rest[0] == "stage" && isName(rest[1]):
		return Event{Kind: Stage, What: rest[1], Nth: nth}, nil
	case rest[0] == "outcome" && rest[1] != string(Lost) && slices.Contains(outcomes, words.Outcome(rest[1])):
		return Event{Kind: Told, What: rest[1], Nth: nth}, nil
	}
	return refuse()
}

// parseByte reads "byte N of [2nd] send 0200" and "byte N to printer".
func parseByte(whole, w []string) (Event, error) {
	n, err := parseCount(w[1])
	if err != nil {
		return Event{}, err
	}
	if len(w) == 4 && (w[2] == "to" || w[2] == "from") && slices.Contains(wires, w[3]) {
		return Event{Kind: map[string]Kind{"to": ByteTo, "from": ByteFrom}[w[2]], What: w[3], N: n}, nil
	}
	if w[2] == "of" {
		nth, rest := parseNth(w[3:])
		if len(rest) == 2 && (rest[0] == "send" || rest[0] == "recv") && isMTI(rest[1]) {
			return Event{Kind: map[string]Kind{"send": SendByte, "recv": RecvByte}[rest[0]], What: rest[1], N: n, Nth: nth}, nil
		}
	}
	return Event{}, fmt.Errorf("%q is no event; write on byte N of [2nd] send|recv MTI, or on byte N to|from %s",
		strings.Join(whole, " "), strings.Join(wires, "|"))
}

// parseNth takes an ordinal off the front; without one it is the first.
func parseNth(w []string) (int, []string) {
	if len(w) == 0 || len(w[0]) < 3 {
		return 1, w
	}
	n, err := parseCount(w[0][:len(w[0])-2])
	if err != nil || n < 2 || ordinal(n) != w[0] {
		return 1, w
	}
	return n, w[1:]
}

// parseCount reads a number from 1 as it is printed.
func parseCount(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 || n > maxCount || strconv.Itoa(n) != word {
		return 0, fmt.Errorf("%q is not a number from 1 to %d", word, maxCount)
	}
	return n, nil
}

// parseDuration reads a time as it is printed.
func parseDuration(w []string) (time.Duration, error) {
	text := strings.Join(w, " ")
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxTime {
		return 0, fmt.Errorf("%q is not a time; write one such as 500ms, 90s, 2m or 25h, at most %s", text, duration(maxTime))
	}
	if duration(d) != text {
		return 0, fmt.Errorf("write %s for %s", duration(d), text)
	}
	return d, nil
}

func isMTI(word string) bool {
	return len(word) == 4 && strings.Trim(word, "0123456789") == ""
}
