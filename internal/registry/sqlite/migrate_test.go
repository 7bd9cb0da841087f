package sqlite_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
)

// What the version before the rate limit writes, and the one before the approval. They say which
// columns they mean.
const (
	insertV1 = `INSERT INTO endpoints (tenant, id, url, event_types, description, headers, metadata,
		schedule, timeout, state, secrets, version, created_at, updated_at)
		VALUES ('acme', 'ep_1', 'https://example.com', '', '', '', '', '', 0, 'active', ?, 1, 0, 0)`
	updateV1 = `UPDATE endpoints SET (description, version) = ('by the old', version + 1) WHERE tenant = 'acme' AND id = 'ep_1'`
	insertV3 = `INSERT INTO endpoints (tenant, id, url, event_types, description, headers, metadata,
		schedule, timeout, state, secrets, version, created_at, updated_at, rate_per_second, rate_burst,
		approval_after, approval_timeout, state_reason, releasing)
		VALUES ('acme', 'ep_1', 'https://example.com', '', '', '', '', '', 0, 'active', ?, 1, 0, 0, 2.5, 4, 0, 0, '', 0)`
	insertV2 = `INSERT INTO endpoints (tenant, id, url, event_types, description, headers, metadata,
		schedule, timeout, state, secrets, version, created_at, updated_at, rate_per_second, rate_burst)
		VALUES ('acme', 'ep_1', 'https://example.com', '', '', '', '', '', 0, 'active', ?, 1, 0, 0, 2.5, 4)`
)

// migrateTo makes the file as an earlier version did.
func (f file) migrateTo(t *testing.T, version int64) {
	t.Helper()
	dir, err := fs.Sub(sqlite.Migrations, "migrations")
	require.NoError(t, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, f.database(t), dir, goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), version)
	require.NoError(t, err)
}

// TestRateLimitIsAdditive lets a file of the version before be opened while a process of that
// version goes on writing to it.
func TestRateLimitIsAdditive(t *testing.T) {
	t.Parallel()
	f, sealer := newFile(t), newSealer(t)
	f.migrateTo(t, 1)
	old := f.database(t) // of the old process; its schema changes under it
	secrets := newEndpoint("ep_1").Secrets
	sealed, err := sealer.SealSecrets("acme", "ep_1", secrets)
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), insertV1, sealed)
	require.NoError(t, err)

	r, err := sqlite.Open(t.Context(), string(f), sealer)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	got, err := r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.True(t, got.RateLimit.IsZero(), "what was there has no limit")
	require.Equal(t, secrets, got.Secrets)

	limit := webhook.RateLimit{PerSecond: 2.5, Burst: 4}
	_, err = r.UpdateEndpoint(t.Context(), "acme", "ep_1", func(e *webhook.Endpoint) error {
		e.RateLimit = limit
		return nil
	})
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), updateV1)
	require.NoError(t, err)
	got, err = r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, limit, got.RateLimit, "the old process does not know it and leaves it")
	require.Equal(t, "by the old", got.Description)

	require.NoError(t, r.DeleteEndpoint(t.Context(), "acme", "ep_1"))
	_, err = old.ExecContext(t.Context(), insertV1, sealed)
	require.NoError(t, err)
	got, err = r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.True(t, got.RateLimit.IsZero(), "what the old process makes has none")
}

// TestApprovalIsAdditive does the same a version later.
func TestApprovalIsAdditive(t *testing.T) {
	t.Parallel()
	f, sealer := newFile(t), newSealer(t)
	f.migrateTo(t, 2)
	old := f.database(t)
	sealed, err := sealer.SealSecrets("acme", "ep_1", newEndpoint("ep_1").Secrets)
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), insertV2, sealed)
	require.NoError(t, err)

	r, err := sqlite.Open(t.Context(), string(f), sealer)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	requireDefaults := func(why string) {
		t.Helper()
		got, err := r.Endpoint(t.Context(), "acme", "ep_1")
		require.NoError(t, err)
		require.True(t, got.Approval.IsZero(), why)
		require.True(t, got.Releasing.IsZero(), why)
		require.Empty(t, got.StateReason, why)
		require.Equal(t, webhook.RateLimit{PerSecond: 2.5, Burst: 4}, got.RateLimit)
	}
	requireDefaults("what was there")

	want, err := r.UpdateEndpoint(t.Context(), "acme", "ep_1", func(e *webhook.Endpoint) error {
		e.Approval = webhook.ApprovalPolicy{After: time.Second, Timeout: time.Hour}
		e.StateReason, e.Releasing = "it failed", time.UnixMicro(1).UTC()
		return nil
	})
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), updateV1)
	require.NoError(t, err)
	want.Description, want.Version = "by the old", want.Version+1
	got, err := r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, want, got, "the old process does not know it and leaves it")

	require.NoError(t, r.DeleteEndpoint(t.Context(), "acme", "ep_1"))
	_, err = old.ExecContext(t.Context(), insertV2, sealed)
	require.NoError(t, err)
	requireDefaults("what the old process makes")
}

// TestSourcesAreAdditive does the same another version later.
func TestSourcesAreAdditive(t *testing.T) {
	t.Parallel()
	f, sealer := newFile(t), newSealer(t)
	f.migrateTo(t, 3)
	old := f.database(t)
	sealed, err := sealer.SealSecrets("acme", "ep_1", newEndpoint("ep_1").Secrets)
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), insertV3, sealed)
	require.NoError(t, err)

	r, err := sqlite.Open(t.Context(), string(f), sealer)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	want, err := r.UpdateEndpoint(t.Context(), "acme", "ep_1", func(e *webhook.Endpoint) error {
		require.Empty(t, e.Application, "what was there says nothing of an application")
		require.True(t, e.Echo.IsZero())
		e.Application, e.EchoBack, e.Echo = "crm", true, webhook.EchoPaths{Key: ".id", Value: "."}
		e.Request = webhook.RequestShape{Method: "PATCH"}
		return nil
	})
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), updateV1)
	require.NoError(t, err)
	want.Description, want.Version = "by the old", want.Version+1
	got, err := r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, want, got, "the old process does not know it and leaves it")
}
