package words

// Language is what a paper slip is written in. Screens show both.
type Language uint8

const (
	Bilingual Language = iota // Chinese, and English beside or below it
	Chinese
	English
)

// LanguageOf reads a language from a configuration: both, zh or en. Nothing said means both.
func LanguageOf(name string) (l Language, known bool) {
	switch name {
	case "", "both":
		return Bilingual, true
	case "zh":
		return Chinese, true
	case "en":
		return English, true
	}
	return Bilingual, false
}

// In is the pair for a line of its own in each language that is wanted, the one to print largest first. What has no words
// in one language is said in the other: silence would hide it.
func (p Pair) In(l Language) []string {
	switch {
	case p.EN == "" || l == Chinese && p.ZH != "":
		return []string{p.ZH}
	case p.ZH == "" || l == English:
		return []string{p.EN}
	}
	return []string{p.ZH, p.EN}
}
