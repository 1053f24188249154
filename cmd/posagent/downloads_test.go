package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"posagent/firmware/agent"
	"posagent/link/acquirer"
	"posagent/txnstore/txn"
)

func TestParametersAreShownWithWhatBecomesOfThem(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile("testdata/good.toml")
	require.NoError(t, err)
	file := filepath.Join(dir, "posagent.toml")
	show := func(json bool) (string, int) {
		var out, errs bytes.Buffer
		c := &command{out: &out, err: &errs, config: file, json: json}
		status := c.paramsShow()
		return out.String() + errs.String(), status
	}
	require.NoError(t, os.WriteFile(file, append(good, "\n[downloads]\nparameters = [\"terminal.name\"]\n"...), 0o600))
	said, status := show(false)
	assert.Zero(t, status)
	assert.Contains(t, said, "no parameters were downloaded")

	set := agent.ParameterSet{Origin: agent.Origin{Since: time.Unix(1_800_000_000, 0), Terminal: "30010001", Merchant: "898110054110001", Acquirer: "TPDU 0006 by ethernet"},
		Parameters: acquirer.Parameters{{Tag: "12", Value: "45"}, {Tag: "22", Value: "南风便利店"}, {Tag: "14", Value: "95516"}}}
	require.NoError(t, set.Keep(agent.Folder(filepath.Join(dir, "store."))))
	said, status = show(false)
	assert.Zero(t, status)
	lines := strings.Split(said, "\n")
	assert.Contains(t, lines[0], "from TPDU 0006 by ethernet")
	assert.Contains(t, lines[1], "the configuration keeps acquirer.answer")
	assert.Contains(t, lines[2], "南风便利店")
	assert.Contains(t, lines[2], "生效 in force  terminal.name")
	assert.Contains(t, lines[3], "仅记录 recorded")
	said, _ = show(true)
	assert.Contains(t, said, `"in_force":true`)

	chips := agent.SchemeSet{Origin: set.Origin, Expired: []string{"A00000033302"}, Rows: []txn.SchemeRow{{Name: []byte{0xA0, 0, 0, 3, 0x33, 0x0B}, Says: make([]byte, 120)}}}
	require.NoError(t, chips.Keep(agent.Folder(filepath.Join(dir, "store.")), acquirer.SchemeKeys))
	said, status = show(false)
	assert.Zero(t, status)
	assert.Contains(t, said, "IC卡公钥 keys of card schemes  1  自 since")
	assert.Contains(t, said, "已过期，未采用 expired and left out: A00000033302")
	assert.Contains(t, said, "known while the agent runs")
	assert.NotContains(t, said, "IC卡参数")
	said, _ = show(true)
	assert.Contains(t, said, `"installed":"unknown"`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "store.aid"), []byte("torn"), 0o600))
	said, status = show(false)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, said, "applications of chip cards cannot be read and are asked for again")
	require.NoError(t, os.Remove(filepath.Join(dir, "store.aid")))

	set.Terminal = "30010002"
	require.NoError(t, set.Keep(agent.Folder(filepath.Join(dir, "store."))))
	said, _ = show(false)
	assert.Contains(t, said, "those of terminal 30010002 and not in force")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "store.parameters"), []byte("torn"), 0o600))
	said, status = show(false)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, said, "cannot be read and are not in force")

	require.NoError(t, os.WriteFile(file, append(good, "\n[downloads]\nparameters = [\"bearer.number\"]\nblocklist_slot = 20\n"...), 0o600))
	said, status = show(false)
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, said, `"bearer.number" cannot be set by an acquirer`)
	assert.Contains(t, said, "downloads.blocklist_slot")
}

func TestTheStatusShowsWhatWasOrdered(t *testing.T) {
	var out bytes.Buffer
	c := &command{out: &out}
	due := time.Date(2026, 11, 23, 10, 5, 0, 0, time.Local)
	c.orders(&agent.Status{
		Orders: []agent.OrderStatus{{What: "parameters", Given: 7, State: "waiting", Tries: 2, Due: &due, Fault: "no answer within 30s\x1b[2J"},
			{What: "software", Given: 1, State: "left"}},
		Blocklist: &agent.DownloadStatus{Origin: agent.Origin{Since: due, Acquirer: "TPDU 0006 by dial"}, Entries: 12},
		Chips: []agent.ChipStatus{{DownloadStatus: agent.DownloadStatus{Origin: agent.Origin{Since: due, Acquirer: "TPDU 0006 by dial"}, Entries: 4}, What: "keys of card schemes"},
			{DownloadStatus: agent.DownloadStatus{Origin: agent.Origin{Since: due, Acquirer: "TPDU 0006 by dial"}, Entries: 17}, What: "applications of chip cards"}},
		Installed: agent.InstallWaits, InstallFault: "A000000333010106, of 17: the card reader has no room for all of them",
	})
	assert.Equal(t, "收单行指令 order  下载参数 download parameters  待执行 waiting  x7  11-23 10:05\n"+
		"  no answer within 30s?[2J\n"+
		"收单行指令 order  更新软件 update the software  请联系维护人员 call the service  x1\n"+
		"黑名单 blocklist  12  自 since 2026-11-23 10:05  来自 from TPDU 0006 by dial\n"+
		"IC卡公钥 keys of card schemes  4  自 since 2026-11-23 10:05  来自 from TPDU 0006 by dial\n"+
		"IC卡参数 applications of chip cards  17  自 since 2026-11-23 10:05  来自 from TPDU 0006 by dial\n"+
		"  尚未写入读卡器，程序自动重试 not yet in the card reader; tried again by itself\n"+
		"    A000000333010106, of 17: the card reader has no room for all of them\n", out.String())
}
