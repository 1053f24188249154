//go:build race

package txnstore

const raceDetector = true
