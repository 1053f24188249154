package words

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSlipsSpeakTheLanguageThatIsConfigured(t *testing.T) {
	sale := Pair{"消费", "SALE"}
	for name, want := range map[string][]string{"": {"消费", "SALE"}, "both": {"消费", "SALE"}, "zh": {"消费"}, "en": {"SALE"}} {
		l, known := LanguageOf(name)
		assert.True(t, known)
		assert.Equal(t, want, sale.In(l), name)
		assert.Equal(t, []string{"易货"}, Pair{ZH: "易货"}.In(l), "said in the only language there is")
		assert.Equal(t, "BARTER", Pair{EN: "BARTER"}.Line(l))
	}
	_, known := LanguageOf("fr")
	assert.False(t, known)
}
