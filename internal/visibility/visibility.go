// Package visibility makes the table behind Temporal's lists lean, where Temporal runs on
// PostgreSQL. Temporal indexes everything that might be asked for, some seventy indexes written for
// every workflow; Hookloop and the Temporal UI ask ten questions. `hookloop migrate` calls it when
// told to. It changes indexes alone, and remembers what it dropped beside the table, so that it can
// be brought back.
package visibility

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

const (
	table = "executions_visibility"
	// dropped remembers the definitions of indexes. Its name is ours, the database is Temporal's.
	dropped  = "hookloop_dropped_indexes"
	division = `CREATE INDEX CONCURRENTLY IF NOT EXISTS ` + DivisionIndex + ` ON ` + table + ` (namespace_id, temporalnamespacedivision,
		(COALESCE(close_time, '9999-12-31 23:59:59')) DESC, start_time DESC, run_id) WHERE temporalnamespacedivision IS NOT NULL`
)

// DivisionIndex finds batches and schedules of the UI, which are workflows kept out of all other
// lists. Temporal's own has a line for every workflow, to say that it is neither.
const DivisionIndex = "hookloop_namespace_division"

// Kept are the indexes of Temporal's, by the names they have on PostgreSQL and on SQLite, that
// answer what Hookloop and the Temporal UI ask.
var Kept = []string{
	"default_idx",           // a list without a filter, or by time
	"by_workflow_id",        // WorkflowId = …
	"by_workflow_type",      // WorkflowType = 'Approval'
	"by_status",             // ExecutionStatus = 'Running', the UI's first tab
	"by_parent_workflow_id", // the UI's relationships of a workflow,
	"by_root_workflow_id",   // counted for each one it shows
	DivisionIndex,
}

// Index is one of the table's.
type Index struct {
	Name       string `json:"name"`
	Definition string `json:"definition"` // the statement that makes it
}

// Lean drops the indexes that nothing asks for, and gives them. Columns are those of the search
// attributes that any namespace of this Temporal has, like Keyword01: theirs stay. Temporal may go
// on meanwhile, and Lean may run again.
func Lean(ctx context.Context, url string, columns []string) ([]Index, error) {
	db, err := open(ctx, url)
	if err != nil {
		return nil, err
	}
	defer db.Close(context.WithoutCancel(ctx)) //nolint:errcheck // everything has been committed
	if _, err := db.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+dropped+` (name TEXT PRIMARY KEY, definition TEXT NOT NULL)`); err != nil {
		return nil, err
	}
	if _, err := db.Exec(ctx, division); err != nil {
		return nil, err
	}
	all, err := indexes(ctx, db)
	if err != nil {
		return nil, err
	}
	var removed []Index
	for _, i := range all {
		if slices.Contains(Kept, i.Name) || i.on(columns) {
			continue
		}
		if err := drop(ctx, db, i.Index); err != nil {
			return removed, fmt.Errorf("index %s: %w", i.Name, err)
		}
		removed = append(removed, i.Index)
	}
	return removed, nil
}

// drop remembers first: killed between the two, the index is there and known, and the next run
// drops it.
func drop(ctx context.Context, db *pgx.Conn, i Index) error {
	_, err := db.Exec(ctx, `INSERT INTO `+dropped+` VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition`, i.Name, i.Definition)
	if err == nil {
		_, err = db.Exec(ctx, `DROP INDEX CONCURRENTLY IF EXISTS `+pgx.Identifier{i.Name}.Sanitize())
	}
	return err
}

// Full makes every index again that Lean has dropped, and gives them. It takes as long as
// PostgreSQL needs to read the table for each; Temporal may go on meanwhile.
func Full(ctx context.Context, url string) ([]Index, error) {
	db, err := open(ctx, url)
	if err != nil {
		return nil, err
	}
	defer db.Close(context.WithoutCancel(ctx)) //nolint:errcheck // everything has been committed
	var known *string
	if err := db.QueryRow(ctx, `SELECT to_regclass($1)::text`, dropped).Scan(&known); err != nil || known == nil {
		return nil, err // nothing was ever dropped
	}
	back, err := remembered(ctx, db)
	if err != nil {
		return nil, err
	}
	for n, i := range back {
		if err := restore(ctx, db, i); err != nil {
			return back[:n], fmt.Errorf("index %s: %w", i.Name, err)
		}
	}
	_, err = db.Exec(ctx, `DROP INDEX CONCURRENTLY IF EXISTS `+DivisionIndex)
	if err == nil {
		_, err = db.Exec(ctx, `DROP TABLE `+dropped)
	}
	return back, err
}

// restore makes an index anew that PostgreSQL could not finish: it leaves such a one behind,
// unusable.
func restore(ctx context.Context, db *pgx.Conn, i Index) error {
	const unusable = `SELECT count(*) > 0 FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid`
	var left bool
	if err := db.QueryRow(ctx, unusable, pgx.Identifier{i.Name}.Sanitize()).Scan(&left); err != nil {
		return err
	}
	if left {
		if _, err := db.Exec(ctx, `DROP INDEX CONCURRENTLY `+pgx.Identifier{i.Name}.Sanitize()); err != nil {
			return err
		}
	}
	statement := strings.Replace(i.Definition, "CREATE INDEX ", "CREATE INDEX CONCURRENTLY IF NOT EXISTS ", 1)
	_, err := db.Exec(ctx, statement)
	return err
}

var errNotThere = errors.New("there is no table " + table + " there: the URL must be that of Temporal's visibility database, " +
	"on PostgreSQL; on Elasticsearch there is nothing to drop")

// open refuses a database that is not Temporal's. What goes wrong with the URL may quote its
// password, so only the reason is passed on.
func open(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the URL must be like postgres://user@host:5432/temporal_visibility")
	}
	db, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var there *string
	if err = db.QueryRow(ctx, `SELECT to_regclass($1)::text`, table).Scan(&there); err == nil && there == nil {
		err = errNotThere
	}
	if err != nil {
		return nil, errors.Join(err, db.Close(context.WithoutCancel(ctx)))
	}
	return db, nil
}
