package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// TestAnErasureIsSpokenOf by those who look for what is gone.
func TestAnErasureIsSpokenOf(t *testing.T) {
	t.Parallel()
	e := webhook.Erasure{EventID: "evt_1", AskedAt: happened, By: "jane", Reason: "ticket 7"}
	const since = ": jane asked for it on 2026-01-31T12:00:00Z (ticket 7)"
	require.Equal(t, "the data of event evt_1 is being erased"+since, e.Says())
	require.Zero(t, e.ChangedAt())

	e.ErasedAt = happened.Add(time.Minute)
	require.Equal(t, "the data of event evt_1 was erased"+since, e.Says())
	require.Equal(t, e.ErasedAt, e.ChangedAt())
	require.EqualError(t, e.Gone(), e.Says())
	require.Equal(t, webhook.Erased, webhook.CodeOf(e.Gone()))

	e.DoneAt = happened.Add(time.Hour)
	require.Equal(t, e.DoneAt, e.ChangedAt(), "it was looked for once more")
}

// TestAHoldForbidsAndSaysWhose, but never which subject.
func TestAHoldForbidsAndSaysWhose(t *testing.T) {
	t.Parallel()
	for what, h := range map[string]webhook.Hold{
		"event evt_1":              {EventID: "evt_1"},
		"the subject of the event": {Subject: "customer-of-the-court"},
	} {
		h.At, h.By, h.Reason = happened, "legal", "case 12"
		err := h.Forbids()
		require.EqualError(t, err, what+" is under a legal hold: legal asked for it on 2026-01-31T12:00:00Z (case 12)")
		require.Equal(t, webhook.OnLegalHold, webhook.CodeOf(err))
	}
}
