package sqlite_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/registrytest"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
)

// What the first version writes. It says which columns it means, so a later one may add more.
const (
	insertV1 = `INSERT INTO endpoints (tenant, id, url, event_types, description, headers, metadata,
		schedule, timeout, state, secrets, version, created_at, updated_at, rate_per_second, rate_burst,
		approval_after, approval_timeout, state_reason, releasing, application, echo_back, echo, request)
		VALUES ('acme', 'ep_1', 'https://example.com', '', '', '', '', '', 0, 'active', $1, 1, 0, 0, 2.5, 4, 0, 0, '', 0, '', 0, '', '')`
	updateV1 = `UPDATE endpoints SET (description, version) = ('by the old', version + 1) WHERE tenant = 'acme' AND id = 'ep_1'`
)

// latest is the last step of the schema.
func latest(t *testing.T) string {
	t.Helper()
	all, err := fs.ReadDir(sqlite.Migrations, "migrations")
	require.NoError(t, err)
	number, _, _ := strings.Cut(all[len(all)-1].Name(), "_")
	return strings.TrimLeft(number, "0")
}

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

// TestMigrationsAreAdditive lets a file of the first version be opened while a process of that
// version goes on writing to it; a column added by hand stands for the next version.
func TestMigrationsAreAdditive(t *testing.T) {
	t.Parallel()
	f, sealer := newFile(t), registrytest.NewSealer(t)
	f.migrateTo(t, 1)
	old := f.database(t) // of the old process; its schema changes under it
	secrets := registrytest.NewEndpoint("ep_1").Secrets
	sealed, err := sealer.SealSecrets("acme", "ep_1", secrets)
	require.NoError(t, err)
	_, err = old.ExecContext(t.Context(), insertV1, sealed)
	require.NoError(t, err)

	r, err := sqlite.Open(t.Context(), string(f), sealer)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	got, err := r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, secrets, got.Secrets)

	want, err := r.UpdateEndpoint(t.Context(), "acme", "ep_1", func(e *webhook.Endpoint) error {
		e.StateReason, e.Application = "by the new", "crm"
		return nil
	})
	require.NoError(t, err)
	for _, table := range []string{"endpoints", "sources"} {
		_, err = old.ExecContext(t.Context(), "ALTER TABLE "+table+" ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
		require.NoError(t, err)
	}
	_, err = old.ExecContext(t.Context(), updateV1)
	require.NoError(t, err)
	want.Description, want.Version = "by the old", want.Version+1
	got, err = r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, want, got, "the old process leaves what it does not know")

	require.NoError(t, r.DeleteEndpoint(t.Context(), "acme", "ep_1"))
	_, err = old.ExecContext(t.Context(), insertV1, sealed)
	require.NoError(t, err)
	got, err = r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, webhook.RateLimit{PerSecond: 2.5, Burst: 4}, got.RateLimit)
}
