package linktest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnOrderStandsUntilItIsObeyed(t *testing.T) {
	d := newDesk(0)
	_, err := d.command("order", []string{"parameters"})
	require.NoError(t, err)
	_, err = d.command("order", []string{"C", "for", "ever"})
	require.NoError(t, err)
	assert.Equal(t, byte(1), d.standing())
	assert.Equal(t, byte(1), d.standing())
	d.obeyed(1)
	assert.Equal(t, byte(0xC), d.standing())
	d.obeyed(0xC)
	assert.Equal(t, byte(0xC), d.standing(), "for ever")
	_, err = d.command("order", []string{"none"})
	require.NoError(t, err)
	assert.Zero(t, d.standing())
	for _, wrong := range [][]string{nil, {"nonsense"}, {"parameters", "for"}, {"parameters", "twice", "ever"}, {"10"}} {
		_, err = d.command("order", wrong)
		assert.Error(t, err, "%q", wrong)
	}
}

func TestTheListIsServedInParts(t *testing.T) {
	d := newDesk(8)
	_, err := d.command("blocklist", []string{"401288", "411111", "510510", "520082"})
	require.NoError(t, err)
	assert.Equal(t, "2004"+"06401288  "+"06411111  "+"06510510  ", string(d.part(0)))
	assert.Equal(t, "1004"+"06520082  ", string(d.part(3)))
	_, err = d.command("blocklist", []string{"123456789"})
	assert.Error(t, err, "longer than its slot")
	_, err = d.command("blocklist", nil)
	require.NoError(t, err)
	assert.Equal(t, "0000", string(d.part(0)))
}

func TestParametersArePacked(t *testing.T) {
	d := newDesk(0)
	_, err := d.command("parameters", []string{"12=45", "14=95516", "22=A_B"})
	require.NoError(t, err)
	assert.Equal(t, "1245"+"1495516         "+"22A B                                     ", string(d.parameters))
	_, err = d.command("parameters", []string{"1245"})
	assert.Error(t, err)
}
