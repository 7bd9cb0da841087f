package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"hookloop/internal/registry/sqlstore"
)

// dialect is SQLite's part of the registry. Transactions begin as writers (BEGIN IMMEDIATE) and run
// one at a time, so that nothing needs a lock of its own.
type dialect struct{}

var _ sqlstore.Dialect = dialect{}

func (dialect) ForUpdate() string { return "" }

func (dialect) Lock(context.Context, *sql.Tx, ...string) error { return nil }

// List is a JSON list: one parameter, so that a statement is the same for lists of any length.
func (dialect) List(slice any) any {
	text, _ := json.Marshal(slice) // strings and numbers always marshal
	return string(text)
}

func (dialect) Items(param string) string { return "json_each(" + param + ") AS item" }

func (dialect) JSONList(param string) string { return "json_each(" + param + ") AS item" }

func (dialect) Among(param string) string { return "IN (SELECT value FROM json_each(" + param + "))" }

func (dialect) TakenItems() string {
	return "(SELECT value AS name, $3 ->> key AS first_at, $4 ->> key AS expires_at FROM json_each($2))"
}

// Match looks each pattern up in the primary key, which holds all it reads: CROSS JOIN keeps SQLite
// to that order.
func (d dialect) Match() string {
	return `SELECT DISTINCT endpoint_id, disabled FROM ` + d.Items("$2") + ` CROSS JOIN subscriptions
		WHERE tenant = $1 AND event_type = item.value ORDER BY endpoint_id, disabled`
}

func (dialect) NextOrder() string {
	return `INSERT INTO echo_orders (tenant, n) VALUES ($1, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n`
}

func (dialect) Outdated() string {
	return "tenant = $1 AND n <= (SELECT n FROM echo_orders WHERE tenant = $1) - $2"
}

func (dialect) Delete(s sqlstore.Rows) string {
	return `DELETE FROM ` + s.Table + ` WHERE (` + s.Key + `) IN (SELECT ` + s.Key + ` FROM ` + s.Table +
		` WHERE ` + s.Where + ` ORDER BY ` + s.Order + ` LIMIT ` + s.Limit + `)`
}

func (dialect) KeepsPrepared() bool { return true }
