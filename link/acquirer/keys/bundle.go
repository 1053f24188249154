package keys

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
)

// A master key may come from the acquirer's key centre as a file that may be seen by anybody.
//
//	terminal                                    key centre
//	request: number, merchant, device's public key, counter ──►
//	         its fingerprint is compared by telephone: who could change
//	         the request on its way could read the key
//	                               ◄── bundle: for this terminal and counter,
//	                                   the key sealed for the device, signed
//
// The key is sealed with HPKE (RFC 9180: DHKEM X25519, HKDF-SHA-256, AES-256-GCM) to a key pair that the device makes of
// its device key; everything in the bundle is bound to that seal and signed with Ed25519 (RFC 8032). The signer's public
// key stands in the terminal's configuration. A bundle is accepted once: its counter must be above every counter that was
// accepted before, and that knowledge outlives the keys (Log).
//
// Both are armoured as PEM (RFC 7468). In them numbers are big-endian and texts have a length byte:
//
//	request   layout 1 | terminal 1+n | merchant 1+n | public key 32 | counter 8
//	bundle    layout 1 | terminal 1+n | merchant 1+n | counter 8 | check value 4 | people 1, names 1+n
//	          | of layout 2, with a DUKPT initial key in the place of the master key: serial number 10
//	          | encapsulated key 32, master key sealed 16+16 | signature 64
const (
	requestType = "POSAGENT KEY REQUEST"
	bundleType  = "POSAGENT KEY BUNDLE"

	bundleLayout  = 1
	initialLayout = 2
	publicLength  = 32
	sealedLength  = 32 + DoubleLength + tagSize
	signedPurpose = "posagent key bundle\x00"
)

// MaxBundle bounds a request and a bundle, in bytes.
const MaxBundle = 4 << 10

// Request is what a terminal asks its key centre with.
type Request struct {
	Terminal, Merchant string
	Counter            uint64 // of the newest bundle that was accepted
	public             []byte
}

// NewRequest asks for a key that only this device can open.
func NewRequest(device []byte, terminal, merchant string, counter uint64) (Request, error) {
	private, err := bundleKey(device)
	if err != nil {
		return Request{}, err
	}
	return Request{terminal, merchant, counter, private.PublicKey().Bytes()}, nil
}

func bundleKey(device []byte) (*ecdh.PrivateKey, error) {
	seed, err := derive(device, purposeBundle)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	return ecdh.X25519().NewPrivateKey(seed)
}

// Marshal armours a request.
func (r Request) Marshal() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: r.bytes()})
}

func (r Request) bytes() []byte {
	b := appendText(appendText([]byte{bundleLayout}, r.Terminal), r.Merchant)
	return binary.BigEndian.AppendUint64(append(b, r.public...), r.Counter)
}

func appendText(b []byte, text string) []byte { return append(append(b, byte(len(text))), text...) }

// Fingerprint is what two people compare by telephone: 80 bits.
func (r Request) Fingerprint() string {
	sum := sha256.Sum256(r.bytes())
	digits := fmt.Sprintf("%X", sum[:10])
	var groups []string
	for part := range slices.Chunk([]byte(digits), 4) {
		groups = append(groups, string(part))
	}
	return strings.Join(groups, " ")
}

// ParseRequest reads a request. The error is ErrBundle.
func ParseRequest(text []byte) (Request, error) {
	b, err := unarmour(text, requestType)
	if err != nil {
		return Request{}, err
	}
	in := reader{b: b}
	layout := in.take(1)
	r := Request{Terminal: in.text(), Merchant: in.text(), public: bytes.Clone(in.take(publicLength)), Counter: in.number()}
	if in.bad || len(in.b) != 0 || layout[0] != bundleLayout {
		return Request{}, fmt.Errorf("%w: it is no key request of this version; ask the terminal for a new one", ErrBundle)
	}
	return r, nil
}

func unarmour(text []byte, kind string) ([]byte, error) {
	if len(text) > MaxBundle {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrBundle, MaxBundle)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%w: it does not hold a %s", ErrBundle, strings.ToLower(kind[len("POSAGENT "):]))
	}
	return block.Bytes, nil
}

// MakeBundle seals a key for the terminal of a request, as the key centre does: a master key, or, where ksn is not zero, the
// DUKPT initial key of that serial number. by names who entered the key there.
func MakeBundle(r Request, master Key, ksn KSN, by []string, signer ed25519.PrivateKey) ([]byte, error) {
	head := bundleHead{r.Terminal, r.Merchant, r.Counter + 1, master.CheckValue(), by, ksn}
	if err := head.check(); err != nil {
		return nil, err
	}
	public, err := ecdh.X25519().NewPublicKey(r.public)
	if err != nil {
		return nil, fmt.Errorf("%w: the request has no usable public key", ErrBundle)
	}
	recipient, err := hpke.NewDHKEMPublicKey(public)
	if err != nil {
		return nil, err
	}
	secret, err := master.Secret()
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	b := head.bytes()
	sealed, err := hpke.Seal(recipient, hpke.HKDFSHA256(), hpke.AES256GCM(), append([]byte(signedPurpose), b...), secret)
	if err != nil {
		return nil, err
	}
	b = append(b, sealed...)
	b = append(b, ed25519.Sign(signer, append([]byte(signedPurpose), b...))...)
	return pem.EncodeToMemory(&pem.Block{Type: bundleType, Bytes: b}), nil
}

// bundleHead is what everybody may read of a bundle.
type bundleHead struct {
	terminal, merchant string
	counter            uint64
	checks             CheckValue
	by                 []string
	ksn                KSN // zero beside a master key
}

func (h bundleHead) check() error {
	if len(h.by) > MaxPeople {
		return fmt.Errorf("%w: it names more than %d persons", ErrBundle, MaxPeople)
	}
	for _, name := range h.by {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("%w: %w", ErrBundle, err)
		}
	}
	if h.ksn != (KSN{}) {
		return h.ksn.checkInitial()
	}
	return nil
}

func (h bundleHead) bytes() []byte {
	layout := byte(bundleLayout)
	if h.ksn != (KSN{}) {
		layout = initialLayout
	}
	b := appendText(appendText([]byte{layout}, h.terminal), h.merchant)
	b = append(binary.BigEndian.AppendUint64(b, h.counter), h.checks[:]...)
	b = append(b, byte(len(h.by)))
	for _, name := range h.by {
		b = appendText(b, name)
	}
	if layout == initialLayout {
		b = append(b, h.ksn[:]...)
	}
	return b
}

func readHead(in *reader) bundleHead {
	layout := in.take(1)
	h := bundleHead{terminal: in.text(), merchant: in.text(), counter: in.number(), checks: CheckValue(in.take(4))}
	for range in.take(1)[0] {
		if h.by = append(h.by, in.text()); in.bad || len(h.by) > MaxPeople {
			in.bad = true
			break
		}
	}
	switch layout[0] {
	case bundleLayout:
	case initialLayout:
		h.ksn = KSN(in.take(len(h.ksn)))
		in.bad = in.bad || h.ksn == KSN{}
	default:
		in.bad = true
	}
	return h
}

// OpenBundle judges a bundle and gives the set that it holds, for Adopt, or for Begin where ksn is not zero; both refuse an old
// one. Nothing of a bundle is believed before its signature. The errors are ErrBundle and ErrMasterKey.
func OpenBundle(text, device []byte, terminal, merchant string, signers []ed25519.PublicKey) (set Set, ksn KSN, err error) {
	b, err := unarmour(text, bundleType)
	if err != nil {
		return Set{}, KSN{}, err
	}
	refuse := func(why string, args ...any) (Set, KSN, error) {
		return Set{}, KSN{}, fmt.Errorf("%w: %s", ErrBundle, fmt.Sprintf(why, args...))
	}
	signedLength := len(b) - ed25519.SignatureSize
	if signedLength < sealedLength {
		return refuse("it is cut short; copy it again")
	}
	signed, signature := b[:signedLength], b[signedLength:]
	if !slices.ContainsFunc(signers, func(k ed25519.PublicKey) bool {
		return len(k) == ed25519.PublicKeySize && ed25519.Verify(k, append([]byte(signedPurpose), signed...), signature)
	}) {
		return refuse("no signer of this terminal's configuration has signed it, or it was changed")
	}
	in := &reader{b: signed[:signedLength-sealedLength]}
	head := readHead(in)
	if in.bad || len(in.b) != 0 {
		return refuse("it is of another version; ask for one of this version")
	}
	if err := head.check(); err != nil {
		return Set{}, KSN{}, err
	}
	if head.terminal != terminal || head.merchant != merchant {
		return refuse("it is for terminal %q of merchant %q, and this is %q of %q", head.terminal, head.merchant, terminal, merchant)
	}
	master, err := openSealedKey(device, head.bytes(), signed[signedLength-sealedLength:])
	if err != nil {
		return Set{}, KSN{}, err
	}
	if master.CheckValue() != head.checks {
		master.Destroy()
		return refuse("the key in it has check value %v and not %v, as it says", master.CheckValue(), head.checks)
	}
	return Set{Master: master, Source: FromBundle, Counter: head.counter, By: head.by}, head.ksn, nil
}

func openSealedKey(device, head, sealed []byte) (Key, error) {
	private, err := bundleKey(device)
	if err != nil {
		return Key{}, err
	}
	recipient, err := hpke.NewDHKEMPrivateKey(private)
	if err != nil {
		return Key{}, err
	}
	secret, err := hpke.Open(recipient, hpke.HKDFSHA256(), hpke.AES256GCM(), append([]byte(signedPurpose), head...), sealed)
	if err != nil {
		return Key{}, fmt.Errorf("%w: it was made for another device key; send a new request", ErrBundle)
	}
	defer clear(secret)
	return NewMaster(secret)
}

func replayed(counter, newest uint64) error {
	return fmt.Errorf("%w: it has number %d and number %d was accepted already; send a new request", ErrReplay, counter, newest)
}
