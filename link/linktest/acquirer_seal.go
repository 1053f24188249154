package linktest

import (
	"cmp"
	"fmt"

	"golang.org/x/text/encoding/simplifiedchinese"

	"posagent/link/iso8583"
)

// sealLocked adds the text that the person at the terminal sees, spoils what the fault spoils, and adds the MAC.
func (a *Acquirer) sealLocked(out *iso8583.Message, terminal string, fault Fault) ([]byte, error) {
	if fault.Kind == Forge {
		out.Set(39, fault.Code)
		out.Clear(38)
	}
	financial := out.MTI() == "0110" || out.MTI() == "0210" || out.MTI() == "0230" || out.MTI() == "0410"
	if financial {
		text := a.texts.refused
		if approves(out.Get(39)) {
			text = a.texts.approved
		}
		out.Set(63, fmt.Sprintf("%-3s", cmp.Or(out.Get(63), ownScheme))+text)
	}
	spoil(out, fault)
	if a.tongue != nil {
		out = a.tongue.say(&a.said, a.heard, out)
	}
	s, signedIn := a.sessions[terminal]
	bare := a.o.BareDeclines && !approves(out.Get(39)) || fault.Kind == NoMAC || fault.Kind == Forge
	if !financial || !signedIn || bare || out.Get(39) == codeMAC {
		return a.dialect.Pack(nil, out)
	}
	field := out.MACField()
	out.Set(field, "00000000")
	packed, err := a.dialect.Pack(nil, out)
	if err != nil {
		return nil, err
	}
	data := a.dialect.Covered(out, packed)
	mac := a.mac(s, data)
	if fault.Kind == WrongMAC {
		mac = a.mac(s, append([]byte("wrong"), data...))
	}
	out.Set(field, mac)
	return a.dialect.Pack(packed[:0], out)
}

// spoil makes the answer disagree with its request. The MAC is made afterwards and is right.
func spoil(out *iso8583.Message, fault Fault) {
	bump := func(field int) {
		value := out.Bytes(field)
		if len(value) == 0 {
			return
		}
		changed := append([]byte(nil), value...)
		last := &changed[len(changed)-1]
		*last = '0' + (*last-'0'+1)%10
		out.SetBytes(field, changed)
	}
	switch fault.Kind {
	case WrongSTAN:
		bump(11)
	case WrongAmount:
		bump(4)
	case WrongTerminal:
		bump(41)
	case WrongMerchant:
		bump(42)
	}
}

// texts are what field 63 of an answer says behind the card organisation.
type texts struct{ approved, refused string }

func newTexts() texts {
	return texts{approved: words("交易成功", "欢迎使用银联卡"), refused: words("交易失败", "请查询发卡行")}
}

// words are issuer, centre and acquirer text of 20 bytes each, GB18030.
func words(issuer, centre string) string {
	text := ""
	for _, part := range []string{issuer, centre, ""} {
		encoded, err := simplifiedchinese.GB18030.NewEncoder().String(part)
		if err != nil {
			encoded = ""
		}
		text += fmt.Sprintf("%-20s", encoded)
	}
	return text
}
