package simrig

import (
	"os"
	"testing"

	"posagent/firmware/scenario"
)

func TestDebugStory(t *testing.T) {
	path := os.Getenv("STORY")
	if path == "" {
		t.Skip()
	}
	text, _ := os.ReadFile(path)
	s, err := scenario.Parse(path, string(text))
	if err != nil {
		t.Fatal(err)
	}
	err = inWorld(t, Options{Seed: 1, Dir: fastDir(t), Cards: testCards(t), Trace: true}, func(w *World) error {
		err := scenario.RunLoose(s, w)
		t.Log(w.trace.text())
		t.Log(w.paper.Paper())
		t.Log(string(w.log.text))
		return err
	})
	t.Log(err)
}
