package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	schema "go.temporal.io/server/schema/sqlite"
)

const (
	// applicationID marks the files as ours ("Hklp"), so that a foreign database is refused, not
	// filled.
	applicationID = 0x486b6c70
	// edition counts the schemas of Temporal that releases of Hookloop were built with. Temporal
	// has no migrations for SQLite, so a new one needs a step in prepare; TestSchemaEdition
	// notices.
	edition = 1
	// maxConns is for each database. SQLite has one writer; 4 connections measured no better.
	maxConns = 1
)

// The two databases, as places in what databases returns. Visibility has a file of its own, and so
// a writer of its own: listing and indexing do not make the start of an event wait.
const (
	executions = iota
	visibility
)

// synchronous makes what was answered 202 survive a power cut. A test links a program without it,
// to see that it would notice.
var synchronous = "full"

// pragmas hold for every connection to either file.
var pragmas = map[string]string{
	"journal_mode": "wal",
	"synchronous":  synchronous,
	"busy_timeout": "10000",  // ours and Temporal's connection meet at start and stop only
	"cache_size":   "-8192",  // KiB for each file; what is hot fits, and the kernel has the rest
	"temp_store":   "memory", // sorting a list touches no disk

	// What is deleted from a page is overwritten, as far as that costs no write of its own.
	"secure_delete": "fast",
}

type database struct{ path string }

func databases(dir string) []database {
	return []database{
		executions: {path: filepath.Join(dir, "temporal.db")},
		visibility: {path: filepath.Join(dir, "visibility.db")},
	}
}

// sql is the database as Temporal's configuration has it. Temporal shares connections by equality
// of this, so all uses of Temporal's plugin must start from here.
func (d database) sql() *config.SQL {
	attributes := map[string]string{"mode": "rwc"}
	maps.Copy(attributes, pragmas)
	return &config.SQL{
		PluginName:        sqlite.PluginName,
		DatabaseName:      (&url.URL{Path: d.path}).EscapedPath(), // it becomes part of a file: URI
		ConnectAttributes: attributes,
		MaxConns:          maxConns,
	}
}

// open leaves the journal mode as it finds it, so that looking at a foreign database changes
// nothing.
func (d database) open() (*sql.DB, error) {
	query := url.Values{"_txlock": {"immediate"}}
	for _, name := range []string{"busy_timeout", "synchronous"} {
		query.Add("_pragma", name+"="+pragmas[name])
	}
	uri := url.URL{Scheme: "file", Path: d.path, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// prepare makes the schema of a new file, checks that of an old one, and tunes either. Attributes
// is the number of search attributes to keep an index for.
func (d database) prepare(ctx context.Context, attributes int) error {
	file, err := os.OpenFile(d.path, os.O_CREATE|os.O_RDWR, 0o600) // it will hold payloads
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	db, err := d.open()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // the commit said whether it worked
	isNew, err := recognize(ctx, db)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode="+pragmas["journal_mode"]); err != nil {
		return err
	}
	return write(ctx, db, isNew, attributes)
}

// recognize refuses a database that this release cannot have made or kept.
func recognize(ctx context.Context, db *sql.DB) (isNew bool, err error) {
	const state = `SELECT (SELECT count(*) FROM sqlite_schema), application_id, user_version
		FROM pragma_application_id, pragma_user_version`
	var tables, id, version int
	if err := db.QueryRowContext(ctx, state).Scan(&tables, &id, &version); err != nil {
		return false, err
	}
	switch {
	case tables == 0:
		return true, nil
	case id != applicationID:
		return false, errors.New("is a database, but not one of Hookloop's")
	case version != edition:
		return false, fmt.Errorf("was written by another release of Hookloop (edition %d, this one knows %d)", version, edition)
	}
	return false, nil
}

// write is one transaction: a process killed meanwhile leaves a file that still counts as new.
func write(ctx context.Context, db *sql.DB, isNew bool, attributes int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing to undo after the commit
	if isNew {
		if err := schema.SetupSchemaOnDB(schemaWriter{ctx: ctx, tx: tx}); err != nil {
			return fmt.Errorf("schema: %w", err)
		}
		mark := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, edition)
		if _, err := tx.ExecContext(ctx, mark); err != nil {
			return err
		}
	}
	if err := tune(ctx, tx, attributes); err != nil {
		return fmt.Errorf("tuning: %w", err)
	}
	return tx.Commit()
}

// schemaWriter lets Temporal write its schema into our transaction. Its set-up knows executions and
// visibility only together, so each file has the tables of both; those it does not use stay empty.
type schemaWriter struct {
	sqlplugin.AdminDB // the set-up calls Exec alone

	ctx context.Context //nolint:containedctx // Exec takes none
	tx  *sql.Tx
}

func (w schemaWriter) Exec(statement string, args ...any) error {
	_, err := w.tx.ExecContext(w.ctx, statement, args...)
	return err
}

// checkpoint folds the write-ahead log into the file, so that at rest the data is two plain files.
func (d database) checkpoint() error {
	db, err := d.open()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // the checkpoint said whether it worked
	_, err = db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}
