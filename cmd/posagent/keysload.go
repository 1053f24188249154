package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"posagent/link/acquirer/keys"
)

// Loading of a master key. Two persons each type one component; neither sees the other's, and no component is shown,
// logged, or taken from a command line.
//
//	name ► component, hidden ► its check value, held against the sheet ─┐
//	name ► component, hidden ► its check value, held against the sheet ─┴► key ► its check value ► stored

// typingTries is how often one question is asked.
const typingTries = 3

// mostTyped is more than any answer, so that a component with too many digits is told from one with enough.
const mostTyped = 80

// loadFlags say which key is typed.
type loadFlags struct {
	noParity bool
	dukpt    string
}

func (q *loadFlags) define(f *flag.FlagSet) {
	noParityFlag(&q.noParity)(f)
	f.StringVar(&q.dukpt, "dukpt", "", "a DUKPT initial key in the place of the master key: its serial `NUMBER`, 20 hexadecimal digits")
}

// serial is that of a DUKPT initial key, and zero of a master key.
func (q loadFlags) serial() (ksn keys.KSN, err error) {
	if q.dukpt != "" {
		ksn, err = keys.ParseKSN(q.dukpt)
	}
	return ksn, err
}

// keysLoad takes a bundle, or components where none is named.
func (c *command) keysLoad(ctx context.Context, bundle string, q loadFlags) int {
	ksn, err := q.serial()
	if err != nil {
		return c.misused("posagent keys load: -dukpt: " + err.Error())
	}
	if bundle != "" && q.dukpt != "" {
		return c.misused("posagent keys load: a bundle says itself what it holds; leave out -dukpt")
	}
	return c.withKeys(true, func(config *Config, room *keyRoom) error {
		fresh := keys.Set{}
		var err error
		if bundle == "" {
			fresh, err = c.components(ctx, keyKind(ksn, q.noParity))
		} else {
			fresh, ksn, err = config.readBundle(bundle, room.device)
		}
		if err != nil {
			return err
		}
		defer fresh.Master.Destroy()
		if ksn != (keys.KSN{}) {
			return c.begin(room, fresh, ksn)
		}
		return c.adopt(room, fresh)
	})
}

func (c *command) adopt(room *keyRoom, fresh keys.Set) error {
	set, err := keys.Adopt(room.store, room.log, fresh, time.Now())
	if set == nil {
		return err
	}
	fmt.Fprintf(c.out, "已装入  loaded: master key %v, from %s, into %v\n", set.Master.CheckValue(), set.Source, room.store)
	if !room.store.Survives() {
		fmt.Fprintln(c.out, "断电即失  it is gone with the power; have it loaded at each start")
	}
	fmt.Fprintln(c.out, "重启 posagent run 后生效  in use once \"posagent run\" was restarted")
	return err
}

func (c *Config) readBundle(path string, device []byte) (keys.Set, keys.KSN, error) {
	if len(c.Acquirer.KeySigners) == 0 {
		return keys.Set{}, keys.KSN{}, errors.New("acquirer.key_signers: there is none, so that no bundle can be believed; name the key centre's public key")
	}
	text, err := readSmall(path)
	if err != nil {
		return keys.Set{}, keys.KSN{}, err
	}
	return keys.OpenBundle(text, device, c.Terminal.ID, c.Terminal.Merchant, c.signers())
}

// withKeys does something in the room where keys are, with nobody else in it and no core file of this process.
func (c *command) withKeys(first bool, do func(*Config, *keyRoom) error) int {
	config, err := readConfig(c.config)
	if err == nil {
		err = keepMemoryIn()
	}
	if err != nil {
		return c.fail(err)
	}
	room, err := config.openKeys(first)
	if err != nil {
		return c.fail(err)
	}
	err = errors.Join(room.mend(), do(config, room))
	if err = errors.Join(err, room.close()); err != nil {
		return c.fail(err)
	}
	return exitDone
}

// typedKey is what two persons type: a master key, or a DUKPT initial key, whose parity bits are part of it.
type typedKey struct {
	chinese, english string
	parity           keys.Parity
	combine          func(first, second keys.Component) (keys.Key, error)
}

func keyKind(ksn keys.KSN, noParity bool) typedKey {
	if ksn != (keys.KSN{}) {
		return typedKey{"DUKPT 初始密钥", "DUKPT initial key", keys.NoParity, keys.CombineInitial}
	}
	return typedKey{"主密钥", "master key", keys.Parity(!noParity), keys.Combine}
}

// components asks two persons.
func (c *command) components(ctx context.Context, kind typedKey) (set keys.Set, err error) {
	k, err := openKeyboard(c.in, c.out)
	if err != nil {
		return set, err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	fmt.Fprintf(c.out, "%s由两人各输入一个分量，输入不显示\n", kind.chinese)
	fmt.Fprintf(c.out, "The %s is typed by two persons, one component each. No component is shown.\n", kind.english)
	first, firstName, err := c.component(ctx, k, 1, "", kind.parity)
	if err != nil {
		return set, err
	}
	fmt.Fprintln(c.out, "第一人请离开，换第二人  The first person leaves now, and the second one comes.")
	second, secondName, err := c.component(ctx, k, 2, firstName, kind.parity)
	if err != nil {
		first.Destroy()
		return set, err
	}
	master, err := kind.combine(first, second)
	if err != nil {
		return set, err
	}
	fmt.Fprintf(c.out, "%s校验值  check value of the %s: %v\n", kind.chinese, kind.english, master.CheckValue())
	agreed, err := c.agreed(ctx, k, "与密钥单一致，装入吗  Does the sheet say the same, and is it to be loaded?")
	if err != nil || !agreed {
		master.Destroy()
		return set, errors.Join(err, refused(err))
	}
	return keys.Set{Master: master, Source: keys.FromComponents, By: []string{firstName, secondName}}, nil
}

func refused(err error) error {
	if err != nil {
		return nil
	}
	return errors.New("the check value was not confirmed; nothing was changed")
}

// component asks one person for a name and a component, until the check value is the sheet's.
func (c *command) component(ctx context.Context, k *keyboard, number int, other string, parity keys.Parity) (keys.Component, string, error) {
	name, err := c.name(ctx, k, number, other)
	if err != nil {
		return keys.Component{}, "", err
	}
	for range typingTries {
		part, err := c.typed(ctx, k, number, parity)
		if errors.Is(err, keys.ErrComponent) || errors.Is(err, errTypedLong) {
			fmt.Fprintf(c.out, "  %v\n", err)
			continue
		}
		if err != nil {
			return keys.Component{}, "", err
		}
		fmt.Fprintf(c.out, "分量 %d 校验值  check value of component %d: %v\n", number, number, part.CheckValue())
		agreed, err := c.agreed(ctx, k, "与密钥单一致吗  Does the sheet say the same?")
		if err == nil && agreed {
			return part, name, nil
		}
		part.Destroy()
		if err != nil {
			return keys.Component{}, "", err
		}
	}
	return keys.Component{}, "", fmt.Errorf("component %d was not typed as its sheet has it in %d tries; nothing was changed", number, typingTries)
}

// typed reads one component into bytes that are cleared.
func (c *command) typed(ctx context.Context, k *keyboard, number int, parity keys.Parity) (keys.Component, error) {
	fmt.Fprintf(c.out, "分量 %d，32 位，不显示  component %d, 32 digits, not shown: ", number, number)
	var buf [mostTyped]byte
	defer clear(buf[:])
	n, err := k.line(ctx, buf[:], false)
	if err != nil {
		return keys.Component{}, err
	}
	return keys.ParseComponent(buf[:n], parity)
}

// name asks who a person is; two components want two persons.
func (c *command) name(ctx context.Context, k *keyboard, number int, other string) (string, error) {
	for range typingTries {
		fmt.Fprintf(c.out, "第 %d 人姓名  name of person %d: ", number, number)
		var buf [mostTyped]byte
		n, err := k.line(ctx, buf[:], true)
		name := strings.TrimSpace(string(buf[:n]))
		if err == nil {
			err = keys.CheckName(name)
		} else if !errors.Is(err, errTypedLong) {
			return "", err
		}
		switch {
		case err != nil:
			fmt.Fprintf(c.out, "  %v\n", err)
		case strings.EqualFold(name, other):
			fmt.Fprintln(c.out, "  须由另一人输入  this component is for another person to type")
		default:
			return name, nil
		}
	}
	return "", fmt.Errorf("person %d was not named in %d tries; nothing was changed", number, typingTries)
}

// agreed asks for a yes or a no, in full.
func (c *command) agreed(ctx context.Context, k *keyboard, question string) (bool, error) {
	for range typingTries {
		fmt.Fprintf(c.out, "%s (yes/no) ", question)
		var buf [mostTyped]byte
		n, err := k.line(ctx, buf[:], true)
		if err != nil && !errors.Is(err, errTypedLong) {
			return false, err
		}
		switch strings.ToLower(strings.TrimSpace(string(buf[:n]))) {
		case "yes", "y", "是":
			return true, nil
		case "no", "n", "否":
			return false, nil
		}
	}
	return false, nil
}
