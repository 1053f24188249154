package main

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnoughFinishesOnAFullDisk(t *testing.T) {
	t.Parallel()
	report, err := mounting(t, "full")
	require.NoError(t, err)
	assert.Contains(t, report, "the disk is full: free some space")
}

func TestTheFullDiskReportJudges(t *testing.T) {
	right := fullFigures{where: "a disk", before: 800, open: openSales, finished: openSales, further: 295, people: atPeople,
		commits: 600, told: "the disk is full", resumed: true, records: 1200, plain: 2}
	require.NoError(t, reportFull(io.Discard, []fullFigures{right, right}))
	for name, spoil := range map[string]func(*fullFigures){
		"an open sale that did not finish": func(f *fullFigures) { f.finished-- },
		"too few sales":                    func(f *fullFigures) { f.further-- },
		"too few commits":                  func(f *fullFigures) { f.commits -= 2 },
		"nothing refused":                  func(f *fullFigures) { f.told = "" },
		"no trade with space":              func(f *fullFigures) { f.resumed = false },
		"a record lost":                    func(f *fullFigures) { f.wrong = errors.New("lost: transaction 7") },
		"records missing":                  func(f *fullFigures) { f.records = 1000 },
		"a disk that was not full":         func(f *fullFigures) { f.plain = fullAtLeast },
	} {
		wrong := right
		spoil(&wrong)
		assert.Error(t, reportFull(io.Discard, []fullFigures{right, wrong}), name)
	}
}
