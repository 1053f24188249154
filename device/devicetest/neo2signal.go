package devicetest

import (
	"fmt"
	"strings"

	"posagent/device/reader/neo2"
)

// The lamp and the buzzer of the simulated reader. It is as strict as the guide lets one be: the lamp wants pass-through mode,
// in which no card is taken, so that what the terminal forgets to end shows as a sale that is refused. What was shown and
// sounded is remembered in words: "lamp red", "lamp green blinking", "lamp off", "beep 2", "beep 800ms".

const signalsMost = 1000

// signalLocked obeys what belongs to lamp and buzzer, and says whether the command did.
func (r *Reader) signalLocked(f neo2.Frame) bool {
	switch {
	case f.Command == neo2.PassThrough && f.Sub == neo2.PassMode:
		if len(f.Data) != 1 || f.Data[0] > neo2.PassStart {
			r.answerLocked(f.Command, neo2.BadParameter, nil)
			return true
		}
		r.passing = f.Data[0] == neo2.PassStart
	case f.Command == neo2.Lamp && f.Sub == neo2.FrontLamp:
		switch what, ok := lampOf(f.Data); {
		case !ok:
			r.answerLocked(f.Command, neo2.BadParameter, nil)
			return true
		case !r.passing:
			r.answerLocked(f.Command, neo2.NotAllowed, nil)
			return true
		default:
			r.signalledLocked(what)
		}
	case f.Command == neo2.Buzzer && f.Sub == neo2.ShortBeeps && len(f.Data) == 1 && f.Data[0] >= 1 && f.Data[0] <= neo2.MaxBeeps:
		r.signalledLocked(fmt.Sprintf("beep %d", f.Data[0]))
	case f.Command == neo2.Buzzer && f.Sub == neo2.LongBeep && len(f.Data) == 1 && f.Data[0] <= neo2.MaxLong:
		r.signalledLocked(fmt.Sprintf("beep %dms", 200*(int(f.Data[0])+1)))
	case f.Command == neo2.Buzzer || f.Command == neo2.Lamp:
		r.answerLocked(f.Command, neo2.BadParameter, nil)
		return true
	default:
		return false
	}
	r.answerLocked(f.Command, neo2.OK, nil)
	return true
}

func (r *Reader) signalledLocked(what string) {
	if len(r.signals) < signalsMost {
		r.signals = append(r.signals, what)
	}
}

func (r *Reader) signalledTextLocked() string {
	if r.signals == nil {
		return "nothing"
	}
	return strings.Join(r.signals, ", ")
}

// lampOf reads the three bytes of 0A-03.
func lampOf(data []byte) (string, bool) {
	if len(data) != 3 || data[0] != neo2.LampFront || data[1] > neo2.LampBlinks || data[2] > neo2.LampBlinks {
		return "", false
	}
	what := "lamp"
	for i, colour := range []string{" red", " green"} {
		switch data[1+i] {
		case neo2.LampOn:
			what += colour
		case neo2.LampBlinks:
			what += colour + " blinking"
		}
	}
	if what == "lamp" {
		what += " off"
	}
	return what, true
}
