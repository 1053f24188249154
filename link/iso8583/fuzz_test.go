package iso8583

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// FuzzUnpack holds Unpack to three promises, whatever the bytes: it takes no more than there is; every cut of a
// message is short; and a message packs again to the bytes it came from, but for filling nibbles, which become 0.
func FuzzUnpack(f *testing.F) {
	for _, s := range samples {
		f.Add(golden(f, s.file))
	}
	f.Add(golden(f, "captured-sale-contactless.hex")[13:])
	d := UnionPay()
	f.Fuzz(func(t *testing.T, src []byte) {
		m := new(Message)
		n, err := d.Unpack(m, src)
		var wrong *FieldError
		if err != nil {
			if n != 0 || len(slices.Collect(m.Fields())) != 0 || !errors.Is(err, ErrShort) && !errors.As(err, &wrong) {
				t.Fatalf("n=%d, fields %v, error %v", n, slices.Collect(m.Fields()), err)
			}
			return
		}
		wire := src[:n]
		if !bytes.Equal(m.Raw(), wire) {
			t.Fatal("Raw is not what was read")
		}
		if _, err := d.Unpack(new(Message), wire[:n-1]); !errors.Is(err, ErrShort) {
			t.Fatalf("without its last byte: %v", err)
		}
		again, err := d.Pack(nil, m)
		if errors.As(err, &wrong) && d.Fields[wrong.Field].Class == ANS {
			return // read kindly: a text with control characters is not written
		}
		if err != nil || len(again) != n {
			t.Fatalf("packs to %d of %d bytes: %v", len(again), n, err)
		}
		for i := range again {
			before, after := wire[i], again[i]
			if before == after {
				continue
			}
			if high, low := before&^0x0F, before&0x0F; after != high && after != low {
				t.Fatalf("byte %d: %02x became %02x", i, before, after)
			}
		}
		back := new(Message)
		if _, err := d.Unpack(back, again); err != nil || back.MTI() != m.MTI() {
			t.Fatalf("packed again it does not unpack: %v", err)
		}
		for field := 2; field <= 64; field++ {
			if back.Has(field) != m.Has(field) || !bytes.Equal(back.Bytes(field), m.Bytes(field)) {
				t.Fatalf("field %d changed", field)
			}
		}
	})
}
