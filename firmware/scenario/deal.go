package scenario

import "slices"

// deal is a request that begins a transaction: how a story writes it, and what may stand behind it, in this order.
type deal struct {
	op     string   // what the terminal's socket calls it
	words  []string // what a story calls it
	amount bool     // AMOUNT, which it needs
	auth   bool     // auth CODE, which it needs: the authorisation that somebody gave
	again  bool     // [again]
	scan   bool     // [scanned]: it may be paid with a payment code
	code   bool     // [by code]: what it follows is named as its slip does, by authorisation code and date
	of     bool     // [of NAME]: it undoes or follows another
	by     bool     // [by WHO]: a supervisor allows it
}

// deals are all of them; each may end with "as NAME".
var deals = []deal{
	{op: "sale", words: []string{"sale"}, amount: true, again: true, scan: true},
	{op: "void", words: []string{"void"}, of: true, by: true},
	{op: "refund", words: []string{"refund"}, amount: true, of: true, by: true},
	{op: "preauth", words: []string{"preauth"}, amount: true, again: true},
	{op: "preauth-cancel", words: []string{"cancel", "preauth"}, code: true, of: true, by: true},
	{op: "completion", words: []string{"complete"}, amount: true, code: true, of: true},
	{op: "completion-cancel", words: []string{"cancel", "completion"}, of: true, by: true},
	{op: "completion-notice", words: []string{"notice"}, amount: true, code: true, of: true},
	{op: "offline-sale", words: []string{"offline"}, amount: true, auth: true, again: true},
}

// usage is said where a deal's words are wrong.
const usage = "sale AMOUNT [scanned] [again] [as NAME], void [of NAME] [by WHO] [as NAME], refund AMOUNT [of NAME] [by WHO] [as NAME], " +
	"preauth AMOUNT [again] [as NAME], cancel preauth [by code] [of NAME] [by WHO] [as NAME], complete AMOUNT [by code] [of NAME] [as NAME], " +
	"cancel completion [of NAME] [by WHO] [as NAME], notice AMOUNT [by code] [of NAME] [as NAME], offline AMOUNT auth CODE [again] [as NAME]"

// dealOf finds a deal by what the socket calls it.
func dealOf(op string) (deal, bool) {
	i := slices.IndexFunc(deals, func(d deal) bool { return d.op == op })
	if i < 0 {
		return deal{}, false
	}
	return deals[i], true
}

func isDeal(op string) bool {
	_, is := dealOf(op)
	return is
}

// readDeal finds the deal with which a line begins, and what stands behind its words.
func readDeal(w []string) (d deal, rest []string, is bool) {
	for _, d := range deals {
		if n := len(d.words); len(w) >= n && slices.Equal(w[:n], d.words) {
			return d, w[n:], true
		}
	}
	return deal{}, w, false
}
