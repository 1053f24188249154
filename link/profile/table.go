package profile

import (
	"strconv"

	"posagent/link/iso8583"
)

// cards are the fields that package acquirer fills in by itself, with the least that they must hold.
var cards = []struct {
	field int
	class iso8583.Class
	least int
}{{2, iso8583.N, 19}, {14, iso8583.N, 4}, {22, iso8583.N, 3}, {23, iso8583.N, 3}, {35, iso8583.Z, 37}, {55, iso8583.B, 255}}

func (j *judge) fields() {
	d := j.p.Dialect
	for _, held := range j.groups["fields"] {
		held.used = true
		e := *held
		number := e.number
		if number < 0 || e.value.kind != aString {
			j.found.at(e, `%s: want a field's number and its format, like 3 = "n6 bcd"`, e.key)
			continue
		}
		err := placeOf(number)
		var row iso8583.Field
		if err == nil && e.value.text != "" {
			row, err = parseField(number, e.value.text)
		}
		if err != nil {
			j.found.at(e, "field %d: %v", number, err)
			j.broken[number] = true
			continue
		}
		d.Fields[number] = row
		if mac := number == 64 || number == 128; mac && row.Max > 0 && (row.Class != iso8583.B || row.Length != iso8583.Fixed || row.Max != 8) {
			j.found.at(e, `field %d: is the MAC, and must be "b8" or "b8 hex"`, number)
		}
	}
	for _, c := range cards {
		row := d.Fields[c.field]
		if !j.broken[c.field] && (row.Class != c.class || row.Max < c.least || row.Length == iso8583.Fixed && row.Max != c.least) {
			j.found.at(j.where("fields", strconv.Itoa(c.field)), "field %d: a card is told in it; it must hold %d of class %s",
				c.field, c.least, className(c.class))
		}
	}
	for field, why := range map[int]string{39: "a response code is read from it", 64: "it is the MAC of a message without a second bitmap", j.p.Keys: "the working keys come in it"} {
		if placeOf(field) == nil && d.Fields[field].Max == 0 && !j.broken[field] {
			j.found.at(j.where("fields", strconv.Itoa(field)), "field %d: is not in the table, and %s", field, why)
		}
	}
	if d.Secondary() && d.Fields[128].Max == 0 && !j.broken[128] {
		j.found.at(j.where("fields", "128"), "field 128: is not in the table, and it is the MAC of a message with a second bitmap")
	}
}

func className(c iso8583.Class) string {
	for name, class := range classes {
		if class == c {
			return name
		}
	}
	return "?"
}
