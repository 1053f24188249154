package printertest

import "testing"

func BenchmarkDraw(b *testing.B) {
	var lines []line
	for range 35 {
		var cells []cell
		for range 16 {
			cells = append(cells, cell{'中', 2, size{1, 1}, true})
		}
		lines = append(lines, line{cells: cells, height: 1})
	}
	for b.Loop() {
		draw(lines, 32, false)
	}
}
