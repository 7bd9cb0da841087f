package postgres

import (
	"context"
	"database/sql"
	"hash/fnv"

	"hookloop/internal/registry/sqlstore"
)

// dialect is PostgreSQL's part of the registry. Transactions run beside each other and see what was
// committed before each statement.
type dialect struct{}

var _ sqlstore.Dialect = dialect{}

func (dialect) ForUpdate() string { return " FOR UPDATE" }

// Lock takes an advisory lock. A transaction takes at most one before anything else, and that of
// the change log after everything else: so they cannot wait for each other in a circle.
func (dialect) Lock(ctx context.Context, tx *sql.Tx, name ...string) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", lockID(name...))
	return err
}

// lockID is the number by which the server knows a lock. Two things that share one by chance only
// wait for each other needlessly.
func lockID(name ...string) int64 {
	h := fnv.New64a()
	for _, part := range name {
		_, _ = h.Write([]byte(part)) // a hash does not fail
		_, _ = h.Write([]byte{0})
	}
	return int64(h.Sum64())
}

// List is an array, which pgx makes of any slice.
func (dialect) List(slice any) any { return slice }

func (dialect) Items(param string) string { return "unnest(" + param + "::text[]) AS item (value)" }

func (dialect) JSONList(param string) string {
	return "json_array_elements(" + param + "::json) AS item (value)"
}

func (dialect) Among(param string) string { return "= ANY (" + param + ")" }

func (dialect) TakenItems() string {
	return "unnest($2::text[], $3::bigint[], $4::bigint[]) AS item (name, first_at, expires_at)"
}

// Match looks each pattern up in the primary key, which holds all it reads. OFFSET 0 keeps the
// lookups apart: with = ANY ($2) PostgreSQL may take it into its head to read all of the tenant's.
func (d dialect) Match() string {
	return `SELECT DISTINCT found.endpoint_id, found.disabled FROM ` + d.Items("$2") + `, LATERAL
		(SELECT endpoint_id, disabled FROM subscriptions WHERE tenant = $1 AND event_type = item.value OFFSET 0) AS found
		ORDER BY found.endpoint_id, found.disabled`
}

// NextOrder is asked under the lock of an object: its changes get their places in the order of
// their turns, and a place given later, to any object, is a later one. Tenants share the numbers
// and do not wait for each other: a sequence locks nothing.
func (dialect) NextOrder() string {
	return `SELECT nextval('echo_order') FROM (SELECT $1::text) AS tenant`
}

func (dialect) Outdated() string {
	return "tenant = $1 AND n <= (SELECT n FROM echo_writes WHERE tenant = $1 ORDER BY n DESC OFFSET $2 LIMIT 1)"
}

func (dialect) Delete(s sqlstore.Rows) string {
	return `DELETE FROM ` + s.Table + ` WHERE ctid = ANY (ARRAY (SELECT ctid FROM ` + s.Table +
		` WHERE ` + s.Where + ` ORDER BY ` + s.Order + ` LIMIT ` + s.Limit + ` FOR UPDATE SKIP LOCKED))`
}

func (dialect) KeepsPrepared() bool { return false }
