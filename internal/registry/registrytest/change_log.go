package registrytest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

var jane = webhook.Actor{Name: "jane", Via: webhook.ViaAPI}

func as(t *testing.T, who webhook.Actor) context.Context {
	t.Helper()
	return webhook.WithActor(t.Context(), who)
}

// logged is the whole change log of the tenant that a query names.
func logged(t *testing.T, r Registry, q webhook.AuditQuery) []webhook.AuditLine {
	t.Helper()
	return must(r.Changes(t.Context(), tenant, q, time.Time{}, 100))(t)
}

func kinds(all []webhook.AuditLine) (kinds []webhook.AuditKind) {
	for _, l := range all {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}

// changeLog wants a line for each change of an endpoint: who, when, from what to what; and none
// for a change that changed nothing, or was refused.
func changeLog(t *testing.T, s Store) {
	r := open(t, s)
	started := time.Now()
	require.NoError(t, r.CreateEndpoint(as(t, jane), endpoint(1)))
	update := func(ctx context.Context, change func(*webhook.Endpoint) error) {
		t.Helper()
		_, _ = r.UpdateEndpoint(ctx, tenant, id(1), change)
	}
	update(as(t, jane), func(e *webhook.Endpoint) error { e.URL = "http://other.example:81/secret"; return nil })
	update(t.Context(), func(e *webhook.Endpoint) error {
		e.State, e.StateReason = webhook.EndpointHeld, "it fails"
		return nil
	})
	update(as(t, jane), func(e *webhook.Endpoint) error { e.UpdatedAt = born.Add(time.Hour); return nil })
	update(as(t, jane), func(e *webhook.Endpoint) error { e.URL = "http://no.example"; return errors.New("no") })
	update(as(t, webhook.Actor{Name: "Zoë", Via: webhook.ViaAPI}), func(e *webhook.Endpoint) error {
		e.Rotate(signature.NewSecret(), born, time.Hour)
		return nil
	})
	require.NoError(t, r.DeleteEndpoint(as(t, jane), tenant, id(1)))
	requireCode(t, webhook.NotFound, r.DeleteEndpoint(as(t, jane), tenant, id(1)))

	all := logged(t, r, webhook.AuditQuery{})
	require.Equal(t, []webhook.AuditKind{
		webhook.AuditEndpointCreated, webhook.AuditEndpointChanged, webhook.AuditEndpointState, webhook.AuditSecretRotated, webhook.AuditEndpointDeleted,
	}, kinds(all))
	for i, l := range all {
		require.Equal(t, id(1), l.EndpointID)
		require.WithinRange(t, l.At, started.Add(-time.Millisecond), time.Now().Add(time.Second))
		require.True(t, i == 0 || all[i-1].At.Before(l.At))
	}
	require.Equal(t, "example.com", all[0].EndpointURLHost)
	changed := all[1]
	require.Equal(t, []any{"jane", webhook.ViaAPI, "other.example:81", 2}, []any{changed.Actor, changed.Via, changed.EndpointURLHost, changed.EndpointVersion})
	require.Equal(t, []webhook.AuditChange{{Field: "url", From: "https://example.com/…", To: "http://other.example:81/…"}}, changed.Changes)
	require.Equal(t, []any{"hookloop", webhook.ViaHookloop, "held", "it fails"}, []any{all[2].Actor, all[2].Via, all[2].Status, all[2].Reason})
	require.Equal(t, []any{"Zoë", 5}, []any{all[3].Actor, all[3].EndpointVersion})
	require.Equal(t, "other.example:81", all[4].EndpointURLHost)
}

// changeLogOfSources wants the same of sources, and of what was read.
func changeLogOfSources(t *testing.T, s Store) {
	r := open(t, s)
	ctx := as(t, jane)
	require.NoError(t, r.CreateSource(ctx, source(1)))
	must(r.UpdateSource(ctx, tenant, sourceID(1), func(src *webhook.Source) error { src.Config = signature.Hide(`{"new":1}`); return nil }))(t)
	require.NoError(t, r.DeleteSource(ctx, tenant, sourceID(1)))
	require.NoError(t, r.Record(ctx, tenant, webhook.AuditLine{Kind: webhook.AuditPayloadRead, EventID: "evt_1"}))
	all := logged(t, r, webhook.AuditQuery{})
	require.Equal(t, []webhook.AuditKind{
		webhook.AuditSourceCreated, webhook.AuditSourceChanged, webhook.AuditSourceDeleted, webhook.AuditPayloadRead,
	}, kinds(all))
	require.Equal(t, []webhook.AuditChange{{Field: "config", To: "changed"}}, all[1].Changes)
	for _, l := range all[:3] {
		require.Equal(t, sourceID(1), l.SourceID)
	}
	require.Equal(t, []string{"evt_1", "jane"}, []string{all[3].EventID, all[3].Actor})
}

// changeLogLists wants what a query names, page by page, and other tenants' lines never.
func changeLogLists(t *testing.T, s Store) {
	r := open(t, s)
	for n := range 3 {
		require.NoError(t, r.CreateEndpoint(as(t, jane), endpoint(n)))
		require.NoError(t, r.Record(t.Context(), tenant, webhook.AuditLine{Kind: webhook.AuditSecretRead, EndpointID: id(n)}))
	}
	require.NoError(t, r.Record(t.Context(), "other", webhook.AuditLine{Kind: webhook.AuditSecretRead, EndpointID: id(1)}))
	require.NoError(t, r.CreateSource(as(t, jane), source(1)))

	all := logged(t, r, webhook.AuditQuery{})
	require.Len(t, all, 7)
	var paged []webhook.AuditLine
	for after := (time.Time{}); ; after = paged[len(paged)-1].At {
		page := must(r.Changes(t.Context(), tenant, webhook.AuditQuery{}, after, 2))(t)
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
	}
	require.Equal(t, all, paged)
	require.Equal(t, all[2:4], logged(t, r, webhook.AuditQuery{EndpointID: id(1)}))
	require.Equal(t, all[2:3], logged(t, r, webhook.AuditQuery{EndpointID: id(1), Actor: "jane"}))
	require.Equal(t, all[6:], logged(t, r, webhook.AuditQuery{SourceID: sourceID(1)}))
	require.Len(t, logged(t, r, webhook.AuditQuery{Kind: webhook.AuditSecretRead}), 3)
	require.Equal(t, all[1:4], logged(t, r, webhook.AuditQuery{After: all[1].At, Before: all[4].At}))
	require.Empty(t, logged(t, r, webhook.AuditQuery{EventID: "evt_1"}))
}

// changeLogRace wants the lines of changes that come together in the order of the changes.
func changeLogRace(t *testing.T, s Store) {
	one := open(t, s)
	create(t, one, endpoint(1))
	const changes = 20
	done := make(chan error, changes)
	for range changes {
		go func() {
			_, err := one.UpdateEndpoint(t.Context(), tenant, id(1), func(e *webhook.Endpoint) error { e.Timeout += time.Second; return nil })
			done <- err
		}()
	}
	for range changes {
		require.NoError(t, <-done)
	}
	for i, l := range logged(t, one, webhook.AuditQuery{}) {
		require.Equal(t, i+1, l.EndpointVersion)
	}
}
