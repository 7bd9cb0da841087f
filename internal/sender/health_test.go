package sender_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// heard writes down what a Health is told.
type heard struct {
	mu        sync.Mutex
	told      []string
	onFailing func() // what happens before it hears of it; nil: nothing
}

func (h *heard) Failing(tenant, endpointID string, a webhook.Attempt, eventID string) {
	if h.onFailing != nil {
		h.onFailing()
	}
	h.note("failing " + tenant + " " + endpointID + " " + eventID + " " + strconv.Itoa(a.StatusCode))
}

func (h *heard) Persists(tenant, endpointID string, a webhook.Attempt, eventID string) {
	h.note("persists " + tenant + " " + endpointID + " " + eventID + " " + strconv.Itoa(a.StatusCode))
}

func (h *heard) Refuses(tenant, endpointID string, a webhook.Attempt, eventID string, since time.Time) {
	h.note("refuses " + tenant + " " + endpointID + " " + eventID + " " + strconv.Itoa(a.StatusCode) + " for " + time.Since(since).Round(time.Second).String())
}

func (h *heard) Recovered(tenant, endpointID string, _ webhook.Attempt, _ string, _ bool) {
	h.note("recovered " + tenant + " " + endpointID)
}

func (h *heard) note(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, what)
}

// since gives what was told since the last time.
func (h *heard) since() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.told
	h.told = nil
	return told
}

func TestHealthHearsAttempts(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "200:2 503:22 200", Header: closing})
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		s := newSender(t, sender.Config{Health: h})
		send := func(event string, told ...string) {
			t.Helper()
			d := delivery(srv.URL)
			d.Event.ID = event
			_, err := s.Send(t.Context(), d, 1)
			require.NoError(t, err)
			require.Equal(t, told, h.since())
		}
		send("evt_1", "recovered acme ep_1") // nobody knew
		send("evt_2")
		for range 19 {
			send("evt_3")
		}
		send("evt_4", "failing acme ep_1 evt_4 503")
		for range 2 { // half-open, and open again
			<-time.After(31 * time.Second)
			send("evt_5", "failing acme ep_1 evt_5 503")
		}
		<-time.After(31 * time.Second)
		send("evt_6", "recovered acme ep_1")
		send("evt_7")
	})
}

func TestHealthHearsWhoAsksForNoMore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		attempts          int
		script, directive string
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
				h := &heard{}
				s := newSender(t, sender.Config{Health: h})
				srv := endpointtest.Start(t, endpointtest.Config{Script: tc.script, Header: http.Header{"Webhook-Delivery": {tc.directive}}})
				d := delivery(srv.URL)
				d.Probe = probe
				for range tc.attempts {
					_, err := s.Send(t.Context(), d, 1)
					require.NoError(t, err)
				}
				require.Equal(t, tc.told, h.since())
			})
		}
	}
}

// TestHealthHearsOfADeliveryThatKeepsFailing: an endpoint that is sent one event fails too rarely for a breaker to open.
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
			srv := endpointtest.Start(t, endpointtest.Config{Script: tc.script, Header: closing})
			synctest.Test(t, func(t *testing.T) {
				h := &heard{}
				s := newSender(t, sender.Config{Health: h})
				until := time.Now().Add(tc.release)
				for i, told := range tc.told {
					d := delivery(srv.URL)
					d.Endpoint.Schedule, d.Endpoint.Releasing = tc.schedule, until
					_, err := s.Send(t.Context(), d, i+1)
					require.NoError(t, err)
					require.Equal(t, told, strings.Join(h.since(), "; "), "attempt %d", i+1)
					requireBreaker(t, s, "closed")
					<-time.After(40 * time.Minute)
				}
			})
		})
	}
}

// Of a probe's answer its approval hears by itself.
func TestHealthHearsNothingOfAProbe(t *testing.T) {
	t.Parallel()
	h := &heard{}
	s := newSender(t, sender.Config{Health: h})
	d := delivery(endpointtest.Start(t, endpointtest.Config{Script: "503"}).URL)
	d.Probe = true
	_, err := s.Send(t.Context(), d, 6)
	require.NoError(t, err)
	require.Empty(t, h.since())
}

// TestHealthHearsOfARecoveryFromWhoeverSeesIt: another worker told of the failure.
func TestHealthHearsOfARecoveryFromWhoeverSeesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		s := newSender(t, sender.Config{Health: h})
		e := webhook.Endpoint{Tenant: "acme", ID: "ep_1"}
		for _, tc := range []struct {
			openedAt time.Time
			told     int
		}{{time.Time{}, 1}, {time.Time{}, 0}, {time.Now().Add(-time.Minute), 1}, {time.Now().Add(-time.Minute), 0}, {time.Time{}, 0}} {
			e.BreakerOpenedAt = tc.openedAt
			leave, refused := s.EnterLimited(e, "evt_1")
			require.Nil(t, refused)
			leave(nil)
			require.Len(t, h.since(), tc.told, "opened at %s", tc.openedAt)
		}
	})
}

func TestHealthIsToldOncePerOpening(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		s := newSender(t, sender.Config{MostPlaces: 100, Health: h})
		for range 3 { // the breaker is closed, then twice half-open
			var leave []func(error)
			for range 20 {
				if l, refused := s.Enter("acme", "ep_1"); refused == nil {
					leave = append(leave, l)
				}
			}
			var wg sync.WaitGroup
			for _, l := range leave {
				wg.Go(func() { l(sender.ErrFailing) })
			}
			wg.Wait()
			requireBreaker(t, s, "open")
			require.Len(t, h.since(), 1)
			<-time.After(31 * time.Second)
		}
	})
}

func TestHealthHearsOneRecovery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		s := newSender(t, sender.Config{MostPlaces: 100, Health: h})
		turn(t, s, sender.ErrNoVerdict)
		turn(t, s, sender.ErrFailing)
		require.Empty(t, h.since(), "no success, and no opening")
		var leave []func(error)
		for range 20 {
			l, refused := s.Enter("acme", "ep_1")
			require.Nil(t, refused)
			leave = append(leave, l)
		}
		var wg sync.WaitGroup
		for _, l := range leave {
			wg.Go(func() { l(nil) })
		}
		wg.Wait()
		require.Len(t, h.since(), 1)
		for range 4 {
			turn(t, s, sender.ErrFailing)
		}
		turn(t, s, nil)
		require.Empty(t, h.since(), "nobody heard that it failed")

		<-time.After(2 * time.Minute)
		for range 5 {
			turn(t, s, sender.ErrFailing)
		}
		require.Len(t, h.since(), 1)
		probe(t, s)(sender.ErrFailing)
		probe(t, s)(sender.ErrNoVerdict)
		require.Empty(t, h.since())
		probe(t, s)(nil)
		require.Equal(t, []string{"recovered acme ep_1"}, h.since())
		probe(t, s)(nil)
		turn(t, s, nil)
		require.Empty(t, h.since())

		<-time.After(sender.IdleGuard)
		enterOther(t, s, "ep_2")
		require.Equal(t, []string{"recovered acme ep_2"}, h.since())
		turn(t, s, nil)
		require.Equal(t, []string{"recovered acme ep_1"}, h.since(), "its guard was forgotten")
	})
}

// Of a success that comes while the word of a failure is on its way nobody hears, but of the next.
func TestHealthHearsTheRecoveryLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		s := newSender(t, sender.Config{Health: h})
		turn(t, s, nil)
		h.onFailing = func() { probe(t, s)(nil) } // no lock is held, or this would not return
		for range 20 {
			turn(t, s, sender.ErrFailing)
		}
		turn(t, s, nil)
		require.Equal(t, []string{"recovered acme ep_1", "failing acme ep_1 evt_1 0", "recovered acme ep_1"}, h.since())
	})
}
