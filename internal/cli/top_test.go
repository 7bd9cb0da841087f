package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/terminal"
)

const tenantStats = `{"since":"2026-03-01T11:00:00Z","until":"2026-03-01T12:00:00Z","bucket":"1m","attempts":1234,"took":1222,"fails":12,"refuses":0,
	"success":0.9903,"per_minute":20.6,"p50_ms":84,"p95_ms":1210,"endpoints":{"active":5,"held":1,"paused":0,"disabled":2},
	"backlog":{"waiting":312,"held":300,"parked":1,"oldest_at":"2026-03-01T10:00:00Z","whole":true,"counted_at":"2026-03-01T12:00:00Z"},
	"busiest":[{"endpoint_id":"ep_1","host":"busy.example","description":"the \u001bshop","state":"active","attempts":1200,"took":1200,"success":1,"per_minute":20,"p50_ms":80,"p95_ms":200,"waiting":0}],
	"slowest":[],"failing":[{"endpoint_id":"ep_2","host":"sick.example","state":"active","reported_failing":true,"attempts":2,"took":0,"success":0,"per_minute":0.03,"waiting":11,
		"last_error":{"at":"2026-03-01T11:58:00Z","status_code":503}}],
	"held":[{"endpoint_id":"ep_3","host":"dead.example","state":"held","attempts":0,"per_minute":0,"waiting":300,"last_error":{"at":"2026-03-01T09:00:00Z","failure":"refused"}}]}`

func TestTopIsOnePicture(t *testing.T) {
	t.Parallel()
	var s api.TenantStats
	require.NoError(t, json.Unmarshal([]byte(tenantStats), &s))
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	text := topPicture{TenantStats: s, now: now, title: "http://gw", since: "1h"}.String()
	_, text, _ = strings.Cut(text, "\n\n")
	require.Equal(t, `attempts   1234, 21 a minute, 99 % taken, p50 84 ms, p95 1.2 s
endpoints  5 active, 1 held, 0 paused, 2 disabled
waiting    312 deliveries, 300 held, and 1 parked, the oldest 2 h ago

HELD          STATE  A MINUTE  TAKEN  P50  P95  WAITING  LAST ERROR        ID
dead.example  held   0         -      -    -    300      refused, 3 h ago  ep_3

FAILING       STATE            A MINUTE  TAKEN  P50  P95  WAITING  LAST ERROR           ID
sick.example  active, failing  0.03      0 %    -    -    11       HTTP 503, 2 min ago  ep_2

BUSIEST                        STATE   A MINUTE  TAKEN  P50    P95     WAITING  LAST ERROR  ID
busy.example (the \u001bshop)  active  20        100 %  80 ms  200 ms  0        -           ep_1
`, text)
}

func TestTopOnce(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/stats": {{body: tenantStats}}})
	require.Contains(t, g.run(t, "top", "--since", "24h", "--lines", "3").ok(t), "312 deliveries", "no terminal reads it")
	require.Equal(t, "/v1/tenants/demo/stats?since=24h&top=3", g.last(t).uri)
	out := g.run(t, "top", "--once", "--json").ok(t)
	require.JSONEq(t, tenantStats, out)
	require.Equal(t, 1, strings.Count(out, "\n"), "a line")
	g.run(t, "top", "--interval", "1ms").fails(t, 2)
	require.Contains(t, newStandIn(t, nil).run(t, "top", "--once").fails(t, 1), "no answer to GET")
}

// screen is a terminal that is watched.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen chan struct{} // something was written
}

func (s *screen) IsTerminal() bool { return true }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		select {
		case s.seen <- struct{}{}:
		default:
		}
	}()
	return s.text.Write(p)
}

// until waits until there is enough on the screen.
func (s *screen) until(t *testing.T, enough func(string) bool) {
	t.Helper()
	for end := time.After(patience); ; {
		s.mu.Lock()
		text := s.text.String()
		s.mu.Unlock()
		if enough(text) {
			return
		}
		select {
		case <-s.seen:
		case <-end:
			require.Fail(t, "not seen", text)
		}
	}
}

func TestTopRefreshesUntilCtrlC(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/stats": {{body: tenantStats}, {status: 503, body: `{"code":"unavailable","detail":"the registry is away"}`}, {body: tenantStats}}})
	ctx, stop := context.WithCancel(t.Context())
	s, code := &screen{seen: make(chan struct{}, 1)}, make(chan int, 1)
	go func() {
		code <- terminal.Execute(ctx, New("test"), []string{"top", "--interval", "1s", "--data-dir", g.data}, s, io.Discard)
	}()
	s.until(t, func(text string) bool {
		return strings.Count(text, "312 deliveries") == 2 && strings.Contains(text, "the registry is away")
	})
	stop()
	require.Equal(t, 0, <-code)
	require.True(t, strings.HasPrefix(s.text.String(), "\x1b[2J\x1b[H"))
}
