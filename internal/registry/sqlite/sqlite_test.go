package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry"
	"hookloop/internal/registry/registrytest"
	"hookloop/internal/registry/sqlite"
)

// file is a registrytest.Store. Its name holds all that means something in a file: URI.
type file string

func newFile(t testing.TB) file {
	t.Helper()
	return file(filepath.Join(t.TempDir(), "rëgistry ?x=1#&%20.db"))
}

func (f file) Open(t *testing.T, sealer *registry.Sealer) registrytest.Registry {
	t.Helper()
	r, err := sqlite.Open(t.Context(), string(f), sealer)
	require.NoError(t, err)
	return r
}

func (f file) Raw(t *testing.T) []byte {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(string(f)))
	require.NoError(t, err)
	var raw []byte
	for _, entry := range all {
		part, err := os.ReadFile(filepath.Join(filepath.Dir(string(f)), entry.Name()))
		require.NoError(t, err)
		raw = append(raw, part...)
	}
	return raw
}

func TestConformance(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registrytest.Store { return newFile(t) })
}

func newRegistry(t testing.TB) (*sqlite.Registry, file) {
	t.Helper()
	f := newFile(t)
	r, err := sqlite.Open(t.Context(), string(f), registrytest.NewSealer(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r, f
}

// database opens the file behind the registry's back.
func (f file) database(t testing.TB) *sql.DB {
	t.Helper()
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(string(f))
	db, err := sql.Open("sqlite", "file:"+escaped+"?_pragma=busy_timeout(5000)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// TestPlans keeps the hot path at one search each, for each pattern of a type where it matches: no
// scan of a table.
func TestPlans(t *testing.T) {
	t.Parallel()
	_, f := newRegistry(t)
	// The primary key of a WITHOUT ROWID table is the table: it covers every column.
	const search = "SEARCH subscriptions USING PRIMARY KEY (tenant=? AND event_type=?)"
	require.Equal(t, []string{"SCAN item VIRTUAL TABLE INDEX 1:", search, "USE TEMP B-TREE FOR DISTINCT"},
		plan(t, f, "match", "acme", "[]"))
	require.Equal(t, []string{"SEARCH endpoints USING INDEX sqlite_autoindex_endpoints_1 (tenant=? AND id=?)"},
		plan(t, f, "endpoint", "acme", "ep_1"))
	for name, args := range map[string][]any{
		"arrivals":         {"src_1", "[]"},
		"source by id":     {"src_1"},
		"withheld":         {"acme", "crm"},
		"echo object":      {"acme", "crm", []byte("7"), 0},
		"echo to come":     {"acme", "crm", []byte("7"), 0, 0},
		"take write":       {"acme", "crm", []byte("7"), "h", 0},
		"expired writes":   {0},
		"outdated writes":  {"acme", 10},
		"expired arrivals": {0, 10},

		"old attempts":       {"[]"},
		"attempts":           {"acme", "ep_1", 0, 1, "", "", 0, 10},
		"failed attempts":    {"acme", "ep_1", 0, 1, "", "", 0, 10},
		"events at":          {"acme", "ep_1", 1, "", 10},
		"tally by endpoint":  {"acme", 60, 0, 1},
		"tally of endpoints": {"acme", 60, 0, 1, "[]"},
		"counts by time":     {"acme", 60, 0, 1},
		"counts of endpoint": {"acme", 60, 0, 1, "ep_1"},
		"latest of":          {"acme", "[]"},
		"names among":        {"acme", "[]"},
		"expired attempts":   {0, 10},
		"expired counts":     {60, 0},

		"erasure":          {"acme", "evt_1"},
		"erased since":     {0},
		"subject's events": {"acme", "h", "", 10},
		"expired subjects": {0},
		"next erasure":     {1, 2},
	} {
		for _, step := range plan(t, f, name, args...) {
			if step != "SCAN CONSTANT ROW" && !strings.Contains(step, "VIRTUAL TABLE") {
				require.NotContains(t, step, "SCAN", name)
			}
		}
	}
}

func plan(t *testing.T, f file, name string, args ...any) []string {
	t.Helper()
	return explain(t, f, sqlite.HotPath[name], args...)
}

// explain is how SQLite would run a statement.
func explain(t *testing.T, f file, statement string, args ...any) []string {
	t.Helper()
	rows, err := f.database(t).QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		steps = append(steps, step)
	}
	require.NoError(t, rows.Err())
	return steps
}

func TestFileIsDurableAndPrivate(t *testing.T) {
	t.Parallel()
	r, f := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))
	all, err := os.ReadDir(filepath.Dir(string(f)))
	require.NoError(t, err)
	require.Len(t, all, 3, "the database, its log and the log's index")
	for _, entry := range all {
		info, err := entry.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), entry.Name())
	}
	require.NoError(t, r.Close())
	all, err = os.ReadDir(filepath.Dir(string(f)))
	require.NoError(t, err)
	require.Len(t, all, 1, "closing leaves one file")
}

// TestSecretsCannotBeMoved puts one endpoint's sealed secrets into another's row.
func TestSecretsCannotBeMoved(t *testing.T) {
	t.Parallel()
	r, f := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_2")))
	_, err := f.database(t).ExecContext(t.Context(),
		"UPDATE endpoints SET secrets = (SELECT secrets FROM endpoints WHERE id = 'ep_1') WHERE id = 'ep_2'")
	require.NoError(t, err)

	_, err = r.Endpoint(t.Context(), "acme", "ep_2")
	require.EqualError(t, err, "endpoint ep_2: sealed for another place, or damaged")
}

func TestDeleteLeavesNoSubscription(t *testing.T) {
	t.Parallel()
	r, f := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1", "a", "b")))
	require.NoError(t, r.DeleteEndpoint(t.Context(), "acme", "ep_1"))
	var n int
	require.NoError(t, f.database(t).QueryRowContext(t.Context(), "SELECT count(*) FROM subscriptions").Scan(&n))
	require.Zero(t, n)
}
