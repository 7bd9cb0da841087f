package statements_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hookloop/internal/engine/statements"
)

const insert = `INSERT INTO things (id, name) VALUES (?, ?)`

func TestATextIsCompiledOnce(t *testing.T) {
	t.Parallel()
	db, connector := open(t)
	exec(t, db, insert, 0, "first")
	name(t, db, 0)
	commit(t, db, insert, 1, "second")
	before := connector.Compiled()
	for i := range 100 {
		commit(t, db, insert, 10+i, "more")
		require.Equal(t, "more", name(t, db, 10+i))
	}
	require.Equal(t, before, connector.Compiled())
}

func TestTheSameTextMayHaveTwoOpenRows(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	for i := range 3 {
		exec(t, db, insert, i, "thing")
	}
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer c.Close() //nolint:errcheck // a test
	read := func() *sql.Rows {
		rows, err := c.QueryContext(t.Context(), `SELECT id FROM things ORDER BY id`)
		require.NoError(t, err)
		return rows
	}
	for range 3 {
		outer := read()
		var pairs []string
		for outer.Next() {
			var a int
			require.NoError(t, outer.Scan(&a))
			inner := read()
			for inner.Next() {
				var b int
				require.NoError(t, inner.Scan(&b))
				pairs = append(pairs, fmt.Sprint(a, b))
			}
			require.NoError(t, inner.Err())
			require.NoError(t, inner.Close())
		}
		require.NoError(t, outer.Err())
		require.NoError(t, outer.Close())
		require.Equal(t, []string{"0 0", "0 1", "0 2", "1 0", "1 1", "1 2", "2 0", "2 1", "2 2"}, pairs)
	}
}

func TestMoreTextsThanAreKept(t *testing.T) {
	t.Parallel()
	db, connector := open(t)
	exec(t, db, insert, 1, "thing")
	for range 2 {
		for i := range statements.Kept + 50 {
			var got string
			require.NoError(t, db.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT name FROM things WHERE id = 1 AND %d = %d`, i, i)).Scan(&got))
			require.Equal(t, "thing", got)
		}
	}
	require.Greater(t, connector.Compiled(), int64(2*statements.Kept), "the oldest made room")
}

func TestRowsOutliveTheirPlaceInTheCache(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	for i := range 3 {
		exec(t, db, insert, i, "thing")
	}
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer c.Close() //nolint:errcheck // a test
	rows, err := c.QueryContext(t.Context(), `SELECT id FROM things ORDER BY id`)
	require.NoError(t, err)
	for i := range statements.Kept + 1 {
		_, err := c.ExecContext(t.Context(), fmt.Sprintf(`UPDATE things SET name = 'x%d' WHERE id = 99`, i))
		require.NoError(t, err)
	}
	var got []int
	for rows.Next() {
		var id int
		require.NoError(t, rows.Scan(&id))
		got = append(got, id)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	require.Equal(t, []int{0, 1, 2}, got)
}

func TestASchemaThatChanges(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	other, err := sql.Open("sqlite", path(t, db))
	require.NoError(t, err)
	defer other.Close() //nolint:errcheck // a test
	const all = `SELECT * FROM things WHERE id = ?`
	exec(t, db, insert, 1, "thing")
	require.Equal(t, []string{"id", "name"}, columns(t, db, all))

	exec(t, other, `ALTER TABLE things ADD COLUMN colour TEXT DEFAULT 'red'`)
	require.Equal(t, []string{"id", "name", "colour"}, columns(t, db, all), "changed by another connection")
	exec(t, db, `CREATE INDEX by_name ON things (name)`)
	exec(t, db, insert, 2, "thing")
	exec(t, db, `DROP TABLE things`)
	_, err = db.ExecContext(t.Context(), insert, 3, "thing")
	require.ErrorContains(t, err, "no such table")
	exec(t, db, `CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)`)
	exec(t, db, insert, 3, "back")
	require.Equal(t, "back", name(t, db, 3))
}

func TestAStatementThatFailedDoesNotHarmTheNext(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	exec(t, db, insert, 1, "first")
	for range 3 {
		_, err := db.ExecContext(t.Context(), insert, 1, "again")
		var failed *sqlite.Error
		require.ErrorAs(t, err, &failed, "the driver's own error")
		require.NotZero(t, failed.Code()&sqlite3.SQLITE_CONSTRAINT)
	}
	exec(t, db, insert, 2, "second")
	require.Equal(t, "second", name(t, db, 2))
}

func TestABusyDatabase(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	other, err := sql.Open("sqlite", path(t, db))
	require.NoError(t, err)
	defer other.Close() //nolint:errcheck // a test
	exec(t, db, insert, 1, "first")

	writing, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = writing.ExecContext(t.Context(), insert, 2, "theirs")
	require.NoError(t, err)
	for range 3 {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), insert, 3, "ours")
		require.ErrorContains(t, err, "SQLITE_BUSY")
		require.NoError(t, tx.Rollback())
	}
	require.NoError(t, writing.Commit())
	commit(t, db, insert, 3, "ours")
	require.Equal(t, "theirs", name(t, db, 2))
}

func TestACommitThatFailsLeavesNoTransaction(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	exec(t, db, `PRAGMA foreign_keys = on`)
	exec(t, db, `CREATE TABLE parts (thing INTEGER REFERENCES things (id) DEFERRABLE INITIALLY DEFERRED)`)
	for range 2 {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), `INSERT INTO parts VALUES (7)`)
		require.NoError(t, err)
		require.ErrorContains(t, tx.Commit(), "FOREIGN KEY")
	}
	commit(t, db, insert, 7, "seven")
	commit(t, db, `INSERT INTO parts VALUES (7)`)
}

const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`

func TestAQueryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel() // before the query, or while it runs: either way it ends
		rows, err := db.QueryContext(ctx, endless)
		if err == nil {
			err = errors.Join(rows.Err(), rows.Close())
		}
		require.Error(t, err)
		exec(t, db, `DELETE FROM things`)
		exec(t, db, insert, 1, "after")
		require.Equal(t, "after", name(t, db, 1))
		exec(t, db, `DELETE FROM things`)
	}
}

func TestNothingBeginsAfterItsContext(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := db.BeginTx(context.Background(), nil)
	require.NoError(t, err)
	cancel()
	_, err = tx.ExecContext(ctx, insert, 1, "late")
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, tx.Commit())
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM things`).Scan(&n))
	require.Zero(t, n)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	db, _ := openPatient(t, time.Minute)
	db.SetMaxOpenConns(4)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				id := worker*1000 + i
				if _, err := db.ExecContext(t.Context(), insert, id, fmt.Sprint(id)); err != nil {
					t.Error(err)
					return
				}
				var got string
				if err := db.QueryRowContext(t.Context(), `SELECT name FROM things WHERE id = ?`, id).Scan(&got); err != nil || got != fmt.Sprint(id) {
					t.Error(got, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// open gives an empty table of things, on one connection that does not wait for others for long.
func open(t *testing.T) (*sql.DB, *statements.Connector) {
	t.Helper()
	return openPatient(t, 10*time.Millisecond)
}

func openPatient(t *testing.T, patience time.Duration) (*sql.DB, *statements.Connector) {
	t.Helper()
	connector := statements.NewConnector(fmt.Sprintf("file:%s?_pragma=journal_mode=wal&_pragma=synchronous=off&_pragma=busy_timeout=%d",
		filepath.Join(t.TempDir(), "test.db"), patience.Milliseconds()))
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	exec(t, db, `CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)`)
	return db, connector
}

func exec(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), text, args...)
	require.NoError(t, err)
}

func commit(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), text, args...)
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
}

func name(t *testing.T, db *sql.DB, id int) string {
	t.Helper()
	var out string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT name FROM things WHERE id = ?`, id).Scan(&out))
	return out
}

func columns(t *testing.T, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text, 1)
	require.NoError(t, err)
	defer rows.Close() //nolint:errcheck // a test
	names, err := rows.Columns()
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	return names
}

func path(t *testing.T, db *sql.DB) string {
	t.Helper()
	var out string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&out))
	return out
}
