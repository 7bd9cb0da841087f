package source_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStripeHeaders(t *testing.T) {
	t.Parallel()
	const body, now = `{"id":"evt_1"}`, 1769860800
	at := func(seconds int) string { return hexMAC(secret, fmt.Sprintf("%d.", seconds), body) }
	good := fmt.Sprintf("t=%d,v1=%s", now, at(now))
	for name, tc := range map[string]struct {
		header string
		valid  bool
	}{
		"plain":                  {header: good, valid: true},
		"v1 before t":            {header: fmt.Sprintf("v1=%s,t=%d", at(now), now), valid: true},
		"rotation":               {header: good + ",v1=" + hexMAC("another", body), valid: true},
		"junk v1":                {header: fmt.Sprintf("t=%d,v1=zz,v1=,v1=abc,v1=%s", now, at(now)), valid: true},
		"v0 and a version later": {header: good + ",v0=00,v2=11", valid: true},
		"upper case hex":         {header: fmt.Sprintf("t=%d,v1=%s", now, strings.ToUpper(at(now))), valid: true},
		"five minutes old":       {header: fmt.Sprintf("t=%d,v1=%s", now-300, at(now-300)), valid: true},
		"five minutes ahead":     {header: fmt.Sprintf("t=%d,v1=%s", now+300, at(now+300)), valid: true},
		"too old":                {header: fmt.Sprintf("t=%d,v1=%s", now-301, at(now-301))},
		"in the future":          {header: fmt.Sprintf("t=%d,v1=%s", now+301, at(now+301))},
		"another time":           {header: fmt.Sprintf("t=%d,v1=%s", now, at(now-1))},
		"only v0":                {header: fmt.Sprintf("t=%d,v0=%s", now, at(now))},
		"no time":                {header: "v1=" + at(now)},
		"time not a number":      {header: "t=yesterday,v1=" + at(now)},
		"beyond 64 bits":         {header: "t=99999999999999999999,v1=" + at(now)},
		"empty":                  {header: ""},
		"not pairs":              {header: "v1,t=1"},
		"two equals signs":       {header: good + ",x=="},
		"trailing comma":         {header: good + ","},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, "stripe", `{"secrets":["`+secret+`"]}`)
			err := p.Verify(t.Context(), post(body, "Stripe-Signature", tc.header))
			if tc.valid {
				require.NoError(t, err)
			} else {
				requireStatus(t, http.StatusUnauthorized, err)
			}
		})
	}
}

func TestStripeTolerance(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "stripe", `{"secrets":["`+secret+`"],"tolerance":"1m"}`)
	at := func(seconds int) error {
		return p.Verify(t.Context(), post("{}", "Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", seconds, hexMAC(secret, fmt.Sprintf("%d.", seconds), "{}"))))
	}
	require.NoError(t, at(1769860740))
	requireStatus(t, http.StatusUnauthorized, at(1769860739))
	requireStatus(t, http.StatusUnauthorized, at(1769860861))
	requireBadConfigs(t, "stripe", map[string]string{
		`{"secrets":["x"],"tolerance":"soon"}`: "config.tolerance",
		`{"secrets":["x"],"tolerance":"-5m"}`:  "config.tolerance",
		`{"secrets":["x"],"tolerance":"0s"}`:   "config.tolerance",
		`{"secrets":["x"],"tolerance":"25h"}`:  "config.tolerance",
		`{"secrets":["x"],"tolerance":300}`:    "config.tolerance",
	})
}

// Standard Webhooks writes its secrets with the same prefix and means Base64 by it.
func TestStripeTakesTheSecretAsItIsWritten(t *testing.T) {
	t.Parallel()
	const text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	p := newProvider(t, "stripe", `{"secrets":["`+text+`"]}`)
	require.NoError(t, p.Verify(t.Context(), post("{}", "Stripe-Signature", "t=1769860800,v1="+hexMAC(text, "1769860800.{}"))))
}

func TestStripeEvents(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "stripe", `{"secrets":["`+secret+`"]}`)
	for body, want := range map[string][2]string{
		`{"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1","type":"x"}}}`: {"invoice.paid", "evt_1"},
		`{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.x"}`:             {"v1.billing.meter.x", "evt_2"},
		`{"ID":"evt_3","type":7}`: {"", hashOf(`{"ID":"evt_3","type":7}`)},
	} {
		i := requireOnly(t, p, post(body))
		require.Equal(t, want, [2]string{i.Type, i.Key}, body)
		require.Equal(t, fmt.Sprintf("%q %q", want[1], want[0]), i.ID(), "what shares an id may differ in type")
		require.Equal(t, body, string(i.Data))
	}
	for _, body := range []string{`[]`, `null`, `"evt_1"`} {
		_, err := p.Read(post(body))
		requireStatus(t, http.StatusBadRequest, err)
	}
}
