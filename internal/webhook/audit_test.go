package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// TestALineIsFoundByEachOfItsParts, and by none that it has not.
func TestALineIsFoundByEachOfItsParts(t *testing.T) {
	t.Parallel()
	line := webhook.AuditLine{
		At: happened, Kind: webhook.AuditAttempt, Status: "held", EventID: "evt_1", SourceID: "src_1",
		EndpointID: "ep_1", EndpointIDs: []string{"ep_2", "ep_3"}, Actor: "jane", ActorClaimed: "alice",
	}
	for _, q := range []webhook.AuditQuery{
		{},
		{EventID: "evt_1"},
		{SourceID: "src_1"},
		{Status: "held"},
		{Kind: webhook.AuditAttempt},
		{EndpointID: "ep_1"},
		{EndpointID: "ep_3"},
		{Actor: "jane"},
		{Actor: "alice"},
		{After: happened},
		{Before: happened.Add(1)},
		{After: happened.Add(-time.Hour), Before: happened.Add(time.Hour), Actor: "jane", EndpointID: "ep_2", EventID: "evt_1"},
	} {
		require.True(t, q.Holds(line), "%+v", q)
	}
	for _, q := range []webhook.AuditQuery{
		{EventID: "evt_2"},
		{SourceID: "src_2"},
		{Status: "active"},
		{Kind: webhook.AuditAccepted},
		{EndpointID: "ep_4"},
		{Actor: "bob"},
		{After: happened.Add(1)},
		{Before: happened},
		{Before: happened.Add(-time.Hour)},
		{After: happened, Before: happened},
		{Actor: "jane", EndpointID: "ep_4"},
		{Actor: "bob", EndpointID: "ep_1"},
		{EventID: "evt_1", Status: "active"},
	} {
		require.False(t, q.Holds(line), "%+v", q)
	}
	require.False(t, webhook.AuditQuery{EventID: "evt_1"}.Holds(webhook.AuditLine{At: happened}), "a line about no event")
}
