package gateway_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/gateway"
	"hookloop/internal/webhook"
)

func TestRateLimitWithoutBurst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for given, burst := range map[string]int{"0.001": 1, "1": 1, "1.01": 2, "10000": 10_000} {
		w := r.do("POST", "/endpoints", `{"url":"https://example.com","rate_limit":{"per_second":`+given+`}}`)
		require.Equal(t, burst, read[endpoint](t, w, 201).RateLimit.Burst, given)
	}
	w := r.do("POST", "/endpoints", `{"url":"https://example.com","rate_limit":null}`)
	require.NotContains(t, w.Body.String(), "rate_limit")
}

type breakers string

func (b breakers) Breaker(tenant, endpointID string) string {
	return map[string]string{"acme/" + endpointID: string(b)}[tenant+"/"+endpointID]
}

func TestBreakerIsShown(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.Breakers = breakers("half-open") })
	id := r.endpoint(`{"url":"https://example.com"}`)
	require.Equal(t, "half-open", read[endpoint](t, r.do("GET", "/endpoints/"+id, ""), 200).Breaker)

	without := newRig(t)
	id = without.endpoint(`{"url":"https://example.com"}`)
	require.NotContains(t, without.do("GET", "/endpoints/"+id, "").Body.String(), "breaker")
}

func TestNamesMadeUpAreShortened(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	long := strings.Repeat("ä", 100_000)
	for _, path := range []string{"/events", "/endpoints"} {
		w := r.do("POST", path, `{"`+long+`":1}`)
		require.Less(t, w.Body.Len(), 1000)
		require.Equal(t, strings.Repeat("ä", 50)+"…", refused(t, w, 422, webhook.Invalid).Errors[0].Field)
	}
	w := r.do("GET", "/events?"+strings.Repeat("q", 5000)+"=1", "")
	require.Less(t, w.Body.Len(), 1000)
}
