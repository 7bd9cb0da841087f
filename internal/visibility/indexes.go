package visibility

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// indexed is an index, with what it is for: Temporal's are all on the namespace and one more
// column.
type indexed struct {
	Index

	column string
}

func (i indexed) on(columns []string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(i.column, c) })
}

// indexes leaves out those that a constraint needs: they keep rows apart, and are not ours to drop.
func indexes(ctx context.Context, db *pgx.Conn) ([]indexed, error) {
	rows, err := db.Query(ctx, `
		SELECT c.relname, pg_get_indexdef(i.indexrelid), pg_get_indexdef(i.indexrelid, 2, true)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = to_regclass($1) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
		ORDER BY c.relname`, table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i indexed, err error) {
		err = row.Scan(&i.Name, &i.Definition, &i.column)
		return i, err
	})
}

func remembered(ctx context.Context, db *pgx.Conn) ([]Index, error) {
	rows, err := db.Query(ctx, `SELECT name, definition FROM `+dropped+` ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Index])
}
