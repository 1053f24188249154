package linktest

import (
	"crypto/sha256"

	"posagent/link/iso8583"
)

// issuerProof is field 55 of an approval: the issuer's data (tag 91) for the cryptogram of a card that waits for it in its slot
// (entry mode 05), or nil. It is no cipher but a digest of cryptogram and response code; the simulated cards compute the same.
func issuerProof(m *iso8583.Message) []byte {
	const approvedCard = "00"
	if way := m.Get(22); len(way) < 2 || way[:2] != "05" {
		return nil
	}
	cryptogram := cryptogramIn(m.Bytes(55))
	if cryptogram == nil {
		return nil
	}
	sum := sha256.Sum256([]byte("issuer\x00" + string(cryptogram) + "\x00" + approvedCard))
	return append(append([]byte{0x91, 10}, sum[:8]...), approvedCard...)
}

// cryptogramIn finds tag 9F26 among objects with tags of one or two bytes and lengths below 128, as field 55 has them.
func cryptogramIn(tlv []byte) []byte {
	for len(tlv) > 0 {
		tag, size := int(tlv[0]), 1
		if tag&0x1F == 0x1F && len(tlv) > 1 {
			tag, size = tag<<8|int(tlv[1]), 2
		}
		if len(tlv) <= size || tlv[size] >= 0x80 || len(tlv) < size+1+int(tlv[size]) {
			return nil
		}
		value := tlv[size+1 : size+1+int(tlv[size])]
		if tag == 0x9F26 && len(value) == 8 {
			return value
		}
		tlv = tlv[size+1+len(value):]
	}
	return nil
}
