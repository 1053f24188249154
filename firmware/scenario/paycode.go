package scenario

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// A story calls a payment code by a platform's name and a number, "wechat-7", because its digits are money where they are real
// and must be looked for where they leak. The digits follow from the name. Two names are no code of a platform: "goods-N" is
// what stands on a package, and "stranger-N" a code of a platform that nobody has set up.
var platforms = []struct {
	name, first string
	digits      int
}{{"wechat", "13", 18}, {"alipay", "28", 18}, {"unionpay", "62", 19}, {"stranger", "99", 18}, {"goods", "690", 13}}

// PayCode is the code that a story calls so.
func PayCode(name string) (digits string, err error) {
	for _, p := range platforms {
		if n, is := strings.CutPrefix(name, p.name+"-"); is && isName(name) && n != "" {
			digits = p.first
			for _, b := range sha256.Sum256([]byte(name)) {
				digits += fmt.Sprint(b % 10)
			}
			return digits[:p.digits], nil
		}
	}
	return "", fmt.Errorf("%q is no payment code of a story; write wechat-N, alipay-N, unionpay-N, stranger-N or goods-N", name)
}

// AddCode adds a payment code by its story's name, in every form in which its digits travel.
func (s *Secrets) AddCode(name, digits string) { s.addDigits("the payment code "+name, digits) }

// twice finds payment codes that were submitted under more than one order, whatever became of any of them.
func (f *findings) twice(there []Row) {
	first := map[string]Voucher{}
	for _, row := range there {
		if row.Paid == "" {
			continue
		}
		if earlier, known := first[row.Paid]; known {
			f.say("voucher %s: its payment code was submitted before, under voucher %s", row.key(), earlier)
			continue
		}
		first[row.Paid] = row.key()
	}
}
