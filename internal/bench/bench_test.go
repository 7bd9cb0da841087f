package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"hookloop/internal/bench"
)

// gateway stands in for Hookloop: it accepts events, delivers each until it is taken, and may
// refuse some.
type gateway struct {
	refuse func(n int) bool

	mu        sync.Mutex
	n         int
	endpoints map[string]string // URL by event type
	under     sync.WaitGroup
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Path == "/metrics":
		fmt.Fprint(w, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\n"+
			"# TYPE hookloop_deferrals_total counter\nhookloop_deferrals_total{reason=\"a\"} 2\nhookloop_deferrals_total{reason=\"b\"} 3\n")
	case bytes.Contains(body, []byte(`"url"`)):
		var e struct {
			URL   string
			Types []string `json:"event_types"`
		}
		_ = json.Unmarshal(body, &e)
		g.mu.Lock()
		g.endpoints[e.Types[0]] = e.URL
		g.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{}`)
	default:
		g.event(w, body)
	}
}

func (g *gateway) event(w http.ResponseWriter, body []byte) {
	var e struct{ Type string }
	_ = json.Unmarshal(body, &e)
	g.mu.Lock()
	g.n++
	n, url := g.n, g.endpoints[e.Type]
	g.mu.Unlock()
	if g.refuse != nil && g.refuse(n) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id := fmt.Sprintf("evt_%d", n)
	g.under.Go(func() {
		for range 50 {
			req, _ := http.NewRequest(http.MethodPost, url, http.NoBody)
			req.Header.Set("webhook-id", id)
			resp, err := http.DefaultClient.Do(req)
			if err == nil && resp.Body.Close() == nil && resp.StatusCode/100 == 2 {
				return
			}
		}
	})
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"id":%q}`, id)
}

func target(t *testing.T, g *gateway) *bench.Target {
	t.Helper()
	g.endpoints = map[string]string{}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	t.Cleanup(g.under.Wait)
	b := &bench.Target{
		Gateways: []string{s.URL}, Metrics: []string{s.URL}, Token: "t", Close: func() {},
		Deliveries: func(context.Context) (int, error) { return 0, nil },
	}
	b.CPU = b.ProcessCPU
	return b
}

func TestRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		gateway  *gateway
		load     bench.Load
		endpoint bench.EndpointConfig
		accepted int
		refused  map[int]int
	}{
		{"closed loop", &gateway{}, bench.Load{Events: 40, Clients: 4}, bench.EndpointConfig{}, 40, map[int]int{}},
		{"at a rate", &gateway{}, bench.Load{Rate: 100, Events: 20}, bench.EndpointConfig{Latency: time.Millisecond}, 20, map[int]int{}},
		{"three endpoints", &gateway{}, bench.Load{Events: 30, Clients: 2, Endpoints: 3}, bench.EndpointConfig{}, 30, map[int]int{}},
		{"half of the attempts fail", &gateway{}, bench.Load{Events: 40, Clients: 4}, bench.EndpointConfig{Failing: 0.5, Seed: 1}, 40, map[int]int{}},
		{"every second is refused", &gateway{refuse: func(n int) bool { return n%2 == 0 }}, bench.Load{Events: 40, Clients: 4}, bench.EndpointConfig{}, 20, map[int]int{503: 20}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := bench.NewStage(t.Context(), target(t, tt.gateway), tt.load, tt.endpoint)
			require.NoError(t, err)
			defer s.Close()
			r, err := s.Run(t.Context())
			require.NoError(t, err)
			require.Equal(t, tt.accepted, r.Accepted())
			require.Equal(t, tt.refused, r.Refused())
			require.Zero(t, r.Missing())
			if tt.endpoint.Failing > 0 {
				require.Greater(t, r.Attempts(), tt.accepted)
			} else {
				require.Equal(t, tt.accepted, r.Attempts())
			}
		})
	}
}

func TestFailing(t *testing.T) {
	t.Parallel()
	var progress bytes.Buffer
	made := target(t, &gateway{})
	w := bench.World{Progress: &progress, Start: func(context.Context) (*bench.Target, error) { return made, nil }}
	r, err := bench.Failing(t.Context(), w, bench.Load{Rate: 100, Events: 50, Seed: 7}, 0.5)
	require.NoError(t, err)
	require.Equal(t, 50, r.Delivered)
	require.Greater(t, r.AttemptsPerEvent, 1.0)
	var out bytes.Buffer
	require.NoError(t, (&bench.Result{Failing: r}).Markdown(&out))
	require.Contains(t, out.String(), "| 50 of 50 |")
}

func TestBusiest(t *testing.T) {
	t.Parallel()
	all := []bench.Arrival{bench.ArrivalAt("a", 0), bench.ArrivalAt("b", 900), bench.ArrivalAt("c", 1000), bench.ArrivalAt("d", 1899), bench.ArrivalAt("e", 1901)}
	require.Equal(t, 3, bench.Busiest(all, time.Time{}), "b, c and d within a second")
	require.Equal(t, 2, bench.Busiest(all, time.UnixMilli(1500)))
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"--busy":                               "--busy needs --overload",
		"--hanging 5":                          "--hanging needs --neighbour",
		"--retry 1s --latency 1s":              "--retry needs --failing or --outage",
		"--rate 0 --failing 0.5":               "--rate 0 goes with --latency only",
		"--rate half --overload":               "--rate half goes with --latency only",
		"--rate -1":                            "--rate must be half, or lie between 0 and 100000",
		"--rate NaN":                           "--rate must be half, or lie between 0 and 100000",
		"--failing 1":                          "--failing must lie between 0 and 1",
		"--latency 31s":                        "--latency must lie between 0s and 30s",
		"--outage 1m --outage-answer 200":      "--outage-answer must be refuse or 503",
		"--neighbour --hanging-endpoints 2000": "--hanging-endpoints must lie between 1 and 1000, and not above --hanging",
		"--latency 50ms,2s --rate half --endpoints 9": "",
		"--rate 100":                       "",
		"--overload --busy --duration 10s": "",
		"--neighbour --hanging 4000 --hanging-endpoints 200": "",
	}
	for line, want := range tests {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			var o bench.Options
			f := pflag.NewFlagSet("bench", pflag.ContinueOnError)
			o.Flags(f)
			require.NoError(t, f.Parse(strings.Fields(line)))
			err := o.Check(f.Changed)
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, want)
		})
	}
}
