package orchestrator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
)

// TestAnUpdatesIDProvesWhoSentIt: to those who have the key, of this update, and for a moment.
func TestAnUpdatesIDProvesWhoSentIt(t *testing.T) {
	t.Parallel()
	c := orchestratortest.New()
	with := func(p *orchestrator.Prover) *orchestrator.Orchestrator {
		o, err := orchestrator.New(orchestrator.Config{Client: c, Prover: p})
		require.NoError(t, err)
		return o
	}
	c.Put(&orchestratortest.Run{ID: "approval/acme/ep_1", RunID: "r", Report: webhook.ApprovalReport{}})
	ours := with(orchestrator.NewProver(make([]byte, 32)))
	_, _ = ours.Approvals().Approve(t.Context(), "acme", "ep_1", webhook.Decision{By: "jane"})
	require.Len(t, c.Updates, 1)
	id, now := c.Updates[0].UpdateID, time.Now()
	const workflow = "approval/acme/ep_1"
	require.True(t, ours.Histories().Proves(id, workflow, "approve", "jane", now))
	for name, proved := range map[string]bool{
		"of another":      ours.Histories().Proves(id, workflow, "approve", "mallory", now),
		"another update":  ours.Histories().Proves(id, workflow, "reject", "jane", now),
		"another one's":   ours.Histories().Proves(id, "approval/acme/ep_2", "approve", "jane", now),
		"later":           ours.Histories().Proves(id, workflow, "approve", "jane", now.Add(time.Hour)),
		"another key":     with(orchestrator.NewProver([]byte("another key of thirty-two bytes!"))).Histories().Proves(id, workflow, "approve", "jane", now),
		"no key":          with(nil).Histories().Proves(id, workflow, "approve", "jane", now),
		"no id of theirs": ours.Histories().Proves("0197-uuid", workflow, "approve", "jane", now),
	} {
		require.False(t, proved, name)
	}
}
