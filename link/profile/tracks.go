package profile

import (
	"slices"

	"posagent/link/iso8583"
	"posagent/txnstore/txn"
)

// Tracks is how fields 35 and 36 are enciphered. A request alone carries them.
//
//	[tracks]
//	cipher = "dukpt"              # none, tdk, dukpt, reader
//	serial = "59"                 # of dukpt and reader: the field of the key serial number
//
// Under "reader" the card reader enciphers, and no number but a mask is known here. Requests name a card by its ciphertext, and all
// else goes by references (masked.go). Field 53 is never that field: it says how a PIN travels.
type Tracks string

const (
	ClearTracks Tracks = "none"
	TDKTracks   Tracks = "tdk"   // sixteen digits of each, under the track key of the sign-in, as acquirer.encrypt_tracks has it
	DUKPTTracks Tracks = "dukpt" // the whole track, under the data key of a DUKPT transaction key (ANSI X9.24-1)

	ReaderTracks Tracks = "reader" // as the card reader has enciphered it, under a key that it shares with the acquirer alone
)

// SerialLength is what a DUKPT serial number has, in bytes; as text it is twice as many hexadecimal digits.
const SerialLength = 10

// mostTrack are the longest tracks (ISO/IEC 7811, 4909), in digits, and what the cipher makes of them: whole blocks of eight
// bytes, as hexadecimal digits.
var mostTrack = []struct{ field, enciphered int }{{35, 48}, {36, 112}}

// mostReaderTrack is track 2 as a reader enciphers it, its tag and length or its sentinels included. It gives no other.
var mostReaderTrack = []struct{ field, enciphered int }{{35, 2 * txn.MostCipher}}

// tracks judges a section that may be missing.
func (j *judge) tracks() {
	if len(j.groups["tracks"]) == 0 {
		return
	}
	words := []string{string(ClearTracks), string(TDKTracks), string(DUKPTTracks), string(ReaderTracks)}
	j.p.Tracks = Tracks(words[j.choice("tracks", "cipher", words...)])
	e, named := j.get("tracks", "serial")
	if j.p.Tracks == ReaderTracks {
		j.masked(j.where("tracks", "cipher"))
	}
	serial := j.p.Tracks == DUKPTTracks || j.p.Tracks == ReaderTracks
	switch {
	case !serial && named:
		j.found.at(e, "serial: belongs to cipher = \"dukpt\" and \"reader\" alone; leave it out")
		return
	case j.p.Tracks == TDKTracks:
		if j.p.Dialect.Fields[53].Max == 0 && !j.broken[53] {
			j.found.at(j.where("fields", "53"), "field 53: is not in the table, and says that a track is enciphered under a track key; add it")
		}
		return
	case !serial:
		return
	case !named:
		j.found.at(j.where("tracks", "cipher"), "cipher: %s wants the field of the key serial number too; add serial = \"59\" or another", j.p.Tracks)
		return
	}
	j.serial(e)
	most := mostTrack
	if j.p.Tracks == ReaderTracks {
		most = mostReaderTrack
	}
	for _, track := range most {
		if row := j.p.Dialect.Fields[track.field]; row.Max > 0 && (row.Max < track.enciphered || row.Length == iso8583.Fixed || row.Class != iso8583.Z) && !j.broken[track.field] {
			j.found.at(j.rowOr(e, track.field), "field %d: an enciphered track has up to %d digits; write %d = \"z%s%d\" in [fields], or \"\" for a field that is not used",
				track.field, track.enciphered, track.field, [...]string{"..", "..."}[track.enciphered/100], track.enciphered)
		}
	}
}

// serial holds the field of the serial number against the table and against what requests say anyway.
func (j *judge) serial(e entry) {
	number, isNumber := fieldNumber(e.value.text)
	if e.value.kind != aString || !isNumber || placeOf(number) != nil {
		j.found.at(e, "serial: %q is no field", e.value.text)
		return
	}
	j.p.Serial = number
	row, want := j.p.Dialect.Fields[number], 2*SerialLength
	if row.Class == iso8583.B {
		want = SerialLength
	}
	switch {
	case j.broken[number]: // which has been told
	case number == 64 || number == 128 || slices.Contains([]int{2, 14, 22, 23, 26, 35, 36, 39, 52, 53, 55}, number):
		j.found.at(e, "serial: field %d has another use; name one that is free, and add it to [fields]", number)
	case row.Max == 0:
		j.found.at(e, "serial: field %d is not in the table; add it, like %d = \"b%d, key serial number\"", number, number, SerialLength)
	case row.Class != iso8583.B && row.Class != iso8583.AN && row.Class != iso8583.ANS,
		row.Max < want, row.Length == iso8583.Fixed && row.Max != want:
		j.found.at(j.rowOr(e, number), "field %d: does not hold a key serial number; write \"b%d\", \"b%d hex\" or \"an%d\"",
			number, SerialLength, SerialLength, 2*SerialLength)
	default:
		for _, name := range j.requests() {
			if slices.ContainsFunc(j.p.forms[name].Settings, func(s Setting) bool { return s.Field == number }) {
				j.found.at(e, "serial: field %d is set by %s; name another field, or take it out there", number, name)
				return
			}
		}
	}
}

// requests are the messages that may carry a track.
func (j *judge) requests() []string {
	names := []string{Balance}
	for _, k := range txn.Kinds() {
		if !k.Advice() {
			names = append(names, string(k))
		}
	}
	return names
}

// rowOr is where the file itself writes a row of the table, or else the entry that wants it otherwise.
func (j *judge) rowOr(e entry, number int) entry {
	for _, row := range j.groups["fields"] {
		if row.number == number && row.file == j.file {
			return *row
		}
	}
	return e
}
