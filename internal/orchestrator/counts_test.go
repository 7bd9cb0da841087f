package orchestrator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	deliveryOf := func(tenant, id string, outcome webhook.DeliveryStatus) *orchestratortest.Run {
		return &orchestratortest.Run{
			ID: workflows.DeliveryWorkflowID(tenant, id, "ep_1"), Type: workflows.TypeDelivery,
			Attributes: map[string]string{"Tenant": tenant, "Outcome": string(outcome)},
		}
	}
	begun := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	asked := episode("run_1", running, webhook.ApprovalReport{Status: webhook.ApprovalAwaiting})
	asked.Start = begun
	spent := deliveryOf("acme", "evt_3", webhook.Exhausted)
	spent.Status = completed
	s.Put(deliveryOf("acme", "evt_1", webhook.Held), deliveryOf("acme", "evt_2", webhook.Retrying), spent, deliveryOf("other", "evt_1", webhook.Held),
		&orchestratortest.Run{ID: "event/acme/evt_1", Type: workflows.TypeEvent},
		asked)
	c := through(t, s).Counts()
	n, err := c.Unfinished(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, n)
	open, err := c.OpenDeliveries(t.Context(), "acme")
	require.NoError(t, err)
	require.EqualValues(t, 2, open)
	approvals, deliveries, err := c.Waiting(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, approvals)
	want := map[string]int{string(webhook.ApprovalAwaiting): 0}
	for _, status := range []webhook.DeliveryStatus{
		webhook.Pending, webhook.Retrying, webhook.Held, webhook.Delivered, webhook.Exhausted, webhook.Rejected, webhook.Cancelled,
	} {
		if !status.Ended() {
			want[string(status)] = 0
		}
	}
	want[string(webhook.Held)], want[string(webhook.Retrying)] = 2, 1
	require.Equal(t, want, deliveries)

	oldest, err := c.OldestApproval(t.Context())
	require.NoError(t, err)
	require.Equal(t, begun, oldest)

	s.Down = errors.New("away")
	_, err = c.Unfinished(t.Context())
	require.ErrorIs(t, err, s.Down)
	_, err = c.OpenDeliveries(t.Context(), "acme")
	require.ErrorIs(t, err, s.Down)
	_, _, err = c.Waiting(t.Context())
	require.ErrorIs(t, err, s.Down)
	_, err = c.OldestApproval(t.Context())
	require.ErrorIs(t, err, s.Down)
}
