package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"

	"posagent/firmware/agent"
	"posagent/link/linktest"
)

// places are where the bench finds and puts things.
type places struct {
	bin, dir, cards string
	emulator        string // runs the terminal of another architecture; empty runs it as it is
}

// Identity of the bench's terminal.
const (
	terminalID = "30010001"
	merchantID = "898110054110001"
	phone      = "95516"
)

// reversalTries is how often the terminal tries before people must look.
const reversalTries = 3

// Patience of the bench. Nothing is measured by it: what is well answers at once, and a machine that computes for others too, or
// stands still for some seconds, is no dead device and no silent acquirer. Only what never answers is waited for so long.
const (
	patience     = 10 * time.Second // with the acquirer's answer
	replyWithin  = 5 * time.Second  // of a device
	startWithin  = 3 * time.Minute
	tellWithin   = time.Minute // one order to a simulator
	settleWithin = 5 * time.Minute
	saleWithin   = 10 * time.Minute
)

// escapeSlack is what the terminal keeps more silence around +++ than the modem wants: bytes come in late on a busy machine.
const escapeSlack = 80 * time.Millisecond

// settings are the few things in which one rig differs from another.
type settings struct {
	Bearers   []string // "tcp", "dial"
	Baud      int      // 0 is as fast as the machine
	Answer    time.Duration
	Guard     time.Duration // of the modem's escape
	Retry     time.Duration
	Lookalike time.Duration
	CardWait  time.Duration // 0 is twenty seconds
	Tap       bool          // listens to what passes on the network cable
	Sealed    bool          // the card reader enciphers, and the acquirer's profile has it so
	Adapters  bool          // between machines and terminal there are adapters that can be unplugged
}

// rig is a counter: an acquirer, the devices, and the terminal between them, each a process of its own.
type rig struct {
	places
	settings
	acquirer, devices, terminal *process
	cable                       *cable
	adapters                    map[string]*adapter // by machine
}

// process is a running program. Its log goes to a file beside the rig.
type process struct {
	cmd  *exec.Cmd
	said string // its last line, once done
	done chan struct{}
}

// setUp starts acquirer and devices. The terminal is started by boot.
func setUp(p places, s settings) (*rig, error) {
	r := &rig{places: p, settings: s}
	var err error
	if r.dir, err = filepath.Abs(p.dir); err != nil {
		return nil, err
	}
	for _, sub := range []string{"paper"} {
		if err := os.MkdirAll(filepath.Join(r.dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	tmk := make([]byte, 16)
	_, _ = rand.Read(tmk)
	if err := os.WriteFile(r.at("tmk.key"), []byte(hex.EncodeToString(tmk)+"\n"), 0o600); err != nil {
		return nil, err
	}
	acquirerKeys, readerKeys, err := r.seal()
	if err != nil {
		return nil, err
	}
	ready, err := r.start(&r.acquirer, "acquirersim", append(acquirerKeys, "-listen", "127.0.0.1:0", "-listen-dial", "127.0.0.1:0", "-cards", p.cards,
		"-terminal", terminalID+"="+merchantID, "-tmk-file", r.at("tmk.key"), "-control", "unix:"+r.at("acquirer.sock"), "-ledger", r.at("ledger.json"))...)
	if err != nil {
		return r, err
	}
	direct, dial, err := addresses(ready)
	if err != nil {
		return r, err
	}
	var listener *tap
	if s.Tap {
		listener = &tap{}
	}
	if r.cable, err = plugIn(direct, listener); err != nil {
		return r, err
	}
	baud := fmt.Sprint(s.Baud)
	line := func(machine string) string {
		if s.Adapters {
			return "unix:" + r.at(machine+".line")
		}
		return "pty:" + r.at(machine)
	}
	_, err = r.start(&r.devices, "devicesim", append(readerKeys, "-reader", line("reader"), "-printer", line("printer"), "-modem", line("modem"),
		"-scanner", line("scanner"), "-scanner-kind", "gm72", "-baud-scanner", baud, "-baud-reader", baud, "-baud-printer", baud, "-baud-modem", baud, "-cards", p.cards, "-paper", r.at("paper"), "-columns", "32",
		"-phone", phone+"="+dial, "-modem-guard", s.Guard.String(), "-control", "unix:"+r.at("devices.sock"))...)
	if err != nil {
		return r, err
	}
	if s.Adapters {
		r.adapters = map[string]*adapter{}
		for _, machine := range []string{"reader", "printer", "modem", "scanner"} {
			if r.adapters[machine], err = layAdapter(r.at(machine), r.at(machine+".line")); err != nil {
				delete(r.adapters, machine)
				return r, err
			}
		}
	}
	return r, r.writeConfig()
}

func (r *rig) at(name string) string { return filepath.Join(r.dir, name) }

var configuration = template.Must(template.New("config").Parse(`# Written by the bench.
[terminal]
id = "{{.ID}}"
merchant = "{{.Merchant}}"
name = "北风便利店"
operator = "01"
currency = "CNY"
thanks = "谢谢惠顾 THANK YOU"

[store]
dir = "store"
key_file = "store.key"
tidy = "100ms"

[socket]
path = "agent.sock"

[reader]
port = "reader"
card_wait = "{{.CardWait}}"
reply = "{{.Reply}}"

[scanner]
port = "scanner"
kind = "gm72"
wait = "{{.CardWait}}"
reply = "{{.Reply}}"

[printer]
port = "printer"
columns = 32
reply = "{{.Reply}}"
retry = "1s"

[downloads]
parameters = ["acquirer.answer", "acquirer.reversal_tries", "terminal.name"]
quiet = "{{.Quiet}}"
retry = "{{.Again}}"

[acquirer]
key_file = "tmk.key"{{if .Sealed}}
profile = "profile.toml"{{end}}
answer = "{{.Answer}}"
idle = "4s"
retry = "{{.Retry}}"
reversal_tries = {{.Tries}}
lookalike = "{{.Lookalike}}"
{{range .Ways}}
[[bearer]]
{{.}}{{end}}`))

func (r *rig) writeConfig() error {
	way := map[string]string{
		"tcp":  fmt.Sprintf("name = \"ethernet\"\nkind = \"tcp\"\naddress = %q\n", r.cable.address()),
		"dial": fmt.Sprintf("name = \"dial\"\nkind = \"dial\"\nport = \"modem\"\nbaud = 9600\nnumber = %q\nguard = %q\n", phone, r.Guard+escapeSlack),
	}
	var ways []string
	for _, b := range r.Bearers {
		ways = append(ways, way[b])
	}
	f, err := os.Create(r.at("posagent.toml"))
	if err != nil {
		return err
	}
	return errors.Join(configuration.Execute(f, map[string]any{"Tries": reversalTries, "Sealed": r.Sealed, "ID": terminalID, "Merchant": merchantID,
		"Quiet": 3 * time.Second / haste, "Again": time.Minute / haste, "Answer": r.Answer, "Reply": replyWithin, "Retry": r.Retry, "Lookalike": r.Lookalike, "CardWait": cmp.Or(r.CardWait, 20*time.Second), "Ways": ways}), f.Close())
}

// start runs a program of the bench and returns the line in which it says that it is ready.
func (r *rig) start(p **process, name string, args ...string) (string, error) {
	log, err := os.OpenFile(r.at(name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return "", err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(r.bin, name), args...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("%s does not start (is it built? make build): %w", name, err)
	}
	started := &process{cmd: cmd, done: make(chan struct{})}
	*p = started
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		close(started.done)
	}()
	if err != nil || !strings.HasPrefix(line, "ready") {
		return "", fmt.Errorf("%s did not become ready; see %s", name, r.at(name+".log"))
	}
	return strings.TrimSpace(line), nil
}

// addresses reads "ready listen=HOST:PORT dial=HOST:PORT".
func addresses(ready string) (direct, dial string, err error) {
	for _, word := range strings.Fields(ready) {
		if at, found := strings.CutPrefix(word, "listen="); found {
			direct = at
		}
		if at, found := strings.CutPrefix(word, "dial="); found {
			dial = at
		}
	}
	if direct == "" || dial == "" {
		return "", "", fmt.Errorf("the acquirer did not say where it listens: %q", ready)
	}
	return direct, dial, nil
}

// boot starts the terminal and waits until its socket answers.
func (r *rig) boot(ctx context.Context) error {
	log, err := os.OpenFile(r.at("posagent.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	argv := []string{filepath.Join(r.bin, "posagent"), "run", "-config", r.at("posagent.toml")}
	if r.emulator != "" {
		argv = append([]string{r.emulator}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	started := &process{cmd: cmd, done: make(chan struct{})}
	r.terminal = started
	go func() {
		_ = cmd.Wait()
		close(started.done)
	}()
	return r.awaitSocket(ctx)
}

func (r *rig) awaitSocket(ctx context.Context) error {
	for {
		if _, err := r.ask(ctx, agent.Request{Op: "status"}, nil); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the terminal does not answer; see %s", r.at("posagent.log"))
		case <-r.terminal.done:
			return fmt.Errorf("the terminal ended at once; see %s", r.at("posagent.log"))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// cutPower ends the terminal without a word, as a power cut would.
func (r *rig) cutPower() { r.terminal.kill() }

func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// ask puts one request to the terminal.
func (r *rig) ask(ctx context.Context, q agent.Request, seen func(agent.Event)) (agent.Event, error) {
	client, err := agent.Dial(r.at("agent.sock"))
	if err != nil {
		return agent.Event{}, err
	}
	defer client.Close()
	e, err := client.Ask(ctx, q, seen)
	if err == nil && e.Event == "error" {
		err = errors.New(e.Error)
	}
	return e, err
}

// tell gives one order to a simulator and returns its answer.
func (r *rig) tell(who, order string) (string, error) {
	conn, err := net.DialTimeout("unix", r.at(who+".sock"), tellWithin)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(tellWithin))
	if _, err := fmt.Fprintln(conn, order); err != nil {
		return "", err
	}
	answer, err := bufio.NewReaderSize(conn, 1<<20).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %q: %w", who, order, err)
	}
	answer = strings.TrimSpace(answer)
	if said, ok := strings.CutPrefix(answer, "ok"); ok {
		return strings.TrimSpace(said), nil
	}
	return "", fmt.Errorf("%s: %q: %s", who, order, answer)
}

// settled waits until the terminal owes nothing to machine or paper.
func (r *rig) settled(ctx context.Context) error {
	for {
		e, err := r.ask(ctx, agent.Request{Op: "status"}, nil)
		if err != nil {
			return err
		}
		if e.Status.Owed == 0 && e.Status.PaperOwed == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still owed: %d transactions, %d slips", e.Status.Owed, e.Status.PaperOwed)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ledger reads the acquirer's books from disk, as an auditor would.
func (r *rig) ledger() (linktest.Ledger, error) { return linktest.LoadLedger(r.at("ledger.json")) }

// tearDown stops what runs. The terminal is asked; the simulators are told.
func (r *rig) tearDown() {
	for _, p := range []*process{r.terminal, r.devices, r.acquirer} {
		if p == nil {
			continue
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(endsWithin):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
	}
	if r.cable != nil {
		r.cable.pull()
	}
	for _, a := range r.adapters {
		a.close()
	}
}
