package registrytest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

func match(t *testing.T, s Store) {
	r := open(t, s)
	requireMatch(t, r, "contact.updated")
	create(t, r,
		// named twice, matches once
		endpoint(5, "contact.updated", "contact.created", "contact.updated"),
		endpoint(3),
		endpoint(1, "contact.updated"),
		endpoint(4, "contact"),
		endpoint(2, "注文.作成"),
	)
	requireMatch(t, r, "contact.updated", 1, 3, 5)
	requireMatch(t, r, "contact.created", 3, 5)
	requireMatch(t, r, "contact", 3, 4)
	requireMatch(t, r, "注文.作成", 2, 3)
	for _, neither := range []string{"contact.", "Contact", "contact%", "contact.updated.again", ""} {
		requireMatch(t, r, neither, 3)
	}
}

// matchPatterns holds what stands for several types, and that Hookloop's own news go by name alone.
func matchPatterns(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r,
		endpoint(1, "order.*"),
		endpoint(2, "order.paid.*", "order.*", "order.paid"), // matches thrice, is named once
		endpoint(3, "order"),
		endpoint(4, "*"),
		endpoint(5),
		endpoint(6, "Order.Paid", "order-1.paid"),
		endpoint(7, "*", "order.paid.late"),
	)
	for eventType, want := range map[string][2][]int{
		"order":           {{3, 4, 5, 7}, {3}},
		"order.paid":      {{1, 2, 4, 5, 7}, {1, 2}},
		"order.paid.late": {{1, 2, 4, 5, 7}, {1, 2, 7}},
		"ordered":         {{4, 5, 7}, nil},
		"orders.paid":     {{4, 5, 7}, nil},
		"Order.Paid":      {{4, 5, 6, 7}, {6}},
		"order-1.paid":    {{4, 5, 6, 7}, {6}},
		strings.TrimSuffix(strings.Repeat("a.", 64), "."): {{4, 5, 7}, nil},
	} {
		requireMatch(t, r, eventType, want[0]...)
		requireNamed(t, r, eventType, want[1]...)
	}
	changed(t, r, 1, func(e *webhook.Endpoint) { e.EventTypes = []string{"order.paid.*"} })
	requireMatch(t, r, "order.paid", 2, 4, 5, 7)
	requireNamed(t, r, "order.paid.late", 1, 2, 7)
}

func matchFollows(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1, "a", "b"), endpoint(2))
	set := func(change func(*webhook.Endpoint)) {
		t.Helper()
		changed(t, r, 1, change)
	}
	for _, state := range []webhook.EndpointState{webhook.EndpointHeld, webhook.EndpointPaused, webhook.EndpointActive} {
		set(func(e *webhook.Endpoint) { e.State = state })
		requireMatch(t, r, "a", 1, 2)
	}
	set(func(e *webhook.Endpoint) { e.State = webhook.EndpointDisabled })
	requireMatchOf(t, r, "a", []int{2}, []int{1})
	set(func(e *webhook.Endpoint) { e.EventTypes = []string{"c", "b"} }) // still disabled
	requireMatchOf(t, r, "c", []int{2}, []int{1})
	requireMatch(t, r, "a", 2)
	requireNamed(t, r, "c")
	set(func(e *webhook.Endpoint) { e.State = webhook.EndpointActive })
	requireMatch(t, r, "a", 2)
	requireMatch(t, r, "b", 1, 2)
	requireMatch(t, r, "c", 1, 2)
	set(func(e *webhook.Endpoint) { e.EventTypes = nil })
	requireMatch(t, r, "a", 1, 2)
	set(func(e *webhook.Endpoint) { e.EventTypes = []string{"a", "b"} })
	set(func(e *webhook.Endpoint) { e.EventTypes[0] = "c" }) // in place
	requireMatch(t, r, "a", 2)
	requireMatch(t, r, "c", 1, 2)
}

// matchThousand fills a tenant to the limit in any order.
func matchThousand(t *testing.T, s Store) {
	r := open(t, s)
	order := rand.New(rand.NewPCG(1, 2)).Perm(registry.MaxEndpoints)
	for _, n := range order {
		e := endpoint(n, "a")
		if n%2 == 0 {
			e.EventTypes = nil
		}
		create(t, r, e)
	}
	all := make([]int, registry.MaxEndpoints)
	for n := range all {
		all[n] = n
	}
	requireMatch(t, r, "a", all...)

	err := r.CreateEndpoint(t.Context(), endpoint(registry.MaxEndpoints))
	requireCode(t, webhook.Conflict, err)
	require.ErrorContains(t, err, "1000")
	require.False(t, strings.ContainsAny(err.Error(), "\n"))
	other := endpoint(registry.MaxEndpoints)
	other.Tenant = "other"
	create(t, r, other)

	require.NoError(t, r.DeleteEndpoint(t.Context(), tenant, id(500)))
	create(t, r, endpoint(500))
}
