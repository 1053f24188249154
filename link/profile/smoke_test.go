package profile

import "testing"

func TestBuiltIn(t *testing.T) {
	for _, n := range []string{"unionpay", "iso87"} {
		p, err := Open(n)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(p.Name, p.Mark, len(p.forms))
	}
}
func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Open("iso87")
	}
}
