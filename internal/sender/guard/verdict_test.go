package guard_test

import (
	"testing"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// TestVerdictsOnTheEndpoint: webhook's tests have a row for each answer.
func TestVerdictsOnTheEndpoint(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a    webhook.Attempt
		want string // after five of them
	}{
		{took, "closed"},
		{failing, "open"},
		{webhook.Attempt{Number: 1, StatusCode: 404}, "open"},
		{webhook.Attempt{Number: 1, Failure: webhook.FailureTimeout}, "open"},
		{refusing, "closed"},
		{none, "closed"},
	} {
		g := newGuard(t, guard.Config{})
		for range 5 {
			attempt(t, g, tc.a)
		}
		requireBreaker(t, g, tc.want)
	}
}
