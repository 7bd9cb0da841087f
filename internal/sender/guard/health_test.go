package guard_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

func TestHealthHearsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &reports{}
		g := newGuard(t, guard.Config{Health: h})
		answer := script(t, "200:2 503:22 200")
		try := func(event string, told ...string) {
			t.Helper()
			d := at("ep_1")
			d.Event.ID = event
			send(t, g, d, answer())
			require.Equal(t, told, h.take())
		}
		try("evt_1", "recovered acme ep_1") // it was not known before
		try("evt_2")
		for range 19 {
			try("evt_3")
		}
		try("evt_4", "failing acme ep_1 evt_4 503")
		for range 2 { // half-open, and open again
			time.Sleep(31 * time.Second)
			try("evt_5", "failing acme ep_1 evt_5 503")
		}
		time.Sleep(31 * time.Second)
		try("evt_6", "recovered acme ep_1")
		try("evt_7")
	})
}

func TestHealthHearsWhoAsksForNoMore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		attempts          int
		script, directive string // of the answers
		told              []string
	}{
		"410":           {2, "410:2", "", []string{"failing acme ep_1 evt_1 410", "failing acme ep_1 evt_1 410"}},
		"disable":       {2, "400 503", "disable", []string{"failing acme ep_1 evt_1 400", "failing acme ep_1 evt_1 503"}},
		"410 and abort": {2, "410 400", "abort-message", []string{"failing acme ep_1 evt_1 410"}},
		"taken":         {2, "200:2", "disable", []string{"recovered acme ep_1"}},
		"both at once":  {5, "503:4 410", "", []string{"failing acme ep_1 evt_1 410"}},
		"neither":       {6, "503:4 400:2", "", nil},
	} {
		for _, probe := range []bool{false, true} {
			t.Run(name+", probe "+strconv.FormatBool(probe), func(t *testing.T) {
				t.Parallel()
				h := &reports{}
				g := newGuard(t, guard.Config{Health: h})
				answer, d := script(t, tc.script), at("ep_1")
				d.Probe = probe
				for range tc.attempts {
					a := answer()
					a.Directive = webhook.Directive(tc.directive)
					send(t, g, d, a)
				}
				require.Equal(t, tc.told, h.take())
			})
		}
	}
}

// TestHealthHearsOfADeliveryThatKeepsFailing: an endpoint that is sent one event fails too rarely
// to open a breaker.
func TestHealthHearsOfADeliveryThatKeepsFailing(t *testing.T) {
	t.Parallel()
	const failing, well = "persists acme ep_1 evt_1 503", "recovered acme ep_1"
	for name, tc := range map[string]struct {
		script   string
		schedule webhook.Schedule // empty: the default
		release  time.Duration    // for which one is under way
		told     []string         // by attempt
	}{
		"five times":              {"503:7 200", nil, 0, []string{"", "", "", "", failing, failing, failing, well}},
		"spent":                   {"503:4", webhook.Schedule{0, time.Hour, time.Hour, time.Hour}, 0, []string{"", "", "", failing}},
		"spent early":             {"503:3", webhook.Schedule{0, time.Hour}, 0, []string{"", "", failing}},
		"refused once":            {"400 503:5", nil, 0, []string{"", "", "", "", failing}},
		"nothing is there":        {"404:4 503:2", nil, 0, []string{"", "", "", "", failing}},
		"another event was taken": {"503:4 200 503:2", nil, 0, []string{"", "", "", "", well, "", failing}},
		"during a release":        {"503:7", nil, 220 * time.Minute, []string{"", "", "", "", "", "", failing}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &reports{}
				g := newGuard(t, guard.Config{Health: h})
				answer, until := script(t, tc.script), time.Now().Add(tc.release)
				for i, told := range tc.told {
					d, a := at("ep_1"), answer()
					d.Endpoint.Schedule, d.Endpoint.Releasing = tc.schedule, until
					a.Number = i + 1
					send(t, g, d, a)
					require.Equal(t, told, strings.Join(h.take(), "; "), "attempt %d", i+1)
					requireBreaker(t, g, "closed")
					time.Sleep(40 * time.Minute)
				}
			})
		})
	}
}

// TestHealthHearsNothingOfAProbe: its approval gets the answer.
func TestHealthHearsNothingOfAProbe(t *testing.T) {
	t.Parallel()
	h := &reports{}
	g := newGuard(t, guard.Config{Health: h})
	probe(t, g)(webhook.Attempt{Number: 6, StatusCode: 503})
	require.Empty(t, h.take())
}

// TestHealthHearsOfARecoveryFromAnotherWorker: not from the one that reported the failure.
func TestHealthHearsOfARecoveryFromAnotherWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &reports{}
		g := newGuard(t, guard.Config{Health: h})
		e := webhook.Endpoint{Tenant: "acme", ID: "ep_1"}
		for _, tc := range []struct {
			openedAt time.Time
			told     int
		}{{time.Time{}, 1}, {time.Time{}, 0}, {time.Now().Add(-time.Minute), 1}, {time.Now().Add(-time.Minute), 0}, {time.Time{}, 0}} {
			e.BreakerOpenedAt = tc.openedAt
			release, refused := acquire(g, of(e, "evt_1"))
			require.Nil(t, refused)
			release(took)
			require.Len(t, h.take(), tc.told, "opened at %s", tc.openedAt)
		}
	})
}

func TestHealthIsToldOncePerOpening(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &reports{}
		g := newGuard(t, guard.Config{MaxInFlight: 100, Health: h})
		for range 3 { // the breaker is closed, then twice half-open
			var releases []func(webhook.Attempt)
			for range 20 {
				if l, refused := acquire(g, at("ep_1")); refused == nil {
					releases = append(releases, l)
				}
			}
			var wg sync.WaitGroup
			for _, l := range releases {
				wg.Go(func() { l(failing) })
			}
			wg.Wait()
			requireBreaker(t, g, "open")
			require.Len(t, h.take(), 1)
			time.Sleep(31 * time.Second)
		}
	})
}

func TestHealthHearsOneRecovery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &reports{}
		g := newGuard(t, guard.Config{MaxInFlight: 100, Health: h})
		attempt(t, g, none)
		attempt(t, g, failing)
		require.Empty(t, h.take(), "no success, and no opening")
		var releases []func(webhook.Attempt)
		for range 20 {
			l, refused := acquire(g, at("ep_1"))
			require.Nil(t, refused)
			releases = append(releases, l)
		}
		var wg sync.WaitGroup
		for _, l := range releases {
			wg.Go(func() { l(took) })
		}
		wg.Wait()
		require.Len(t, h.take(), 1)
		for range 4 {
			attempt(t, g, failing)
		}
		attempt(t, g, took)
		require.Empty(t, h.take(), "its failure was not reported")

		time.Sleep(2 * time.Minute)
		for range 5 {
			attempt(t, g, failing)
		}
		require.Len(t, h.take(), 1)
		probe(t, g)(failing)
		probe(t, g)(none)
		require.Empty(t, h.take())
		probe(t, g)(took)
		require.Equal(t, []string{"recovered acme ep_1"}, h.take())
		probe(t, g)(took)
		attempt(t, g, took)
		require.Empty(t, h.take())

		time.Sleep(guard.KeepIdle)
		send(t, g, at("ep_2"), took)
		require.Equal(t, []string{"recovered acme ep_2"}, h.take())
		attempt(t, g, took)
		require.Equal(t, []string{"recovered acme ep_1"}, h.take(), "the endpoint was forgotten")
	})
}

// TestHealthHearsTheRecoveryLast: a success during the report of a failure is not reported, the
// next one is.
func TestHealthHearsTheRecoveryLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &reports{}
		g := newGuard(t, guard.Config{Health: h})
		attempt(t, g, took)
		h.onFailing = func() { probe(t, g)(took) } // no lock is held, or this would not return
		for range 20 {
			attempt(t, g, failing)
		}
		attempt(t, g, took)
		require.Equal(t, []string{"recovered acme ep_1", "failing acme ep_1 evt_1 503", "recovered acme ep_1"}, h.take())
	})
}
