package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"hookloop/internal/registry/sqlstore"
)

// The clock is the server's: those of the gateways differ. A gateway that has not been seen for
// half a minute, three times as long as it takes between two calls, serves no more.
const (
	noteGateway = `INSERT INTO gateways (id, seen_at) VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint)
		ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`
	dropGateways  = `DELETE FROM gateways WHERE seen_at < (extract(epoch FROM clock_timestamp() - interval '30 seconds') * 1e6)::bigint`
	countGateways = `SELECT count(*) FROM gateways`
)

// Gateways notes that a gateway serves, and gives the number of all that do.
func (r *Registry) Gateways(ctx context.Context, id string) (n int, err error) {
	err = sqlstore.Write(ctx, r.db, func(tx *sql.Tx) error {
		for _, statement := range []struct {
			text string
			args []any
		}{{noteGateway, []any{id}}, {dropGateways, nil}} {
			if _, err := tx.ExecContext(ctx, statement.text, statement.args...); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, countGateways).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("gateways: %w", explain(err))
	}
	return n, nil
}
