package registrytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/attemptlog"
	"hookloop/internal/keyring"
	"hookloop/internal/webhook"
)

const someone = "customer 4711, Zoë"

func asked(event string) webhook.Erasure {
	return webhook.Erasure{
		Tenant: tenant, EventID: event, By: "jane", Via: webhook.ViaAPI, Reason: "request 17", Data: "abc", DataBytes: 3, Endpoints: ids(1, 2),
	}
}

// erasures are noted once, and worked off by one process at a time.
func erasures(t *testing.T, s Store) {
	r := open(t, s)
	_, err := r.Erasure(t.Context(), tenant, "evt_1")
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
	x := must(r.BeginErasure(t.Context(), asked("evt_1"), born.Add(time.Minute)))(t)
	require.False(t, x.AskedAt.IsZero())
	require.Equal(t, x, must(r.BeginErasure(t.Context(), webhook.Erasure{Tenant: tenant, EventID: "evt_1", By: "other"}, born))(t))
	require.Equal(t, x, must(r.Erasure(t.Context(), tenant, "evt_1"))(t))

	_, due, err := r.NextErasure(t.Context(), born, born.Add(time.Hour))
	require.NoError(t, err)
	require.False(t, due)
	got, due, err := r.NextErasure(t.Context(), born.Add(time.Minute), born.Add(time.Hour))
	require.NoError(t, err)
	require.True(t, due)
	require.Equal(t, x, got)
	_, due, err = r.NextErasure(t.Context(), born.Add(time.Minute), born.Add(time.Hour))
	require.NoError(t, err)
	require.False(t, due, "one process has it")

	x.ErasedAt = born
	require.NoError(t, r.SaveErasure(t.Context(), x, born.Add(time.Minute)))
	require.Equal(t, []webhook.Erasure{x}, must(r.ErasedSince(t.Context(), time.Time{}))(t))
	x.DoneAt = born.Add(2 * time.Minute)
	require.NoError(t, r.SaveErasure(t.Context(), x, time.Time{}))
	_, due, err = r.NextErasure(t.Context(), born.Add(24*time.Hour), born)
	require.NoError(t, err)
	require.False(t, due)
	require.Equal(t, []webhook.Erasure{x}, must(r.ErasedSince(t.Context(), born))(t))
	require.Len(t, logged(t, r, webhook.AuditQuery{Kind: webhook.AuditErasureAsked}), 1)
	require.Len(t, logged(t, r, webhook.AuditQuery{Kind: webhook.AuditPayloadErased}), 1)
}

// forgotten is what an event leaves: nothing but that it was there.
func forgotten(t *testing.T, s Store) {
	r := open(t, s)
	require.False(t, must(r.KnowsEvent(t.Context(), tenant, "evt_1"))(t))
	for _, event := range []string{"evt_1", "evt_2"} {
		row := attemptlog.Row{Tenant: tenant, EndpointID: id(1), EventID: event, Run: "r", Number: 1, At: born, Outcome: webhook.Fails, Error: "said no"}
		require.NoError(t, r.WriteAttempts(t.Context(), attemptlog.Write{Rows: []attemptlog.Row{row}, Now: born}))
		require.NoError(t, r.PutBody(t.Context(), webhook.StoredBody{Tenant: tenant, EventID: event, Digest: "d", Sealed: []byte("x"), CreatedAt: born}))
		require.NoError(t, r.NoteSubject(t.Context(), tenant, event, someone, born))
	}
	require.True(t, must(r.KnowsEvent(t.Context(), tenant, "evt_1"))(t))
	require.NoError(t, r.ForgetEvent(t.Context(), tenant, "evt_1", ids(1)))
	require.False(t, must(r.KnowsEvent(t.Context(), tenant, "evt_1"))(t))
	require.Equal(t, []string{"evt_2"}, must(r.SubjectEvents(t.Context(), tenant, someone, "", 10))(t))
	rows := must(r.Attempts(t.Context(), attemptlog.Query{Tenant: tenant, EndpointID: id(1), Limit: 10}))(t)
	require.Len(t, rows, 2)
	for _, row := range rows {
		require.Equal(t, row.EventID == "evt_1", row.Error == "")
	}
}

// subjects are found by the same words alone, whichever key seals the registry.
func subjects(t *testing.T, s Store) {
	old := must(keyring.New())(t)
	first := s.Open(t, sealerOf(t, old))
	require.NoError(t, first.NoteSubject(t.Context(), tenant, "evt_1", someone, born))
	require.NoError(t, first.NoteSubject(t.Context(), tenant, "evt_1", "another", born), "the first word holds")
	require.NoError(t, first.NoteSubject(t.Context(), "other", "evt_2", someone, born))
	require.NoError(t, first.Close())
	require.NotContains(t, string(s.Raw(t)), someone)

	both, next := addKey(t, old)
	second := s.Open(t, sealerOf(t, both))
	must(second.Reseal(t.Context(), unheard))(t)
	require.NoError(t, second.Close())
	r := openWith(t, s, sealerOf(t, next))
	for subject, want := range map[string][]string{someone: {"evt_1"}, "another": nil, "": nil} {
		require.Equal(t, want, must(r.SubjectEvents(t.Context(), tenant, subject, "", 10))(t), subject)
	}
	require.NoError(t, r.NoteSubject(t.Context(), "later", "evt_3", someone, born.Add(webhook.RememberArrivals)))
	require.Empty(t, must(r.SubjectEvents(t.Context(), tenant, someone, "", 10))(t), "after a year it is forgotten")
}

// holds forbid to begin an erasure; what was begun goes on.
func holds(t *testing.T, s Store) {
	r := open(t, s)
	require.NoError(t, r.NoteSubject(t.Context(), tenant, "evt_2", someone, born))
	jane := webhook.WithActor(t.Context(), webhook.Actor{Name: "jane", Via: webhook.ViaAPI})
	for event, h := range map[string]webhook.Hold{"evt_1": {EventID: "evt_1", Reason: "case 12"}, "evt_2": {Subject: someone, Reason: "case 12"}} {
		put := must(r.PutHold(jane, tenant, h))(t)
		require.Equal(t, []string{"jane", "case 12"}, []string{put.By, put.Reason})
		require.NotEqual(t, someone, put.Subject)
		require.Equal(t, put, must(r.PutHold(t.Context(), tenant, h))(t))
		_, err := r.BeginErasure(t.Context(), asked(event), born)
		require.Equal(t, webhook.OnLegalHold, webhook.CodeOf(err))
		_, err = r.BeginErasure(t.Context(), webhook.Erasure{Tenant: "other", EventID: event}, born)
		require.NoError(t, err, "another tenant's")
		require.NoError(t, r.DeleteHold(jane, tenant, h))
		require.Equal(t, webhook.NotFound, webhook.CodeOf(r.DeleteHold(jane, tenant, h)))
		must(r.BeginErasure(t.Context(), asked(event), born))(t)
	}
	_, err := r.SubjectHold(t.Context(), tenant, someone)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
	require.Len(t, logged(t, r, webhook.AuditQuery{Kind: webhook.AuditLegalHold}), 2)
	require.Len(t, logged(t, r, webhook.AuditQuery{Kind: webhook.AuditLegalHoldLifted}), 2)
	require.NotContains(t, string(s.Raw(t)), someone)
}
