package acquirer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"posagent/link/acquirer/keys"
	"posagent/link/iso8583"
	"posagent/txnstore/txn"
	"posagent/txnstore/txn/words"
)

// judge decides whether an answer counts, and reads it. What does not count is never an approval and never a refusal.
func (h *Host) judge(w keys.Working, request, answer *iso8583.Message) (txn.Answer, *AnswerError) {
	wrong := func(reason txn.Reason, format string, args ...any) (txn.Answer, *AnswerError) {
		return txn.Answer{}, &AnswerError{Reason: reason, Why: fmt.Sprintf(format, args...)}
	}
	h.watch(request, answer)
	if why := foreign(request, answer); why != "" {
		return wrong(txn.OtherCause, "%s", why)
	}
	code := answer.Get(39)
	response := h.response(code)
	approval := response.Class == Success
	if response.signIn {
		h.disown(w)
	}
	if approval || answer.Has(answer.MACField()) || h.o.MACOnDeclines {
		if !h.authentic(w, answer) {
			h.disown(w)
			if approval {
				return wrong(txn.BadMAC, "approved with %s, and the MAC does not verify", code)
			}
			return wrong(txn.OtherCause, "refused with %s, and the MAC does not verify", code)
		}
	}
	reversal := reverses(request)
	if response.unclear && !reversal {
		return wrong(txn.OtherCause, "answered %s: %s", code, words.Advice(code).EN)
	}
	if why := h.disagreement(request, answer, approval); why != "" {
		return wrong(txn.OtherCause, "%s", why)
	}
	verdict := h.read(answer)
	verdict.Approved = response.Approved()
	if reversal {
		verdict.Approved = h.endsReversal(code)
	}
	return verdict, nil
}

// watch tells of an answer that names another terminal or merchant, whatever it says and whether it counts.
func (h *Host) watch(request, answer *iso8583.Message) {
	if h.o.Misrouted == nil {
		return
	}
	for field, what := range map[int]string{41: "terminal", 42: "merchant"} {
		if answer.Has(field) && answer.Get(field) != request.Get(field) {
			h.o.Misrouted(what, request.Get(11), answer.Get(field))
		}
	}
}

// foreign says why an answer belongs to some other request. The link has matched it already; money deserves a second look.
func foreign(request, answer *iso8583.Message) string {
	if why := misdirected(request, answer); why != "" {
		return why
	}
	if len(answer.Get(39)) != 2 {
		return "the answer has no response code"
	}
	return ""
}

func misdirected(request, answer *iso8583.Message) string {
	asked, got := request.MTI(), answer.MTI()
	switch {
	case len(got) != 4 || got[:2] != asked[:2] || got[2] != asked[2]+1:
		return fmt.Sprintf("the answer to %s has type %s", asked, got)
	case request.Has(11) && answer.Get(11) != request.Get(11):
		return "the answer has another STAN"
	case answer.Get(41) != request.Get(41):
		return "the answer has another terminal"
	}
	return ""
}

// disagreement compares what the answer repeats of the request. The approval of a sale must repeat all of it; a refusal
// may leave out what the acquirer could not read, and the answer to a reversal what the STAN already says.
func (h *Host) disagreement(request, answer *iso8583.Message, approval bool) string {
	for _, field := range compared {
		must := approval && !reverses(request) && slices.Contains(h.o.Profile.Repeats, field)
		if !must && !answer.Has(field) {
			continue
		}
		if answer.Get(field) != request.Get(field) {
			if field == 42 {
				return "the answer names merchant " + plain(answer.Get(42)) // the evidence that people will ask for
			}
			return "the answer has another " + h.o.Profile.Dialect.Fields[field].Name
		}
	}
	for _, field := range h.o.Profile.Repeats {
		if approval && !reverses(request) && answer.Get(field) != request.Get(field) {
			return fmt.Sprintf("the answer does not repeat field %d, %s", field, h.o.Profile.Dialect.Fields[field].Name)
		}
	}
	return ""
}

// compared are the fields that no answer may contradict: processing code, amount and merchant.
var compared = [...]int{3, 4, 42}

// authentic verifies the MAC, field 64 or 128, over the answer as it came.
func (h *Host) authentic(w keys.Working, answer *iso8583.Message) bool {
	covered := h.o.Profile.Dialect.Covered(answer, answer.Raw())
	verify := h.o.MAC.Verify
	if h.o.Profile.Whole {
		verify = h.o.MAC.VerifyWhole
	}
	return covered != nil && verify(w.MAC, covered, answer.Bytes(answer.MACField()))
}

// read takes an answer's fields in the terms of the trade. Where the profile says so field 44 is issuer and acquirer, eleven
// characters each, and field 63 card organisation and texts.
func (h *Host) read(answer *iso8583.Message) txn.Answer {
	institutions, texts := "", []byte(nil)
	if h.o.Profile.Institutions {
		institutions = answer.Get(44)
	}
	if h.o.Profile.Texts {
		texts = answer.Bytes(63)
	}
	issuer := institutions[:min(len(institutions), institutionLength)]
	centre := institutions[len(issuer):]
	if strings.TrimSpace(centre) == "" {
		centre = answer.Get(32)
	}
	return txn.Answer{
		Code:      answer.Get(39),
		RRN:       plain(answer.Get(37)),
		AuthCode:  plain(answer.Get(38)),
		Issuer:    printable(issuer),
		Acquirer:  printable(centre),
		HostTime:  answer.Get(12),
		HostDate:  answer.Get(13),
		SettledOn: answer.Get(15),
		Scheme:    scheme(texts),
		Text:      text(texts),
	}
}

const (
	institutionLength = 11 // field 44, each half
	organisation      = 3  // field 63: the card organisation goes before the texts
	textSlot          = 20 // field 63: issuer, centre, acquirer
	maxText           = 60 // bytes of txn.Answer.Text
)

// scheme is the card organisation at the head of field 63, "" where it is left out.
func scheme(field63 []byte) string {
	return plain(string(field63[:min(len(field63), organisation)]))
}

// text reads the texts of field 63, GB18030, slot by slot, so that a character cut at the end of one does not spoil the
// next. It goes to receipts and screens: what cannot be printed is left out, and what is too long ends at a character.
func text(field63 []byte) string {
	if len(field63) <= organisation {
		return ""
	}
	var parts []string
	for rest := field63[organisation:]; len(rest) > 0; {
		slot := rest[:min(len(rest), textSlot)]
		rest = rest[len(slot):]
		decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(slot)
		if err != nil {
			continue
		}
		if part := printable(string(decoded)); part != "" {
			parts = append(parts, part)
		}
	}
	joined := strings.Join(parts, " ")
	if len(joined) <= maxText {
		return joined
	}
	end := maxText
	for !utf8.RuneStart(joined[end]) {
		end--
	}
	return strings.TrimSpace(joined[:end])
}

// plain keeps the ASCII of a code that the acquirer made up. The code may go back to it, in the fixed width of its field:
// a reversal that could not be packed would be owed for ever.
func plain(code string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, code))
}

// printable drops control characters and what could not be decoded, and trims.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}
