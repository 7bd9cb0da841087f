package postgres

import (
	"database/sql"

	"hookloop/internal/registry/sqlstore"
)

// HotPath are the statements of accepting and delivering, for tests that ask PostgreSQL how it
// would run them.
var HotPath = sqlstore.HotPath(dialect{})

// ChangesQuery is the statement that lists the change log.
var ChangesQuery = sqlstore.ChangesQuery

// Migrations are the steps of the schema, for tests that stop at one of them.
var Migrations = migrations

// DB is the registry's own pool.
func (r *Registry) DB() *sql.DB { return r.db }
