package visibility_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/server/schema"

	"hookloop/internal/postgrestest"
	"hookloop/internal/visibility"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// columns are those the four search attributes of Hookloop have in this test's namespace.
var columns = []string{"Keyword02", "Keyword03", "Keyword07", "Keyword10"}

var left = []string{
	"by_keyword_02", "by_keyword_03", "by_keyword_07", "by_keyword_10", "by_parent_workflow_id", "by_root_workflow_id",
	"by_status", "by_workflow_id", "by_workflow_type", "default_idx", "executions_visibility_pkey", "hookloop_namespace_division",
}

func TestLeanAndFull(t *testing.T) {
	t.Parallel()
	url, db := temporal(t)
	before := indexes(t, db)

	gone, err := visibility.Lean(t.Context(), url, columns)
	require.NoError(t, err)
	require.Equal(t, left, names(indexes(t, db)))
	require.Len(t, gone, len(before)-len(left)+1) // one of those left is new

	again, err := visibility.Lean(t.Context(), url, columns)
	require.NoError(t, err)
	require.Empty(t, again)
	require.Equal(t, left, names(indexes(t, db)))

	back, err := visibility.Full(t.Context(), url)
	require.NoError(t, err)
	require.Equal(t, gone, back)
	require.Equal(t, before, indexes(t, db))

	none, err := visibility.Full(t.Context(), url)
	require.NoError(t, err)
	require.Empty(t, none, "nothing was dropped")
}

// TestKilled: a process that dies between remembering and dropping, or a server that gives up
// making an index.
func TestKilled(t *testing.T) {
	t.Parallel()
	url, db := temporal(t)
	before := indexes(t, db)
	exec(t, db, `CREATE TABLE hookloop_dropped_indexes (name TEXT PRIMARY KEY, definition TEXT NOT NULL)`)
	exec(t, db, `INSERT INTO hookloop_dropped_indexes SELECT 'by_bool_01', pg_get_indexdef('by_bool_01'::regclass)`)
	_, err := visibility.Lean(t.Context(), url, columns)
	require.NoError(t, err)
	require.Equal(t, left, names(indexes(t, db)))

	exec(t, db, `CREATE INDEX by_bool_01 ON executions_visibility (namespace_id, bool01)`)
	exec(t, db, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_bool_01'::regclass`)
	_, err = visibility.Full(t.Context(), url)
	require.NoError(t, err)
	require.Equal(t, before, indexes(t, db))
}

func TestAnotherDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	url := postgrestest.Shared(t).NewDatabase(t)
	for _, change := range []func() ([]visibility.Index, error){
		func() ([]visibility.Index, error) { return visibility.Lean(t.Context(), url, columns) },
		func() ([]visibility.Index, error) { return visibility.Full(t.Context(), url) },
	} {
		_, err := change()
		require.ErrorContains(t, err, "there is no table executions_visibility")
	}
	_, err := visibility.Lean(t.Context(), "postgres://user:secret@[", nil)
	require.ErrorContains(t, err, "the URL must be like")
	require.NotContains(t, err.Error(), "secret")
}

// TestListsUseAnIndex asks what Hookloop and the UI ask, as Temporal's visibility store puts it, of
// a table that PostgreSQL has counted.
func TestListsUseAnIndex(t *testing.T) {
	t.Parallel()
	url, db := temporal(t)
	_, err := visibility.Lean(t.Context(), url, columns)
	require.NoError(t, err)
	fill(t, db, 0, 20_000)
	exec(t, db, `VACUUM ANALYZE executions_visibility`)
	const window = ` AND start_time BETWEEN '2026-01-01' AND '2026-01-02'`
	for filter, index := range map[string]string{
		``:                                      "default_idx",
		`workflow_id = 'event/acme/77'`:         "by_workflow_id",
		`workflow_type_name = 'Approval'`:       "by_workflow_type",
		`status = 1`:                            "by_status",
		`parent_workflow_id = 'event/acme/77'`:  "by_parent_workflow_id",
		`root_workflow_id = 'event/acme/77'`:    "by_root_workflow_id",
		`keyword02 = 'tenant7'`:                 "by_keyword_02",
		`keyword02 = 'tenant7'` + window:        "by_keyword_02",
		`keyword03 = 'contact.updated7'`:        "by_keyword_03",
		`keyword07 = 'ep_77'`:                   "by_keyword_07",
		`keyword10 = 'awaiting-approval'`:       "by_keyword_10",
		`start_time > '2026-01-01 00:00:00'`:    "default_idx",
		`TemporalNamespaceDivision = 'Batcher'`: "hookloop_namespace_division",
	} {
		plan := explain(t, db, filter)
		require.Contains(t, plan, "Scan using "+index+" on executions_visibility", filter)
		require.NotContains(t, plan, "Seq Scan", filter)
	}
}

// TestWhatARowCosts: bytes of the table with its indexes, and of the write-ahead log, for each row.
func TestWhatARowCosts(t *testing.T) {
	t.Parallel()
	url, full := temporal(t)
	leanURL, lean := temporal(t)
	_, err := visibility.Lean(t.Context(), leanURL, columns)
	require.NoError(t, err)
	_ = url
	const rows = 5_000
	cost := func(db *pgx.Conn) (size, wal float64) {
		var before, after int64
		position := `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint`
		exec(t, db, `CHECKPOINT`)
		require.NoError(t, db.QueryRow(t.Context(), position).Scan(&before))
		fill(t, db, 0, rows)
		require.NoError(t, db.QueryRow(t.Context(), position).Scan(&after))
		require.NoError(t, db.QueryRow(t.Context(), `SELECT pg_total_relation_size('executions_visibility')`).Scan(&size))
		return size / rows, float64(after-before) / rows
	}
	fullSize, fullWAL := cost(full)
	leanSize, leanWAL := cost(lean)
	t.Logf("bytes a row: %.0f, lean %.0f; of the log: %.0f, lean %.0f", fullSize, leanSize, fullWAL, leanWAL)
	require.Less(t, leanSize, fullSize/2)
}

// fill adds rows as Hookloop's workflows leave them: most are events that have ended.
func fill(t *testing.T, db *pgx.Conn, from, to int) {
	t.Helper()
	exec(t, db, `INSERT INTO executions_visibility (namespace_id, run_id, _version, start_time, execution_time, workflow_id, workflow_type_name,
			status, close_time, history_length, history_size_bytes, execution_duration, state_transition_count, memo, encoding, task_queue,
			search_attributes, parent_workflow_id, root_workflow_id, root_run_id)
		SELECT '32049b68-7872-4094-8e63-d0dd59896a83', md5(n::text)::uuid::text, n, t, t, 'event/acme/' || n,
			CASE WHEN n % 1000 = 0 THEN 'Approval' ELSE 'Event' END, CASE WHEN n % 100 = 0 THEN 1 ELSE 2 END,
			CASE WHEN n % 100 = 0 THEN NULL ELSE t + interval '10 ms' END, 7, 2000, 10000000, 2, NULL, 'Proto3', 'hookloop',
			jsonb_build_object('Keyword02', 'tenant' || n % 100, 'Keyword03', 'contact.updated' || n % 50, 'Keyword07', 'ep_' || n % 1000,
				'Keyword10', CASE WHEN n % 1000 = 0 THEN 'awaiting-approval' ELSE 'delivered' END)
				|| CASE WHEN n % 5000 = 1 THEN '{"TemporalNamespaceDivision": "Batcher"}'::jsonb ELSE '{}'::jsonb END,
			CASE WHEN n % 50 = 0 THEN 'event/acme/' || n / 50 END, 'event/acme/' || n, md5(n::text)::uuid::text
		FROM (SELECT n, timestamp '2025-12-31' + n * interval '10 s' AS t FROM generate_series(`+fmt.Sprint(from+1)+`, `+fmt.Sprint(to)+`) n) rows`)
}

// explain plans a list as Temporal's visibility store asks for it.
func explain(t *testing.T, db *pgx.Conn, filter string) string {
	t.Helper()
	where := `namespace_id = '32049b68-7872-4094-8e63-d0dd59896a83'`
	if !strings.Contains(filter, "TemporalNamespaceDivision") {
		where += ` AND TemporalNamespaceDivision IS NULL`
	}
	if filter != "" {
		where += ` AND (` + filter + `)`
	}
	rows, err := db.Query(t.Context(), `EXPLAIN SELECT run_id FROM executions_visibility WHERE `+where+`
		ORDER BY COALESCE(close_time, '9999-12-31 23:59:59') DESC, start_time DESC, run_id LIMIT 100`)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return strings.Join(lines, "\n")
}

// temporal gives a new database with Temporal's own schema.
func temporal(t *testing.T) (url string, db *pgx.Conn) {
	t.Helper()
	url = postgrestest.Shared(t).NewCopy(t, makeSchema)
	db, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close(context.Background())) })
	return url, db
}

func makeSchema(url string) error {
	ctx := context.Background()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close(ctx) //nolint:errcheck // it has answered
	made, err := fs.ReadFile(schema.Assets(), "postgresql/v12/visibility/schema.sql")
	if err != nil {
		return err
	}
	_, err = db.PgConn().Exec(ctx, string(made)).ReadAll()
	return err
}

func exec(t *testing.T, db *pgx.Conn, statements string) {
	t.Helper()
	_, err := db.PgConn().Exec(t.Context(), statements).ReadAll()
	require.NoError(t, err)
}

// indexes gives the definitions of all that are usable, by name.
func indexes(t *testing.T, db *pgx.Conn) [][2]string {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = 'executions_visibility'::regclass AND i.indisvalid ORDER BY c.relname`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i [2]string, err error) {
		err = row.Scan(&i[0], &i[1])
		return i, err
	})
	require.NoError(t, err)
	return all
}

func names(all [][2]string) (out []string) {
	for _, i := range all {
		out = append(out, i[0])
	}
	return out
}
