package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"

	"posagent/link/acquirer/keys"
)

// The verbs of the key centre. They run on its own machine, want no configuration, and speak to no terminal.

type bundleFlags struct {
	signer, to string
	key        loadFlags
}

func (q *bundleFlags) define(f *flag.FlagSet) {
	f.StringVar(&q.signer, "signer", "", "`FILE` with the signing key")
	f.StringVar(&q.to, "to", "", "new `FILE` for the bundle")
	q.key.define(f)
}

func noParityFlag(is *bool) func(*flag.FlagSet) {
	return func(f *flag.FlagSet) {
		f.BoolVar(is, "no-parity", false, "the sheets' digits carry no parity; without it, odd parity is asked for")
	}
}

// keysSigner makes the key that bundles are signed with.
func (c *command) keysSigner(path string) int {
	if err := keepMemoryIn(); err != nil {
		return c.fail(err)
	}
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	_, _ = rand.Read(seed) // never fails, by its contract
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	text := []byte(hex.EncodeToString(seed) + "\n")
	defer clear(text)
	if err := writeNew(path, text); err != nil {
		return c.fail(err)
	}
	fmt.Fprintf(c.out, "签名密钥在此，请离线保管  the signing key is in %s; keep it off line\n", path)
	fmt.Fprintf(c.out, "key_signers = [\"%x\"]\n", private.Public())
	return exitDone
}

// keysBundle asks two persons for the components of a terminal's master key and seals it for that terminal.
func (c *command) keysBundle(ctx context.Context, request string, q bundleFlags) int {
	if q.signer == "" || q.to == "" {
		return c.misused("posagent keys bundle: name the signing key and the new file, -signer FILE -to FILE")
	}
	ksn, err := q.key.serial()
	if err != nil {
		return c.misused("posagent keys bundle: -dukpt: " + err.Error())
	}
	if err = keepMemoryIn(); err == nil {
		err = c.makeBundle(ctx, request, q, ksn)
	}
	if err != nil {
		return c.fail(err)
	}
	return exitDone
}

func (c *command) makeBundle(ctx context.Context, request string, q bundleFlags, ksn keys.KSN) error {
	text, err := readSmall(request)
	if err != nil {
		return err
	}
	r, err := keys.ParseRequest(text)
	if err != nil {
		return err
	}
	seed, err := readKey(q.signer, ed25519.SeedSize)
	if err != nil {
		return err
	}
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	clear(seed)
	fmt.Fprintf(c.out, "终端 %s，商户 %s  request of terminal %s, merchant %s\n", plain(r.Terminal), plain(r.Merchant), plain(r.Terminal), plain(r.Merchant))
	fmt.Fprintf(c.out, "指纹，请电话核对  fingerprint, to be compared by telephone: %s\n", r.Fingerprint())
	if err := c.sameFingerprint(ctx); err != nil {
		return err
	}
	kind := keyKind(ksn, q.key.noParity)
	set, err := c.components(ctx, kind)
	if err != nil {
		return err
	}
	defer set.Master.Destroy()
	bundle, err := keys.MakeBundle(r, set.Master, ksn, set.By, private)
	if err != nil {
		return err
	}
	if err := writeNew(q.to, bundle); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "已签发  made: %s, %s %v\n", q.to, kind.english, set.Master.CheckValue())
	return nil
}

func (c *command) sameFingerprint(ctx context.Context) (err error) {
	k, err := openKeyboard(c.in, c.out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	same, err := c.agreed(ctx, k, "终端上的指纹一致吗  Does the terminal show the same?")
	if err == nil && !same {
		err = errors.New("the fingerprint was not confirmed: this request may be somebody else's; nothing was made")
	}
	return err
}
