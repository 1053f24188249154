package profile

import (
	"slices"
	"strconv"
	"strings"

	"posagent/txnstore/txn"
)

func (j *judge) answers() {
	p := j.p
	if e, there := j.need("answer", "repeats", aList); there {
		for _, text := range e.value.list {
			n, isNumber := fieldNumber(text)
			if !isNumber || placeOf(n) != nil {
				j.found.at(e, "repeats: %q is no field", text)
			}
			p.Repeats = append(p.Repeats, n)
		}
		if !slices.Contains(p.Repeats, 4) {
			j.found.at(e, "repeats: leaves out field 4; an approval of another amount must not count")
		}
	}
	if e, there := j.need("answer", "downloads", aTruth); there {
		p.Downloads = e.value.truth
	}
	if e, there := j.need("answer", "institutions", aTruth); there {
		p.Institutions = e.value.truth
	}
	if e, there := j.need("answer", "texts", aTruth); there {
		p.Texts = e.value.truth
	}
	if e, there := j.need("answer", "keys", aString); there {
		n, isNumber := fieldNumber(e.value.text)
		if p.Keys = n; !isNumber || placeOf(n) != nil {
			j.found.at(e, "keys: %q is no field", e.value.text)
		}
	}
	p.Reasons = map[txn.Reason]string{}
	for key, reason := range map[string]txn.Reason{"no-answer": txn.NoAnswer, "not-done": txn.NotDone, "bad-mac": txn.BadMAC, "other": txn.OtherCause} {
		if e, there := j.need("reasons", key, aString); there {
			if p.Reasons[reason] = e.value.text; !word(e.value.text) || len(e.value.text) > 12 {
				j.found.at(e, "%s: want 1 to 12 letters and digits", key)
			}
			if n := len(e.value.text); j.reasons[1] == 0 {
				j.reasons = [2]int{n, n}
			} else {
				j.reasons = [2]int{min(j.reasons[0], n), max(j.reasons[1], n)}
			}
		}
	}
}

// sure are the codes that no profile may turn into approvals, nor approvals into something else (ISO 8583:1987, field 39).
// 08, 11 and their like are an acquirer's own to define; what the standard calls a refusal is one.
var sure = map[string]bool{"00": true, "08": true, "11": true, "16": true, "A2": true, "A4": true, "A5": true, "A6": true}

func (j *judge) codes() {
	j.p.Codes = map[string]Code{}
	means := []string{"approved", "retry", "refused", "operator", "network"} // classes A to E
	for _, held := range j.groups["codes"] {
		held.used = true
		e := *held
		if e.value.kind != aString || len(e.key) != 2 {
			j.found.at(e, `%s: want a response code of two characters and what it means, like A8 = "refused"`, e.key)
			continue
		}
		what, signIn := strings.CutSuffix(e.value.text, " sign-in")
		at := slices.Index(means, what)
		class := 'A' + byte(at)
		switch {
		case at < 0:
			j.found.at(e, "%s: %q is not known; write approved, retry, refused, operator or network, and sign-in behind it where a sign-in must come first", e.key, e.value.text)
		case e.key == "09" || e.key == "10":
			j.found.at(e, "%s: is neither approved nor refused for a sale of one amount, which is reversed; leave it out", e.key)
		case class == 'A' && !sure[e.key] && standard(e.key):
			j.found.at(e, "%s: is a refusal by the standard and cannot be approved; ask the acquirer for another code", e.key)
		case class != 'A' && sure[e.key] && e.key != "08" && e.key != "16":
			j.found.at(e, "%s: is an approval and cannot be refused here; the acquirer holds the money", e.key)
		case class == 'A' && signIn:
			j.found.at(e, "%s: an approval asks for no sign-in", e.key)
		}
		j.p.Codes[e.key] = Code{class, signIn}
	}
	if e, there := j.need("reversal", "ends", aList); there {
		j.p.ReversalEnds = e.value.list
		for _, code := range e.value.list {
			if len(code) != 2 {
				j.found.at(e, "ends: %q is no response code of two characters", code)
			}
		}
		if !slices.Contains(e.value.list, "00") {
			j.found.at(e, `ends: leaves out "00"; a reversal that was done would be repeated for ever`)
		}
	}
}

// standard reports whether a code is defined by the standard or by the direct-connection dialect, and not as an approval.
func standard(code string) bool {
	n, err := strconv.Atoi(code)
	return err == nil && n <= 99 && !sure[code] && (n < 80 || n >= 90) || len(code) == 2 && code[0] == 'A' && code[1]-'0' <= 9
}
