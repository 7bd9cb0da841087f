package postgres_test

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
	"hookloop/internal/webhook"
)

// What the first version writes. It says which columns it means, so a later one may add more.
const (
	insertV1 = `INSERT INTO endpoints (tenant, id, url, event_types, description, headers, metadata,
		schedule, timeout, state, secrets, version, created_at, updated_at, rate_per_second, rate_burst,
		approval_after, approval_timeout, state_reason, releasing, application, echo_back, echo, request)
		VALUES ('acme', 'ep_1', 'https://example.com', '', '', '', '', '', 0, 'active', $1, 1, 0, 0, 2.5, 4, 0, 0, '', 0, '', false, '', '')`
	updateV1       = `UPDATE endpoints SET (description, version) = ('by the old', version + 1) WHERE tenant = 'acme' AND id = 'ep_1'`
	insertSourceV1 = `INSERT INTO sources (tenant, id, provider, name, config, type_prefix, application, echo, version, created_at, updated_at)
		VALUES ('acme', 'src_1', 'github', '', $1, '', '', '', 1, 0, 0)`
	insertWriteV1 = `INSERT INTO echo_writes (tenant, application, key, hash, event_id, endpoint_id, n, idle, noted_at, expires_at)
		VALUES ('acme', 'crm', '7', 'blue', 'evt_1', 'ep_1', nextval('echo_order'), 0, 0, 9e15)`
	insertObjectV1 = `INSERT INTO echo_objects (tenant, application, key, hash, event_id, echo_of, n, latest, latest_event, expires_at)
		VALUES ('acme', 'crm', '8', 'red', 'evt_2', '', 1, 1, 'evt_2', 9e15)`
	insertBindingV1 = `INSERT INTO bindings (source_id, name, content, expires_at) VALUES ('src_1', 'x', 'y', 9e15)`
)

// versions are those of an empty schema and of each step.
func versions(t *testing.T) []string {
	t.Helper()
	all, err := fs.ReadDir(postgres.Migrations, "migrations")
	require.NoError(t, err)
	versions := []string{"0"}
	for _, step := range all {
		number, _, _ := strings.Cut(step.Name(), "_")
		versions = append(versions, strings.TrimLeft(number, "0"))
	}
	return versions
}

// migrateTo makes the schema as an earlier version did.
func (d database) migrateTo(t *testing.T, version int64) {
	t.Helper()
	dir, err := fs.Sub(postgres.Migrations, "migrations")
	require.NoError(t, err)
	p, err := goose.NewProvider(goose.DialectPostgres, d.connect(t), dir,
		goose.WithTableName("hookloop_versions"), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), version)
	require.NoError(t, err)
}

// TestMigrationsAreAdditive lets a process of the first version go on while and after a later one
// migrates; a column added by hand stands for the next.
func TestMigrationsAreAdditive(t *testing.T) {
	t.Parallel()
	d, sealer := newDatabase(t), registrytest.NewSealer(t)
	d.migrateTo(t, 1)
	old := d.connect(t) // of the old process; its schema changes under it
	sealed, err := sealer.SealSecrets("acme", "ep_1", registrytest.NewEndpoint("ep_1").Secrets)
	require.NoError(t, err)
	d.migrate(t)
	r := d.registry(t, sealer)
	// statements are prepared
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_2", "a")))
	_, err = r.Endpoint(t.Context(), "acme", "ep_2")
	require.NoError(t, err)
	d.exec(t, "ALTER TABLE endpoints ADD COLUMN mood text NOT NULL DEFAULT ''")
	d.exec(t, "ALTER TABLE sources ADD COLUMN mood text NOT NULL DEFAULT ''")

	for _, statement := range []string{insertV1, insertSourceV1} {
		_, err = old.ExecContext(t.Context(), statement, sealed)
		require.NoError(t, err)
	}
	for _, statement := range []string{updateV1, insertWriteV1, insertObjectV1, insertBindingV1} {
		_, err = old.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	got, err := r.UpdateEndpoint(t.Context(), "acme", "ep_1", func(e *webhook.Endpoint) error {
		e.StateReason = "by the new"
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, "by the old", got.Description)
	require.Equal(t, 3, got.Version)
	require.Equal(t, webhook.RateLimit{PerSecond: 2.5, Burst: 4}, got.RateLimit)
	_, err = r.Endpoint(t.Context(), "acme", "ep_2")
	require.NoError(t, err)
}

// TestMigrateTogether: processes that start at the same moment take turns, and once more does
// nothing.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	for _, d := range []database{newDatabase(t), newDatabase(t).with(t, param("search_path", "hookloop"))} {
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = postgres.Migrate(t.Context(), d.url) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		d.migrate(t)
		require.Equal(t, versions(t), query(t, d.connect(t), "SELECT version_id FROM hookloop_versions ORDER BY id"))
	}
}

// TestMigrateRefuses leaves alone what is not ours.
func TestMigrateRefuses(t *testing.T) {
	t.Parallel()
	fails := func(d database, why string) {
		t.Helper()
		require.EqualError(t, postgres.Migrate(t.Context(), d.url), d.place(t)+why)
	}
	d := newDatabase(t)
	d.exec(t, "CREATE TABLE sources (river text)")
	fails(d, `the schema belongs to another application: relation "sources" already exists`)
	require.Equal(t, []string{"sources"}, query(t, d.connect(t),
		"SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'hookloop%'"))

	fails(d.with(t, param("search_path", `Big,"b c"`)), `the search_path Big,"b c" names no schema that exists`)
	d = newDatabase(t)
	guest := "guest_of_" + d.name(t)
	d.exec(t, "CREATE ROLE "+guest+" LOGIN PASSWORD '"+password+"'")
	asGuest := d.with(t, func(u *url.URL) { u.User = url.UserPassword(guest, password) })
	fails(asGuest.with(t, param("search_path", "guests")), "the user may not do that: permission denied for database "+d.name(t))
	fails(asGuest, "the user may not do that: permission denied for schema public")

	latin := "latin_" + d.name(t)
	d.exec(t, "CREATE DATABASE "+latin+" TEMPLATE template0 ENCODING latin1 LOCALE 'C'")
	fails(d.with(t, func(u *url.URL) { u.Path = latin }), "the database's encoding is LATIN1, it must be UTF8")
}
