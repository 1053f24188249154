// Package firmware_test keeps the house in order: who may import whom, and what stands at the top level.
package firmware_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "posagent/"

type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...").Output()
	require.NoError(t, err)
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

// ours are the imports that stay within the module, without its name.
func ours(imports []string) []string {
	var within []string
	for _, i := range imports {
		if rest, ok := strings.CutPrefix(i, module); ok {
			within = append(within, rest)
		}
	}
	return within
}

func room(path string) string {
	top, _, _ := strings.Cut(path, "/")
	return top
}

func isVocabulary(path string) bool {
	return path == "txnstore/txn" || strings.HasPrefix(path, "txnstore/txn/")
}

func isRoom(path string) bool {
	return slices.Contains([]string{"device", "link", "printer", "txnstore"}, room(path)) && !isVocabulary(path)
}

func isFarEnd(path string) bool {
	return slices.Contains([]string{"device/devicetest", "link/linktest", "printer/printertest"}, path)
}

// Everybody may speak txn; txn knows nobody.
func TestTheVocabularyKnowsNobody(t *testing.T) {
	for _, p := range packages(t) {
		if !isVocabulary(strings.TrimPrefix(p.ImportPath, module)) {
			continue
		}
		for _, i := range p.Imports {
			within := strings.HasPrefix(i, module+"txnstore/txn")
			standard := !strings.Contains(strings.SplitN(i, "/", 2)[0], ".") && !strings.HasPrefix(i, module)
			assert.True(t, within || standard, "%s imports %s", p.ImportPath, i)
		}
	}
}

// Rooms do not know each other, not even in their tests.
func TestRoomsDoNotKnowEachOther(t *testing.T) {
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		if !isRoom(path) {
			continue
		}
		for _, i := range ours(slices.Concat(p.Imports, p.TestImports, p.XTestImports)) {
			assert.True(t, isVocabulary(i) || room(i) == room(path), "%s imports %s", path, i)
		}
	}
}

// Only programs open hardware, only the agent joins rooms, only the terminal decides the order of deeds.
func TestEachDeedHasOneRoom(t *testing.T) {
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		rooms := map[string]bool{}
		for _, i := range ours(p.Imports) {
			if isRoom(i) {
				rooms[room(i)] = true
			}
			if i == "device/serial" {
				assert.True(t, strings.HasPrefix(path, "cmd/"), "%s opens hardware", path)
			}
			if isFarEnd(i) && !isFarEnd(path) {
				assert.True(t, strings.HasPrefix(path, "cmd/") && path != "cmd/posagent" || path == "firmware/simrig",
					"%s imports the simulator %s outside a test", path, i)
			}
		}
		mayJoin := room(path) == "cmd" || path == "firmware/agent" || path == "firmware/simrig"
		assert.True(t, mayJoin || len(rooms) <= 1, "%s joins rooms", path)
		if path == "firmware/terminal" {
			for _, i := range ours(p.Imports) {
				assert.True(t, isVocabulary(i), "the engine imports %s", i)
			}
		}
	}
}

// The top level is agreed, and nothing is added to it in passing.
func TestTheTopLevelStaysAsItIs(t *testing.T) {
	out, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		out = nil // a source archive without git has no stray files to find
	}
	agreed := strings.Fields("cmd device txnstore link printer firmware testdata go.mod go.sum Makefile README.md")
	for _, f := range strings.Fields(string(out)) {
		top := room(f)
		assert.True(t, strings.HasPrefix(top, ".") || slices.Contains(agreed, top), "%s does not belong at the top level", top)
	}
}
