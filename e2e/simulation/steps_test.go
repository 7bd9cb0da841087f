package simulation_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/clock"
	"hookloop/e2e/service"
	"hookloop/internal/check"
	"hookloop/internal/webhook"
)

// TestClockSteps sets the wall clock of everything forward and back, by an hour and by a day, while
// deliveries wait for their schedule, for a rate limit, for a breaker and for a person. All of them
// arrive, each once; what waits does so for the step longer at most. Tokens go by the clock.
func TestClockSteps(t *testing.T) { //nolint:paralleltest // one clock for all
	movable(t)
	for _, step := range []time.Duration{-time.Hour, time.Hour, -24 * time.Hour, 24 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) { //nolint:paralleltest // one clock for all
			stepped(t, step)
		})
		require.Zero(t, clock.Stepped())
	}
}

func stepped(t *testing.T, step time.Duration) {
	w := newWorld(t, service.Config{}, nil)
	s := &scenario{w: w, tenant: "stepped", known: map[string]check.Event{}, touched: map[string]bool{}, shared: map[string]int{}}
	s.history.Limits = map[string]webhook.RateLimit{}
	s.make("503:2", 0, `{"timeout":"2s","schedule":["0s","5m","30m"]`, webhook.RateLimit{}, nil)
	s.make("", 0, `{"timeout":"2s","rate_limit":{"per_second":0.02,"burst":1}`, webhook.RateLimit{}, nil)
	s.make("503:12", 0, `{"timeout":"2s","schedule":["0s","1m","5m","5m","5m","5m","5m","5m","30m","1h","1h"],"approval":{"after":"30m","timeout":"72h"}`, webhook.RateLimit{}, nil)
	short := service.Token(t, "short", 2*time.Hour)
	for n := range 6 {
		s.post(fmt.Sprintf(`{"n":%d}`, n), "")
	}
	w.settle()
	from := w.now()
	begun := time.Now()
	clock.Step(step)
	defer clock.Step(-step)

	long := w.token
	w.token = short
	want := http.StatusOK
	if step > 2*time.Hour {
		want = http.StatusUnauthorized
	}
	require.Equal(t, want, s.call(http.MethodGet, "/endpoints", "", "", nil), "a token that ends in two hours")
	w.token = long
	s.post(`{"n":"after"}`, "")

	steps := 0
	for !s.over() {
		for _, id := range s.awaiting() {
			s.act("/approvals/"+id+"/approve", "") // the list is a moment behind: it may be decided
		}
		w.settle()
		w.step(w.now() + time.Hour)
		steps++
		require.Less(t, time.Since(begun), max(step.Abs(), 0)+12*time.Hour, "what waits does so for the step longer at most")
	}
	t.Logf("%s: all arrived %s later, after %d steps", step, (w.now() - from).Round(time.Minute), steps)
	for _, id := range s.posted {
		e := s.told(id)
		require.Equal(t, "delivered", e.Status, "%+v", e)
		for _, d := range e.Deliveries {
			for i, a := range d.Attempts {
				require.Equal(t, i+1, a.Number)
			}
		}
	}
	for i, p := range s.endpoints {
		once := map[string]int{}
		for _, r := range p.Receipts() {
			require.NoError(t, r.Verified)
			if r.Status == http.StatusOK {
				once[r.ID]++
			}
		}
		require.Len(t, once, len(s.posted), "endpoint %d", i)
		for id, n := range once {
			require.Equal(t, 1, n, "%s at endpoint %d", id, i)
		}
	}
	requireOneEpisode(t, s)
}

// requireOneEpisode: the clock made no second one beside it.
func requireOneEpisode(t *testing.T, s *scenario) {
	t.Helper()
	started, ended := 0, 0
	for _, l := range s.audit("/audit") {
		if l.EndpointID == s.endpoints[2].id && l.Kind == string(webhook.AuditEpisodeStarted) {
			started++
		}
		if l.EndpointID == s.endpoints[2].id && l.Kind == string(webhook.AuditEpisodeEnded) {
			ended++
		}
	}
	require.Equal(t, 1, started)
	require.LessOrEqual(t, ended, 1)
}
