package faulty_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"hookloop/internal/registry/faulty"
)

type file string

func (f file) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(string(f)) }
func (file) Driver() driver.Driver                          { return &sqlite.Driver{} }

// TestFaults: a write that failed was made or not, as its error says, and a seed repeats which.
func TestFaults(t *testing.T) {
	t.Parallel()
	run := func() (failed []int) {
		f := faulty.New(7, .3)
		f.Stop()
		db := sql.OpenDB(f.Wrap(file(filepath.Join(t.TempDir(), "db"))))
		db.SetMaxOpenConns(1)
		defer func() { require.NoError(t, db.Close()) }()
		_, err := db.ExecContext(t.Context(), "CREATE TABLE t (n INTEGER)")
		require.NoError(t, err)
		f.Start()
		want := 0
		for n := range 100 {
			err := write(t, db, n)
			if err != nil {
				failed = append(failed, n)
			}
			if err == nil || errors.Is(err, faulty.ErrDone) {
				want++
			}
		}
		notDone, done := f.Injected()
		require.Positive(t, notDone)
		require.Positive(t, done)
		f.Stop()
		var got int
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&got))
		require.Equal(t, want, got)
		return failed
	}
	first := run()
	require.Equal(t, first, run())
}

// write goes three ways in turn: alone, prepared, in a transaction, where only the commit counts.
func write(t *testing.T, db *sql.DB, n int) error {
	t.Helper()
	const insert = "INSERT INTO t VALUES ($1)"
	switch n % 3 {
	case 0:
		_, err := db.ExecContext(t.Context(), insert, n)
		return err
	case 1:
		s, err := db.PrepareContext(t.Context(), insert)
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		_, err = s.ExecContext(t.Context(), n)
		return err
	}
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), insert, n); err != nil {
		return faulty.ErrNotDone // rolled back
	}
	return tx.Commit()
}
