package engine

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	lean "hookloop/internal/visibility"
)

// Temporal's visibility schema indexes everything that might be asked for: 58 indexes, most of them
// on JSON expressions, all written for every workflow. Measured, CPU per write: 1.57 ms with all of
// them, 0.60 ms with those that visibility keeps, 0.50 ms with none, so each of these costs about
// 0.01 ms and need not be argued over; it is the rest that costs. The full-text triggers measured
// nothing, and stay. Temporal's own index of divisions also tempts all other lists, which ask for
// "no division", to walk through every workflow there is; one without the NULLs cannot.

// listOrder is the end of every index: the order of lists, so that a page is read without sorting.
const listOrder = `(COALESCE(close_time, '9999-12-31 23:59:59+00:00')) DESC, start_time DESC, run_id`

// tune gives the visibility table its indexes, those of the search attributes included, at every
// start, so that a file of an earlier release gets what this one thinks best.
func tune(ctx context.Context, tx *sql.Tx, attributes int) error {
	wanted := map[string]string{
		lean.DivisionIndex: "(namespace_id, TemporalNamespaceDivision, " + listOrder + ") WHERE TemporalNamespaceDivision IS NOT NULL",
	}
	for i := range attributes {
		wanted[fmt.Sprintf("by_keyword_%02d", i+1)] = "(namespace_id, " + keywordColumn(i) + ", " + listOrder + ")"
	}
	have, err := indexes(ctx, tx)
	if err != nil {
		return err
	}
	for _, name := range have {
		if _, ok := wanted[name]; ok || slices.Contains(lean.Kept, name) {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return err
		}
	}
	for name, definition := range wanted {
		statement := "CREATE INDEX IF NOT EXISTS " + name + " ON executions_visibility " + definition
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// indexes leaves out the one of the primary key, which has no name to drop it by.
func indexes(ctx context.Context, tx *sql.Tx) ([]string, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM sqlite_schema
		WHERE type = 'index' AND tbl_name = 'executions_visibility' AND sql IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err says whether reading worked
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
