package guard_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// Attempts by what they say of an endpoint; none says that no attempt was made.
var (
	took     = webhook.Attempt{Number: 1, StatusCode: 200}
	failing  = webhook.Attempt{Number: 1, StatusCode: 503}
	refusing = webhook.Attempt{Number: 1, StatusCode: 400}
	none     = webhook.Attempt{}
)

func newGuard(t testing.TB, cfg guard.Config) *guard.Guard {
	t.Helper()
	g, err := guard.New(cfg)
	require.NoError(t, err)
	return g
}

// at is a delivery to one of acme's endpoints.
func at(endpointID string) webhook.Delivery {
	return of(webhook.Endpoint{Tenant: "acme", ID: endpointID, State: webhook.EndpointActive}, "evt_1")
}

func of(e webhook.Endpoint, eventID string) webhook.Delivery {
	return webhook.Delivery{Endpoint: e, Event: webhook.Event{Tenant: e.Tenant, ID: eventID}}
}

// acquire asks for a permit that the attempt given to release ends.
func acquire(g *guard.Guard, d webhook.Delivery) (release func(webhook.Attempt), refused *webhook.Deferral) {
	p, err := g.Acquire(context.Background(), d)
	if err != nil {
		refused, _ = errors.AsType[*webhook.Deferral](err)
		return nil, refused
	}
	return func(a webhook.Attempt) { g.Release(p, d, a) }, nil
}

// attempt makes one at acme's ep_1.
func attempt(t *testing.T, g *guard.Guard, a webhook.Attempt) {
	t.Helper()
	send(t, g, at("ep_1"), a)
}

func send(t *testing.T, g *guard.Guard, d webhook.Delivery, a webhook.Attempt) {
	t.Helper()
	release, refused := acquire(g, d)
	require.Nil(t, refused)
	release(a)
}

// probe is an attempt at acme's ep_1 that a person asked for.
func probe(t *testing.T, g *guard.Guard) (release func(webhook.Attempt)) {
	t.Helper()
	d := at("ep_1")
	d.Probe = true
	release, refused := acquire(g, d)
	require.Nil(t, refused)
	return release
}

// script gives the answers of an endpoint, one after the other, as endpointtest's scripts read:
// "503:6 200" is six times 503, then 200.
func script(t *testing.T, text string) (next func() webhook.Attempt) {
	t.Helper()
	var statuses []int
	for step := range strings.FieldsSeq(text) {
		status, times, many := strings.Cut(step, ":")
		code, err := strconv.Atoi(status)
		require.NoError(t, err)
		n := 1
		if many {
			n, err = strconv.Atoi(times)
			require.NoError(t, err)
		}
		for range n {
			statuses = append(statuses, code)
		}
	}
	return func() webhook.Attempt {
		code := statuses[0]
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
		return webhook.Attempt{Number: 1, StatusCode: code}
	}
}

func requireBreaker(t *testing.T, g *guard.Guard, want string) {
	t.Helper()
	require.Equal(t, want, g.Breaker("acme", "ep_1"))
}

// reports keeps what Health is told.
type reports struct {
	mu        sync.Mutex
	texts     []string
	onFailing func() // happens before a failure is kept; nil: nothing
}

func (r *reports) Failing(tenant, endpointID string, a webhook.Attempt, eventID string) {
	if r.onFailing != nil {
		r.onFailing()
	}
	r.add("failing", tenant, endpointID, eventID, strconv.Itoa(a.StatusCode))
}

func (r *reports) Persists(tenant, endpointID string, a webhook.Attempt, eventID string) {
	r.add("persists", tenant, endpointID, eventID, strconv.Itoa(a.StatusCode))
}

func (r *reports) Refuses(tenant, endpointID string, a webhook.Attempt, eventID string, since time.Time) {
	lasted := time.Since(since).Round(time.Second).String()
	r.add("refuses", tenant, endpointID, eventID, strconv.Itoa(a.StatusCode), "for", lasted)
}

func (r *reports) Recovered(tenant, endpointID string, _ webhook.Attempt, _ string, _ bool) {
	r.add("recovered", tenant, endpointID)
}

func (r *reports) add(words ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, strings.Join(words, " "))
}

// take gives the reports since it was last called.
func (r *reports) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	texts := r.texts
	r.texts = nil
	return texts
}
