package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/postgrestest"
	"hookloop/internal/registry"
	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// patience bounds every wait for something that must happen: far above what it takes on a busy
// machine.
const patience = 90 * time.Second

// database is a registrytest.Store.
type database struct {
	server *postgrestest.Server
	url    string
}

func newDatabase(t testing.TB) database {
	t.Helper()
	return databaseOf(t, postgrestest.Shared(t))
}

// migratedDatabase has the schema.
func migratedDatabase(t testing.TB) database {
	t.Helper()
	s := postgrestest.Shared(t)
	return database{server: s, url: s.NewCopy(t, func(url string) error { return postgres.Migrate(context.Background(), url) })}
}

func databaseOf(t testing.TB, s *postgrestest.Server) database {
	t.Helper()
	return database{server: s, url: s.NewDatabase(t)}
}

func (d database) Open(t *testing.T, sealer *registry.Sealer) registrytest.Registry {
	t.Helper()
	r, err := postgres.Open(t.Context(), d.url, sealer)
	require.NoError(t, err)
	return r
}

func (d database) migrate(t testing.TB) {
	t.Helper()
	require.NoError(t, postgres.Migrate(t.Context(), d.url))
}

// Raw is what the tables hold, as PostgreSQL writes it, then the database's files, and the log of
// all databases.
func (d database) Raw(t *testing.T) []byte {
	t.Helper()
	db := d.connect(t)
	d.exec(t, "CHECKPOINT") // or the files are behind
	var raw strings.Builder
	for _, table := range []string{"endpoints", "subscriptions", "sources", "echo_writes", "echo_objects", "bindings"} {
		raw.WriteString(strings.Join(query(t, db, "SELECT t::text FROM "+table+" t"), "\n"))
	}
	folder := query(t, db, "SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()")[0]
	for _, folder := range []string{folder, "pg_wal"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(d.server.Data, folder), func(path string, f fs.DirEntry, err error) error {
			if err != nil || f.IsDir() {
				return err
			}
			part, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) { // the server recycles its log
				return nil
			}
			raw.Write(part)
			return err
		}))
	}
	return []byte(raw.String())
}

// connect goes behind the registry's back.
func (d database) connect(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", d.url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func (d database) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	_, err := d.connect(t).ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

// query gives the one column of what is found.
func query(t testing.TB, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, query string, args ...any,
) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var found []string
	for rows.Next() {
		var one string
		require.NoError(t, rows.Scan(&one))
		found = append(found, one)
	}
	require.NoError(t, rows.Err())
	return found
}

func TestConformance(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registrytest.Store { return migratedDatabase(t) })
}

func newRegistry(t testing.TB) (*postgres.Registry, database) {
	t.Helper()
	d := migratedDatabase(t)
	return d.registry(t, registrytest.NewSealer(t)), d
}

// registry is one of perhaps several, and closed when the test ends.
func (d database) registry(t testing.TB, sealer *registry.Sealer) *postgres.Registry {
	t.Helper()
	r, err := postgres.Open(t.Context(), d.url, sealer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

// TestSecretsCannotBeMoved puts one endpoint's sealed secrets into another's row.
func TestSecretsCannotBeMoved(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_2")))
	d.exec(t, "UPDATE endpoints SET secrets = (SELECT secrets FROM endpoints WHERE id = 'ep_1') WHERE id = 'ep_2'")

	_, err := r.Endpoint(t.Context(), "acme", "ep_2")
	require.EqualError(t, err, "endpoint ep_2: sealed for another place, or damaged")
}

func TestDeleteLeavesNoSubscription(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1", "a", "b")))
	require.NoError(t, r.DeleteEndpoint(t.Context(), "acme", "ep_1"))
	require.Equal(t, []string{"0"}, query(t, d.connect(t), "SELECT count(*) FROM subscriptions"))
}
