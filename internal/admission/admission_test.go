package admission_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"hookloop/internal/admission"
)

// server stands in for Temporal on one database: it takes what is asked of it one after the other,
// and the more is asked at once, the longer each takes.
type server struct {
	mu      sync.Mutex
	each    time.Duration
	crowded time.Duration // more for each that is under way
	under   int
	turn    chan struct{}
}

func newServer(each, crowded time.Duration) *server {
	s := &server{each: each, crowded: crowded, turn: make(chan struct{}, 1)}
	return s
}

// accept takes its time, in a bubble.
func (s *server) accept() {
	s.mu.Lock()
	s.under++
	took := s.each + time.Duration(s.under)*s.crowded
	s.mu.Unlock()
	s.turn <- struct{}{}
	time.Sleep(took)
	<-s.turn
	s.mu.Lock()
	s.under--
	s.mu.Unlock()
}

func (s *server) slowDown(each time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each = each
}

// flood is what clients of one tenant came to.
type flood struct {
	mu       sync.Mutex
	accepted []time.Duration
	refused  []time.Duration
}

// run lets clients of a bubble post for a span, each again as soon as it is answered, or after a
// moment if refused.
func (f *flood) run(ctx context.Context, g *admission.Gate, s *server, tenant string, clients int, span time.Duration) {
	end := time.Now().Add(span)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for time.Now().Before(end) {
				if !f.post(ctx, g, s, tenant) {
					time.Sleep(200 * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
}

func (f *flood) post(ctx context.Context, g *admission.Gate, s *server, tenant string) bool {
	begun := time.Now()
	p, err := g.Enter(ctx, tenant, false)
	if err == nil {
		s.accept()
		p.Leave(context.WithoutCancel(ctx), nil)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.refused = append(f.refused, time.Since(begun))
		return false
	}
	f.accepted = append(f.accepted, time.Since(begun))
	return true
}

func p99(all []time.Duration) time.Duration {
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)*99/100]
}

func newGate(t *testing.T) (*admission.Gate, *prometheus.Registry) {
	t.Helper()
	r := prometheus.NewRegistry()
	g, err := admission.New(admission.Config{Metrics: r})
	require.NoError(t, err)
	return g, r
}

// TestOverload offers far more than the server takes, for as long as a limit that drifts would need
// to drift: what is accepted stays near the peak, none waits long, and a refusal comes at once.
func TestOverload(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		each, crowded time.Duration
		clients       int
	}{
		"a fast server":                    {2 * time.Millisecond, 0, 128},
		"one that suffers from crowds":     {2 * time.Millisecond, 50 * time.Microsecond, 600},
		"a slow server":                    {30 * time.Millisecond, 0, 128},
		"a slow one, a multitude":          {30 * time.Millisecond, 0, 1000},
		"a fast one, a multitude":          {2 * time.Millisecond, 0, 2000},
		"fewer clients than it has places": {2 * time.Millisecond, 0, 8},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, r := newGate(t)
				var f flood
				const span = 30 * time.Second
				f.run(t.Context(), g, newServer(tt.each, tt.crowded), "acme", tt.clients, span)
				// Thirty-two at once, as bench measures the peak.
				peak := float64(span) / float64(tt.each+time.Duration(min(tt.clients, 32))*tt.crowded)
				t.Logf("accepted %d of %.0f, p99 %s; refused %d, p99 %s; limit %s", len(f.accepted), peak, p99(f.accepted), len(f.refused), p99(f.refused), gauge(t, r, "hookloop_admission_limit"))
				require.Greater(t, float64(len(f.accepted)), 0.9*peak)
				require.Less(t, p99(f.accepted), 2*time.Second)
				require.LessOrEqual(t, p99(f.refused), 50*time.Millisecond)
				require.Equal(t, "0", gauge(t, r, "hookloop_admission_in_flight"))
				require.Equal(t, "0", gauge(t, r, "hookloop_admission_waiting"))
			})
		})
	}
}

func gauge(t *testing.T, r *prometheus.Registry, name string) string {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return fmt.Sprint(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	t.Fatalf("no %s", name)
	return ""
}

// TestSlowDown slows the server down under way, twenty times: it is used as far as it goes, then
// and once it is well again.
func TestSlowDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGate(t)
		s := newServer(2*time.Millisecond, 0)
		for _, each := range []time.Duration{2 * time.Millisecond, 40 * time.Millisecond, 2 * time.Millisecond} {
			s.slowDown(each)
			var warm, f flood
			warm.run(t.Context(), g, s, "acme", 200, 10*time.Second)
			f.run(t.Context(), g, s, "acme", 200, 30*time.Second)
			t.Logf("%s each: accepted %d, p99 %s; refused %d, p99 %s", each, len(f.accepted), p99(f.accepted), len(f.refused), p99(f.refused))
			require.Greater(t, float64(len(f.accepted)), 0.9*float64(30*time.Second)/float64(each))
			require.Less(t, p99(f.accepted), 2*time.Second)
			require.LessOrEqual(t, p99(f.refused), 50*time.Millisecond)
		}
	})
}

// TestFair lets one tenant flood the gate: another's posts, one now and then, are all accepted, and
// soon.
func TestFair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGate(t)
		s := newServer(10*time.Millisecond, 0)
		var loud, quiet flood
		var flooding sync.WaitGroup
		flooding.Go(func() { loud.run(t.Context(), g, s, "loud", 1000, 30*time.Second) })
		for range 200 {
			time.Sleep(100 * time.Millisecond)
			require.NoError(t, g.Full("quiet"))
			quiet.post(t.Context(), g, s, "quiet")
		}
		flooding.Wait()
		require.Empty(t, quiet.refused)
		require.Less(t, p99(quiet.accepted), time.Second)
		require.NotEmpty(t, loud.refused, "there was a flood")
		require.Greater(t, len(loud.accepted), 2000, "and it has had the rest")
	})
}

// TestWait pins what becomes of those who wait.
func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, r := newGate(t)
		var places []*admission.Place
		for g.Full("acme") == nil && len(places) < 16 {
			p, err := g.Enter(t.Context(), "acme", false)
			require.NoError(t, err)
			places = append(places, p)
		}
		require.Len(t, places, 16)
		begun := time.Now()
		_, err := g.Enter(t.Context(), "acme", false)
		var refusal *admission.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, 1500*time.Millisecond, time.Since(begun))
		require.Equal(t, admission.Refusal{Limit: 16, Retry: time.Second}, *refusal)

		away, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		_, err = g.Enter(away, "acme", true)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		var entered sync.WaitGroup
		entered.Go(func() {
			p, err := g.Enter(t.Context(), "acme", true)
			require.NoError(t, err)
			require.Equal(t, 10*time.Second, time.Since(begun), "the patient wait longer")
			p.Leave(t.Context(), nil)
		})
		time.Sleep(7500 * time.Millisecond)
		for _, p := range places {
			p.Leave(t.Context(), context.Canceled)
		}
		entered.Wait()
		require.NoError(t, testutil.GatherAndCompare(r, strings.NewReader(outcomes), "hookloop_admissions_total"))
	})
}

// TestASlowMachineHasFewerPlaces, and says for how long the line before a client is. An acceptance
// that its client broke off, which may have waited for that client, says nothing of the machine.
func TestASlowMachineHasFewerPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, r := newGate(t)
		away, leave := context.WithCancel(t.Context())
		leave()
		for _, tc := range []struct {
			ctx   context.Context
			err   error
			limit string
		}{{away, nil, "16"}, {t.Context(), context.Canceled, "16"}, {t.Context(), nil, "11"}} {
			p, err := g.Enter(t.Context(), "acme", false)
			require.NoError(t, err)
			time.Sleep(10 * time.Second)
			p.Leave(tc.ctx, tc.err)
			require.Equal(t, tc.limit, gauge(t, r, "hookloop_admission_limit"))
		}
		for range 11 {
			_, err := g.Enter(t.Context(), "acme", false)
			require.NoError(t, err)
		}
		patient, tired := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		for range 4 {
			waiting.Go(func() {
				_, err := g.Enter(patient, "acme", true)
				require.ErrorIs(t, err, context.Canceled)
			})
		}
		synctest.Wait()
		_, err := g.Enter(t.Context(), "acme", false)
		var refusal *admission.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, admission.Refusal{Limit: 11, Retry: 3 * time.Second}, *refusal)
		tired()
		waiting.Wait()
	})
}

// TestWhoIsRefused where the lines are full: the one that comes, unless another tenant has more
// than its share of them; then the last of that tenant's, but none that is never refused. The log
// has a line in ten seconds.
func TestWhoIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g, err := admission.New(admission.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		for range 16 {
			_, err := g.Enter(t.Context(), "acme", false)
			require.NoError(t, err)
		}
		var over sync.WaitGroup
		ctx, end := context.WithCancel(t.Context())
		var mu sync.Mutex
		refused := map[string]int{}
		seen := func() map[string]int {
			mu.Lock()
			defer mu.Unlock()
			return maps.Clone(refused)
		}
		enter := func(tenant string, patient bool) {
			over.Go(func() {
				_, err := g.Enter(ctx, tenant, patient)
				if _, ok := errors.AsType[*admission.Refusal](err); ok {
					mu.Lock()
					defer mu.Unlock()
					refused[tenant]++
				}
			})
			synctest.Wait()
		}
		const share = 80 // of what is foreseen: 160 in all
		for range 2 * share {
			enter("acme", false)
		}
		require.NoError(t, g.Full("other"))
		require.Error(t, g.Full("acme"), "before its body is read")
		require.Empty(t, seen())
		enter("acme", false)
		require.Equal(t, map[string]int{"acme": 1}, seen(), "none that waits makes room for one of its own")
		for range share {
			enter("other", false)
		}
		require.Equal(t, map[string]int{"acme": 1 + share}, seen())
		enter("other", false)
		require.Equal(t, map[string]int{"acme": 1 + share, "other": 1}, seen(), "each has its share")
		require.Equal(t, 1, strings.Count(log.String(), "\n"))
		require.Contains(t, log.String(), "refused=1 limit=16 waiting=160")

		time.Sleep(11 * time.Second) // they have given up
		mu.Lock()
		clear(refused)
		mu.Unlock()
		for range 2 * share {
			enter("acme", true)
		}
		enter("other", false)
		require.Equal(t, map[string]int{"other": 1}, seen(), "a redelivery keeps its place")
		require.Equal(t, 2, strings.Count(log.String(), "\n"))
		require.Contains(t, log.String(), fmt.Sprintf("refused=%d limit=16 waiting=160", 1+share+1+1))
		end()
		over.Wait()
	})
}

const outcomes = `# HELP hookloop_admissions_total Acceptances and redeliveries that asked for a place, by what became of them.
# TYPE hookloop_admissions_total counter
hookloop_admissions_total{outcome="admitted"} 16
hookloop_admissions_total{outcome="left"} 1
hookloop_admissions_total{outcome="refused"} 0
hookloop_admissions_total{outcome="timed_out"} 1
hookloop_admissions_total{outcome="waited"} 1
`
