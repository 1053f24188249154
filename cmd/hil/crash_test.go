//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"posagent/txnstore/txn"
)

// A small run of the whole prover: it finds nothing wrong with the store, and everything that is wrong on purpose.
func TestThousandsOfCrashStatesLoseNothing(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	prover := exec.Command(built+"/hil", "crash", "-states", "2000", "-sales", "12", "-workers", "2", "-seed", "7")
	prover.Stderr = &said
	report, err := prover.Output()
	require.NoError(t, err, "%s\n%s", said.String(), report)
	for _, words := range []string{"0 lost, 0 invented, 0 changed, 0 repeated, 0 unowed, 0 silent, 0 refused, 0 death, 0 hang", "caught", "passes"} {
		require.Contains(t, string(report), words)
	}
	require.NotContains(t, string(report), "NOT AS IT MUST BE")
}

func write(name string, at int64, fill byte, n int) op {
	return op{Kind: opWrite, Name: name, Offset: at, Data: bytes.Repeat([]byte{fill}, n)}
}

func contents(base *image, cuts []cut, name string) (list []string) {
	for _, c := range cuts {
		after := base.copied()
		after.applyAll(c.ops)
		list = append(list, string(after.files[name]))
	}
	return list
}

func TestEverySubsetOfSectorsInFlightIsACrashState(t *testing.T) {
	base := newImage()
	base.files["f"] = make([]byte, 4*sectorBytes)
	ops := []op{write("f", 0, 'a', 3*sectorBytes), {Kind: opSync, Name: "f"}, write("f", 512, 'b', sectorBytes), {Kind: opSync, Name: "f"}}
	got := contents(base, cutsOf(base, ops, rand.New(rand.NewPCG(1, 1))), "f")
	sector := map[byte]string{'-': string(make([]byte, sectorBytes))}
	for _, c := range []byte("ab") {
		sector[c] = string(bytes.Repeat([]byte{c}, sectorBytes))
	}
	for _, want := range []string{"----", "a---", "-a--", "--a-", "aa--", "a-a-", "-aa-", "aaa-", "aba-"} {
		whole := ""
		for _, c := range []byte(want) {
			whole += sector[c]
		}
		require.Contains(t, got, whole, want)
	}
	for _, state := range got {
		if bytes.Contains([]byte(state), []byte(sector['b'])) {
			require.Equal(t, sector['a'], state[:sectorBytes], "the second write needs the first, which was synced")
		}
	}
}

func TestAShornBlockTakesItsNeighboursAlong(t *testing.T) {
	base := newImage()
	base.files["f"] = bytes.Repeat([]byte{'x'}, 2*blockBytes)
	got := contents(base, cutsOf(base, []op{write("f", 100, 'a', 8), {Kind: opSync, Name: "f"}}, rand.New(rand.NewPCG(1, 1))), "f")
	require.Contains(t, got, string(make([]byte, blockBytes))+string(base.files["f"][blockBytes:]))
}

// A lie keeps no order: the root may be on the disk without the leaf that it leads to, and the promise was made.
func TestALieLosesAnyPartOfTheLastCommitOfOneFile(t *testing.T) {
	base := newImage()
	base.files[hotFile], base.files[shadowFile] = make([]byte, 4*blockBytes), make([]byte, blockBytes)
	leaf, root := write(hotFile, 2*blockBytes, 'd', sectorBytes), write(hotFile, 0, 'm', 64)
	block := op{Kind: opWrite, Name: shadowFile, Data: bytes.Repeat([]byte{'s'}, 64), Durable: true}
	commit := step{areaCommit, [][]op{{leaf, {Kind: opSync, Name: hotFile}, root, {Kind: opSync, Name: hotFile}}, {block}}, 3}
	states, ok := liesOf(base, commit, hotFile, 1)
	require.True(t, ok)
	var found []string
	for n := range states.count {
		_, ops := states.state(n)
		after := base.copied()
		after.applyAll(ops)
		require.Equal(t, byte('s'), after.files[shadowFile][0], "the other copy is whole")
		found = append(found, string([]byte{after.files[hotFile][2*blockBytes], after.files[hotFile][0]}))
	}
	for _, want := range []string{"\x00\x00", "d\x00", "\x00m", "dm"} {
		require.Contains(t, found, want)
	}
	_, ok = liesOf(base, step{areaArchive, [][]op{{write(archiveFile, 0, 'a', 1)}}, 3}, hotFile, 1)
	require.False(t, ok, "this step has no commit of it")
}

func TestTheSameVersionIsFoundRawAndAWrongFrameIsNone(t *testing.T) {
	frame := append([]byte{'p', 'T', 'R', 1, 0, 6, 1, 1, 7, 2, 1, 3}, 0, 0, 0, 0)
	id, gen, ok := rawRecord(frame)
	require.True(t, ok)
	require.Equal(t, txn.ID(7), id)
	require.Equal(t, uint32(3), gen)
	for n := range frame {
		_, _, _ = rawRecord(frame[:n]) // cut anywhere it is no panic
	}
	_, _, ok = rawRecord([]byte("pTR\x01\x00\x06\x01\xFF\x07\x02\x01\x03\x00\x00\x00\x00"))
	require.False(t, ok)
}

func TestAWorkerReadsWhatThePlanHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan")
	lines := []op{{Kind: opLine, Text: "TRY put"}, write(hotFile, 0, 'a', 9), {Kind: opSync, Name: hotFile}, {Kind: opLine, Text: `ACK {"Boot":2}`}}
	whole := plan{Seed: 5, Histories: []history{{Name: "one", Kind: pocketStore, Ops: lines}, {Name: "two", From: &origin{0, 1, 2}, Ops: lines[1:]}}}
	require.NoError(t, whole.write(path))
	got, err := readPlan(path)
	require.NoError(t, err)
	require.Equal(t, uint64(5), got.Seed)
	require.Equal(t, &origin{0, 1, 2}, got.Histories[1].From)
	for i, h := range whole.Histories {
		ops, err := got.Histories[i].calls()
		require.NoError(t, err)
		require.Equal(t, h.Ops, ops)
	}
	made, err := got.Histories[0].promises()
	require.NoError(t, err)
	require.Equal(t, []promise{{Boot: 2}}, made)
}

func TestARenameIsNotThereWithoutTheCreationBeforeIt(t *testing.T) {
	base := newImage()
	ops := []op{{Kind: opCreate, Name: "f.new"}, write("f.new", 0, 'a', 10), {Kind: opSync, Name: "f.new"},
		{Kind: opRename, Name: "f.new", To: "f"}, {Kind: opSync}}
	whole, none := 0, 0
	for _, c := range cutsOf(base, ops, rand.New(rand.NewPCG(1, 1))) {
		after := base.copied()
		after.applyAll(c.ops)
		switch b, there := after.files["f"]; {
		case !there:
			none++
		case string(b) == "aaaaaaaaaa" || c.sort == sortShorn:
			whole++
		default:
			t.Fatalf("%q was renamed before it was synced", b)
		}
	}
	require.Positive(t, whole)
	require.Positive(t, none)
}

func TestACopyInShadowMayBeAnywhereWhileHotCommits(t *testing.T) {
	hot := []op{write(hotFile, 8192, 'd', 4096), {Kind: opSync, Name: hotFile}, write(hotFile, 0, 'm', 64), {Kind: opSync, Name: hotFile}}
	shadow := op{Kind: opWrite, Name: shadowFile, Data: []byte("copy"), Durable: true}
	for at := range len(hot) + 1 {
		deed := append(append(append([]op{}, hot[:at]...), shadow), hot[at:]...)
		steps, err := tradeSteps(deed, 3)
		require.NoError(t, err)
		require.Len(t, steps, 1, "shadow's write was seen as the call number %d", at)
		require.Equal(t, [][]op{hot, {shadow}}, steps[0].lanes)
		require.Equal(t, 3, steps[0].acked)
	}
}

func TestAPromiseOverAnUnsyncedWriteIsNoRecording(t *testing.T) {
	sync, copied := op{Kind: opSync, Name: hotFile}, op{Kind: opWrite, Name: shadowFile, Data: []byte("copy"), Durable: true}
	whole := []op{write(hotFile, 8192, 'd', 4096), sync, write(hotFile, 0, 'm', 64), sync, copied}
	_, err := tradeSteps(whole, 0)
	require.NoError(t, err)
	_, err = tradeSteps(slices.Delete(slices.Clone(whole), 3, 4), 0)
	require.ErrorContains(t, err, "not synced")
	whole[4].Durable = false
	_, err = tradeSteps(whole, 0)
	require.ErrorContains(t, err, "not synced")
}

// Each field of a record, set to something else, is another fingerprint.
func TestTheFingerprintForgetsNoField(t *testing.T) {
	pan, err := txn.ParsePAN("6200000000000005")
	require.NoError(t, err)
	whole := txn.Txn{Journal: []txn.Line{{}}}
	fields := 0
	var each func(v reflect.Value, where string)
	each = func(v reflect.Value, where string) {
		before := fingerprint(whole)
		switch v.Interface().(type) {
		case txn.PAN:
			v.Set(reflect.ValueOf(pan))
		case txn.Code:
			v.Set(reflect.ValueOf(txn.NewCode("wechat", "13************6789", txn.Fingerprint{1})))
		case txn.Chip:
			v.Set(reflect.ValueOf(txn.NewChip([]byte{1})))
		case time.Time:
			v.Set(reflect.ValueOf(time.UnixMilli(1)))
		default:
			switch v.Kind() {
			case reflect.Struct:
				for i := range v.NumField() {
					each(v.Field(i), where+"."+v.Type().Field(i).Name)
				}
				return
			case reflect.Slice:
				each(v.Index(0), where)
				return
			case reflect.String:
				v.SetString("x")
			case reflect.Bool:
				v.SetBool(true)
			case reflect.Uint32, reflect.Uint64:
				v.SetUint(5)
			default:
				v.SetInt(5)
			}
		}
		fields++
		require.NotEqual(t, before, fingerprint(whole), where)
	}
	each(reflect.ValueOf(&whole).Elem(), "Txn")
	require.Greater(t, fields, 40)
}
