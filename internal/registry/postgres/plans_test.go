package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/postgres"
)

// crowd fills the tables as those of a large installation, 20 endpoints of each of 500 tenants, and
// lets PostgreSQL count.
func (d database) crowd(t testing.TB) {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO endpoints SELECT 'tenant' || n % 500, 'ep_' || n, '', '', '', '', '', '', 0, 0, 0, 0, 0,
			CASE WHEN n % 10 = 0 THEN 'crm' ELSE '' END, false, '', '', 'active', '', 0, '', 1, 0, 0 FROM generate_series(1, 10000) n`,
		`INSERT INTO subscriptions SELECT 'tenant' || n % 500, type, 'ep_' || n, false
			FROM generate_series(1, 10000) n, unnest(ARRAY['contact.created', 'contact.updated', '*']) type`,
		`INSERT INTO sources SELECT 'tenant' || n % 500, 'src_' || n, '', '', '', '', '', '', 1, 0, 0 FROM generate_series(1, 10000) n`,
		`INSERT INTO echo_writes SELECT 'tenant' || n % 500, 'crm', n::text::bytea, 'h', 'evt_' || n, 'ep_1', n, 0, n, n FROM generate_series(1, 10000) n`,
		`INSERT INTO echo_objects SELECT 'tenant' || n % 500, 'crm', n::text::bytea, '', '', '', n, n, '', n FROM generate_series(1, 10000) n`,
		`INSERT INTO arrivals SELECT 'src_' || n % 500, n::text, n, true, n FROM generate_series(1, 10000) n`,
		`INSERT INTO attempts SELECT 'tenant' || n % 50, 'ep_' || n % 500, 'evt_' || n, 'run', 1, 'a.b', n, 1, CASE WHEN n % 20 = 0 THEN 'fails' ELSE 'took' END, 200, '', '' FROM generate_series(1, 50000) n`,
		`INSERT INTO attempt_counts SELECT 'tenant' || n % 50, 60, n / 50, 'ep_' || n % 500, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM generate_series(1, 50000) n`,
		`INSERT INTO attempt_latest SELECT 'tenant' || n % 500, 'ep_' || n, n, n, 500, '', '' FROM generate_series(1, 10000) n`,
		`INSERT INTO subjects SELECT 'tenant' || n % 500, 'evt_' || n, n::text, n FROM generate_series(1, 10000) n`,
		`INSERT INTO erasures SELECT 'tenant' || n % 500, 'evt_' || n, n, n, n, n, CASE WHEN n % 1000 = 0 THEN n ELSE 0 END, '', '', '', '', 0, '' FROM generate_series(1, 10000) n`,
		`SELECT setval('echo_order', 10000)`,
		`VACUUM ANALYZE`,
	} {
		d.exec(t, statement)
	}
}

// hotPath are the queries of accepting and delivering, and how they are to find what they look for.
var hotPath = []struct {
	name string
	args []any
	want []string
}{
	{"match", []any{"tenant1", []string{"contact.updated", "contact.*", "*"}}, []string{
		"Function Scan on unnest item",
		"Index Only Scan using subscriptions_pkey on subscriptions",
		"Index Cond: ((tenant = 'tenant1'::text) AND (event_type = item.value))",
	}},
	{"endpoint", []any{"tenant1", "ep_1"}, []string{
		"Index Scan using endpoints_pkey on endpoints", "Index Cond: ((tenant = 'tenant1'::text) AND (id = 'ep_1'::text))",
	}},
	{"source by id", []any{"src_1"}, []string{
		"Index Scan using sources_by_id on sources", "Index Cond: (id = 'src_1'::text)",
	}},
}

// TestPlans keeps the hot path on its indexes. PostgreSQL chooses by what it has counted: of the
// tables of a large installation the plan says that it does use them; of empty ones, with scans
// made dear (enable_seqscan = off forbids none), only that it could.
func TestPlans(t *testing.T) {
	t.Parallel()
	empty, full := migratedDatabase(t), migratedDatabase(t)
	full.crowd(t)
	for _, hot := range hotPath {
		require.Equal(t, hot.want, plan(t, full, "", hot.name, hot.args...))
		could := strings.Join(plan(t, empty, "SET LOCAL enable_seqscan = off", hot.name, hot.args...), "\n")
		require.Contains(t, could, "Index")
		require.NotContains(t, could, "Seq Scan")
	}
	for _, warm := range []struct {
		name string
		args []any
	}{
		{"withheld", []any{"tenant10", "crm"}},
		{"echo object", []any{"tenant1", "crm", []byte("1"), 0}},
		{"echo to come", []any{"tenant1", "crm", []byte("1"), 0, 0}},
		{"take write", []any{"tenant1", "crm", []byte("1"), "h", 0}},
		{"expired writes", []any{0}},
		{"outdated writes", []any{"tenant1", 10}},
		{"expired arrivals", []any{0, 10}},
		{"arrivals", []any{"src_1", []string{"a", "b"}}},
		{"old attempts", []any{`[["tenant1","ep_1","evt_1","run",1]]`}},
		{"attempts", []any{"tenant1", "ep_1", 0, 40000, "", "", 0, 10}},
		{"failed attempts", []any{"tenant1", "ep_1", 0, 40000, "", "", 0, 10}},
		{"events at", []any{"tenant1", "ep_1", 40000, "", 10}},
		{"tally by endpoint", []any{"tenant1", 60, 900, 910}},
		{"tally of endpoints", []any{"tenant1", 60, 900, 910, []string{"ep_1", "ep_2"}}},
		{"counts by time", []any{"tenant1", 60, 900, 910}},
		{"counts of endpoint", []any{"tenant1", 60, 900, 910, "ep_1"}},
		{"latest of", []any{"tenant1", []string{"ep_1", "ep_2"}}},
		{"names among", []any{"tenant1", []string{"ep_1", "ep_2"}}},
		{"expired attempts", []any{0, 10}},
		{"expired counts", []any{60, 0}},
		{"erasure", []any{"tenant1", "evt_1"}},
		{"subject's events", []any{"tenant1", "h", "", 10}},
		{"expired subjects", []any{0}},
		{"next erasure", []any{1, 2}},
	} {
		steps := strings.Join(plan(t, full, "", warm.name, warm.args...), "\n")
		require.Contains(t, steps, "Index")
		require.NotContains(t, steps, "Seq Scan", "%s", steps)
	}
}

// plan is how PostgreSQL would find what a query asks for; how it puts that together is its own.
func plan(t *testing.T, d database, before, name string, args ...any) []string {
	t.Helper()
	tx, err := d.connect(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), before)
	require.NoError(t, err)
	var steps []string
	for _, step := range query(t, tx, "EXPLAIN (COSTS OFF) "+postgres.HotPath[name], args...) {
		if step = strings.TrimLeft(step, " ->"); strings.Contains(step, "Scan") || strings.Contains(step, "Cond") {
			steps = append(steps, step)
		}
	}
	return steps
}
