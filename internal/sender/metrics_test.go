package sender_test

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
)

// The whole text is compared, so that no series appears unnoticed.
func TestMetrics(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	s := newSender(t, sender.Config{Metrics: reg})
	srv := endpointtest.Start(t, endpointtest.Config{Script: "200 404 302 503 599 drop"})
	for n := range 6 {
		_, err := s.Send(t.Context(), delivery(srv.URL), n+1)
		require.NoError(t, err)
	}
	odd := delivery("http://" + raw(t, answering("HTTP/1.1 999 Go away\r\n\r\n")))
	odd.Endpoint.ID = "ep_2"
	a, err := s.Send(t.Context(), odd, 1)
	require.NoError(t, err)
	require.Equal(t, 999, a.StatusCode)
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Send(stopped, delivery(srv.URL), 1)
	require.Error(t, err)

	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP hookloop_attempts_total Attempts by class of status, or by the kind of failure when there was no answer.
# TYPE hookloop_attempts_total counter
hookloop_attempts_total{outcome="2xx"} 1
hookloop_attempts_total{outcome="3xx"} 1
hookloop_attempts_total{outcome="4xx"} 1
hookloop_attempts_total{outcome="5xx"} 2
hookloop_attempts_total{outcome="other"} 1
hookloop_attempts_total{outcome="reset"} 1
# HELP hookloop_breakers_open Endpoints whose circuit breaker in this worker is open or waits for its probe.
# TYPE hookloop_breakers_open gauge
hookloop_breakers_open 0
# HELP hookloop_deferrals_total Turns that passed without an attempt, by reason.
# TYPE hookloop_deferrals_total counter
hookloop_deferrals_total{reason="stopping"} 1
`), "hookloop_attempts_total", "hookloop_breakers_open", "hookloop_deferrals_total"))
	count, err := testutil.GatherAndCount(reg)
	require.NoError(t, err)
	require.Equal(t, 10, count, "those above, one histogram and the deliveries that wait")
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)

	_, err = sender.New(sender.Config{Metrics: reg})
	require.ErrorContains(t, err, "sender: duplicate metrics")
}
